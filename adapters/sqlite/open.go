package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

type access int

const (
	reading access = iota
	writing
)

// open opens a file for one writer or for some readers. Every connection is
// told, not trusted, to make commits durable: two of the usual SQLite drivers
// default to less than FULL in WAL mode.
func open(path string, a access) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if a == writing {
		// Events name actors and facts: they are for their owner. SQLite gives the
		// files beside it the same permissions.
		f, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, errors.Unwrap(err))
		}
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	if a == writing {
		q.Set("_txlock", "immediate")
	} else {
		q.Add("_pragma", "query_only(1)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if a == writing {
		db.SetMaxOpenConns(1)
	} else {
		db.SetMaxOpenConns(4)
	}
	return db, nil
}

// prepare creates the tables of a new log, and refuses a file that is something
// else or was written by a newer program.
func prepare(ctx context.Context, db *sql.DB, path string) error {
	if err := assertDurable(ctx, db); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	var app, version, tables int
	err = tx.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`).Scan(&app, &version, &tables)
	switch {
	case err != nil:
		return fmt.Errorf("open %s: %w", path, err)
	case tables == 0:
		_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion))
		if err != nil {
			return fmt.Errorf("create %s: %w", path, err)
		}
	case app != applicationID:
		return fmt.Errorf("open %s: a SQLite file, but not an Alur log", path)
	case version > schemaVersion:
		return fmt.Errorf("open %s: written by a newer Alur (log format %d; this program knows %d)", path, version, schemaVersion)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// assertDurable reads back what open asked for.
func assertDurable(ctx context.Context, db *sql.DB) error {
	var mode string
	var synchronous int
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return err
	}
	const full = 2
	if mode != "wal" || synchronous < full {
		return fmt.Errorf("SQLite runs with journal_mode=%s and synchronous=%d; a log needs wal and %d", mode, synchronous, full)
	}
	return nil
}

// Views is the file the views live in: one connection that writes and some that
// only read.
type Views struct {
	Writer *sql.DB
	Reader *sql.DB
}

// OpenViews opens the file the views live in, and creates it when there is none.
// It is apart from the log: it may be deleted and is then built anew.
func OpenViews(ctx context.Context, path string) (Views, error) {
	writer, err := open(path, writing)
	if err != nil {
		return Views{}, err
	}
	if err := writer.PingContext(ctx); err != nil {
		return Views{}, closeAfter(fmt.Errorf("open views %s: %w", path, err), writer)
	}
	reader, err := open(path, reading)
	if err != nil {
		return Views{}, closeAfter(err, writer)
	}
	return Views{Writer: writer, Reader: reader}, nil
}

// Close closes the file.
func (v Views) Close() error { return closeAfter(v.Reader.Close(), v.Writer) }

func closeAfter(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
