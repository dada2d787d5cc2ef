package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
)

// Outbox is the file in which consumers of the log keep how far they are and what
// waits for another attempt. Several processes may have it open: each statement waits
// for the other's to end.
type Outbox struct {
	Writer *sql.DB
	Reader *sql.DB
}

// OpenOutbox opens the file of the consumers, and creates it when there is none. It
// is not built anew from the log: whoever deletes it lets consumers begin again.
func OpenOutbox(ctx context.Context, path string) (Outbox, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Outbox{}, fmt.Errorf("open outbox %s: %w", path, err)
	}
	writer, err := openOutboxWriter(ctx, abs)
	if err != nil {
		return Outbox{}, fmt.Errorf("open outbox %s: %w", path, err)
	}
	reader, err := openViewReaders(abs)
	if err != nil {
		return Outbox{}, closeAfter(fmt.Errorf("open outbox %s: %w", path, err), writer)
	}
	return Outbox{Writer: writer, Reader: reader}, nil
}

// openOutboxWriter opens the one connection that writes. It is told, not trusted, to make
// commits durable: two of the usual SQLite drivers default to less than FULL in WAL mode.
func openOutboxWriter(ctx context.Context, path string) (*sql.DB, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, closeAfter(err, db)
	}
	return db, nil
}

// Close closes the file.
func (o Outbox) Close() error { return errors.Join(o.Reader.Close(), o.Writer.Close()) }
