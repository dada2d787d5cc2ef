package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
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
		// Views name actors and facts: they are for their owner.
		if err := createPrivate(abs); err != nil {
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
