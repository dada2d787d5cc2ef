package workflows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/alur-id/alur/domain"
)

// teller turns cases into commands and has them decided.
type teller struct {
	tenant  domain.TenantCode
	w       *Workflow
	engine  *Engine
	submit  domain.Actor
	roleBy  string
	actions map[string]domain.ActionID
	roles   map[string]Role
	facts   map[string]Fact
	cases   int
	seen    map[string]int // cases by name
}

func newTeller(tenant domain.TenantCode, w *Workflow, engine *Engine) (*teller, error) {
	d := w.Definition
	t := &teller{
		tenant: tenant, w: w, engine: engine, roleBy: "org:resource",
		actions: map[string]domain.ActionID{}, roles: map[string]Role{}, facts: map[string]Fact{}, seen: map[string]int{},
	}
	if d.History != nil {
		t.roleBy = d.History.Role
	}
	for _, a := range d.Actions {
		t.actions[cmp.Or(a.RecordedAs, string(a.ID))] = a.ID
	}
	for _, r := range d.Roles {
		t.roles[cmp.Or(r.RecordedAs, string(r.ID))] = r
		if slices.Contains(d.Submit, r.ID) && slices.Contains(r.Capacities, domain.CapacitySystem) {
			t.submit = domain.Actor{ID: "import", Role: r.ID, Capacity: domain.CapacitySystem}
		}
	}
	for _, f := range d.Facts {
		t.facts[cmp.Or(f.RecordedAs, f.ID)] = f
	}
	if t.submit.ID == "" {
		return nil, domain.NewRefusal(domain.RuleRole, "workflow "+d.ID+" lets no system submit requests",
			"add a role with capacity system to submit, as alur workflow discover drafts it")
	}
	return t, nil
}

// tell decides a whole case: the submission and one action for each event, in
// the order of the log, which is not always the order of its clock. The error is
// not about the case.
func (t *teller) tell(ctx context.Context, trace Trace) (told, *RefusedCase, error) {
	t.cases++
	if trace.Name == "" {
		trace.Name = fmt.Sprintf("unnamed case %d", t.cases)
	}
	t.seen[trace.Name]++
	reference, err := t.engine.newReference(ctx)
	if err != nil {
		return told{}, nil, err
	}
	commands, refused := t.commands(trace, reference)
	if refused != nil {
		return told{}, refused, nil
	}
	var r domain.Request
	events := make([]domain.Event, 0, len(commands))
	for i, c := range commands {
		decided, err := domain.Decide(r, c, t.w)
		var refusal *domain.Refusal
		if errors.As(err, &refusal) {
			return told{}, refuseCase(trace, i, refusal.Rule, "%v", err), nil
		}
		if err != nil {
			return told{}, nil, err
		}
		r = evolve(r, decided)
		events = append(events, decided...)
	}
	return told{
		name: trace.Name, from: *r.Imported,
		append: domain.Append{Stream: domain.RequestStream(r.ID), Events: events},
	}, nil, nil
}

// refuseCase says why nothing of a case is recorded; event 0 is the case itself.
func refuseCase(trace Trace, event int, rule domain.Rule, format string, args ...any) *RefusedCase {
	r := &RefusedCase{Case: trace.Name, Event: event, Rule: rule, Reason: fmt.Sprintf(format, args...)}
	if event > 0 {
		r.Activity = trace.Events[event-1].Activity()
	}
	return r
}

// commands are what the case says was asked for.
func (t *teller) commands(trace Trace, reference domain.Reference) ([]domain.Command, *RefusedCase) {
	if refused := unreadable(trace); refused != nil {
		return nil, refused
	}
	facts, imported, err := t.factsOf(trace)
	if err != nil {
		return nil, refuseCase(trace, 0, domain.RuleFacts, "%v", err)
	}
	d := t.w.Definition
	header := func(i int, a domain.Actor) domain.Header {
		at := trace.Events[max(i-1, 0)].Time
		id := domain.CommandID(at, "case", string(t.tenant), d.ID, trace.Name, strconv.Itoa(t.seen[trace.Name]), strconv.Itoa(i))
		return domain.Header{ID: id, Actor: a, Occurred: at}
	}
	submit := domain.Submit{
		Header: header(0, t.submit), Tenant: t.tenant, Service: d.ID,
		Reference: reference, Facts: facts, Imported: imported,
	}
	submit.Correlation = submit.ID
	list := append(make([]domain.Command, 0, len(trace.Events)+1), submit)
	for i, e := range trace.Events {
		action, ok := t.actions[e.Activity()]
		if !ok {
			return nil, refuseCase(trace, i+1, domain.RuleUnknownAction, "workflow %s has no action recorded as %q", d.ID, e.Activity())
		}
		actor, ok := t.actor(e)
		if !ok {
			return nil, refuseCase(trace, i+1, domain.RuleRole, "workflow %s has no role recorded as %q", d.ID, e.roleBy(t.roleBy))
		}
		act := domain.Act{Header: header(i+1, actor), Action: action}
		act.Correlation = submit.ID
		list = append(list, act)
	}
	return list, nil
}

// unreadable says why a case cannot be told at all.
func unreadable(trace Trace) *RefusedCase {
	if len(trace.Events) == 0 {
		return refuseCase(trace, 0, RuleNoEvents, "the case has no events")
	}
	for i, e := range trace.Events {
		switch {
		case e.Name == "":
			return refuseCase(trace, i+1, domain.RuleUnknownAction, "the event has no concept:name")
		case e.Time.IsZero() && e.TimeText != "":
			return refuseCase(trace, i+1, domain.RuleTime, "the event's time:timestamp %q cannot be read", e.TimeText)
		case e.Time.IsZero():
			return refuseCase(trace, i+1, domain.RuleTime, "the event has no time:timestamp")
		}
	}
	return nil
}

// actor is who the log says it was; false when the workflow has no such role.
// The capacity is invented by nobody: it is the one the role has, or unrecorded
// where the role allows that.
func (t *teller) actor(e TraceEvent) (domain.Actor, bool) {
	role, ok := t.roles[e.roleBy(t.roleBy)]
	a := domain.Actor{ID: orUnrecorded(e.Resource), Role: role.ID, Capacity: domain.CapacityUnrecorded}
	if len(role.Capacities) == 1 {
		a.Capacity = role.Capacities[0]
	}
	return a, ok
}

// factsOf keeps the attributes that the definition declares as facts, and reads
// from them when the case was due and when it ended.
func (t *teller) factsOf(trace Trace) (domain.Facts, *domain.Imported, error) {
	facts := domain.Facts{}
	imported := &domain.Imported{Case: trace.Name}
	for _, a := range trace.Attributes {
		f, ok := t.facts[a.Key]
		if !ok {
			continue
		}
		value, err := f.parse(a.Value)
		if err != nil {
			return nil, nil, err
		}
		facts[f.ID] = value
		if h := t.w.Definition.History; h != nil && (f.ID == h.Due || f.ID == h.Ended) {
			at, err := ParseTime(a.Value)
			if err != nil {
				return nil, nil, fmt.Errorf("fact %q: %w", f.ID, err)
			}
			if f.ID == h.Due {
				imported.Due = at.UTC()
			} else {
				imported.Ended = at.UTC()
			}
		}
	}
	return facts, imported, nil
}

// parse reads a fact from the text of an attribute.
func (f Fact) parse(text string) (any, error) {
	switch f.Type {
	case FactTime:
		at, err := ParseTime(text)
		if err != nil {
			return nil, fmt.Errorf("fact %q: %q is not a time", f.ID, text)
		}
		return at.UTC().Format(time.RFC3339Nano), nil
	case FactNumber:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("fact %q: %q is not a number", f.ID, text)
		}
		return n, nil
	case FactBoolean:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("fact %q: %q is not true or false", f.ID, text)
		}
		return b, nil
	default:
		return text, nil
	}
}
