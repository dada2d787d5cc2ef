package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/alur-id/alur/projections"
)

// Leases are rows with a holder and a time, by the clock of the database, beside the
// views. It implements [projections.Leases].
type Leases struct{ db *sql.DB }

var _ projections.Leases = (*Leases)(nil)

// Leases returns the leases that all who use the schema share.
func (v Views) Leases(ctx context.Context) (*Leases, error) {
	const create = `CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until TIMESTAMPTZ NOT NULL)`
	db := v.Writer.db
	_, err := db.ExecContext(ctx, create)
	if err != nil { // of several who create it at once, all but one fail, and then find it
		_, err = db.ExecContext(ctx, create)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare leases: %w", err)
	}
	return &Leases{db}, nil
}

// Hold implements [projections.Leases]. Rows are locked in the order of their names, so
// that two who want the same wait for each other in one direction.
func (l *Leases) Hold(ctx context.Context, holder string, names []string, span time.Duration) ([]string, error) {
	names = slices.Sorted(slices.Values(names))
	rows, err := l.db.QueryContext(ctx, `INSERT INTO lease (name, holder, until)
		SELECT name, $2, clock_timestamp() + make_interval(secs => $3) FROM unnest($1::text[]) AS wanted(name) ORDER BY name
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE lease.holder = excluded.holder OR lease.until < clock_timestamp()
		RETURNING name`, names, holder, span.Seconds())
	if err != nil {
		return nil, fmt.Errorf("hold leases: %w", err)
	}
	var held []string
	err = each(rows, func(v []projections.Value) error { held = append(held, v[0].Text); return nil })
	if err != nil {
		return nil, fmt.Errorf("hold leases: %w", err)
	}
	return held, nil
}

// Release implements [projections.Leases].
func (l *Leases) Release(ctx context.Context, holder string) error {
	if _, err := l.db.ExecContext(ctx, `DELETE FROM lease WHERE holder = $1`, holder); err != nil {
		return fmt.Errorf("release leases: %w", err)
	}
	return nil
}
