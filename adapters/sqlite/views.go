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

// openViewReaders opens connections that only read a file.
func openViewReaders(path string) (*sql.DB, error) {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "query_only(1)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

// Views is the file the views live in: what writes, and connections that only read.
type Views struct {
	Writer *ViewWriter
	Reader *sql.DB
}

// OpenViews opens the file the views live in, and creates it when there is none.
// It is apart from the log: it may be deleted and is then built anew.
func OpenViews(ctx context.Context, path string) (Views, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Views{}, fmt.Errorf("open views %s: %w", path, err)
	}
	writer, err := openViewWriter(ctx, abs)
	if err != nil {
		return Views{}, fmt.Errorf("open views %s: %w", path, err)
	}
	reader, err := openViewReaders(abs)
	if err != nil {
		return Views{}, closeAfter(fmt.Errorf("open views %s: %w", path, err), writer)
	}
	return Views{Writer: writer, Reader: reader}, nil
}

// Close closes the file.
func (v Views) Close() error { return closeAfter(v.Reader.Close(), v.Writer) }

func closeAfter(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
