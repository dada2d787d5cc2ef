package projections

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/alur-id/alur/domain"
)

// Table folds events into the rows of a view, in memory, a batch at a time: the rows
// that a batch concerns are read with one question, folded by a pure function, and
// what came of them is written with few statements. A view is written on it so:
//
//   - R is a struct with one field for each column, in the order of the table, under
//     the same names (WorkflowVersion is workflow_version). Columns are TEXT, for
//     fields that are strings, or BIGINT, for integers, bool (1 and 0) and [Micros].
//     The primary key comes first. R holds nothing that is not a column.
//   - Concerns says which rows an event will ask for, before anything is folded.
//   - Fold is given every event of the log, once, in order. It finds rows with
//     [Rows.One] and [Rows.All], and changes them in place; [Rows.Add] and
//     [Rows.Remove] do what they say. It depends on nothing but the rows and the
//     event: no clock, nothing remembered. Where one batch ends and another begins
//     must not matter, nor how the streams of different requests interleave, but
//     for columns that are positions.
//   - An error of Fold stops the view at that event, visibly, and no other view. It
//     is for events that cannot be: whatever the log may hold folds into something.
//
// The view's [Projection.Apply] is the table's. The example shows a whole view.
type Table[R comparable] struct {
	// Name is the name of the table.
	Name string
	// Key is how many of the first columns are its primary key.
	Key int
	// Group is how many of these, all TEXT, rows are read by: those that agree in
	// them come together. 0: rows are only ever added, and Concerns is not needed.
	Group int
	// Concerns names the groups of rows that Fold will ask for.
	Concerns func(c *Concerned, e domain.Recorded)
	// Fold folds one event.
	Fold func(rows *Rows[R], e domain.Recorded) error

	once   sync.Once
	shape  Shape
	fields []field
}

// Key is by which rows come together: the values of the first columns, the rest empty.
type Key [4]string

// Concerned collects which rows a batch concerns.
type Concerned struct{ keys map[Key]bool } // true: there may be some

// Known asks for the rows of a group, of which there may be none. It costs nothing where
// an event before, of the same batch, said New of it.
func (c *Concerned) Known(key Key) {
	if _, ok := c.keys[key]; !ok {
		c.keys[key] = true
	}
}

// New says that no event before this one can have made a row of the group, such as
// the first of a request: nothing needs to be read.
func (c *Concerned) New(key Key) {
	if _, ok := c.keys[key]; !ok {
		c.keys[key] = false
	}
}

// OfRequest is the Concerns of views whose rows are grouped by request, which is their
// first column: nothing for events of other streams.
func OfRequest(c *Concerned, e domain.Recorded) {
	request := RequestOf(e.Stream)
	switch {
	case request == "":
	case e.Version == 1:
		c.New(Key{request})
	default:
		c.Known(Key{request})
	}
}

// RequestOf is the request that a stream is of; empty for streams of something else.
func RequestOf(stream string) string {
	request, ok := strings.CutPrefix(stream, "request-")
	if !ok {
		return ""
	}
	return request
}

// FoldError is an event that a view cannot fold.
type FoldError struct {
	Event domain.Recorded
	Err   error
}

func (e *FoldError) Error() string {
	name, _ := e.Event.Body.Type()
	return fmt.Sprintf("position %d, %s %s: %v", e.Event.Position, name, e.Event.ID, e.Err)
}

func (e *FoldError) Unwrap() error { return e.Err }

// Apply folds events into the table. An error that is a [*FoldError] tells which of
// them could not be folded; after any error the transaction is to be undone.
func (t *Table[R]) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	t.once.Do(t.prepare)
	rows := Rows[R]{table: t, groups: map[Key]*group[R]{}}
	if t.Group > 0 {
		if err := rows.read(ctx, tx, events); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
	}
	for _, e := range events {
		if err := rows.fold(e); err != nil {
			return &FoldError{e, err}
		}
	}
	if err := rows.write(ctx, tx); err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	return nil
}

// prepare reads what the columns are. A table that is declared wrongly cannot work at
// all, so it panics.
func (t *Table[R]) prepare() {
	t.fields = fieldsOf(reflect.TypeFor[R]())
	t.shape = Shape{Table: t.Name, Key: t.Key, Group: t.Group}
	for _, f := range t.fields {
		t.shape.Columns = append(t.shape.Columns, f.column)
		t.shape.Texts = append(t.shape.Texts, f.kind == textField)
	}
	if t.Key < 1 || t.Key > len(t.fields) || t.Group > min(t.Key, len(Key{})) || t.Group > 0 && t.Concerns == nil {
		panic("table " + t.Name + ": Key, Group and Concerns do not fit together")
	}
	for _, f := range t.fields[:t.Group] {
		if f.kind != textField {
			panic("table " + t.Name + ": rows are read by columns that are text")
		}
	}
}

// Columns are the names of the columns, with commas between them, for statements that
// read the table.
func (t *Table[R]) Columns() string {
	t.once.Do(t.prepare)
	return strings.Join(t.shape.Columns, ", ")
}

// Scan reads the columns of [Table.Columns] from a result into a row.
func (t *Table[R]) Scan(result interface{ Scan(...any) error }) (R, error) {
	t.once.Do(t.prepare)
	var row R
	v, into := reflect.ValueOf(&row).Elem(), make([]any, len(t.fields))
	for i, f := range t.fields {
		into[i] = v.Field(f.index).Addr().Interface()
	}
	err := result.Scan(into...)
	return row, err
}
