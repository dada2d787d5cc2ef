package postgres

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// database opens connections through database/sql, of which so many may be in use
// at once. The first is made when it is needed. Where a silence is given, a
// connection that is silent for longer while it should answer is given up.
func database(config *pgx.ConnConfig, most int, silence time.Duration) *sql.DB {
	db := sql.OpenDB(stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		guard(&c.Config)
		if silence > 0 {
			listenFor(&c.Config, silence)
		}
		return nil
	})))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db
}
