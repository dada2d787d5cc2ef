package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/domain"
)

// damaged marks what the server says of data that is not what was written
// (data_corrupted, index_corrupted), and rows that hold what no event does.
func damaged(err error) error {
	var p *pgconn.PgError
	if errors.Is(err, errDamaged) || errors.As(err, &p) && (p.Code == "XX001" || p.Code == "XX002") {
		return fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	}
	return err
}

var countStrays = statement{"strays", `SELECT count(*) FROM alur_log.event WHERE position < 1 OR version < 1`}

// Damage looks for rows where no reader looks. The table refuses them, unless
// somebody took its constraints away. Broken pages and indexes are for PostgreSQL's
// own pg_amcheck to find.
func (l *Log) Damage(ctx context.Context) ([]string, error) {
	var found []string
	err := l.readers.use(ctx, func(ctx context.Context, c *conn) error {
		found = nil
		rows, err := c.run(ctx, countStrays)
		if err != nil {
			return err
		}
		for rows.NextRow() {
			if n := number(rows.Values()[0]); n > 0 {
				found = append(found, fmt.Sprintf("%d rows stand at positions or versions below 1, where no event does", n))
			}
		}
		_, err = rows.Close()
		return err
	})
	if err != nil {
		return found, fmt.Errorf("look for damage: %w", damaged(err))
	}
	return found, nil
}
