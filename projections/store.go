package projections

import "context"

// Shape is what the table of a view looks like.
type Shape struct {
	Table   string
	Columns []string
	Texts   []bool // which of the columns are TEXT; the others are BIGINT
	Key     int    // how many of the first columns are the primary key
	Group   int    // how many of these rows are read by
}

// Tx is a transaction in which rows of views are read and written, many at a time.
// Rows are given one after the other, the values of each in the order of the columns.
// It is used by one goroutine.
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
}
