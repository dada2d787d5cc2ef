package projections

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/alur-id/alur/domain"
)

// Difference is a row that is not what the log says. It names columns, not what is in
// them.
type Difference struct {
	View    string            `json:"view"`
	Kind    DifferenceKind    `json:"kind"`
	Key     map[string]string `json:"key"`               // the columns of the primary key
	Columns []string          `json:"columns,omitempty"` // that differ
}

// DifferenceKind is how a row differs.
type DifferenceKind string

// How a row differs.
const (
	RowDiffers DifferenceKind = "differs"
	RowMissing DifferenceKind = "missing" // the log says that it should be there
	RowExtra   DifferenceKind = "extra"   // the log knows nothing of it
)

// Verified is what was found of one view.
type Verified struct {
	View        string          `json:"view"`
	Position    domain.Position `json:"position"` // up to which both were compared
	Rows        int64           `json:"rows"`
	Differences []Difference    `json:"differences"`
	More        bool            `json:"more,omitempty"` // there are more than MostDifferences
}

// MostDifferences is how many rows are named of one view and kind.
const MostDifferences = 1000

// Verify builds the named views, or all where none is named, anew beside those that
// are read, up to where these are, and compares them row by row. Nothing is changed,
// and the views go on meanwhile. With an error comes what was found of the others.
func (v *Views) Verify(ctx context.Context, names ...string) ([]Verified, error) {
	if err := v.look(ctx, 0); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	all := map[string]Verified{}
	err := v.build(ctx, names, true, func(ctx context.Context, t *tape, b *building) error {
		found, err := v.compare(ctx, t, b)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all[b.Name()] = found
		return nil
	})
	var list []Verified
	for _, name := range v.Names() {
		if found, ok := all[name]; ok {
			list = append(list, found)
		}
	}
	return list, err
}

// errAnew is of a view whose rows are of another version of the program.
var errAnew = errors.New("its rows were made by another version of the program: it is built anew when alur serve starts, or by alur projection rebuild")

func (v *Views) compare(ctx context.Context, t *tape, b *building) (found Verified, err error) {
	both, err := v.together(ctx, t, b)
	if err != nil {
		return found, err
	}
	defer both.Rollback()
	columns, key, err := b.Columns(ctx, both, b.Name())
	if err != nil {
		return found, err
	}
	found = Verified{View: b.Name(), Position: b.position, Differences: []Difference{}}
	if err := both.Query(ctx, `SELECT count(*) FROM `+b.Live()+b.Name(), nil, func(v []Value) error { found.Rows = v[0].Int; return nil }); err != nil {
		return found, err
	}
	want, moreWant, err := rowsOf(ctx, both, columns, key, b.Name(), b.Live()+b.Name())
	if err != nil {
		return found, err
	}
	have, moreHave, err := rowsOf(ctx, both, columns, key, b.Live()+b.Name(), b.Name())
	if err != nil {
		return found, err
	}
	found.More = moreWant || moreHave
	for _, id := range slices.Sorted(maps.Keys(want)) {
		found.Differences = append(found.Differences, differenceOf(b.Name(), columns, key, want[id], have[id]))
	}
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if want[id] == nil {
			found.Differences = append(found.Differences, differenceOf(b.Name(), columns, key, nil, have[id]))
		}
	}
	return found, nil
}

// together holds the view that is read, folds what is left up to there, and begins to
// read both as they are then.
func (v *Views) together(ctx context.Context, t *tape, b *building) (Tx, error) {
	held, err := v.store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer held.Rollback()
	c, err := lockCheckpoint(ctx, held, "checkpoint", b.Name())
	if err != nil {
		return nil, err
	}
	if c.shape != b.shape {
		return nil, errAnew
	}
	if err := b.foldUntil(ctx, t, c.position); err != nil {
		return nil, err
	}
	switch {
	case b.fault != nil:
		return nil, b.fault
	case b.position != c.position || b.event != c.event:
		return nil, fmt.Errorf("the view is at position %d, where the log has no such event: %w", c.position, errMoved)
	}
	return b.Snapshot(ctx)
}

// rowsOf are the rows of a table that another has not, by their keys.
func rowsOf(ctx context.Context, tx Tx, columns []string, key int, table, other string) (rows map[string][]Value, more bool, err error) {
	list, order := strings.Join(columns, ", "), make([]string, key)
	for i := range order {
		order[i] = strconv.Itoa(i + 1)
	}
	rows = map[string][]Value{}
	err = tx.Query(ctx, `SELECT `+list+` FROM `+table+` EXCEPT SELECT `+list+` FROM `+other+` ORDER BY `+strings.Join(order, ", ")+` LIMIT `+strconv.Itoa(MostDifferences+1),
		nil, func(v []Value) error {
			if len(rows) == MostDifferences {
				more = true
				return nil
			}
			rows[fmt.Sprint(v[:key])] = slices.Clone(v)
			return nil
		})
	return rows, more, err
}

func differenceOf(view string, columns []string, key int, want, have []Value) Difference {
	d := Difference{View: view, Kind: RowDiffers, Key: map[string]string{}}
	row := want
	switch {
	case have == nil:
		d.Kind = RowMissing
	case want == nil:
		d.Kind, row = RowExtra, have
	}
	for i, c := range columns {
		switch {
		case i < key && row[i].Kind == Int:
			d.Key[c] = strconv.FormatInt(row[i].Int, 10)
		case i < key:
			d.Key[c] = row[i].Text
		case d.Kind == RowDiffers && want[i] != have[i]:
			d.Columns = append(d.Columns, c)
		}
	}
	return d
}

// Pause has a view stand still where it is, or go on. When Pause returns, no process
// folds anything into one that is paused.
func (v *Views) Pause(ctx context.Context, name string, paused bool) error {
	if _, err := v.named([]string{name}); err != nil {
		return err
	}
	if err := execute(ctx, v.store, `UPDATE checkpoint SET paused = $1 WHERE projection = $2`, int64(flag(paused)), name); err != nil {
		return fmt.Errorf("pause view %s: %w", name, err)
	}
	return v.look(ctx, 0)
}
