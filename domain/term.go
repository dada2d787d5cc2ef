package domain

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// TermID names a term of a request: one of its workflow, or that of a state or a
// review.
type TermID string

// The prefixes of the terms that have no name of their own.
const (
	stateTerm  = "state:"
	reviewTerm = "review:"
)

// StateTerm is the term of a state.
func StateTerm(s StateID) TermID { return TermID(stateTerm + string(s)) }

// ReviewTerm is the term of a review.
func ReviewTerm(r ReviewID) TermID { return TermID(reviewTerm + string(r)) }

// Legal reports whether a term is over the whole request, not over a state or a
// review.
func (id TermID) Legal() bool {
	return !strings.HasPrefix(string(id), stateTerm) && !strings.HasPrefix(string(id), reviewTerm)
}

// State is the state that a term is of; false for one that is of none.
func (id TermID) State() (StateID, bool) {
	s, ok := strings.CutPrefix(string(id), stateTerm)
	return StateID(s), ok
}

// review is the review that a term is of.
func (id TermID) review() (ReviewID, bool) {
	s, ok := strings.CutPrefix(string(id), reviewTerm)
	return ReviewID(s), ok
}

// StopGround is why a term does not run.
type StopGround string

// The grounds. The last two are not orders of anybody: the time that a request was
// closed, or stood where its term does not run, is given back when it returns, and
// nothing more.
const (
	StopApplicant    StopGround = "applicant"     // the applicant has to act
	StopOtherAgency  StopGround = "other_agency"  // another agency has to, where the law stops the term for it
	StopForceMajeure StopGround = "force_majeure" // nobody can
	StopClosed       StopGround = "closed"        // the request had ended, and was reopened
	StopAway         StopGround = "away"          // the request stood in another state
)

// StopGrounds lists the grounds that a workflow may name.
func StopGrounds() []StopGround {
	return []StopGround{StopApplicant, StopOtherAgency, StopForceMajeure}
}

// Term is the ledger of one term: what it was given, when it started, when it stood
// still. From it and a calendar, everything else about it can be computed again. Its
// slices are shared by the states of one request and never changed.
type Term struct {
	Budget   string    // such as "5 working days"; empty where a date of the case says until when
	Until    time.Time // that date; zero where the budget counts
	Promise  string    // what the agency promises, a budget too; empty where it promises nothing else
	Started  time.Time
	Stops    []Stop
	Extended []Extension

	Steps   int         // of what happens as its time runs out, taken so far
	Taken   []TermStep  // which they were, by whatever version of the workflow
	Expired time.Time   // when it ran out; zero if it has not
	Ended   time.Time   // since when nothing is counted any more; zero while it is open
	Kept    Punctuality // whether it ended in time, as was said then; empty while it is open, or was dropped
	Decided bool        // what follows when it runs out has moved the request
	Dropped bool        // it ended because the version that the request was moved to has it not

	// As last recorded.
	Left     int64     // that remained, in the parts of a [Reckoning]
	Unsure   bool      // the due time is provisional
	Due      time.Time // zero while it stands still
	Promised time.Time
	Wakes    time.Time // when something next happens by itself; zero for never
	Calendar string    // the version they were computed with
}

// Stop is a time in which a term does not run; To is zero while it lasts.
type Stop struct {
	From, To time.Time
	Ground   StopGround
}

// Extension is more time, given at a moment.
type Extension struct {
	At time.Time
	By string // a budget
}

// Lasts is how long the term is, in words.
func (t Term) Lasts() string {
	if !t.Until.IsZero() {
		return "until a date"
	}
	return t.Budget
}

// Open reports whether the term is still counted, running or standing still.
func (t Term) Open() bool { return !t.Started.IsZero() && t.Ended.IsZero() }

// Stopped is the ground on which the term stands still; empty while it runs.
func (t Term) Stopped() StopGround {
	if n := len(t.Stops); n > 0 && t.Stops[n-1].To.IsZero() {
		return t.Stops[n-1].Ground
	}
	return ""
}

// stop is the term standing still from a moment on. One that stands still already
// does so on another ground.
func (t Term) stop(at time.Time, g StopGround) Term {
	t = t.run(at)
	t.Stops = append(slices.Clip(t.Stops), Stop{From: at, Ground: g})
	return t
}

// run is the term running again.
func (t Term) run(at time.Time) Term {
	if t.Stopped() == "" {
		return t
	}
	t.Stops = slices.Clone(t.Stops)
	last := &t.Stops[len(t.Stops)-1]
	last.To = at
	if last.To.Before(last.From) {
		last.To = last.From
	}
	return t
}

// Reckoning is what a term comes to at a moment, by a calendar. Amounts of time are in
// the parts that the calendar counts in: of a day, 432,432,000, where the budget is one
// of days, else nanoseconds. What was consumed and what remains make the budget, to which
// only an extension adds.
type Reckoning struct {
	Consumed    int64     `json:"consumed"`
	Remaining   int64     `json:"remaining"` // negative when the term has run out
	Suspended   int64     `json:"suspended"`
	Due         time.Time `json:"due,omitzero"` // the last moment that is in time; zero while it stands still, or where no calendar reaches
	Promised    time.Time `json:"promised,omitzero"`
	Wakes       time.Time `json:"wakes,omitzero"`        // when something next happens by itself; zero for never
	Provisional bool      `json:"provisional,omitempty"` // holidays that are not decreed yet may move it
	Calendar    string    `json:"calendar"`
}

// Reckoned is what an event that carries a reckoning says of its term.
func (r Reckoning) Reckoned() Reckoning { return r }

// reckoned is a term as it was reckoned.
func (t Term) reckoned(r Reckoning) Term {
	t.Left, t.Due, t.Promised, t.Wakes, t.Calendar, t.Unsure = r.Remaining, r.Due, r.Promised, r.Wakes, r.Calendar, r.Provisional
	return t
}

// TermStep is one thing that happens as a term runs out.
type TermStep string

// The steps, in the order in which they are taken.
const (
	StepRemind    TermStep = "remind"    // the owner of the state, some time before
	StepExpire    TermStep = "expire"    // the time has run out
	StepEscalate  TermStep = "escalate"  // somebody above is told
	StepOmbudsman TermStep = "ombudsman" // it is put on the list that the ombudsman sees
)

// TermRule is what a workflow says of a term, for a request that stands in a state.
type TermRule struct {
	ID      TermID
	Budget  string
	Date    string // legal: the fact that says until when, instead of a budget
	Promise string
	Starts  []ActionID // legal: any of these starts it; it may be [Submitting]
	Review  ReviewID   // of a review: it runs while the review is open
	Fresh   bool       // of a state: starts anew each time the request comes to it; else it goes on
	Stop    StopGround // why it does not run in this state; empty where it does
	Remind  string     // a budget, counted as that of the term is, after which there is a reminder
	Steps   []StepRule // what happens as it runs out

	// Where the request moves when the term runs out; empty: nowhere.
	To      StateID
	Public  PublicStatus
	Outcome Outcome
	Ground  ExpiryGround
	Basis   Basis

	Extension *ExtensionRule // nil: it cannot be extended

	Record RecordRule // of a case that was imported

	imported bool      // it is of such a case
	ends     time.Time // when that ended by its record
}

// StepRule is one step of what happens as a term runs out.
type StepRule struct {
	Step TermStep
	Role RoleID // who is told
}

// ExtensionRule is how a term may be extended, once.
type ExtensionRule struct {
	By      string // a budget
	Roles   []RoleID
	Reasons []ReasonCode
	Basis   Basis
}

// OrderRule is a ground on which somebody may order all terms of a request to stand
// still.
type OrderRule struct {
	Roles   []RoleID
	Reasons []ReasonCode
	Basis   Basis
}

// Basis is the rule of law that something rests on, in both languages.
type Basis struct {
	ID string `json:"id,omitempty"`
	EN string `json:"en,omitempty"`
}

// ExpiryGround is why a request moves when a term runs out.
type ExpiryGround string

// The grounds. Deemed approval: UU 30/2014 art. 53 as changed by UU Cipta Kerja
// art. 175.
const (
	DeemedApproval ExpiryGround = "deemed_approval"
	DeemedRefusal  ExpiryGround = "deemed_refusal"
	Lapse          ExpiryGround = "lapse" // of the applicant's own time
)

// Waking is a moment that a term of a request waits for.
type Waking struct {
	Request uuid.UUID
	Term    TermID
	At      time.Time
}

// Reckoned is when a term of a request was last reckoned.
type Reckoned struct {
	Request  uuid.UUID
	Position Position
}

// Overdue is the term for which the earliest moment before another has come, and
// that moment; false when there is none. Of two at one moment, it is the one whose
// name comes first.
func (r Request) Overdue(at time.Time) (TermID, time.Time, bool) {
	var first TermID
	var when time.Time
	for id, t := range r.Terms {
		if t.Wakes.IsZero() || !t.Wakes.Before(at) {
			continue
		}
		if first == "" || t.Wakes.Before(when) || t.Wakes.Equal(when) && id < first {
			first, when = id, t.Wakes
		}
	}
	return first, when, first != ""
}

// TermIDs lists the terms of a request, those of law first.
func (r Request) TermIDs() []TermID {
	list := slices.Sorted(maps.Keys(r.Terms))
	slices.SortStableFunc(list, func(a, b TermID) int {
		switch {
		case a.Legal() == b.Legal():
			return 0
		case a.Legal():
			return -1
		}
		return 1
	})
	return list
}
