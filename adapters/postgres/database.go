package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// database opens connections through database/sql, of which so many may be in use
// at once. The first is made when it is needed.
func database(config *pgx.ConnConfig, most int) *sql.DB {
	db := sql.OpenDB(stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		guard(&c.Config)
		return nil
	})))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db
}
