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

type statusRow struct {
	Request         string
	Reference       domain.Reference
	Tenant          domain.TenantCode
	Service         string
	WorkflowVersion int
	State           domain.StateID
	Public          domain.PublicStatus
	Outcome         domain.Outcome
	Submitted       Micros
	Changed         Micros
	Version         domain.Version
	SourceCase      string
	Due             Micros
	Ended           Micros
	Began           domain.Position
}

var statusTable = &Table[statusRow]{
	Name: "status", Key: 1, Group: 1,
	Concerns: func(c *Concerned, e domain.Recorded) {
		if _, moves := domain.MoveOf(e.Body); moves || e.Version == 1 {
			OfRequest(c, e)
		}
	},
	Fold: foldStatus,
}

// Apply implements [Projection].
func (StatusProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return statusTable.Apply(ctx, tx, events)
}

func foldStatus(rows *Rows[statusRow], e domain.Recorded) error {
	request := RequestOf(e.Stream)
	if b, ok := e.Body.(domain.RequestSubmitted); ok {
		var from domain.Imported
		if b.Imported != nil {
			from = *b.Imported
		}
		rows.Add(statusRow{
			Request: request, Reference: b.Reference, Tenant: e.Tenant, Service: e.Service, WorkflowVersion: e.Workflow.Version,
			State: b.State, Public: b.Public, Submitted: MicrosOf(e.Occurred), Changed: MicrosOf(e.Occurred), Version: e.Version,
			SourceCase: from.Case, Due: MicrosOf(from.Due), Ended: MicrosOf(from.Ended), Began: e.Position,
		})
		return nil
	}
	m, moves := domain.MoveOf(e.Body)
	if !moves || request == "" {
		return nil
	}
	if row := rows.One(Key{request}); row != nil {
		row.State, row.Public, row.Outcome, row.Changed, row.Version = m.To, m.Public, m.Outcome, MicrosOf(e.Occurred), e.Version
		if b, ok := e.Body.(domain.RequestMigrated); ok {
			row.WorkflowVersion = b.ToVersion
		}
	}
	return nil
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
