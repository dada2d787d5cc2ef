package workflows

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/looplab/fsm"

	"github.com/alur-id/alur/domain"
)

// Workflow is a definition at a version, compiled: the rules a request is bound
// to. It is immutable and safe for concurrent use.
type Workflow struct {
	Definition *Definition

	version     int
	submission  domain.Submission
	capacities  map[domain.RoleID][]domain.Capacity
	transitions map[edge]domain.Transition
	leaving     map[domain.StateID][]domain.ActionID
	actions     map[domain.ActionID]*Action

	// machines are looplab/fsm machines of this version, at any state: building
	// one costs tens of microseconds or more, setting its state almost nothing.
	machines sync.Pool
}

type edge struct {
	from   domain.StateID
	action domain.ActionID
}

var _ domain.Workflow = (*Workflow)(nil)

// Compile turns a definition that [Read] returned into rules.
func Compile(d *Definition, version int) *Workflow {
	w := &Workflow{
		Definition:  d,
		version:     version,
		capacities:  map[domain.RoleID][]domain.Capacity{},
		transitions: map[edge]domain.Transition{},
		leaving:     map[domain.StateID][]domain.ActionID{},
		actions:     map[domain.ActionID]*Action{},
	}
	for _, r := range d.Roles {
		w.capacities[r.ID] = r.Capacities
	}
	for i := range d.Actions {
		w.actions[d.Actions[i].ID] = &d.Actions[i]
	}
	start := d.start()
	w.submission = domain.Submission{State: start.ID, Public: start.Public, Roles: d.Submit}
	for i, t := range d.Transitions {
		to := d.state(t.To)
		for _, from := range t.From {
			w.transitions[edge{from, t.Action}] = domain.Transition{
				ID: transitionID(i), Action: t.Action, From: from, To: t.To,
				Public: to.Public, Outcome: to.Outcome, Roles: t.Roles, Reasons: t.Reasons,
			}
			w.leaving[from] = append(w.leaving[from], t.Action)
		}
	}
	events := w.fsmEvents()
	initial := string(start.ID)
	w.machines.New = func() any { return fsm.NewFSM(initial, events, nil) }
	return w
}

// defaultClass is the retention class of a definition that says nothing of it.
const defaultClass domain.RetentionClass = "request"

// RetentionClass is the class that the personal data of requests is sealed in.
func (w *Workflow) RetentionClass() domain.RetentionClass {
	if c := w.Definition.Retention.Class; c != "" {
		return c
	}
	return defaultClass
}

// transitionID names an edge to the machine. Each transition is an event of its
// own, so that two guarded transitions may share an action.
func transitionID(i int) string { return "t" + strconv.Itoa(i+1) }

func (w *Workflow) fsmEvents() []fsm.EventDesc {
	events := make([]fsm.EventDesc, len(w.Definition.Transitions))
	for i, t := range w.Definition.Transitions {
		events[i] = fsm.EventDesc{Name: transitionID(i), Dst: string(t.To)}
		for _, from := range t.From {
			events[i].Src = append(events[i].Src, string(from))
		}
	}
	return events
}

// Ref implements [domain.Workflow].
func (w *Workflow) Ref() domain.WorkflowRef {
	return domain.WorkflowRef{ID: w.Definition.ID, Version: w.version}
}

// Office implements [domain.Workflow].
func (w *Workflow) Office() string { return w.Definition.Office }

// Submission implements [domain.Workflow].
func (w *Workflow) Submission() domain.Submission { return w.submission }

// Capacities implements [domain.Workflow].
func (w *Workflow) Capacities(r domain.RoleID) []domain.Capacity { return w.capacities[r] }

// Leaving lists the actions that lead out of a state, in the definition's order.
func (w *Workflow) Leaving(s domain.StateID) []domain.ActionID { return w.leaving[s] }

// State returns what the definition says of a state; false for a state it does
// not have.
func (w *Workflow) State(id domain.StateID) (State, bool) {
	if s := w.Definition.state(id); s != nil {
		return *s, true
	}
	return State{}, false
}

// Action returns what the definition says of an action.
func (w *Workflow) Action(id domain.ActionID) (Action, bool) {
	if a := w.actions[id]; a != nil {
		return *a, true
	}
	return Action{}, false
}

// Fire implements [domain.Workflow]. The edge is taken by a looplab/fsm
// machine; this method chooses which edge the action means and reads the
// machine's answer.
func (w *Workflow) Fire(from domain.StateID, action domain.ActionID) (domain.Transition, error) {
	t, ok := w.transitions[edge{from, action}]
	if !ok {
		return domain.Transition{}, w.noEdge(from, action)
	}
	m := w.machines.Get().(*fsm.FSM)
	m.SetState(string(from))
	err := m.Event(context.Background(), t.ID)
	var stayed fsm.NoTransitionError
	if err != nil && (!errors.As(err, &stayed) || stayed.Err != nil) {
		// The machine is not put back: after any other error it may be stuck.
		return domain.Transition{}, fmt.Errorf("workflow %s: machine refuses %s from %s: %w", w.Definition.ID, t.ID, from, err)
	}
	if got := domain.StateID(m.Current()); got != t.To {
		return domain.Transition{}, fmt.Errorf("workflow %s: machine went from %s by %s to %s, not %s", w.Definition.ID, from, t.ID, got, t.To)
	}
	w.machines.Put(m)
	return t, nil
}

func (w *Workflow) noEdge(from domain.StateID, action domain.ActionID) error {
	if w.actions[action] == nil {
		all := ids(w.Definition.Actions, func(a Action) domain.ActionID { return a.ID })
		return domain.NewRefusal(domain.RuleUnknownAction,
			fmt.Sprintf("workflow %s has no action %q%s", w.Definition.ID, action, meant(string(action), all)), "")
	}
	remedy := "nothing leads on from here"
	if open := w.leaving[from]; len(open) > 0 {
		remedy = "possible now: " + domain.Listed(open)
	}
	return domain.NewRefusal(domain.RuleNotFromHere,
		fmt.Sprintf("action %q is not possible in state %q", action, from), remedy)
}

// CheckFacts implements [domain.Workflow].
func (w *Workflow) CheckFacts(given domain.Facts) (domain.Facts, error) {
	var wrong []string
	facts := domain.Facts{}
	for _, f := range w.Definition.Facts {
		value, ok := given[f.ID]
		switch {
		case !ok && f.Required:
			wrong = append(wrong, fmt.Sprintf("fact %q is missing", f.ID))
		case ok:
			v, err := f.read(value)
			if err != nil {
				wrong = append(wrong, err.Error())
				continue
			}
			facts[f.ID] = v
		}
	}
	declared := ids(w.Definition.Facts, func(f Fact) string { return f.ID })
	for name := range given {
		if !slices.Contains(declared, name) {
			wrong = append(wrong, fmt.Sprintf("%q is not a fact of this service", name))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		remedy := "this service declares no facts"
		if len(declared) > 0 {
			remedy = "its facts are " + strings.Join(declared, ", ")
		}
		return nil, domain.NewRefusal(domain.RuleFacts, strings.Join(wrong, "; "), remedy)
	}
	if len(facts) == 0 {
		return nil, nil
	}
	return facts, nil
}

// read is a fact's value in the form that is recorded.
func (f Fact) read(value any) (any, error) {
	switch v := value.(type) {
	case string:
		if f.Type == FactTime {
			t, err := time.Parse(time.RFC3339Nano, v)
			if err != nil {
				return nil, fmt.Errorf("fact %q is not a time such as 2026-11-23T08:00:00+07:00", f.ID)
			}
			return t.UTC().Format(time.RFC3339Nano), nil
		}
		if f.Type == FactString {
			if len(f.Values) > 0 && !slices.Contains(f.Values, v) {
				return nil, fmt.Errorf("fact %q is none of %s", f.ID, strings.Join(f.Values, ", "))
			}
			return v, nil
		}
	case float64:
		if f.Type == FactNumber && !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, nil
		}
	case int:
		if f.Type == FactNumber {
			return float64(v), nil
		}
	case bool:
		if f.Type == FactBoolean {
			return v, nil
		}
	}
	return nil, fmt.Errorf("fact %q is not a %s", f.ID, f.Type)
}
