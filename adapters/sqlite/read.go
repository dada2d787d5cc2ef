package sqlite

import (
	"context"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

const columns = `position, stream, version, id, type, schema, meta, data`

// The plus before a parameter is no arithmetic: without it SQLite plans a prepared
// statement anew whenever the parameter changes (it looks into statistics of which
// there are none), which takes longer than reading a request.
const (
	selectStream = `SELECT ` + columns + ` FROM event WHERE stream = +?1 AND version > +?2 AND position > 0 ORDER BY version`
	selectAll    = `SELECT ` + columns + ` FROM event WHERE position > +?1 ORDER BY position`
)

// A read holds one page of events in memory at a time. Between pages no statement
// is open, so a slow reader does not keep the write-ahead log growing.
const (
	pageEvents = 1000
	pageBytes  = 1 << 20
)

// ReadStream implements [domain.EventLog].
func (l *Log) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	return l.pages(ctx, func() func(*sqlite.Conn, *page) error {
		after := after
		return func(conn *sqlite.Conn, p *page) error {
			stmt, err := conn.Prepare(selectStream)
			if err != nil {
				return err
			}
			stmt.BindText(1, stream)
			stmt.BindInt64(2, int64(after))
			err = p.fill(stmt)
			if n := len(p.entries); n > 0 {
				after = p.entries[n-1].Version
			}
			return err
		}
	})
}

// ReadAll implements [domain.EventLog].
func (l *Log) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return l.pages(ctx, func() func(*sqlite.Conn, *page) error {
		after := after
		return func(conn *sqlite.Conn, p *page) error {
			stmt, err := conn.Prepare(selectAll)
			if err != nil {
				return err
			}
			stmt.BindInt64(1, int64(after))
			err = p.fill(stmt)
			if n := len(p.entries); n > 0 {
				after = p.entries[n-1].Position
			}
			return err
		}
	})
}

// pages yields page after page until there are no more. Start returns what reads
// the next page, at first the first: a sequence may be ranged over again.
func (l *Log) pages(ctx context.Context, start func() func(*sqlite.Conn, *page) error) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		next, p := start(), page{types: map[string]string{}}
		for {
			p.entries = p.entries[:0]
			err := l.readers.use(ctx, func(conn *sqlite.Conn) error { return next(conn, &p) })
			for _, e := range p.entries {
				if gone := ctx.Err(); gone != nil {
					err = gone
					break
				}
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(domain.Entry{}, fmt.Errorf("read events: %w", damaged(err)))
				return
			}
			if !p.more {
				return
			}
		}
	}
}

// page is some events in memory. Their bytes are cut from shared chunks: one
// allocation serves many.
type page struct {
	entries []domain.Entry
	more    bool // there may be events after these
	chunk   []byte
	types   map[string]string // each name of a type once
}

const chunkBytes = 64 << 10

// fill reads events until the page is full. Those before an error stay: what was
// read is read.
func (p *page) fill(stmt *sqlite.Stmt) error {
	defer func() { _ = stmt.Reset() }() // it repeats the error of Step
	p.more = false
	for bytes := 0; ; {
		ok, err := stmt.Step()
		if err != nil || !ok {
			return err
		}
		e, err := p.entry(stmt)
		if err != nil {
			return err
		}
		p.entries = append(p.entries, e)
		bytes += e.Size()
		if len(p.entries) == pageEvents || bytes >= pageBytes {
			p.more = true
			return nil
		}
	}
}

func (p *page) entry(stmt *sqlite.Stmt) (domain.Entry, error) {
	e := domain.Entry{
		Position: domain.Position(stmt.ColumnInt64(0)),
		Stream:   stmt.ColumnText(1),
		Version:  domain.Version(stmt.ColumnInt64(2)),
		Schema:   stmt.ColumnInt(5),
	}
	if n := stmt.ColumnBytes(3, e.ID[:]); n != len(e.ID) || stmt.ColumnLen(3) != n {
		return domain.Entry{}, fmt.Errorf("position %d: the event id has %d bytes, not %d: %w", e.Position, stmt.ColumnLen(3), len(uuid.Nil), domain.ErrDamaged)
	}
	e.Type, e.Meta, e.Data = p.name(p.cut(stmt, 4)), p.cut(stmt, 6), p.cut(stmt, 7)
	return e, nil
}

// cut copies a column into the chunk. The slice cannot grow over its neighbour.
func (p *page) cut(stmt *sqlite.Stmt, column int) []byte {
	n := stmt.ColumnLen(column)
	if n > cap(p.chunk)-len(p.chunk) {
		p.chunk = make([]byte, 0, max(n, chunkBytes))
	}
	from := len(p.chunk)
	p.chunk = p.chunk[:from+n]
	b := p.chunk[from : from+n : from+n]
	stmt.ColumnBytes(column, b)
	return b
}

func (p *page) name(b []byte) string {
	if s, ok := p.types[string(b)]; ok {
		return s
	}
	s := string(b)
	p.types[s] = s
	return s
}
