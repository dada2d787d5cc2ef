package workflows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
		tenant: tenant, w: w, engine: engine, roleBy: "org:resource", seen: map[string]int{},
	}
	if d.History != nil {
		t.roleBy = d.History.Role
	}
	t.actions = d.RecordedActions()
	t.roles = d.RecordedRoles()
	t.facts = recorded(d.Facts, func(f Fact) (string, string, Fact) { return f.RecordedAs, f.ID, f })
	for _, r := range d.Roles {
		if slices.Contains(d.Submit, r.ID) && slices.Contains(r.Capacities, domain.CapacitySystem) {
			t.submit = domain.Actor{ID: "import", Role: r.ID, Capacity: domain.CapacitySystem}
		}
	}
	if t.submit.ID == "" {
		return nil, domain.NewRefusal(domain.RuleRole, "workflow "+d.ID+" lets no system submit requests",
			"add a role with capacity system to submit, as alur workflow discover drafts it")
	}
	return t, nil
}

// recorded maps the names of an event log to the items of a definition: by
// recorded_as where any item of the list has it, by id where none has. The two
// are not mixed, so no name can mean two things.
func recorded[E, T any](list []E, names func(E) (recordedAs, id string, item T)) map[string]T {
	byName, byID := map[string]T{}, map[string]T{}
	for _, x := range list {
		recordedAs, id, item := names(x)
		byID[id] = item
		if recordedAs != "" {
			byName[recordedAs] = item
		}
	}
	if len(byName) > 0 {
		return byName
	}
	return byID
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
	var c course
	c.events = make([]domain.Event, 0, len(commands)+termEvents)
	for i, command := range commands {
		err := c.until(command.Head().Occurred, t.w)
		if err == nil {
			err = c.take(command, t.w)
		}
		var refusal *domain.Refusal
		if errors.As(err, &refusal) {
			return told{}, refuseCase(trace, i, refusal.Rule, "%v", err), nil
		}
		if err != nil {
			return told{}, nil, err
		}
	}
	// The record says how it ended, too, as far as that has come to pass.
	ended := c.request.Imported.Ended.Add(time.Microsecond)
	if now := t.engine.now(); now.Before(ended) && c.request.Changed.Before(ended) {
		ended = now
	}
	if err := c.until(ended, t.w); err != nil {
		return told{}, nil, err
	}
	a, tip, err := domain.Enter(domain.RequestStream(c.request.ID), domain.Tip{}, t.engine.now(), c.events)
	return told{name: trace.Name, commands: commands, append: a, request: c.request, tip: tip}, nil, err
}

// termEvents is how many events of terms most cases have.
const termEvents = 3

// course is what becomes of a case.
type course struct {
	request domain.Request
	events  []domain.Event
}

func (c *course) take(command domain.Command, w *Workflow) error {
	decided, err := domain.Decide(c.request, command, w)
	if err != nil {
		return err
	}
	c.request = evolve(c.request, decided, 0)
	c.events = append(c.events, decided...)
	return nil
}

// until has the moments of terms come that lie before another.
func (c *course) until(at time.Time, w *Workflow) error {
	for fired := 0; ; fired++ {
		id, due, ok := c.request.Overdue(at)
		if !ok {
			return nil
		}
		err := c.take(expiry(c.request, c.request.ID, id, due), w)
		if err := errors.Join(err, tooOften(fired, id)); err != nil {
			return err
		}
	}
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
	// The submission's id, and with it the stream, follows from what the case is
	// called and nothing else, so that a log that changed meets what it was. The
	// ids of the actions follow from all that is told, so that the change is
	// noticed.
	name := []string{"case", string(t.tenant), d.ID, trace.Name, strconv.Itoa(t.seen[trace.Name])}
	submit := domain.Submit{
		Header: domain.Header{ID: domain.CommandID(time.Time{}, name...), Actor: t.submit, Occurred: trace.Events[0].Time},
		Tenant: t.tenant, Service: d.ID, Reference: reference, Facts: facts, Imported: imported,
	}
	submit.Correlation = submit.ID
	told := slices.Concat(name, []string{strconv.Itoa(len(trace.Events)), domain.CommandID(time.Time{}, factsText(facts)).String()})
	list := append(make([]domain.Command, 0, len(trace.Events)+1), submit)
	for i, e := range trace.Events {
		action, ok := t.actions[e.Activity()]
		if !ok {
			return nil, refuseCase(trace, i+1, domain.RuleUnknownAction, "workflow %s has no action recorded as %q", d.ID, e.Activity())
		}
		actor, ok := t.actor(e)
		if !ok {
			return nil, refuseCase(trace, i+1, domain.RuleRole, "workflow %s has no role recorded as %q", d.ID, e.RoleBy(t.roleBy))
		}
		id := domain.CommandID(e.Time, slices.Concat(told, []string{strconv.Itoa(i + 1), string(action), orUnrecorded(e.Resource), string(actor.Role)})...)
		list = append(list, domain.Act{
			Header: domain.Header{ID: id, Actor: actor, Occurred: e.Time, Correlation: submit.ID}, Action: action,
		})
	}
	return list, nil
}

// factsText is the facts as one text, always in the same order.
func factsText(f domain.Facts) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&b, "%q=%#v;", name, f[name])
	}
	return b.String()
}

// unreadable says why a case cannot be told at all.
func unreadable(trace Trace) *RefusedCase {
	if len(trace.Events) == 0 {
		return refuseCase(trace, 0, RuleNoEvents, "the case has no events")
	}
	if len(trace.Events) > maxCaseEvents {
		return refuseCase(trace, 0, RuleTooLong, "the case has %d events; at most %d are taken", len(trace.Events), maxCaseEvents)
	}
	for i, e := range trace.Events {
		switch {
		case e.Name == "":
			return refuseCase(trace, i+1, domain.RuleUnknownAction, "the event has no concept:name")
		case e.Time.IsZero() && e.TimeText != "":
			return refuseCase(trace, i+1, domain.RuleTime, "the event's time:timestamp %q cannot be read", e.TimeText)
		case e.Time.IsZero():
			return refuseCase(trace, i+1, domain.RuleTime, "the event has no time:timestamp")
		case e.Time.UTC().Year() < 1900 || e.Time.UTC().Year() > 9999:
			return refuseCase(trace, i+1, domain.RuleTime, "the event's time:timestamp lies outside the years 1900 to 9999")
		}
	}
	return nil
}

// actor is who the log says it was; false when the workflow has no such role.
// The capacity is invented by nobody: it is the one the role has, or unrecorded
// where the role allows that.
func (t *teller) actor(e TraceEvent) (domain.Actor, bool) {
	role, ok := t.roles[e.RoleBy(t.roleBy)]
	a := domain.Actor{ID: strings.TrimSpace(orUnrecorded(e.Resource)), Role: role.ID, Capacity: domain.CapacityUnrecorded}
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
			switch {
			case !domain.IsDate(at): // it stands for none
			case f.ID == h.Due:
				imported.Due = at.UTC()
			default:
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
