package domain

import (
	"regexp"
	"time"

	"github.com/google/uuid"
)

// Body is what an event says. Every type that is stored implements it and
// stands in the table of codec.go.
type Body interface {
	// Type is the stored name and the schema version of the shape. A changed
	// shape is a new version; the old one decodes for ever.
	Type() (name string, schema int)
}

// StateID names a state of a workflow.
type StateID string

// ActionID names an action of a workflow.
type ActionID string

// ReasonCode names a coded reason: of a workflow, or for work that is given to somebody.
type ReasonCode string

// Coded reports whether a reason is a code and no text.
func (r ReasonCode) Coded() bool { return len(r) <= 64 && reasonCode.MatchString(string(r)) }

var reasonCode = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// RequestSubmitted begins a request.
type RequestSubmitted struct {
	Request   uuid.UUID    `json:"request"`
	Reference Reference    `json:"reference"`
	State     StateID      `json:"state"`
	Public    PublicStatus `json:"public"`
	Facts     Facts        `json:"facts,omitempty"`
	Imported  *Imported    `json:"imported,omitempty"`
}

// Imported is what another system says of a whole case that was imported from
// it. Due and Ended are that system's word, not computed here.
type Imported struct {
	Case  string    `json:"case"`
	Due   time.Time `json:"due,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
}

// ActionTaken moves a request from one state to another, or is recorded in
// place. The public status and the outcome are recorded as they were shown at
// the time, so that a view needs nothing but events and a later definition
// cannot change what a citizen was told.
type ActionTaken struct {
	Action  ActionID     `json:"action"`
	From    StateID      `json:"from"`
	To      StateID      `json:"to"`
	Public  PublicStatus `json:"public"`
	Outcome Outcome      `json:"outcome,omitempty"` // set when To is an end
	Reason  ReasonCode   `json:"reason,omitempty"`
	Kind    ActionKind   `json:"kind,omitempty"`
}

// ActionKind tells the actions that mean more than a step.
type ActionKind string

// The kinds of action. A step has none.
const (
	ActionWithdraw ActionKind = "withdraw" // the applicant gives the request up
	ActionCorrect  ActionKind = "correct"  // facts and form are filled in anew
	ActionReopen   ActionKind = "reopen"   // leads out of an end
	ActionOverride ActionKind = "override" // goes past what the step demands, for a reason
	ActionAuto     ActionKind = "auto"     // follows by itself
	ActionComplete ActionKind = "complete" // declares that the file is complete: from here on the law counts
	ActionReturn   ActionKind = "return"   // sends the request back to the applicant
)

// Outcome is how a request ended.
type Outcome string

// The outcomes. Closed is an end whose outcome the workflow does not say, as in
// drafts that were learnt from a log.
const (
	OutcomeApproved  Outcome = "approved"
	OutcomeRejected  Outcome = "rejected"
	OutcomeWithdrawn Outcome = "withdrawn"
	OutcomeClosed    Outcome = "closed"
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{OutcomeApproved, OutcomeRejected, OutcomeWithdrawn, OutcomeClosed}
}

// Type implements [Body].
func (RequestSubmitted) Type() (string, int) { return "RequestSubmitted", 1 }

// Type implements [Body].
func (ActionTaken) Type() (string, int) { return "ActionTaken", 2 }
