package migration_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/migration"
)

const tenant = domain.TenantCode("33.14")

var (
	legal  = domain.Actor{ID: "legal-1", Role: "publisher", Capacity: domain.CapacityOfficer}
	ground = domain.Basis{ID: "Perwal 9/2026", EN: "Mayor's regulation 9/2026"}
)

// bench is an engine over a log, a clock that goes where a test puts it, and a migrator
// that folds the log to see what runs.
type bench struct {
	t       interface{ Fatal(...any) }
	log     domain.EventLog
	library *workflows.Library
	engine  *workflows.Engine
	now     time.Time
	n       uint64
}

func newBench(t interface{ Fatal(...any) }, log domain.EventLog) *bench {
	b := &bench{t: t, log: log, library: workflows.NewLibrary(log), now: time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)}
	b.engine = workflows.NewEngine(log, b.library, workflows.EngineConfig{Now: func() time.Time { return b.now }, Random: func() uint64 { b.n++; return b.n * 0x9E3779B97F4A7C15 }})
	return b
}

func (b *bench) publish(source []byte) *workflows.Workflow {
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		b.t.Fatal(err)
	}
	w, err := b.library.Publish(context.Background(), workflows.Publication{
		Tenant: tenant, Source: source, Definition: d, Occurred: b.now, At: b.now, Why: "test", Trial: "to be tried", Actor: legal,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

func (b *bench) header(d *workflows.Definition, role domain.RoleID) domain.Header {
	for _, r := range d.Roles {
		if r.ID == role {
			return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: r.Capacities[0]}}
		}
	}
	b.t.Fatal("no role", role)
	return domain.Header{}
}

func (b *bench) submit(d *workflows.Definition, facts domain.Facts) domain.Request {
	a, err := b.engine.Submit(context.Background(), domain.Submit{Header: b.header(d, d.Submit[0]), Tenant: tenant, Service: d.ID, Facts: facts})
	if err != nil {
		b.t.Fatal(err)
	}
	return a.Request
}

func (b *bench) give(id uuid.UUID, c domain.Command) domain.Request {
	a, err := b.engine.Act(context.Background(), id, c)
	if err != nil {
		b.t.Fatal(fmt.Sprintf("%T %+v: %v", c, c, err))
	}
	return a.Request
}

// act takes an action by name, in a role of the definition.
func (b *bench) act(d *workflows.Definition, id uuid.UUID, role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) domain.Request {
	return b.give(id, domain.Act{Header: b.header(d, role), Action: action, Reason: reason})
}

func (b *bench) ctx() context.Context { return context.Background() }

func (b *bench) load(id uuid.UUID) domain.Request {
	r, err := b.engine.Load(context.Background(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// record appends what a program of before had recorded of a request.
func (b *bench) record(id uuid.UUID, bodies ...domain.Body) {
	events := b.events(domain.RequestStream(id), 0)
	last := events[len(events)-1]
	command := uuid.New()
	var list []domain.Event
	for i, body := range bodies {
		e := last.Envelope
		e.ID, e.Command, e.Correlation, e.Occurred, e.Actor = domain.EventID(command, i), command, command, b.now, legal
		for _, x := range bodies {
			if m, ok := x.(domain.RequestMigrated); ok {
				e.Workflow.Version = m.ToVersion
			}
		}
		list = append(list, domain.Event{Envelope: e, Body: body})
	}
	var tip domain.Tip
	for entry, err := range b.log.ReadStream(b.ctx(), domain.RequestStream(id), 0) {
		if err != nil {
			b.t.Fatal(err)
		}
		tip = entry.Tip()
	}
	a, _, err := domain.Enter(domain.RequestStream(id), tip, b.now, list)
	if err == nil {
		_, err = b.log.Append(b.ctx(), a)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// events are those of a stream, behind a version.
func (b *bench) events(stream string, after domain.Version) []domain.Recorded {
	var list []domain.Recorded
	for e, err := range domain.Events(b.log.ReadStream(context.Background(), stream, after)) {
		if err != nil {
			b.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// running folds the log.
func (b *bench) running(ctx context.Context, of domain.TenantCode, workflow string, version int) ([]migration.Running, error) {
	var order []string
	requests := map[string]domain.Request{}
	for e, err := range domain.Events(b.log.ReadAll(ctx, 0)) {
		if err != nil {
			return nil, err
		}
		if domain.StreamKind(e.Stream) != "request" {
			continue
		}
		if _, ok := requests[e.Stream]; !ok {
			order = append(order, e.Stream)
		}
		requests[e.Stream] = domain.Evolve(requests[e.Stream], e)
	}
	var list []migration.Running
	for _, s := range order {
		if r := requests[s]; r.Tenant == of && r.Workflow == (domain.WorkflowRef{ID: workflow, Version: version}) && r.Outcome == "" {
			list = append(list, migration.Running{Request: r.ID, Reference: r.Reference})
		}
	}
	return list, nil
}

func (b *bench) migrator() *migration.Migrator {
	return &migration.Migrator{Log: b.log, Engine: b.engine, Library: b.library, Now: func() time.Time { return b.now }, Running: b.running}
}

// prepared is a migration from version 1 to 2, with all that it needs.
func (b *bench) prepared(id, text string) (*migration.Migration, error) {
	x, err := b.migrator().Prepare(context.Background(), tenant, id, 1, 2, "map.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	x.Ground, x.Approver, x.Actor = ground, "head-9", legal
	return x, nil
}

func (b *bench) prepare(id, text string) *migration.Migration {
	x, err := b.prepared(id, text)
	if err != nil {
		b.t.Fatal(err)
	}
	return x
}

// between is a migration of the licence from one version to another.
func (b *bench) between(from, to int, text string) *migration.Migration {
	x, err := b.migrator().Prepare(context.Background(), tenant, "sip-mppdn", from, to, "map.yaml", []byte(text))
	if err != nil {
		b.t.Fatal(err)
	}
	x.Ground, x.Approver, x.Actor = ground, "head-9", legal
	return x
}

// foreseenIs holds that what happened is what was foreseen, event for event.
func (b *bench) foreseenIs(t *testing.T, report migration.Report, from map[uuid.UUID]domain.Version) {
	t.Helper()
	type happened struct {
		Actor    domain.Actor
		Workflow domain.WorkflowRef
		Occurred time.Time
		Body     domain.Body
	}
	for _, f := range report.Requests {
		id := f.Foreseen.Before.ID
		var want, got []happened
		for _, e := range f.Foreseen.Events {
			want = append(want, happened{e.Actor, e.Workflow, e.Occurred, e.Body})
		}
		for _, e := range b.events(domain.RequestStream(id), from[id]) {
			got = append(got, happened{e.Actor, e.Workflow, e.Occurred, e.Body})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s in %s (-foreseen +happened)\n%s", f.Reference, f.From, d)
		}
		is := b.load(id)
		if is.State != f.To || is.Workflow != f.Foreseen.After.Workflow {
			t.Errorf("%s is in %s under %+v, foreseen in %s under %+v", f.Reference, is.State, is.Workflow, f.To, f.Foreseen.After.Workflow)
		}
		if d := cmp.Diff(f.Foreseen.After.Terms, is.Terms); d != "" {
			t.Errorf("%s: terms (-foreseen +are)\n%s", f.Reference, d)
		}
	}
}

// stopping is a log that fails after so many appends, as if the process had been killed
// then.
type stopping struct {
	*memory.Log

	mu   sync.Mutex
	left int
}

var errKilled = errors.New("killed")

func (s *stopping) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return domain.Appended{}, errKilled
	}
	s.left--
	return s.Log.Append(ctx, a)
}
