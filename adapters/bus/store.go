package bus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// Store is what consumers of a log remember: how far each is, who does its work, and
// which messages it could not handle. It is the same SQL on SQLite and PostgreSQL.
// Safe for concurrent use, also by several processes.
type Store struct {
	writer, reader *sql.DB
	now            func() time.Time

	underWay sync.Map // "lane id" of what a lane of this process is sending
}

// tables are created one by one: a statement a call is what both databases take.
//
// holder is who has the lease, ” for nobody: a name for each time that it was taken.
// instance is the subscriber that renews it, and beat counts the renewals.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS consumer (
		name TEXT PRIMARY KEY, position BIGINT NOT NULL, event TEXT NOT NULL,
		holder TEXT NOT NULL, instance TEXT NOT NULL, beat BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS mark (
		consumer TEXT NOT NULL, position BIGINT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (consumer, position))`,
	`CREATE TABLE IF NOT EXISTS poison (
		consumer TEXT NOT NULL, position BIGINT NOT NULL, event TEXT NOT NULL, stream TEXT NOT NULL, type TEXT NOT NULL,
		reason TEXT NOT NULL, attempts BIGINT NOT NULL, since BIGINT NOT NULL, tried BIGINT NOT NULL, state TEXT NOT NULL,
		PRIMARY KEY (consumer, position))`,
	`CREATE TABLE IF NOT EXISTS lane (
		name TEXT PRIMARY KEY, state TEXT NOT NULL, failing BIGINT NOT NULL, reason TEXT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS sending (
		lane TEXT NOT NULL, id TEXT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL,
		due BIGINT NOT NULL, attempts BIGINT NOT NULL, since BIGINT NOT NULL, tried BIGINT NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL,
		PRIMARY KEY (lane, id))`,
	`CREATE INDEX IF NOT EXISTS sending_due ON sending (lane, state, due, position)`,
	`CREATE INDEX IF NOT EXISTS sending_stream ON sending (lane, stream, position)`,
}

// OpenStore prepares the tables in a database that can be written. Reader is the same
// database; it may be a handle that cannot write. Now is the clock by which it is told
// since when a message waits.
func OpenStore(ctx context.Context, writer, reader *sql.DB, now func() time.Time) (*Store, error) {
	s := &Store{writer: writer, reader: reader, now: now}
	for _, table := range tables {
		if err := create(ctx, writer, table); err != nil {
			return nil, fmt.Errorf("prepare the store of consumers: %w", err)
		}
	}
	return s, nil
}

// create tries twice: of several processes that create a table at once, PostgreSQL
// fails all but one, which then find it.
func create(ctx context.Context, db *sql.DB, table string) error {
	if _, err := db.ExecContext(ctx, table); err == nil {
		return nil
	}
	_, err := db.ExecContext(ctx, table)
	return err
}

// mark is a place in the log: the position of an event and its id, by which a log that
// no longer has that event is noticed. The zero mark lies before all events.
type mark struct {
	position domain.Position
	event    string
}

func markOf(e domain.Entry) mark { return mark{e.Position, e.ID.String()} }

// lookout is what somebody who waits for a lease sees of it. As long as it changes,
// the holder lives.
type lookout struct {
	holder string
	beat   int64
}

// errLost says that the lease is somebody else's: nothing was changed.
var errLost = errors.New("another consumer of the group has taken over")

// enrol makes a consumer known that begins behind a place, unless it is known.
func (s *Store) enrol(ctx context.Context, name string, at mark) error {
	_, err := s.writer.ExecContext(ctx, `INSERT INTO consumer (name, position, event, holder, instance, beat)
		VALUES ($1, $2, $3, '', '', 0) ON CONFLICT DO NOTHING`, name, at.position, at.event)
	return err
}

func (s *Store) known(ctx context.Context, name string) (bool, error) {
	var n int
	err := s.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM consumer WHERE name = $1`, name).Scan(&n)
	return n > 0, err
}

func (s *Store) look(ctx context.Context, name string) (l lookout, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT holder, beat FROM consumer WHERE name = $1`, name).Scan(&l.holder, &l.beat)
	return l, err
}

// take takes the lease from the holder that was seen, if it is still as it was, and
// returns the checkpoint.
func (s *Store) take(ctx context.Context, name string, seen lookout, holder, instance string) (at mark, taken bool, err error) {
	err = s.writer.QueryRowContext(ctx, `UPDATE consumer SET holder = $1, instance = $2, beat = 0
		WHERE name = $3 AND holder = $4 AND beat = $5 RETURNING position, event`,
		holder, instance, name, seen.holder, seen.beat).Scan(&at.position, &at.event)
	if errors.Is(err, sql.ErrNoRows) {
		return mark{}, false, nil
	}
	return at, err == nil, err
}

// renew renews all leases of an instance and returns their holders.
func (s *Store) renew(ctx context.Context, instance string) (map[string]bool, error) {
	rows, err := s.writer.QueryContext(ctx, `UPDATE consumer SET beat = beat + 1 WHERE instance = $1 RETURNING holder`, instance)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	held := map[string]bool{}
	for rows.Next() {
		var holder string
		if err := rows.Scan(&holder); err != nil {
			return nil, err
		}
		held[holder] = true
	}
	return held, rows.Err()
}

// release lets the next take the lease at once, and moves the checkpoint a last time
// from where its holder had it. Elsewhere it is where [Once] moved it.
func (s *Store) release(ctx context.Context, name, holder string, from, to mark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if from != to {
			if _, err := tx.ExecContext(ctx, `UPDATE consumer SET position = $1, event = $2 WHERE name = $3 AND holder = $4 AND position = $5`,
				to.position, to.event, name, holder, from.position); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE consumer SET holder = '', instance = '' WHERE name = $1 AND holder = $2`, name, holder)
		return err
	})
}

// move moves the checkpoint of whoever holds the lease, also backwards.
func (s *Store) move(ctx context.Context, name, holder string, to mark) error {
	return held(s.writer.ExecContext(ctx, `UPDATE consumer SET position = $1, event = $2 WHERE name = $3 AND holder = $4`,
		to.position, to.event, name, holder))
}

// held is errLost unless a statement about a held lease changed its row.
func held(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return errLost
}

// tx runs work in one transaction.
func (s *Store) tx(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// keptMarks is how many marks are kept of each consumer, and markEvery how many events
// lie between two of them.
const keptMarks, markEvery = 100, 100

// note keeps a place that was passed, for a log that loses events.
func (s *Store) note(ctx context.Context, name string, at mark) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO mark (consumer, position, event) VALUES ($1, $2, $3)
			ON CONFLICT (consumer, position) DO UPDATE SET event = excluded.event`, name, at.position, at.event); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM mark WHERE consumer = $1 AND position <
			(SELECT MIN(position) FROM (SELECT position FROM mark WHERE consumer = $1 ORDER BY position DESC LIMIT $2) AS newest)`, name, keptMarks)
		return err
	})
}

// marks are the places that a consumer passed, newest first.
func (s *Store) marks(ctx context.Context, name string) ([]mark, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT position, event FROM mark WHERE consumer = $1 ORDER BY position DESC`, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []mark
	for rows.Next() {
		var m mark
		if err := rows.Scan(&m.position, &m.event); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// Consumer is where a consumer of the log stands.
type Consumer struct {
	Name     string          `json:"name"`
	Position domain.Position `json:"position"`
	Holder   string          `json:"holder,omitempty"` // the process at work, or the last one that was killed
	Poisoned int             `json:"poisoned"`         // messages that it could not handle
}

// Consumers lists all consumers by their names.
func (s *Store) Consumers(ctx context.Context) ([]Consumer, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT name, position, instance,
		(SELECT COUNT(*) FROM poison WHERE poison.consumer = consumer.name AND state <> 'skipped') FROM consumer ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list consumers: %w", err)
	}
	defer rows.Close()
	list := []Consumer{}
	for rows.Next() {
		var c Consumer
		if err := rows.Scan(&c.Name, &c.Position, &c.Holder, &c.Poisoned); err != nil {
			return nil, fmt.Errorf("list consumers: %w", err)
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list consumers: %w", err)
	}
	return list, nil
}

// DB is the database of the store, for what consumers keep beside it.
func (s *Store) DB() *sql.DB { return s.writer }
