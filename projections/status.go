package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// StatusProjection keeps one row a request: where it stands now.
type StatusProjection struct{}

var _ Projection = StatusProjection{}

// Name implements [Projection].
func (StatusProjection) Name() string { return "status" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC.
func (StatusProjection) Schema() string {
	return `
CREATE TABLE status (
	request          TEXT    PRIMARY KEY,
	reference        TEXT    NOT NULL,
	tenant           TEXT    NOT NULL,
	service          TEXT    NOT NULL,
	workflow_version BIGINT  NOT NULL,
	state            TEXT    NOT NULL,
	public           TEXT    NOT NULL,
	outcome          TEXT    NOT NULL,
	submitted        BIGINT  NOT NULL,
	changed          BIGINT  NOT NULL,
	version          BIGINT  NOT NULL,
	source_case      TEXT    NOT NULL,
	due              BIGINT,
	ended            BIGINT,
	began            BIGINT  NOT NULL -- position of the submission: the order of the list
);
CREATE INDEX status_reference ON status (reference);
CREATE INDEX status_began ON status (began);`
}

// Apply implements [Projection].
func (StatusProjection) Apply(ctx context.Context, tx *sql.Tx, events []domain.Recorded) error {
	begin, err := tx.PrepareContext(ctx, `INSERT INTO status (request, reference, tenant, service, workflow_version, state, public, outcome,
		submitted, changed, version, source_case, due, ended, began) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $8, $9, $10, $11, $12, $13)`)
	if err != nil {
		return err
	}
	defer begin.Close()
	move, err := tx.PrepareContext(ctx, `UPDATE status SET state = $1, public = $2, outcome = $3, changed = $4, version = $5 WHERE request = $6`)
	if err != nil {
		return err
	}
	defer move.Close()
	migrate, err := tx.PrepareContext(ctx, `UPDATE status SET workflow_version = $1 WHERE request = $2`)
	if err != nil {
		return err
	}
	defer migrate.Close()
	for _, e := range events {
		m, moves := domain.MoveOf(e.Body)
		switch b := e.Body.(type) {
		case domain.RequestSubmitted:
			var from domain.Imported
			if b.Imported != nil {
				from = *b.Imported
			}
			_, err = begin.ExecContext(ctx, b.Request.String(), b.Reference, e.Tenant, e.Service, e.Workflow.Version, b.State, b.Public,
				e.Occurred.UnixMicro(), e.Version, from.Case, micros(from.Due), micros(from.Ended), e.Position)
		case domain.RequestMigrated:
			if _, err = migrate.ExecContext(ctx, b.ToVersion, requestOf(e.Stream)); err == nil {
				_, err = move.ExecContext(ctx, m.To, m.Public, m.Outcome, e.Occurred.UnixMicro(), e.Version, requestOf(e.Stream))
			}
		default:
			if moves {
				_, err = move.ExecContext(ctx, m.To, m.Public, m.Outcome, e.Occurred.UnixMicro(), e.Version, requestOf(e.Stream))
			}
		}
		if err != nil {
			return fmt.Errorf("position %d: %w", e.Position, err)
		}
	}
	return nil
}

func requestOf(stream string) string {
	const prefix = len("request-")
	return stream[min(prefix, len(stream)):]
}

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// Status is where a request stands.
type Status struct {
	Request         uuid.UUID           `json:"request"`
	Reference       domain.Reference    `json:"reference"`
	Tenant          domain.TenantCode   `json:"tenant"`
	Service         string              `json:"service"`
	WorkflowVersion int                 `json:"workflow_version"`
	State           domain.StateID      `json:"state"`
	Public          domain.PublicStatus `json:"public_status"`
	Outcome         domain.Outcome      `json:"outcome,omitempty"`
	Submitted       time.Time           `json:"submitted"`
	Changed         time.Time           `json:"changed"`
	Version         domain.Version      `json:"version"`
	Case            string              `json:"case,omitempty"`        // its name in the system it was imported from
	Due             time.Time           `json:"due,omitzero"`          // as that system had it
	Ended           time.Time           `json:"ended,omitzero"`        // as that system had it
	Punctuality     domain.Punctuality  `json:"punctuality,omitempty"` // by its terms of law; told by [StatusView.List] alone
}

// StatusView reads the status table.
type StatusView struct {
	db *sql.DB

	byReference lasting

	mu     sync.Mutex
	asking []*asking // who wait for the next query of Taken
	among  lasting
}

// NewStatusView returns a reader over a database that will have the table.
func NewStatusView(db *sql.DB) *StatusView {
	return &StatusView{
		db:          db,
		byReference: lasting{text: `SELECT ` + statusColumns + `, '' FROM status WHERE reference = $1`},
		among:       lasting{text: `SELECT reference FROM status WHERE reference IN (` + placeholders(askedAtOnce) + `)`},
	}
}

const statusColumns = `request, reference, tenant, service, workflow_version, state, public, outcome, submitted, changed, version, source_case, due, ended`

// ByReference returns the request with a reference, or [domain.ErrNotFound].
func (v *StatusView) ByReference(ctx context.Context, ref domain.Reference) (Status, error) {
	stmt, err := v.byReference.on(ctx, v.db) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	s, err := scanStatus(stmt.QueryRowContext(ctx, ref))
	if errors.Is(err, sql.ErrNoRows) {
		return Status{}, fmt.Errorf("request %s: %w", ref, domain.ErrNotFound)
	}
	if err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	return s, nil
}

// Filter narrows a list; an empty field matches everything.
type Filter struct {
	Tenant  domain.TenantCode
	Service string
	State   domain.StateID
	Public  domain.PublicStatus
	After   domain.Reference // continue behind this request
	Limit   int              // 0: no limit
}

// List returns requests in the order they were submitted to this log. Their punctuality
// is as the view of terms has it.
func (v *StatusView) List(ctx context.Context, f Filter) ([]Status, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1 << 62
	}
	rows, err := v.db.QueryContext(ctx, `SELECT `+statusColumns+`, `+punctuality+` FROM status
		WHERE ($1 = '' OR tenant = $1) AND ($2 = '' OR service = $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR public = $4)
		AND ($5 = '' OR began > (SELECT began FROM status WHERE reference = $5))
		ORDER BY began LIMIT $6`, f.Tenant, f.Service, f.State, f.Public, f.After, limit)
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	defer rows.Close()
	list := []Status{}
	for rows.Next() {
		s, err := scanStatus(rows)
		if err != nil {
			return nil, fmt.Errorf("list requests: %w", err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	return list, nil
}

func scanStatus(row interface{ Scan(...any) error }) (Status, error) {
	var s Status
	var submitted, changed int64
	var due, ended sql.NullInt64
	err := row.Scan(&s.Request, &s.Reference, &s.Tenant, &s.Service, &s.WorkflowVersion, &s.State, &s.Public, &s.Outcome,
		&submitted, &changed, &s.Version, &s.Case, &due, &ended, &s.Punctuality)
	if err != nil {
		return s, err
	}
	s.Submitted, s.Changed = time.UnixMicro(submitted).UTC(), time.UnixMicro(changed).UTC()
	if due.Valid {
		s.Due = time.UnixMicro(due.Int64).UTC()
	}
	if ended.Valid {
		s.Ended = time.UnixMicro(ended.Int64).UTC()
	}
	if s.Punctuality == "" { // it was imported without terms
		s.Punctuality = domain.Imported{Due: s.Due, Ended: s.Ended}.Punctuality()
	}
	return s, nil
}
