package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Outbox is the schema in which consumers of the log keep how far they are and what
// waits for another attempt. Names in their statements are those of the schema.
type Outbox struct {
	Writer *sql.DB
	Reader *sql.DB
}

const outboxSchema = "alur_outbox"

// Whoever holds the lease of a consumer has to say so every second, and to hear soon
// that the server is gone.
const outboxSilence = 8 * time.Second

var outboxSession = map[string]string{"search_path": outboxSchema, "statement_timeout": "5s"}

// OpenOutbox opens the schema of the consumers, and creates it when there is none. It
// is not built anew from the log: whoever drops it lets consumers begin again.
func OpenOutbox(ctx context.Context, dsn string) (Outbox, error) {
	writing, wait, err := configured(dsn, forWriting, outboxSession)
	if err != nil {
		return Outbox{}, fmt.Errorf("open outbox: %w", err)
	}
	o := Outbox{Writer: database(writing, 8, outboxSilence)}
	if err := waitFor(ctx, wait, func(ctx context.Context) error { return createSchema(ctx, o.Writer, outboxSchema) }); err != nil {
		return Outbox{}, errors.Join(fmt.Errorf("open outbox in %s: %w", writing.Database, err), o.Writer.Close())
	}
	reading := writing.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	reading.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary // a standby knows of leases too late
	o.Reader = database(reading, 4, outboxSilence)
	return o, nil
}

// Close closes the connections.
func (o Outbox) Close() error { return errors.Join(o.Reader.Close(), o.Writer.Close()) }
