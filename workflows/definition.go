package workflows

import (
	"fmt"

	"github.com/alur-id/alur/domain"
)

// Language is the version of the definition language this program reads. A
// definition names it, so that an old one keeps its meaning.
const Language = 1

// Definition is a workflow as its agency wrote it. The yaml tags are the
// language's own words.
type Definition struct {
	Language    int             `yaml:"alur"`
	ID          string          `yaml:"id"`
	Title       Text            `yaml:"title"`
	Agency      Text            `yaml:"agency"`
	Office      string          `yaml:"office"`
	Promise     Text            `yaml:"promise,omitempty"` // how long it takes, in words
	Fee         Text            `yaml:"fee,omitempty"`     // what it costs, in words
	History     *History        `yaml:"history,omitempty"`
	Retention   Retention       `yaml:"retention,omitempty"`
	Standard    *Standard       `yaml:"standard,omitempty"`
	Form        *Form           `yaml:"form,omitempty"`
	Facts       []Fact          `yaml:"facts,omitempty"`
	Roles       []Role          `yaml:"roles"`
	Submit      []domain.RoleID `yaml:"submit,flow"`           // the roles that may submit a request
	Payers      []domain.RoleID `yaml:"payers,omitempty,flow"` // the roles that may record a payment
	Reasons     []Reason        `yaml:"reasons,omitempty"`
	Documents   []Document      `yaml:"documents,omitempty"`
	Checklists  []Checklist     `yaml:"checklists,omitempty"`
	Fees        []Fee           `yaml:"fees,omitempty"`
	Reviews     []Review        `yaml:"reviews,omitempty"`
	Systems     []System        `yaml:"systems,omitempty"`
	Terms       []LegalTerm     `yaml:"terms,omitempty"`
	Suspensions []Suspension    `yaml:"suspensions,omitempty"`
	Notices     []Notice        `yaml:"notifications,omitempty"`
	States      []State         `yaml:"states"`
	Actions     []Action        `yaml:"actions"`
	Transitions []Transition    `yaml:"transitions"`
	// Separate lists gates that no one person may pass together.
	Separate   [][]domain.ActionID `yaml:"separate,omitempty,flow"`
	Invariants []Invariant         `yaml:"invariants,omitempty"`
	Tests      []Scenario          `yaml:"tests,omitempty"`
}

// Text is something a person reads, in both languages.
type Text struct {
	ID string `yaml:"id" json:"id"`
	EN string `yaml:"en" json:"en"`
}

// In returns the text in a language, "en" or "id"; any other language gets
// Indonesian.
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ID
}

// IsZero reports whether there is no text; it lets the field be left out of a
// written definition.
func (t Text) IsZero() bool { return t == Text{} }

// Retention says how long the personal data of a request is kept, and together
// with what: keys of one class are destroyed together.
type Retention struct {
	Class  domain.RetentionClass `yaml:"class"`
	Years  int                   `yaml:"years"`  // after the request ended, at least
	Ground Text                  `yaml:"ground"` // the schedule that says so
}

// IsZero reports whether the definition says nothing of it.
func (r Retention) IsZero() bool { return r == Retention{} }

// FactType is the kind of value a fact has.
type FactType string

// The fact types. A time is written in RFC 3339.
const (
	FactString  FactType = "string"
	FactNumber  FactType = "number"
	FactBoolean FactType = "boolean"
	FactTime    FactType = "time"
)

// Fact declares a clear value of a request. What is not declared is not kept:
// unmarked means personal.
type Fact struct {
	ID         string     `yaml:"id"`
	Type       FactType   `yaml:"type"`
	Title      Text       `yaml:"title"`
	Required   bool       `yaml:"required,omitempty"`
	Values     []string   `yaml:"values,omitempty"`      // the only values a string may have
	From       *Condition `yaml:"from,omitempty"`        // computed from the form
	Default    any        `yaml:"default,omitempty"`     // where it is not given
	Recorded   bool       `yaml:"recorded,omitempty"`    // by officers, while the request runs
	RecordedAs string     `yaml:"recorded_as,omitempty"` // the attribute's name in an event log
}

// sure reports whether every request has the fact.
func (f *Fact) sure() bool { return f.Required || f.Default != nil }

// Role is a right to act, and the capacities in which it may be used.
type Role struct {
	ID         domain.RoleID     `yaml:"id"`
	Title      Text              `yaml:"title"`
	Capacities []domain.Capacity `yaml:"capacities,flow"`
	RecordedAs string            `yaml:"recorded_as,omitempty"` // the role's name in an event log
}

// Reason is a coded reason that an action may demand.
type Reason struct {
	Code  domain.ReasonCode `yaml:"code"`
	Title Text              `yaml:"title"`
}

// Kind says what a state is for.
type Kind string

// The kinds of state. End means closed, not dead: actions may lead out of it
// again.
const (
	KindStart  Kind = "start"  // where a submitted request begins; somebody works on it
	KindWork   Kind = "work"   // the agency works on it
	KindWait   Kind = "wait"   // the agency waits, for the applicant or another
	KindGather Kind = "gather" // reviews are waited for
	KindEnd    Kind = "end"
)

// State is where a request can stand.
type State struct {
	ID      domain.StateID      `yaml:"id"`
	Kind    Kind                `yaml:"kind"`
	Public  domain.PublicStatus `yaml:"public"`
	Title   Text                `yaml:"title"`
	Owner   domain.RoleID       `yaml:"owner,omitempty"`   // who has to act; not for an end
	Outcome domain.Outcome      `yaml:"outcome,omitempty"` // only for an end
	Promise Text                `yaml:"promise,omitempty"` // how long the step takes, in words
	Next    Text                `yaml:"next,omitempty"`    // what happens next, told to the citizen
	Term    *Term               `yaml:"term,omitempty"`
	Reviews []domain.ReviewID   `yaml:"reviews,omitempty,flow"` // only for a gather
	Join    *Join               `yaml:"join,omitempty"`         // only for a gather
	// OnlyAfter lists actions: an approval asks for the reviews of this gather only
	// after one of them was taken, or where the request came here all the same.
	OnlyAfter []domain.ActionID `yaml:"only_after,omitempty,flow"`
	WaitsFor  domain.SystemID   `yaml:"waits_for,omitempty"` // only for a wait
	Allocate  *Allocation       `yaml:"allocate,omitempty"`  // only where somebody works
}

// Action is what an actor does, whatever edge it takes.
type Action struct {
	ID         domain.ActionID `yaml:"id"`
	Title      Text            `yaml:"title"`
	RecordedAs string          `yaml:"recorded_as,omitempty"` // the activity's name in an event log
}

// Transition lets some roles take an action from some states to another.
type Transition struct {
	Action    domain.ActionID      `yaml:"action"`
	From      []domain.StateID     `yaml:"from,flow"`
	To        domain.StateID       `yaml:"to"`
	Roles     []domain.RoleID      `yaml:"roles,omitempty,flow"` // none takes an automatic one
	Reasons   []domain.ReasonCode  `yaml:"reasons,omitempty,flow"`
	Kind      domain.ActionKind    `yaml:"kind,omitempty"`
	Consent   []domain.RoleID      `yaml:"consent,omitempty,flow"` // of a return: who may consent to another one
	When      *Condition           `yaml:"when,omitempty"`
	Because   Text                 `yaml:"because,omitempty"` // told to whom When refuses; of an automatic one, to the applicant when it is taken
	NotBy     []domain.ActionID    `yaml:"not_by,omitempty,flow"`
	Needs     *Needs               `yaml:"needs,omitempty"`
	Clears    []domain.ChecklistID `yaml:"clears,omitempty,flow"`  // checklists that are then answered anew
	Records   []string             `yaml:"records,omitempty,flow"` // facts that come with the action
	Automatic bool                 `yaml:"automatic,omitempty"`
}

// History says how an event log of this service is read: which attribute of an
// event names the role, which facts of a case hold when the other system began to count,
// when it had the case due, and when it ended. The terms of an imported case start and end
// by that; it is due by the terms.
type History struct {
	Role    string `yaml:"role"`
	Started string `yaml:"started,omitempty"`
	Due     string `yaml:"due,omitempty"`
	Ended   string `yaml:"ended,omitempty"`
}

// RoleAttributes are the event attributes that History.Role may name (XES
// organizational extension).
func RoleAttributes() []string { return []string{"org:resource", "org:role", "org:group"} }

// State is the state of a name. The error says that there is none, and which may have
// been meant.
func (d *Definition) State(id domain.StateID) (State, error) {
	if s := d.state(id); s != nil {
		return *s, nil
	}
	all := ids(d.States, func(s State) domain.StateID { return s.ID })
	return State{}, fmt.Errorf("workflow %s has no state %q%s", d.ID, id, meant(string(id), all))
}

func (d *Definition) fact(id string) *Fact {
	for i := range d.Facts {
		if d.Facts[i].ID == id {
			return &d.Facts[i]
		}
	}
	return nil
}

// names lists what is defined of a kind.
func (d *Definition) names(kind string) []string {
	switch kind {
	case "action":
		return ids(d.Actions, func(a Action) string { return string(a.ID) })
	case "review":
		return ids(d.Reviews, func(r Review) string { return string(r.ID) })
	case "fee":
		return ids(d.Fees, func(f Fee) string { return string(f.ID) })
	case "document":
		return ids(d.Documents, func(x Document) string { return string(x.ID) })
	case "system":
		return ids(d.Systems, func(s System) string { return string(s.ID) })
	}
	return nil
}

func (d *Definition) system(id domain.SystemID) *System {
	for i := range d.Systems {
		if d.Systems[i].ID == id {
			return &d.Systems[i]
		}
	}
	return nil
}

func (d *Definition) review(id domain.ReviewID) *Review {
	for i := range d.Reviews {
		if d.Reviews[i].ID == id {
			return &d.Reviews[i]
		}
	}
	return nil
}

func (d *Definition) state(id domain.StateID) *State {
	for i := range d.States {
		if d.States[i].ID == id {
			return &d.States[i]
		}
	}
	return nil
}

func (d *Definition) start() *State {
	for i := range d.States {
		if d.States[i].Kind == KindStart {
			return &d.States[i]
		}
	}
	return nil
}

// ReasonTitle is what a reason code is called; zero where the definition has it not.
func (d *Definition) ReasonTitle(code domain.ReasonCode) Text {
	for _, r := range d.Reasons {
		if r.Code == code {
			return r.Title
		}
	}
	return Text{}
}
