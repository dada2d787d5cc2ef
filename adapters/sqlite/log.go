// Package sqlite keeps the event log in one SQLite file, the embedded default,
// and opens the file the views live in.
//
// The driver is modernc.org/sqlite: pure Go, so a program that has it needs no C
// compiler. All writing goes through one goroutine that gathers the appends
// waiting for it into one transaction (group commit): one fsync serves them all.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Log is an event log in a SQLite file. Several processes may use one file:
// every append checks the stream's version inside its transaction.
type Log struct {
	writer *sql.DB
	reader *sql.DB

	requests chan *request
	closing  chan struct{}
	stopped  chan struct{}
	close    sync.Once

	mu    sync.Mutex
	grown chan struct{} // closed and replaced after each commit
}

var _ domain.EventLog = (*Log)(nil)

// applicationID marks a file as an Alur log ("Alur" in ASCII); schemaVersion is
// the shape of its tables. Both stand in the header of the file.
const (
	applicationID = 0x416c7572
	schemaVersion = 2
)

const schema = `
CREATE TABLE event (
	position INTEGER PRIMARY KEY,
	stream   TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	id       BLOB    NOT NULL,
	type     TEXT    NOT NULL,
	schema   INTEGER NOT NULL,
	meta     BLOB    NOT NULL, -- JSON: the envelope
	data     BLOB    NOT NULL, -- JSON: the body
	UNIQUE (stream, version)
) STRICT;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are never removed'); END;
`

// Open opens the log in a file and creates it when there is none.
func Open(ctx context.Context, path string) (*Log, error) {
	writer, err := open(path, writing)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, writer, path); err != nil {
		return nil, closeAfter(err, writer)
	}
	reader, err := open(path, reading)
	if err != nil {
		return nil, closeAfter(err, writer)
	}
	l := &Log{
		writer: writer, reader: reader,
		requests: make(chan *request, maxRequests),
		closing:  make(chan struct{}), stopped: make(chan struct{}),
		grown: make(chan struct{}),
	}
	go l.write()
	return l, nil
}

// Close waits for appends under way and closes the file. Appends after it fail.
func (l *Log) Close() error {
	var err error
	l.close.Do(func() {
		close(l.closing)
		<-l.stopped
		err = closeAfter(l.reader.Close(), l.writer)
	})
	return err
}

// Head implements [domain.EventLog].
func (l *Log) Head(ctx context.Context) (domain.Position, error) {
	var p domain.Position
	if err := l.reader.QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM event`).Scan(&p); err != nil {
		return 0, fmt.Errorf("read head of log: %w", err)
	}
	return p, nil
}

// pollInterval is how soon Wait notices an append by another process. Appends of
// this process are noticed at once.
const pollInterval = 250 * time.Millisecond

// Wait implements [domain.EventLog].
func (l *Log) Wait(ctx context.Context, after domain.Position) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		l.mu.Lock()
		grown := l.grown
		l.mu.Unlock()
		head, err := l.Head(ctx)
		if err != nil {
			return err
		}
		if head > after {
			return nil
		}
		select {
		case <-grown:
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

const columns = `position, stream, version, id, type, schema, meta, data`

// pageSize is how many events a read holds in memory at once. Between pages no
// statement is open, so a slow reader does not keep the write-ahead log growing.
const pageSize = 1000

// ReadStream implements [domain.EventLog].
func (l *Log) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	return pages(after, func(after domain.Version) ([]domain.Entry, domain.Version, error) {
		page, err := l.query(ctx, `SELECT `+columns+` FROM event WHERE stream = ? AND version > ? ORDER BY version LIMIT ?`, stream, after, pageSize)
		if len(page) > 0 {
			after = page[len(page)-1].Version
		}
		return page, after, err
	})
}

// ReadAll implements [domain.EventLog].
func (l *Log) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return pages(after, func(after domain.Position) ([]domain.Entry, domain.Position, error) {
		page, err := l.query(ctx, `SELECT `+columns+` FROM event WHERE position > ? ORDER BY position LIMIT ?`, after, pageSize)
		if len(page) > 0 {
			after = page[len(page)-1].Position
		}
		return page, after, err
	})
}

// pages yields page after page until one is not full. Next gives the page behind
// a place, and the place it ends at.
func pages[P any](from P, next func(P) ([]domain.Entry, P, error)) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		for after := from; ; {
			page, end, err := next(after)
			after = end
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(domain.Entry{}, err)
				return
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// query returns the events before an error too: what was read is read.
func (l *Log) query(ctx context.Context, text string, args ...any) ([]domain.Entry, error) {
	rows, err := l.reader.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer rows.Close()
	var events []domain.Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return events, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

func scan(rows *sql.Rows) (domain.Entry, error) {
	var e domain.Entry
	var id []byte
	if err := rows.Scan(&e.Position, &e.Stream, &e.Version, &id, &e.Type, &e.Schema, &e.Meta, &e.Data); err != nil {
		return e, fmt.Errorf("read events: %w", err)
	}
	var err error
	if e.ID, err = uuid.FromBytes(id); err != nil {
		return e, fmt.Errorf("position %d: event id: %w", e.Position, err)
	}
	return e, nil
}
