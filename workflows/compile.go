package workflows

import (
	"cmp"
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
	"github.com/alur-id/alur/workflows/calendar"
)

// Workflow is a definition at a version, compiled: the rules a request is bound
// to. It is immutable and safe for concurrent use.
type Workflow struct {
	Definition *Definition

	version         int
	submission      domain.Submission
	capacities      map[domain.RoleID][]domain.Capacity
	edges           map[edge][]*edgeRule
	states          map[domain.StateID]*stateRules
	leaving         map[domain.StateID][]domain.ActionID
	actions         map[domain.ActionID]*Action
	terms           map[domain.StateID][]domain.TermRule
	hasTerms        bool
	budgets         map[string]Budget  // by their texts
	calendar        *calendar.Calendar // nil: no terms are run
	calendarVersion string

	// machines are looplab/fsm machines of this version, at any state: building
	// one costs tens of microseconds or more, setting its state almost nothing.
	machines *sync.Pool
}

type edge struct {
	from   domain.StateID
	action domain.ActionID
}

// edgeRule is one way from one state to another.
type edgeRule struct {
	domain.Transition

	rule  *Transition
	fixed bool // the needs are the same for all requests
}

var _ domain.Workflow = (*Workflow)(nil)

// Compile turns a definition that [Read] returned into rules.
func Compile(d *Definition, version int) *Workflow {
	w := &Workflow{
		Definition: d,
		version:    version,
		capacities: map[domain.RoleID][]domain.Capacity{},
		edges:      map[edge][]*edgeRule{},
		states:     map[domain.StateID]*stateRules{},
		leaving:    map[domain.StateID][]domain.ActionID{},
		actions:    map[domain.ActionID]*Action{},
		terms:      map[domain.StateID][]domain.TermRule{},
		budgets:    map[string]Budget{},
	}
	for _, r := range d.Roles {
		w.capacities[r.ID] = r.Capacities
	}
	for i := range d.Actions {
		w.actions[d.Actions[i].ID] = &d.Actions[i]
	}
	for i := range d.States {
		w.states[d.States[i].ID] = d.rulesOf(&d.States[i])
	}
	start := d.start()
	w.submission = domain.Submission{State: start.ID, Public: start.Public, Roles: d.Submit}
	for i := range d.Transitions {
		w.addTransition(i)
	}
	for i := range d.States {
		w.terms[d.States[i].ID] = w.termRules(&d.States[i])
		w.hasTerms = w.hasTerms || len(w.terms[d.States[i].ID]) > 0
	}
	for _, s := range w.states {
		s.quiet = s.Kind != KindGather && s.Allocate == nil && len(s.fees)+len(s.notices)+len(s.automatic) == 0
	}
	events := w.fsmEvents()
	initial := string(start.ID)
	w.machines = &sync.Pool{New: func() any { return fsm.NewFSM(initial, events, nil) }}
	return w
}

func (d *Definition) rulesOf(s *State) *stateRules {
	rules := &stateRules{State: s}
	if s.Allocate != nil {
		rules.bars = d.bars(s)
	}
	for i := range d.Fees {
		if slices.Contains(d.Fees[i].DueIn, s.ID) {
			rules.fees = append(rules.fees, &d.Fees[i])
		}
	}
	for i := range d.Notices {
		if slices.Contains(d.Notices[i].On, s.ID) {
			rules.notices = append(rules.notices, &d.Notices[i])
		}
	}
	return rules
}

func (w *Workflow) addTransition(i int) {
	d := w.Definition
	t := &d.Transitions[i]
	to := d.state(t.To)
	for _, from := range t.From {
		e := &edgeRule{rule: t, Transition: domain.Transition{
			ID: transitionID(i), Action: t.Action, From: from, To: t.To,
			Public: to.Public, Outcome: to.Outcome, Roles: t.Roles, Reasons: t.Reasons, Kind: t.Kind, Consent: t.Consent, NotBy: d.acts(t.NotBy), Clears: t.Clears, Records: t.Records,
		}}
		if d.state(from).Kind == KindEnd {
			e.Kind = domain.ActionReopen
		}
		e.fixed = t.Needs == nil || t.Kind == domain.ActionOverride || !t.Needs.Required && t.Needs.Reviews == ""
		if e.fixed {
			e.Needs, _ = d.needs(t, from, vars{}) // asks nothing of facts
		}
		if t.Automatic {
			w.states[from].automatic = append(w.states[from].automatic, e)
			continue
		}
		at := edge{from, t.Action}
		if len(w.edges[at]) == 0 {
			w.leaving[from] = append(w.leaving[from], t.Action)
		}
		w.edges[at] = append(w.edges[at], e)
	}
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
func (w *Workflow) Fire(r domain.Request, action domain.ActionID) (domain.Transition, error) {
	_, t, err := w.meant(&r, action)
	if err != nil {
		return domain.Transition{}, err
	}
	return t, w.fire(t)
}

// meant is the edge that an action means where a request stands, with its needs.
func (w *Workflow) meant(r *domain.Request, action domain.ActionID) (*edgeRule, domain.Transition, error) {
	edges := w.edges[edge{r.State, action}]
	if len(edges) == 0 {
		return nil, domain.Transition{}, w.noEdge(r.State, action)
	}
	var first error
	for _, e := range edges {
		t, err := w.lets(r, e)
		var refusal *domain.Refusal
		switch {
		case err == nil:
			return e, t, nil
		case isRefusal(err, domain.RuleCondition), !errors.As(err, &refusal): // which edge is meant is not known
			return nil, t, err
		}
		first = cmp.Or(first, err)
	}
	return nil, domain.Transition{}, first
}

// lets is an edge with its needs, if its condition lets a request go along it.
func (w *Workflow) lets(r *domain.Request, e *edgeRule) (domain.Transition, error) {
	t := e.Transition
	if e.rule.When != nil && t.Kind != domain.ActionOverride {
		holds, err := e.rule.When.holds(varsOf(r))
		if err != nil {
			return t, w.unjudged(err)
		}
		if !holds {
			refusal := domain.NewRefusal(domain.RuleGuard,
				fmt.Sprintf("action %q is not possible for this request in state %q", t.Action, t.From), because(e.rule))
			refusal.Because = basis(e.rule.Because)
			return t, refusal
		}
	}
	if !e.fixed {
		var err error
		if t.Needs, err = w.Definition.needs(e.rule, t.From, vars{facts: r.Facts}); err != nil {
			return t, w.unjudged(err)
		}
	}
	return t, nil
}

// Needs implements [domain.Workflow].
func (w *Workflow) Needs(r domain.Request, t domain.Transition) (domain.Needs, error) {
	for _, e := range w.edges[edge{t.From, t.Action}] {
		if e.ID == t.ID && !e.fixed {
			needs, err := w.Definition.needs(e.rule, t.From, vars{facts: r.Facts})
			return needs, w.unjudged(err)
		}
	}
	return t.Needs, nil
}

func because(t *Transition) string {
	if t.Because.EN != "" {
		return t.Because.EN
	}
	return "it needs: " + t.When.Text
}

// fire has a machine go from one state to the other.
func (w *Workflow) fire(t domain.Transition) error {
	m := w.machines.Get().(*fsm.FSM)
	m.SetState(string(t.From))
	err := m.Event(context.Background(), t.ID)
	var stayed fsm.NoTransitionError
	if err != nil && (!errors.As(err, &stayed) || stayed.Err != nil) {
		// The machine is not put back: after any other error it may be stuck.
		return fmt.Errorf("workflow %s: machine refuses %s from %s: %w", w.Definition.ID, t.ID, t.From, err)
	}
	if got := domain.StateID(m.Current()); got != t.To {
		return fmt.Errorf("workflow %s: machine went from %s by %s to %s, not %s", w.Definition.ID, t.From, t.ID, got, t.To)
	}
	w.machines.Put(m)
	return nil
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
func (w *Workflow) CheckFacts(given domain.Facts, form domain.Personal) (domain.Facts, error) {
	if err := w.Definition.Form.check(form); err != nil {
		return nil, err
	}
	var wrong []string
	facts := domain.Facts{}
	for i := range w.Definition.Facts {
		f := &w.Definition.Facts[i]
		v, ok, err := f.of(given, form)
		switch {
		case err != nil:
			wrong = append(wrong, err.Error())
		case ok:
			facts[f.ID] = v
		case f.Required:
			wrong = append(wrong, f.missing(form))
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

// of is the value of a fact: computed from the form, given, or its default. It is
// false for one that is missing.
func (f *Fact) of(given domain.Facts, form domain.Personal) (any, bool, error) {
	value, ok := given[f.ID]
	if f.Recorded && ok {
		return nil, false, fmt.Errorf("fact %q is recorded by those who work on the request: leave it out", f.ID)
	}
	if f.From != nil {
		if ok {
			return nil, false, fmt.Errorf("fact %q is computed from the form: leave it out", f.ID)
		}
		var err error
		if value, ok, err = f.compute(form); err != nil {
			return nil, false, err
		}
	}
	if err := f.bounded(value); ok && err != nil {
		return nil, false, err
	}
	if n, whole := value.(int64); whole {
		value = float64(n)
	}
	if !ok && f.Default != nil {
		value, ok = f.Default, true
	}
	if !ok {
		return nil, false, nil
	}
	v, err := f.read(value)
	return v, err == nil, err
}

// read is a fact's value in the form that is recorded.
func (f *Fact) read(value any) (any, error) {
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
