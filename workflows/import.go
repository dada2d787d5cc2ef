package workflows

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alur-id/alur/domain"
)

// BatchLog is a log that can record many appends in one durable commit.
type BatchLog interface {
	domain.EventLog

	// AppendBatch records appends in their order, each atomic by itself. The
	// i-th error is that of the i-th append: a [*domain.ConflictError] or nil.
	// The last error is about all of them, as that of Append.
	AppendBatch(ctx context.Context, appends []domain.Append) ([]domain.Appended, []error, error)
}

// Importer tells an event log to the engine's rules, case by case. Each case is
// recorded whole, in one append, or not at all. Importing a log again records
// only what is not there yet, so an import that was cut off is simply repeated.
type Importer struct {
	Log    BatchLog
	Engine *Engine

	// Progress, if not nil, is told the running totals after each commit.
	Progress func(ImportSummary)
}

// ImportSummary is what an import came to. Cases and Events count what was read.
type ImportSummary struct {
	Cases       int            `json:"cases"`
	Events      int            `json:"events"`
	KeptCases   int            `json:"kept_cases"`
	KeptEvents  int            `json:"kept_events"`
	WereThere   int            `json:"were_there"` // of the kept cases: recorded by an earlier import
	Refused     []RefusedCase  `json:"refused"`
	Punctuality map[string]int `json:"punctuality"` // of the kept cases, by the log's own dates
	Seconds     float64        `json:"seconds"`
}

// RefusedCase is a case of which nothing was recorded. Event counts from 1; 0
// means the case as a whole.
type RefusedCase struct {
	Case     string      `json:"case"`
	Event    int         `json:"event"`
	Activity string      `json:"activity,omitempty"`
	Rule     domain.Rule `json:"rule"`
	Reason   string      `json:"reason"`
}

// Rules an import can refuse a case by, beside those of the domain.
const (
	RuleNoEvents  domain.Rule = "no_events"
	RuleOtherCase domain.Rule = "other_case" // the same case was imported with other content
)

// told is a case that the rules allow, on its way to the log.
type told struct {
	name   string
	append domain.Append
	from   domain.Imported
}

// batchEvents is how many events one commit of an import holds, or a few more:
// a case is not divided.
const batchEvents = 2000

// Import tells every case of a log, under a workflow. The traces are read in
// another goroutine than they are judged in, and recorded in a third. On an
// error the summary says what was recorded before it.
func (im *Importer) Import(ctx context.Context, tenant domain.TenantCode, w *Workflow, traces iter.Seq2[Trace, error]) (ImportSummary, error) {
	began := im.Engine.now()
	s := ImportSummary{Refused: []RefusedCase{}, Punctuality: map[string]int{}}
	teller, err := newTeller(tenant, w, im.Engine)
	if err != nil {
		return s, err
	}
	head, err := im.Log.Head(ctx)
	if err != nil {
		return s, err
	}

	group, ctx := errgroup.WithContext(ctx)
	read := make(chan []Trace, 4)
	judged := make(chan verdict, 4)
	var fault error // of the log: what was read before it is whole, and is recorded
	group.Go(func() error {
		defer close(read)
		var err error
		fault, err = readChunks(ctx, traces, read)
		return err
	})
	group.Go(func() error {
		defer close(judged)
		return judge(ctx, teller, read, judged)
	})
	group.Go(func() error {
		for v := range judged {
			if err := im.record(ctx, v, head, &s); err != nil {
				return err
			}
			s.Seconds = im.Engine.now().Sub(began).Seconds()
			if im.Progress != nil {
				im.Progress(s)
			}
		}
		return nil
	})
	err = group.Wait()
	s.Seconds = im.Engine.now().Sub(began).Seconds()
	return s, errors.Join(err, fault)
}

// readChunks hands on the traces a few at a time: a channel operation for each
// would cost more than the reading. Fault is what is wrong with the log.
func readChunks(ctx context.Context, traces iter.Seq2[Trace, error], out chan<- []Trace) (fault, err error) {
	const chunk = 64
	var list []Trace
	flush := func() error {
		select {
		case out <- list:
			list = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for t, err := range traces {
		if err != nil {
			return err, flush()
		}
		if list = append(list, t); len(list) == chunk {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return nil, flush()
}

// verdict is what became of some cases: those to record, and those refused.
type verdict struct {
	cases, events int
	told          []told
	refused       []RefusedCase
}

func judge(ctx context.Context, t *teller, in <-chan []Trace, out chan<- verdict) error {
	var v verdict
	flush := func() error {
		select {
		case out <- v:
			v = verdict{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	size := 0
	for list := range in {
		for _, trace := range list {
			v.cases++
			v.events += len(trace.Events)
			one, refused, err := t.tell(ctx, trace)
			if err != nil {
				return err
			}
			if refused != nil {
				v.refused = append(v.refused, *refused)
				continue
			}
			v.told = append(v.told, one)
			if size += len(one.append.Events); size >= batchEvents {
				size = 0
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

func (im *Importer) record(ctx context.Context, v verdict, head domain.Position, s *ImportSummary) error {
	appends := make([]domain.Append, len(v.told))
	for i, c := range v.told {
		appends[i] = c.append
	}
	done, errs, err := im.Log.AppendBatch(ctx, appends)
	if err != nil {
		return fmt.Errorf("record imported cases: %w", err)
	}
	s.Cases += v.cases
	s.Events += v.events
	s.Refused = append(s.Refused, v.refused...)
	for i, c := range v.told {
		if errs[i] != nil {
			s.Refused = append(s.Refused, RefusedCase{
				Case: c.name, Rule: RuleOtherCase,
				Reason: "a case of this name was imported before, with other events",
			})
			continue
		}
		s.KeptCases++
		s.KeptEvents += len(c.append.Events) - 1
		if done[i].Position <= head {
			s.WereThere++
		}
		if p := c.from.Punctuality(); p != "" {
			s.Punctuality[string(p)]++
		}
	}
	return nil
}

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
		t.actions[recordedAs(a.RecordedAs, string(a.ID))] = a.ID
	}
	for _, r := range d.Roles {
		t.roles[recordedAs(r.RecordedAs, string(r.ID))] = r
		if slices.Contains(d.Submit, r.ID) && slices.Contains(r.Capacities, domain.CapacitySystem) {
			t.submit = domain.Actor{ID: "import", Role: r.ID, Capacity: domain.CapacitySystem}
		}
	}
	for _, f := range d.Facts {
		t.facts[recordedAs(f.RecordedAs, f.ID)] = f
	}
	if t.submit.ID == "" {
		return nil, domain.NewRefusal(domain.RuleRole, "workflow "+d.ID+" lets no system submit requests",
			"add a role with capacity system to submit, as alur workflow discover drafts it")
	}
	return t, nil
}

func recordedAs(name, id string) string {
	if name != "" {
		return name
	}
	return id
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
