package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/domain"
)

const columns = `position, stream, version, id, type, schema, meta, data`

var (
	selectStream = statement{"stream", `SELECT ` + columns + ` FROM alur_log.event WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3`}
	selectAll    = statement{"all", `SELECT ` + columns + ` FROM alur_log.event WHERE position > $1 ORDER BY position LIMIT $2`}
)

// A read holds one page of events in memory at a time. Between pages nothing is
// open on the server. The first page is small, for many want no more.
const (
	firstPage = 256
	fullPage  = 2000
	pageBytes = 1 << 20
	hugeBytes = 8 << 20 // the server had more than was thought: what follows is not taken
)

// ReadStream implements [domain.EventLog].
func (l *Log) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	return l.pages(ctx, func() source {
		last := int64(after)
		return func(ctx context.Context, c *conn, p *page) error {
			err := p.fill(ctx, c, selectStream, []byte(stream), int8Of(last), int8Of(int64(p.limit)))
			if n := len(p.entries); n > 0 && err == nil {
				last = int64(p.entries[n-1].Version)
			}
			return err
		}
	})
}

// ReadAll implements [domain.EventLog].
func (l *Log) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return l.pages(ctx, func() source {
		last := int64(after)
		return func(ctx context.Context, c *conn, p *page) error {
			err := p.fill(ctx, c, selectAll, int8Of(last), int8Of(int64(p.limit)))
			if n := len(p.entries); n > 0 && err == nil {
				last = int64(p.entries[n-1].Position)
			}
			return err
		}
	})
}

// source reads the next page. When it fails, it is asked again for the same one.
type source func(context.Context, *conn, *page) error

// pages yields page after page until there are no more. Start returns a source of
// its own each time: a sequence may be ranged over again.
func (l *Log) pages(ctx context.Context, start func() source) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		next, p := start(), page{limit: firstPage, types: map[string]string{}}
		for {
			err := l.readers.use(ctx, func(ctx context.Context, c *conn) error { return next(ctx, c, &p) })
			if err = damaged(err); err != nil && !errors.Is(err, domain.ErrDamaged) {
				yield(domain.Entry{}, fmt.Errorf("read events: %w", err))
				return
			}
			for _, e := range p.entries {
				if err := ctx.Err(); err != nil {
					yield(domain.Entry{}, fmt.Errorf("read events: %w", err))
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(domain.Entry{}, fmt.Errorf("read events: %w", err))
				return
			}
			if !p.more {
				return
			}
			p.grow()
		}
	}
}

// page is some events in memory. Their bytes are cut from shared chunks: one
// allocation serves many.
type page struct {
	limit   int
	entries []domain.Entry
	bytes   int
	more    bool // there may be events after these
	chunk   []byte
	types   map[string]string // each name of a type once
}

// grow makes the limit of the next page what fits, by what this one had.
func (p *page) grow() {
	fits := len(p.entries) * pageBytes / max(p.bytes, 1)
	p.limit = max(1, min(fits, 4*p.limit, fullPage))
}

// fill reads events in the place of those it holds.
func (p *page) fill(ctx context.Context, c *conn, s statement, arguments ...[]byte) error {
	p.entries, p.bytes, p.more = p.entries[:0], 0, false
	rows, err := c.run(ctx, s, arguments...)
	if err != nil {
		return err
	}
	var broken error
	for broken == nil && rows.NextRow() {
		if broken = p.take(rows); p.bytes >= hugeBytes {
			// The rest is on its way already: only the end of the connection stops it.
			p.more = true
			c.drop()
			return broken
		}
	}
	if _, err := rows.Close(); err != nil {
		return err
	}
	p.more = len(p.entries) == p.limit
	return broken
}

func (p *page) take(rows *pgconn.ResultReader) error {
	v := rows.Values()
	e := domain.Entry{
		Position: domain.Position(number(v[0])), Version: domain.Version(number(v[2])), Schema: int(number(v[5])),
		Stream: string(v[1]), Type: p.name(v[4]), Meta: p.cut(v[6]), Data: p.cut(v[7]),
	}
	var err error
	if e.ID, err = idOf(v[3]); err != nil {
		return fmt.Errorf("position %d: %w", e.Position, err)
	}
	p.entries = append(p.entries, e)
	p.bytes += e.Size()
	return nil
}

const chunkBytes = 64 << 10

// cut copies a column into the chunk. The slice cannot grow over its neighbour.
func (p *page) cut(column []byte) []byte {
	n := len(column)
	if n > cap(p.chunk)-len(p.chunk) {
		p.chunk = make([]byte, 0, max(n, chunkBytes))
	}
	from := len(p.chunk)
	p.chunk = append(p.chunk, column...)
	return p.chunk[from : from+n : from+n]
}

func (p *page) name(b []byte) string {
	if s, ok := p.types[string(b)]; ok {
		return s
	}
	s := string(b)
	p.types[s] = s
	return s
}
