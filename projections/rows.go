package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/alur-id/alur/domain"
)

// Rows are the rows of a table that a batch of events concerns.
type Rows[R comparable] struct {
	table  *Table[R]
	groups map[Key]*group[R]
	order  []*entry[R] // all of them: what is written comes in the order of the log
	fault  error       // of a Fold that asked for what Concerns does not name
}

type group[R comparable] struct{ entries []*entry[R] }

// entry is a row as it is in the table and as it will be.
type entry[R comparable] struct {
	now, was R
	stored   bool // was is in the table
	gone     bool
}

// One is the row of a group that has one at most; nil when there is none. What is
// changed in it is written.
func (r *Rows[R]) One(key Key) *R {
	for row := range r.All(key) {
		return row
	}
	return nil
}

// All are the rows of a group, in no order. What is changed in them is written; rows
// may be added and removed meanwhile.
func (r *Rows[R]) All(key Key) iter.Seq[*R] {
	g := r.group(key)
	return func(yield func(*R) bool) {
		for _, e := range slices.Clone(g.entries) {
			if !e.gone && !yield(&e.now) {
				return
			}
		}
	}
}

// Add adds a row. One with its key must not be there.
func (r *Rows[R]) Add(row R) *R {
	e := &entry[R]{now: row}
	r.order = append(r.order, e)
	if r.table.Group > 0 {
		g := r.group(r.table.keyOf(&row))
		g.entries = append(g.entries, e)
	}
	return &e.now
}

// Remove removes a row that was found under a key.
func (r *Rows[R]) Remove(key Key, row *R) {
	for _, e := range r.group(key).entries {
		if &e.now == row {
			e.gone = true
		}
	}
}

func (r *Rows[R]) group(key Key) *group[R] {
	g, ok := r.groups[key]
	if !ok {
		r.fault = fmt.Errorf("the view %s asks for rows that Concerns does not name for the event", r.table.Name)
		g = &group[R]{}
		r.groups[key] = g
	}
	return g
}

// fold folds one event. A panic is an event that cannot be folded, as an error is.
func (r *Rows[R]) fold(e domain.Recorded) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return errors.Join(r.table.Fold(r, e), r.fault)
}

func (r *Rows[R]) read(ctx context.Context, tx Tx, events []domain.Recorded) error {
	c := Concerned{keys: map[Key]bool{}}
	for _, e := range events {
		r.table.Concerns(&c, e)
	}
	keys := make([]Key, 0, len(c.keys))
	for key, known := range c.keys {
		r.groups[key] = &group[R]{}
		if known {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return tx.Read(ctx, &r.table.shape, keys, func(values []Value) error {
		if i := slices.IndexFunc(values, func(v Value) bool { return v.Kind == Foreign }); i >= 0 {
			return fmt.Errorf("column %s of a row of %s is a %s, which no view writes: alur projection rebuild makes it anew", r.table.shape.Columns[i], r.table.shape.Table, values[i].Text)
		}
		e := &entry[R]{stored: true}
		r.table.set(&e.was, values)
		e.now = e.was
		g := r.groups[r.table.keyOf(&e.was)]
		if g == nil {
			return errors.New("the database gives rows that were not asked for")
		}
		g.entries = append(g.entries, e)
		r.order = append(r.order, e)
		return nil
	})
}

// write writes what differs. What goes, goes first: another row may come under its
// key.
func (r *Rows[R]) write(ctx context.Context, tx Tx) error {
	t := r.table
	n := len(t.fields)
	var gone, changed, added []Value
	if t.Group == 0 {
		added = make([]Value, 0, n*len(r.order))
	}
	for _, e := range r.order {
		switch {
		case e.stored && e.gone:
			gone = t.values(gone, &e.was, t.Key)
		case e.gone || e.stored && e.now == e.was:
		case !e.stored:
			added = t.values(added, &e.now, n)
		case t.sameKey(&e.now, &e.was):
			changed = t.values(changed, &e.now, n)
		default:
			gone = t.values(gone, &e.was, t.Key)
			added = t.values(added, &e.now, n)
		}
	}
	if len(gone) > 0 {
		if err := tx.Delete(ctx, &t.shape, gone); err != nil {
			return err
		}
	}
	if len(changed) > 0 {
		if err := tx.Replace(ctx, &t.shape, changed); err != nil {
			return err
		}
	}
	if len(added) > 0 {
		return tx.Insert(ctx, &t.shape, added)
	}
	return nil
}

func (t *Table[R]) keyOf(row *R) Key {
	var key Key
	v := reflect.ValueOf(row).Elem()
	for i, f := range t.fields[:t.Group] {
		key[i] = v.Field(f.index).String()
	}
	return key
}

func (t *Table[R]) sameKey(a, b *R) bool {
	va, vb := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for _, f := range t.fields[:t.Key] {
		if f.value(va) != f.value(vb) {
			return false
		}
	}
	return true
}

// values appends the values of the first n columns.
func (t *Table[R]) values(to []Value, row *R, n int) []Value {
	v := reflect.ValueOf(row).Elem()
	for _, f := range t.fields[:n] {
		to = append(to, f.value(v))
	}
	return to
}

func (t *Table[R]) set(row *R, values []Value) {
	v := reflect.ValueOf(row).Elem()
	for i, f := range t.fields {
		f.set(v, values[i])
	}
}
