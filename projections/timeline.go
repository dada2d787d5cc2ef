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
	kind     TEXT   NOT NULL, -- a StepKind
	action   TEXT   NOT NULL, -- of an action
	state    TEXT   NOT NULL, -- after it, if the request moved
	public   TEXT   NOT NULL,
	reason   TEXT   NOT NULL,
	term     TEXT   NOT NULL,
	ground   TEXT   NOT NULL,
	basis_id TEXT   NOT NULL,
	basis_en TEXT   NOT NULL,
	due      BIGINT,
	workflow BIGINT NOT NULL, -- the version that it was under
	PRIMARY KEY (request, version)
);`
}

type timelineRow struct {
	Request  string
	Version  domain.Version
	Occurred Micros
	Recorded Micros
	Kind     StepKind
	Action   domain.ActionID
	State    domain.StateID
	Public   domain.PublicStatus
	Reason   domain.ReasonCode
	Term     domain.TermID
	Ground   string
	BasisID  string
	BasisEN  string
	Due      Micros
	Workflow int
}

var timelineTable = &Table[timelineRow]{
	Name: "timeline", Key: 2,
	Fold: func(rows *Rows[timelineRow], e domain.Recorded) error {
		request := RequestOf(e.Stream)
		s, ok := stepOf(e.Body)
		if !ok || request == "" {
			return nil
		}
		rows.Add(timelineRow{
			Request: request, Version: e.Version, Occurred: MicrosOf(e.Occurred), Recorded: MicrosOf(e.At), Kind: s.Kind,
			Action: s.Action, State: s.State, Public: s.Public, Reason: s.Reason, Term: s.Term, Ground: s.Ground,
			BasisID: s.Basis.ID, BasisEN: s.Basis.EN, Due: MicrosOf(s.Due), Workflow: e.Workflow.Version,
		})
		return nil
	},
}

// Apply implements [Projection].
func (TimelineProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return timelineTable.Apply(ctx, tx, events)
}

// stepOf is what an event tells the applicant; false for what it does not. Of terms,
// only those of law are the applicant's business.
func stepOf(body domain.Body) (Step, bool) {
	switch b := body.(type) {
	case domain.RequestSubmitted:
		return Step{Kind: StepSubmitted, State: b.State, Public: b.Public}, true
	case domain.ActionTaken:
		return Step{Kind: StepAction, Action: b.Action, State: b.To, Public: b.Public, Reason: b.Reason}, true
	case domain.DecisionDeemed:
		return Step{Kind: StepDeemed, State: b.To, Public: b.Public, Term: ofLaw(b.Term), Ground: string(b.Ground), Basis: b.Basis}, true
	case domain.RequestLapsed:
		return Step{Kind: StepLapsed, State: b.To, Public: b.Public, Term: ofLaw(b.Term), Ground: string(domain.Lapse), Basis: b.Basis}, true
	case domain.RequestMigrated:
		step := Step{Kind: StepMigrated, State: b.To, Public: b.Public, Basis: b.Ground}
		if b.Closing != (domain.Basis{}) {
			step.Basis = b.Closing
		}
		return step, true
	case domain.TermCarried:
		return Step{Kind: StepCarried, Term: b.Term, Due: b.Due}, b.Term.Legal() && b.Budget != b.WasBudget
	case domain.TermContinued:
		return Step{Kind: StepCarried, Term: b.Term, Due: b.Due}, true
	case domain.TermDropped:
		return Step{Kind: StepDropped, Term: b.Term}, b.Term.Legal()
	case domain.TermStarted:
		return Step{Kind: StepStarted, Term: b.Term, Due: b.Due}, b.Term.Legal()
	case domain.TermSuspended:
		return Step{Kind: StepSuspended, Term: b.Term, Ground: string(b.Ground)}, b.Term.Legal()
	case domain.TermResumed:
		return Step{Kind: StepResumed, Term: b.Term, Ground: string(b.Ground), Due: b.Due}, b.Term.Legal()
	case domain.TermExtended:
		return Step{Kind: StepExtended, Term: b.Term, Reason: b.Reason, Basis: b.Basis, Due: b.Due}, b.Term.Legal()
	case domain.TermRecomputed:
		if b.Own {
			return Step{Kind: StepOwnRecomputed, Due: b.Due}, !b.Due.IsZero()
		}
		return Step{Kind: StepRecomputed, Term: b.Term, Due: b.Due}, b.Term.Legal() && !b.Due.IsZero()
	case domain.TermExpired:
		return Step{Kind: StepExpired, Term: b.Term, Due: b.Due}, b.Term.Legal() && (b.Ground == "" || b.Barred != "") // else the decision says it
	}
	return Step{}, false
}

// ofLaw is a term that has a name for the applicant.
func ofLaw(id domain.TermID) domain.TermID {
	if id.Legal() {
		return id
	}
	return ""
}

// StepKind is what a line of a timeline tells.
type StepKind string

// The kinds of step. The last nine are of terms: whatever moves a due date is told, so
// that nobody has to guess why it is another one than before.
const (
	StepSubmitted     StepKind = "submitted"
	StepAction        StepKind = "action"
	StepDeemed        StepKind = "deemed"   // the law decided, because nobody did
	StepLapsed        StepKind = "lapsed"   // the applicant's own time ran out
	StepMigrated      StepKind = "migrated" // it goes on under another version of the workflow
	StepStarted       StepKind = "term_started"
	StepSuspended     StepKind = "term_suspended"
	StepResumed       StepKind = "term_resumed"
	StepExtended      StepKind = "term_extended"
	StepRecomputed    StepKind = "term_recomputed"
	StepExpired       StepKind = "term_expired"
	StepOwnRecomputed StepKind = "own_recomputed" // the applicant's own time
	StepCarried       StepKind = "term_carried"   // it has another budget now, or is one more
	StepDropped       StepKind = "term_dropped"   // there is no such term any more
)

// Step is one line of a timeline.
type Step struct {
	Version  domain.Version      `json:"version"`
	Kind     StepKind            `json:"kind"`
	Occurred time.Time           `json:"occurred"`
	Recorded time.Time           `json:"recorded"`
	Action   domain.ActionID     `json:"action,omitempty"`
	State    domain.StateID      `json:"state,omitempty"` // after it, if the request moved
	Public   domain.PublicStatus `json:"public_status,omitempty"`
	Reason   domain.ReasonCode   `json:"reason,omitempty"`
	Term     domain.TermID       `json:"term,omitempty"`
	Ground   string              `json:"ground,omitempty"` // of a suspension, or of what the law decided
	Basis    domain.Basis        `json:"basis,omitzero"`
	Due      time.Time           `json:"due,omitzero"`     // of the term, from then on
	Workflow int                 `json:"workflow_version"` // by which state, action and reason are named
}

// TimelineView reads the timeline table.
type TimelineView struct{ db *sql.DB }

// NewTimelineView returns a reader over a database that has the table.
func NewTimelineView(db *sql.DB) *TimelineView { return &TimelineView{db: db} }

// Of returns a request's steps, oldest first; none for one that does not exist.
func (v *TimelineView) Of(ctx context.Context, request uuid.UUID) ([]Step, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT version, occurred, recorded, kind, action, state, public, reason, term, ground, basis_id, basis_en, due, workflow
		FROM timeline WHERE request = $1 ORDER BY version`, request.String())
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	defer rows.Close()
	steps := []Step{}
	for rows.Next() {
		var s Step
		var occurred, recorded int64
		var due sql.NullInt64
		if err := rows.Scan(&s.Version, &occurred, &recorded, &s.Kind, &s.Action, &s.State, &s.Public, &s.Reason, &s.Term, &s.Ground, &s.Basis.ID, &s.Basis.EN, &due, &s.Workflow); err != nil {
			return nil, fmt.Errorf("read timeline: %w", err)
		}
		s.Occurred, s.Recorded, s.Due = time.UnixMicro(occurred).UTC(), time.UnixMicro(recorded).UTC(), moment(due)
		steps = append(steps, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	return steps, nil
}
