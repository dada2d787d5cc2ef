package projections

import (
	"context"
	"errors"
	"time"
)

// Store is a database that views live in. It is safe for concurrent use. Statements
// are the same on every store: parameters are $1, $2 and so on, and names are looked
// up in the database of the views.
type Store interface {
	// Begin begins a transaction that writes. It must be ended.
	Begin(ctx context.Context) (Tx, error)
	// Query reads what is committed.
	Query(ctx context.Context, statement string, args []any, row func([]Value) error) error
	// Scratch makes room for new generations of views beside those that are read, and
	// clears away what one left that died. There is one at a time: where another process
	// has it, the error is [ErrBuilding]; where there may be none, [ErrNoScratch].
	Scratch(ctx context.Context) (Scratch, error)
}

// What may keep a view from being built beside the one that is read.
var (
	ErrBuilding  = errors.New("views are being built anew or verified already")
	ErrNoScratch = errors.New("there is no room to build views anew beside those that are read")
)

// Tx is a transaction in which rows of views are read and written, many at a time.
// Rows are given one after the other, the values of each in the order of the columns.
// It is used by one goroutine. Begun with a context, it may fail when that ends.
type Tx interface {
	// Read gives the rows whose first columns, as many as the shape's group has, are
	// those of a key. The values are overwritten by the next row.
	Read(ctx context.Context, s *Shape, keys []Key, row func([]Value) error) error
	// Insert adds rows. It is an error if one with the same key is there.
	Insert(ctx context.Context, s *Shape, rows []Value) error
	// Replace puts rows in the place of those with the same key, which are there.
	Replace(ctx context.Context, s *Shape, rows []Value) error
	// Delete removes rows, of which the values of the primary key are given.
	Delete(ctx context.Context, s *Shape, keys []Value) error

	// Exec runs a statement, and tells how many rows it changed. Arguments are strings
	// and int64.
	Exec(ctx context.Context, statement string, args ...any) (int64, error)
	// Query gives the rows of a result. The values are overwritten by the next row.
	Query(ctx context.Context, statement string, args []any, row func([]Value) error) error

	// Commit ends the transaction; what it wrote is kept.
	Commit(ctx context.Context) error
	// Rollback ends the transaction without a trace, if it has not ended.
	Rollback()
}

// Shape is what the table of a view looks like.
type Shape struct {
	Table   string
	Columns []string
	Texts   []bool // which of the columns are TEXT; the others are BIGINT
	Key     int    // how many of the first columns are the primary key
	Group   int    // how many of these rows are read by
}

// Scratch is room for new generations. What is in it does not outlive its process, and
// need not be durable.
type Scratch interface {
	// Generation makes an empty place for a view. Several may be written at once.
	Generation(ctx context.Context, view string) (Generation, error)
	// Close throws everything away.
	Close() error
}

// Generation is where a view is built anew. Its tables are found by their names; those
// of the view that is read, by the same names behind [Generation.Live].
type Generation interface {
	// Begin begins a transaction in the generation.
	Begin(ctx context.Context) (Tx, error)
	// Hold begins one that can write to what is read, too.
	Hold(ctx context.Context) (Tx, error)
	// Snapshot begins one that reads both: what is read as it is now, and the
	// generation as it is when it is first read from.
	Snapshot(ctx context.Context) (Tx, error)
	// Columns are those of a table of the generation, and how many of the first are its
	// primary key.
	Columns(ctx context.Context, tx Tx, table string) (columns []string, key int, err error)
	// Live stands before the names of tables that are read.
	Live() string
	// Swap puts a table of the generation, with its indexes, in the place of the one
	// that is read, in a transaction of Hold. The generation is of no more use then.
	Swap(ctx context.Context, tx Tx, table string) error
	// Close throws the generation away.
	Close() error
}

// Leases say which node does what. A lease is of one holder until a time, by one clock
// for all nodes, and is renewed before. It keeps two nodes from doing the same work;
// what must not be done twice needs another guard, since a holder may not notice in
// time that its lease has run out.
type Leases interface {
	// Hold takes those of the leases that are free or have run out, renews those that
	// the holder has, and returns these together: they are the holder's for so long
	// from the call on.
	Hold(ctx context.Context, holder string, names []string, span time.Duration) ([]string, error)
	// Release gives up what a holder has.
	Release(ctx context.Context, holder string) error
}
