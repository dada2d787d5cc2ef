package projections

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// HoldingProjection keeps which data key seals personal data of which request. It
// holds no personal data itself, but it leads from a key to a request: an erasure
// takes its rows away.
type HoldingProjection struct{}

var _ Projection = HoldingProjection{}

// Name implements [Projection].
func (HoldingProjection) Name() string { return "holding" }

// Schema implements [Projection].
func (HoldingProjection) Schema() string {
	return `
CREATE TABLE holding (
	data_key TEXT   NOT NULL,
	request  TEXT   NOT NULL,
	boxes    BIGINT NOT NULL,
	PRIMARY KEY (data_key, request)
);`
}

// Apply implements [Projection].
func (HoldingProjection) Apply(ctx context.Context, tx *sql.Tx, events []domain.Recorded) error {
	for _, e := range events {
		var err error
		if b, ok := e.Body.(domain.SubjectErased); ok {
			for _, k := range b.Keys {
				if _, err = tx.ExecContext(ctx, `DELETE FROM holding WHERE data_key = $1`, k.ID.String()); err != nil {
					break
				}
			}
		}
		if err == nil && e.Box != nil && strings.HasPrefix(e.Stream, "request-") {
			_, err = tx.ExecContext(ctx, `INSERT INTO holding (data_key, request, boxes) VALUES ($1, $2, 1)
				ON CONFLICT (data_key, request) DO UPDATE SET boxes = holding.boxes + 1`, e.Box.Key.String(), requestOf(e.Stream))
		}
		if err != nil {
			return fmt.Errorf("position %d: %w", e.Position, err)
		}
	}
	return nil
}

// HoldingView reads the holding table.
type HoldingView struct {
	db    *sql.DB
	log   domain.EventLog
	views *Views
}

// NewHoldingView returns a reader that sees all that the log holds when it is
// asked.
func NewHoldingView(db *sql.DB, log domain.EventLog, views *Views) *HoldingView {
	return &HoldingView{db: db, log: log, views: views}
}

// Requests returns the requests that hold data sealed under a key, in the order of
// their ids.
func (v *HoldingView) Requests(ctx context.Context, key uuid.UUID) ([]uuid.UUID, error) {
	head, err := v.log.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.views.WaitFor(ctx, head, HoldingProjection{}.Name()); err != nil {
		return nil, fmt.Errorf("the holding view is behind the log: %w", err)
	}
	rows, err := v.db.QueryContext(ctx, `SELECT request FROM holding WHERE data_key = $1 ORDER BY request`, key.String())
	if err != nil {
		return nil, fmt.Errorf("read holdings: %w", err)
	}
	defer rows.Close()
	var list []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read holdings: %w", err)
		}
		list = append(list, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read holdings: %w", err)
	}
	return list, nil
}
