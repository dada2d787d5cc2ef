// Package postgres keeps the event log in a PostgreSQL database, beside it the
// keys of personal data, and opens the schema that the views live in. Each has a
// schema of its own, alur_log, alur_keys and alur_views, and may be in a database
// of its own; the keys should be, for their backups live shorter.
//
// Any number of processes may write to one log. Appends that wait are gathered
// into one transaction (group commit), and transactions follow one another under
// one advisory lock: so positions have no gaps and are in the order of commits,
// and a follower needs no more than the last one that it saw.
//
// Connections must reach the server itself: a pooler in transaction mode loses
// the settings they are given, and what they listen for.
package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/alur-id/alur/domain"
)

// Log is an event log in a PostgreSQL database.
type Log struct {
	readers   *pool
	tail      *tail
	committer *committer // nil in a log that is only read
	close     sync.Once
}

var _ domain.EventLog = (*Log)(nil)

// OpenLog opens the log in a database for writing and creates its tables when
// there are none, which needs the right to create a schema in the database. A
// server that may lose what it commits is refused; a role or a database for which
// synchronous_commit is off is told otherwise. For a server that is not there yet
// it waits 30 seconds, or as many as open_timeout in the connection string says, but
// not longer than the context lasts; so do all that open something here.
func OpenLog(ctx context.Context, dsn string) (*Log, error) {
	config, wait, err := configured(dsn, forWriting, planning)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	w := &writer{config: config}
	err = waitFor(ctx, wait, func(ctx context.Context) error {
		if err := logSchema.migrate(ctx, config, migrations); err != nil {
			return err
		}
		return w.connect(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("open log in %s: %w", config.Database, err)
	}
	l := &Log{readers: newPool(config)}
	l.tail = newTail(config, w.backend.Load)
	l.committer = newCommitter(w, l.tail.saw)
	return l, nil
}

// OpenLogReadOnly opens a log for reading, on any server that has it, a standby
// too, and changes nothing there. Append returns [domain.ErrReadOnly].
func OpenLogReadOnly(ctx context.Context, dsn string) (*Log, error) {
	config, wait, err := configured(dsn, forReading, planning)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	if err := waitFor(ctx, wait, func(ctx context.Context) error { return logSchema.check(ctx, config, migrations) }); err != nil {
		return nil, fmt.Errorf("open log in %s: %w", config.Database, err)
	}
	return &Log{readers: newPool(config), tail: newTail(config, func() uint32 { return 0 })}, nil
}

// Close waits for appends under way and closes the connections. What is called
// after it returns [domain.ErrClosed]. It does not wait for a server that cannot
// be reached: of appends that were on their way it is then not known whether they
// were recorded.
func (l *Log) Close() error {
	l.close.Do(func() {
		if l.committer != nil {
			l.committer.close()
		}
		l.tail.close()
		l.readers.end()
	})
	return nil
}

var selectHead = statement{"head", `SELECT coalesce(max(position), 0) FROM alur_log.event`}

// Head implements [domain.EventLog]. It asks the database: others write to it.
func (l *Log) Head(ctx context.Context) (domain.Position, error) {
	var head domain.Position
	err := l.readers.use(ctx, func(ctx context.Context, c *conn) (err error) {
		head, err = readHead(ctx, c)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read head of log: %w", damaged(err))
	}
	return head, nil
}

func readHead(ctx context.Context, c *conn) (domain.Position, error) {
	rows, err := c.run(ctx, selectHead)
	if err != nil {
		return 0, err
	}
	var head domain.Position
	for rows.NextRow() {
		head = domain.Position(number(rows.Values()[0]))
	}
	_, err = rows.Close()
	return head, err
}

// Wait implements [domain.EventLog].
func (l *Log) Wait(ctx context.Context, after domain.Position) error { return l.tail.wait(ctx, after) }
