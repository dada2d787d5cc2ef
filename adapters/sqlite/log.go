// Package sqlite keeps the event log in one SQLite file, the embedded default,
// beside it the keys of personal data in another, and opens the file the views
// live in.
//
// SQLite is modernc.org/sqlite: pure Go, so a program that has it needs no C
// compiler. The log and the keys speak to it through zombiezen.com/go/sqlite,
// which reads twice as fast as database/sql on it; the views keep database/sql.
// All writing goes through one goroutine that gathers what waits for it into one
// transaction (group commit): one fsync serves them all.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// Log is an event log in a SQLite file. One process at a time writes to it; that
// it is the only one, it remembers what it wrote. Any number may read.
type Log struct {
	path    string
	readers *pool

	// Of a log that is open for writing; nil in one that is only read.
	queue  *queue[*appends]
	writer *eventWriter
	lock   lock
	close  sync.Once

	grouped atomic.Pointer[func(appends int)] // is told of each group

	mu    sync.Mutex
	head  domain.Position
	grown chan struct{} // closed and replaced after each commit
}

var _ domain.EventLog = (*Log)(nil)

var logKind = kind{name: "an Alur log", id: 0x416c7572, version: 2, schema: `
CREATE TABLE event (
	position INTEGER PRIMARY KEY CHECK (position > 0),
	stream   TEXT    NOT NULL,
	version  INTEGER NOT NULL CHECK (version > 0),
	id       BLOB    NOT NULL,
	type     TEXT    NOT NULL,
	schema   INTEGER NOT NULL,
	meta     BLOB    NOT NULL, -- JSON: the envelope
	data     BLOB    NOT NULL, -- JSON: the body
	UNIQUE (stream, version)
) STRICT;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are never removed'); END;
`}

// Open opens the log in a file for writing and creates it when there is none. It
// returns [ErrInUse] when another process has it open for writing, or this one.
func Open(ctx context.Context, path string) (*Log, error) {
	real, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	held, err := acquire(real)
	if err != nil {
		return nil, err
	}
	conn, err := openWriter(ctx, real, logKind, "cache_size = -16384")
	if err != nil {
		return nil, errors.Join(err, held.release())
	}
	w, err := newEventWriter(real, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close(), held.release())
	}
	l := &Log{
		path: real, lock: held, writer: w, head: w.head, grown: make(chan struct{}),
		readers: newPool(func() (*sqlite.Conn, error) { return openReader(real) }),
	}
	l.queue = newQueue(l.commit, w.checkpoint)
	return l, nil
}

// Close waits for appends under way and closes the file. What is called after it
// returns [domain.ErrClosed].
func (l *Log) Close() error {
	var err error
	l.close.Do(func() {
		if l.queue != nil {
			l.queue.close()
		}
		err = l.readers.close()
		if l.queue != nil {
			err = errors.Join(err, l.writer.conn.Close(), l.lock.release())
		}
	})
	if err != nil {
		return fmt.Errorf("close %s: %w", l.path, err)
	}
	return nil
}

// Head implements [domain.EventLog].
func (l *Log) Head(ctx context.Context) (domain.Position, error) {
	if l.queue == nil {
		return l.lastPosition(ctx)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	head, _ := l.tail()
	return head, nil
}

// tail is the position of the last event that was committed, and what closes when
// there is another.
func (l *Log) tail() (domain.Position, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head, l.grown
}

// lastPosition asks the file: another process writes it.
func (l *Log) lastPosition(ctx context.Context) (domain.Position, error) {
	var p int64
	err := l.readers.use(ctx, func(conn *sqlite.Conn) (err error) {
		p, err = number(conn, `SELECT coalesce(max(position), 0) FROM event`)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read head of log: %w", damaged(err))
	}
	return domain.Position(p), nil
}

// pollInterval is how soon Wait notices an append by another process. Appends of
// this process are noticed at once.
const pollInterval = 250 * time.Millisecond

// Wait implements [domain.EventLog].
func (l *Log) Wait(ctx context.Context, after domain.Position) error {
	if l.queue == nil {
		return l.poll(ctx, after)
	}
	for {
		head, grown := l.tail()
		if err := ctx.Err(); err != nil || head > after {
			return err
		}
		select {
		case <-grown:
		case <-l.readers.closing:
			return domain.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Log) poll(ctx context.Context, after domain.Position) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		head, err := l.lastPosition(ctx)
		if err != nil || head > after {
			return err
		}
		select {
		case <-poll.C:
		case <-l.readers.closing:
			return domain.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
