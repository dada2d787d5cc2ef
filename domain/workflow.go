package domain

// Workflow is what the rules of this package ask of a workflow version. An
// implementation is immutable and safe for concurrent use, and its answers
// depend on nothing but its arguments.
type Workflow interface {
	Ref() WorkflowRef
	Office() string

	// Submission says where a request begins and which roles may submit one.
	Submission() Submission

	// CheckFacts returns the facts as they will be recorded, or a [*Refusal]
	// under RuleFacts that names every fact that is wrong.
	CheckFacts(Facts) (Facts, error)

	// Fire takes the edge for an action out of a state. The error is a
	// [*Refusal] under RuleUnknownAction or RuleNotFromHere.
	Fire(from StateID, action ActionID) (Transition, error)

	// Capacities says in which capacities a role may act; nil for a role the
	// workflow does not have.
	Capacities(RoleID) []Capacity
}

// Submission is the beginning of a request.
type Submission struct {
	State  StateID
	Public PublicStatus
	Roles  []RoleID
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
}
