package projections

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/alur-id/alur/domain"
)

// PermitProjection keeps the register of what was granted: one row for each request that
// ever came to be approved, by an officer or by law, and what became of that. It has
// nothing of who holds the permit.
type PermitProjection struct{}

var _ Projection = PermitProjection{}

// Name implements [Projection].
func (PermitProjection) Name() string { return "permit" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC.
func (PermitProjection) Schema() string {
	return `
CREATE TABLE permit (
	request   TEXT   PRIMARY KEY,
	tenant    TEXT   NOT NULL,
	service   TEXT   NOT NULL,
	office    TEXT   NOT NULL,
	workflow  BIGINT NOT NULL, -- the version that it was first issued under
	issued    BIGINT NOT NULL, -- first
	ground    TEXT   NOT NULL, -- on which the law granted it; empty where an officer did
	basis_id  TEXT   NOT NULL,
	basis_en  TEXT   NOT NULL,
	standing  TEXT   NOT NULL, -- a PermitStanding
	changed   BIGINT, -- when it last came to stand so; none while nothing changed
	corrected BIGINT, -- when its facts were last, after what issued it
	times     BIGINT NOT NULL -- how often it was issued
);
CREATE INDEX permit_issued ON permit (issued, request);`
}

// PermitStanding is how a permit stands.
type PermitStanding string

// The standings. A permit is reopened while its request is worked on again, and revoked
// when that has come to another end.
const (
	PermitIssued   PermitStanding = "issued"
	PermitReopened PermitStanding = "reopened"
	PermitRevoked  PermitStanding = "revoked"
)

// PermitStandings lists the standings.
func PermitStandings() []PermitStanding {
	return []PermitStanding{PermitIssued, PermitReopened, PermitRevoked}
}

type permitRow struct {
	Request   string
	Tenant    domain.TenantCode
	Service   string
	Office    string
	Workflow  int
	Issued    Micros
	Ground    domain.ExpiryGround
	BasisID   string
	BasisEN   string
	Standing  PermitStanding
	Changed   Micros
	Corrected Micros
	Times     int
}

var permitTable = &Table[permitRow]{
	Name: "permit", Key: 1, Group: 1,
	Concerns: func(c *Concerned, e domain.Recorded) {
		if _, moves := domain.MoveOf(e.Body); moves || corrects(e.Body) || e.Version == 1 {
			OfRequest(c, e)
		}
	},
	Fold: foldPermit,
}

// Apply implements [Projection].
func (PermitProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return permitTable.Apply(ctx, tx, events)
}

// corrects reports whether an event replaces or adds facts.
func corrects(body domain.Body) bool {
	switch body.(type) {
	case domain.RequestCorrected, domain.FactsRecorded:
		return true
	}
	return false
}

func foldPermit(rows *Rows[permitRow], e domain.Recorded) error {
	key := Key{RequestOf(e.Stream)}
	m, moves := domain.MoveOf(e.Body)
	if key == (Key{}) || !moves && !corrects(e.Body) {
		return nil
	}
	row := rows.One(key)
	switch {
	case row == nil && m.Outcome == domain.OutcomeApproved:
		issued := permitRow{
			Request: key[0], Tenant: e.Tenant, Service: e.Service, Office: e.Office, Workflow: e.Workflow.Version,
			Issued: MicrosOf(e.Occurred), Standing: PermitIssued, Times: 1,
		}
		if b, ok := e.Body.(domain.DecisionDeemed); ok {
			issued.Ground, issued.BasisID, issued.BasisEN = b.Ground, b.Basis.ID, b.Basis.EN
		}
		rows.Add(issued)
	case row == nil:
	case !moves && row.Standing == PermitIssued && row.since() == MicrosOf(e.Occurred): // recorded by what issued it
	case !moves:
		row.Corrected = MicrosOf(e.Occurred)
	default:
		row.stand(e, m.Outcome)
	}
	return nil
}

// since is when the permit came to stand as it does.
func (r *permitRow) since() Micros { return cmp.Or(r.Changed, r.Issued) }

// stand takes what a request that was approved comes to.
func (r *permitRow) stand(e domain.Recorded, outcome domain.Outcome) {
	now := PermitRevoked
	switch outcome {
	case domain.OutcomeApproved:
		now = PermitIssued
	case "":
		now = PermitReopened
	case domain.OutcomeRejected, domain.OutcomeWithdrawn, domain.OutcomeClosed:
	}
	if now == r.Standing {
		return
	}
	r.Standing, r.Changed = now, MicrosOf(e.Occurred)
	if now != PermitIssued {
		return
	}
	r.Times++
	r.Ground, r.BasisID, r.BasisEN = "", "", ""
	if b, ok := e.Body.(domain.DecisionDeemed); ok {
		r.Ground, r.BasisID, r.BasisEN = b.Ground, b.Basis.ID, b.Basis.EN
	}
}

// Permit is a line of the register.
type Permit struct {
	Reference domain.Reference    `json:"reference,omitempty"` // empty while the view of requests is behind this one
	Tenant    domain.TenantCode   `json:"tenant"`
	Service   string              `json:"service"`
	Office    string              `json:"office,omitempty"`
	Workflow  int                 `json:"workflow_version" doc:"under which it was first issued"`
	Issued    time.Time           `json:"issued" doc:"first"`
	Ground    domain.ExpiryGround `json:"ground,omitempty" doc:"on which the law granted it; none where an officer did"`
	Basis     domain.Basis        `json:"basis,omitzero"`
	Standing  PermitStanding      `json:"standing" enum:"issued,reopened,revoked" doc:"reopened: the request is worked on again; revoked: that came to another end"`
	Changed   time.Time           `json:"changed,omitzero" doc:"when it came to stand so, if not when it was issued"`
	Corrected time.Time           `json:"corrected,omitzero" doc:"when its facts last changed, since it was issued"`
	Times     int                 `json:"times" doc:"how often it was issued"`
}

// PermitFilter narrows the register; an empty field matches everything.
type PermitFilter struct {
	Tenant   domain.TenantCode
	Service  string
	Standing PermitStanding
	ByLaw    bool // those that the law granted
	Since    time.Time
	Until    time.Time        // not including
	After    domain.Reference // continue behind this one
	Limit    int              // 0: no limit
}

// PermitView reads the register.
type PermitView struct{ db *sql.DB }

// NewPermitView returns a reader over a database that will have the tables of permits and
// of status.
func NewPermitView(db *sql.DB) *PermitView { return &PermitView{db} }

// PermitViews are the views that the register is read from.
func PermitViews() []string { return []string{PermitProjection{}.Name(), StatusProjection{}.Name()} }

// List returns permits in the order in which they were first issued.
func (v *PermitView) List(ctx context.Context, f PermitFilter) ([]Permit, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1 << 62
	}
	rows, err := v.db.QueryContext(ctx, `SELECT `+permitTable.Columns()+`, COALESCE((SELECT reference FROM status WHERE status.request = permit.request), '') FROM permit
		WHERE ($1 = '' OR tenant = $1) AND ($2 = '' OR service = $2) AND ($3 = '' OR standing = $3) AND ($4 = 0 OR ground <> '')
		AND (CAST($5 AS BIGINT) = 0 OR issued >= $5) AND (CAST($6 AS BIGINT) = 0 OR issued < $6)
		AND ($7 = '' OR (issued, request) > (SELECT p.issued, p.request FROM permit p, status s WHERE p.request = s.request AND s.reference = $7))
		ORDER BY issued, request LIMIT $8`,
		f.Tenant, f.Service, f.Standing, flag(f.ByLaw), before(f.Since), before(f.Until), f.After, limit)
	if err != nil {
		return nil, fmt.Errorf("read permits: %w", err)
	}
	defer rows.Close()
	list := []Permit{}
	for rows.Next() {
		var reference domain.Reference
		r, err := permitTable.Scan(also{rows, &reference})
		if err != nil {
			return nil, fmt.Errorf("read permits: %w", err)
		}
		list = append(list, Permit{
			Reference: reference, Tenant: r.Tenant, Service: r.Service, Office: r.Office, Workflow: r.Workflow, Issued: r.Issued.Time(),
			Ground: r.Ground, Basis: domain.Basis{ID: r.BasisID, EN: r.BasisEN}, Standing: r.Standing, Changed: r.Changed.Time(),
			Corrected: r.Corrected.Time(), Times: r.Times,
		})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read permits: %w", err)
	}
	return list, nil
}
