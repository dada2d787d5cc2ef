package projections

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// TimelineProjection keeps one row for each step of a request that its applicant
// may see: what happened and when, never who did it.
type TimelineProjection struct{}

var _ Projection = TimelineProjection{}

// Name implements [Projection].
func (TimelineProjection) Name() string { return "timeline" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC.
func (TimelineProjection) Schema() string {
	return `
CREATE TABLE timeline (
	request  TEXT   NOT NULL,
	version  BIGINT NOT NULL,
	occurred BIGINT NOT NULL,
	recorded BIGINT NOT NULL,
	action   TEXT   NOT NULL, -- empty for the submission
	state    TEXT   NOT NULL, -- after it
	public   TEXT   NOT NULL,
	reason   TEXT   NOT NULL,
	PRIMARY KEY (request, version)
);`
}

// Apply implements [Projection].
func (TimelineProjection) Apply(ctx context.Context, tx *sql.Tx, events []domain.Recorded) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO timeline (request, version, occurred, recorded, action, state, public, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, e := range events {
		var s Step
		switch b := e.Body.(type) {
		case domain.RequestSubmitted:
			s = Step{State: b.State, Public: b.Public}
		case domain.ActionTaken:
			s = Step{Action: b.Action, State: b.To, Public: b.Public, Reason: b.Reason}
		default:
			continue
		}
		_, err := insert.ExecContext(ctx, requestOf(e.Stream), e.Version, e.Occurred.UnixMicro(), e.At.UnixMicro(), s.Action, s.State, s.Public, s.Reason)
		if err != nil {
			return fmt.Errorf("position %d: %w", e.Position, err)
		}
	}
	return nil
}

// Step is one line of a timeline.
type Step struct {
	Version  domain.Version      `json:"version"`
	Occurred time.Time           `json:"occurred"`
	Recorded time.Time           `json:"recorded"`
	Action   domain.ActionID     `json:"action,omitempty"` // empty for the submission
	State    domain.StateID      `json:"state"`            // after it
	Public   domain.PublicStatus `json:"public_status"`
	Reason   domain.ReasonCode   `json:"reason,omitempty"`
}

// TimelineView reads the timeline table.
type TimelineView struct{ db *sql.DB }

// NewTimelineView returns a reader over a database that has the table.
func NewTimelineView(db *sql.DB) *TimelineView { return &TimelineView{db: db} }

// Of returns a request's steps, oldest first; none for one that does not exist.
func (v *TimelineView) Of(ctx context.Context, request uuid.UUID) ([]Step, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT version, occurred, recorded, action, state, public, reason
		FROM timeline WHERE request = $1 ORDER BY version`, request.String())
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	defer rows.Close()
	steps := []Step{}
	for rows.Next() {
		var s Step
		var occurred, recorded int64
		if err := rows.Scan(&s.Version, &occurred, &recorded, &s.Action, &s.State, &s.Public, &s.Reason); err != nil {
			return nil, fmt.Errorf("read timeline: %w", err)
		}
		s.Occurred, s.Recorded = time.UnixMicro(occurred).UTC(), time.UnixMicro(recorded).UTC()
		steps = append(steps, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	return steps, nil
}
