package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Views is the schema the views live in: connections that write and connections
// that cannot. Names in their statements are those of the schema.
type Views struct {
	Writer *ViewWriter
	Reader *sql.DB
}

const viewSchema = "alur_views"

// The runner of the views sets no deadlines. A server that is there says something
// before the silence ends, be it that the statement took too long.
const viewSilence = 40 * time.Second

var (
	viewSession = map[string]string{"search_path": viewSchema, "statement_timeout": "30s"}
	// Rows are read and deleted by their keys, many at a time. A plan that is made while
	// the table is small must not be another.
	viewWriting = map[string]string{"enable_seqscan": "off", "enable_mergejoin": "off", "jit": "off"}
)

// OpenViews opens the schema the views live in, and creates it when there is
// none. It is apart from the log: it may be dropped and is then built anew.
func OpenViews(ctx context.Context, dsn string) (Views, error) {
	writing, wait, err := configured(dsn, forWriting, viewSession, viewWriting)
	if err != nil {
		return Views{}, fmt.Errorf("open views: %w", err)
	}
	v := Views{Writer: &ViewWriter{database(writing, 4, viewSilence), dsn}}
	if err := waitFor(ctx, wait, func(ctx context.Context) error { return createSchema(ctx, v.Writer.db, viewSchema) }); err != nil {
		return Views{}, errors.Join(fmt.Errorf("open views in %s: %w", writing.Database, err), v.Writer.Close())
	}
	reading := writing.Copy()
	for name := range viewWriting {
		delete(reading.RuntimeParams, name)
	}
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	reading.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary // who just wrote wants to see it
	v.Reader = database(reading, 8, viewSilence)
	return v, nil
}

// createSchema asks first: who may not create a schema may use one. Of several that
// create it at once, all but one may be told that it is there.
func createSchema(ctx context.Context, db *sql.DB, name string) error {
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT to_regnamespace($1) IS NOT NULL`, name).Scan(&exists); err != nil || exists {
		return err
	}
	_, err := db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+name)
	if isUniqueViolation(err) {
		return nil
	}
	return err
}

// Close closes the connections.
func (v Views) Close() error { return errors.Join(v.Reader.Close(), v.Writer.Close()) }
