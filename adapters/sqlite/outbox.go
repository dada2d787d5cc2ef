package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	writer, err := open(path, writing)
	if err != nil {
		return Outbox{}, err
	}
	if err := writer.PingContext(ctx); err != nil {
		return Outbox{}, closeAfter(fmt.Errorf("open outbox %s: %w", path, err), writer)
	}
	reader, err := open(path, reading)
	if err != nil {
		return Outbox{}, closeAfter(err, writer)
	}
	return Outbox{Writer: writer, Reader: reader}, nil
}

// Close closes the file.
func (o Outbox) Close() error { return errors.Join(o.Reader.Close(), o.Writer.Close()) }
