package domain

import "strings"

// Workflow is what the rules of this package ask of a workflow version. An
// implementation is immutable and safe for concurrent use, and its answers
// depend on nothing but its arguments.
type Workflow interface {
	Ref() WorkflowRef
	Office() string

	// Submission says where a request begins and which roles may submit one.
	Submission() Submission

	// CheckFacts returns the facts as they will be recorded: those that were given
	// and those that are computed from the form. A [*Refusal] under RuleFacts or
	// RuleForm names everything that is wrong.
	CheckFacts(Facts, Personal) (Facts, error)

	// CheckTimes is a [*Refusal] under RuleFacts when a time among facts that are given
	// anew lies outside the years 1900 to 9999 in UTC. What was recorded is not asked.
	CheckTimes(Facts) error

	// RecordFacts returns the facts of these names as they will be recorded. A
	// [*Refusal] under RuleFacts names everything that is wrong.
	RecordFacts(names []string, given Facts) (Facts, error)

	// Recorded reports whether a fact is recorded while the request runs: a
	// correction leaves it as it is.
	Recorded(fact string) bool

	// AdoptFacts returns facts that were recorded under another version of the workflow
	// as this one has them: without those it does not know, and with its defaults. A
	// [*Refusal] under RuleFacts names everything that is missing or does not fit.
	AdoptFacts(Facts) (Facts, error)

	// Shown says what a state is to whoever looks at a request in it; false for one that
	// the workflow does not have.
	Shown(StateID) (Shown, bool)

	// Fire takes the edge for an action out of a request's state: of several, the
	// first whose guard holds. Its needs are those of this request. The error is a
	// [*Refusal] under RuleUnknownAction, RuleNotFromHere or RuleGuard; under
	// RuleCondition when it cannot be told whether the guard holds.
	Fire(Request, ActionID) (Transition, error)

	// Needs is what an edge that Fire returned demands of a request whose facts became
	// others. The error is a [*Refusal] under RuleCondition when it cannot be told.
	Needs(Request, Transition) (Needs, error)

	// Next is what follows by itself, as the request stands; nil when nothing does.
	// It is asked again after each event, until it is nil. The error is a [*Refusal]
	// under RuleCondition when a condition cannot be judged that it rests on.
	Next(Request) (Body, error)

	// Broken is a [*Refusal] under RuleInvariant when something is that the
	// workflow says must never be. It is asked where a request comes to rest, and
	// before it moves on by itself.
	Broken(Request) error

	// Capacities says in which capacities a role may act; nil for a role the
	// workflow does not have.
	Capacities(RoleID) []Capacity

	// What may be added to the dossier of a request as it stands; false for what
	// the workflow does not have.
	Document(DocumentID) (DocumentRule, bool)
	Checklist(ChecklistID) (ChecklistRule, bool)
	Review(ReviewID) (ReviewRule, bool)
	Payers() []RoleID // who may record that a fee was received
	System(Request, SystemID) (SystemRule, bool)
	Task(StateID) (TaskRule, bool)

	// Terms lists the terms that concern a request in a state: those of law, and
	// those of the state and of its reviews.
	Terms(StateID) []TermRule
	// Order says who may order all terms to stand still on a ground.
	Order(StopGround) (OrderRule, bool)
	// Clock reckons the terms; nil where none are run.
	Clock() Clock
}

// Shown is what a state shows.
type Shown struct {
	Public  PublicStatus
	Outcome Outcome // of an end
}

// DocumentRule is what a workflow says of a kind of document.
type DocumentRule struct {
	Formats  []string // any of these
	MaxBytes int64
	Roles    []RoleID // who may hand it in
	Refusers []RoleID // who may refuse it
	Reasons  []ReasonCode
	States   []StateID // where it may be handed in; empty: wherever the request is open
	Refused  []StateID // where it may be refused; empty: the same
}

// ChecklistRule is what a workflow says of a checklist.
type ChecklistRule struct {
	Items  []CheckID
	Roles  []RoleID
	States []StateID // empty: wherever the request is open
}

// ReviewRule is what a workflow says of a review.
type ReviewRule struct {
	Role    RoleID
	Reasons []ReasonCode // one of them must be given with a refusal
	NotBy   []ActionID   // nobody who took one of these, was [Submitting] or [Reviewing], may give it
}

// SystemRule is what a workflow says of an external system that a state waits for.
type SystemRule struct {
	Role     RoleID // that the system acts in
	Outcomes []string
}

// TaskRule says how the work of a state is given out.
type TaskRule struct {
	Role     RoleID
	Rule     string     // one of AllocationRules
	Bars     []ActionID // nobody who took one of these, was [Submitting] or [Reviewing], is given it by rule: four eyes stand against them here
	Assigner []RoleID   // who may give it to somebody else
}

// Submission is the beginning of a request.
type Submission struct {
	State  StateID
	Public PublicStatus
	Roles  []RoleID
}

// Submitting stands for the submission of the request itself, where a rule is against
// who took some actions. No action of a definition can be called so.
const Submitting ActionID = "(submit)"

// Reviewing stands for giving a review, where a rule is against who took some actions. No
// action of a definition can be called so.
func Reviewing(id ReviewID) ActionID { return ActionID(reviewTerm + id) }

// reviewed is the review that such a name is of.
func reviewed(a ActionID) (ReviewID, bool) {
	id, ok := strings.CutPrefix(string(a), reviewTerm)
	return ReviewID(id), ok
}

// Transition is an edge of a workflow, with what it demands of whoever takes it.
type Transition struct {
	ID      string
	Action  ActionID
	From    StateID
	To      StateID
	Public  PublicStatus // of To
	Outcome Outcome      // of To, if it is an end
	Roles   []RoleID
	Reasons []ReasonCode // when not empty, one of them must be given
	Kind    ActionKind
	Consent []RoleID      // of a return: who may consent to another one
	NotBy   []ActionID    // nobody who took one of these, was [Submitting] or [Reviewing], may take this
	Needs   Needs         // nothing for an override
	Records []string      // facts that come with it, all of them
	Clears  []ChecklistID // what was answered of these no longer counts
}
