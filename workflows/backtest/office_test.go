package backtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
	"github.com/alur-id/alur/workflows/calendar"
)

// office takes requests under one definition, with a clock that a test moves.
type office struct {
	t       fatal
	tenant  domain.TenantCode
	log     *memory.Log
	library *workflows.Library
	engine  *workflows.Engine
	w       *workflows.Workflow
	clock   time.Time
	n       int
	decrees int
	all     []uuid.UUID

	calendars *workflows.Calendars
}

const tenant = "11.71"

var monday = time.Date(2026, time.January, 5, 1, 0, 0, 0, time.UTC)

func read(t fatal, source string) *workflows.Definition {
	t.Helper()
	d, err := workflows.Read("file.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newOffice(t fatal, source []byte) *office {
	t.Helper()
	o := &office{t: t, tenant: tenant, log: memory.New(), clock: monday}
	o.library = workflows.NewLibrary(o.log)
	d := read(t, string(source))
	w, err := o.library.Publish(context.Background(), workflows.Publication{
		Tenant: tenant, Source: source, Definition: d, Occurred: monday.Add(-time.Hour), At: monday.Add(-time.Hour), Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.w = w
	o.calendars = workflows.NewCalendars(o.log)
	vault, err := keys.Open(context.Background(), memory.NewKeyStore(), keys.Config{Ring: keys.Ring{keys.NewKEK()}, Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	o.engine = workflows.NewEngine(o.log, o.library, workflows.EngineConfig{
		Now: o.now, Random: func() uint64 { o.n++; return uint64(o.n) }, Vault: vault, Calendars: o.calendars,
	})
	return o
}

func (o *office) now() time.Time { return o.clock }

// with is a command with another header.
func with(c domain.Command, change func(*domain.Header)) domain.Command {
	v := reflect.New(reflect.TypeOf(c)).Elem()
	v.Set(reflect.ValueOf(c))
	change(v.FieldByName("Header").Addr().Interface().(*domain.Header))
	return v.Interface().(domain.Command)
}

// give carries a command out on a request, or begins one. The clock is not before it.
func (o *office) give(request uuid.UUID, c domain.Command) (domain.Request, error) {
	c = with(c, func(h *domain.Header) {
		o.n++
		h.ID = domain.CommandID(o.clock, "test", fmt.Sprint(o.n))
		if h.Occurred.IsZero() {
			h.Occurred = o.clock
		}
		if o.clock.Before(h.Occurred) {
			o.clock = h.Occurred
		}
	})
	if s, ok := c.(domain.Submit); ok {
		s.Tenant, s.Reference = o.tenant, ""
		a, err := o.engine.Submit(context.Background(), s)
		if err == nil {
			o.all = append(o.all, a.Request.ID)
		}
		return a.Request, err
	}
	a, err := o.engine.Act(context.Background(), request, c)
	return a.Request, err
}

// must gives a command that is not refused.
func (o *office) must(request uuid.UUID, c domain.Command) domain.Request {
	o.t.Helper()
	r, err := o.give(request, c)
	if err != nil {
		o.t.Fatalf("%T: %v", c, err)
	}
	return r
}

// sweep has one request's moments come.
func (o *office) sweep(request uuid.UUID) {
	for {
		r, err := o.engine.Load(context.Background(), request)
		if err != nil {
			o.t.Fatal(err)
		}
		id, due, ok := r.Overdue(o.clock)
		if !ok {
			return
		}
		var refusal *domain.Refusal
		if _, err := o.engine.Expire(context.Background(), request, id, due); errors.As(err, &refusal) {
			return
		} else if err != nil {
			o.t.Fatal(err)
		}
	}
}

// decree makes a day a holiday in the tenant. Only who looks knows of it.
func (o *office) decree(days int, known bool) {
	o.decrees++
	at := o.clock.AddDate(0, 0, days)
	source := fmt.Sprintf("decree: 1\nnumber: Perwal %d/2026\ntitle: {id: Libur, en: Holiday}\nsource: invented\npublished: 2026-01-01\n"+
		"days:\n  - {date: %s, kind: regional, name: {id: Libur, en: Holiday}}\n", o.decrees, at.Format(time.DateOnly))
	d, err := workflows.ReadDecree("decree.yaml", []byte(source))
	if err != nil {
		o.t.Fatal(err)
	}
	l := o.calendars
	if !known {
		l = workflows.NewCalendars(o.log)
	}
	_, _, err = l.Add(context.Background(), workflows.Addition{
		Tenant: tenant, Source: []byte(source), Decree: d, Occurred: o.clock, At: o.clock, Why: "test",
		Actor: domain.Actor{ID: "admin-1", Role: "administrator", Capacity: domain.CapacityOfficer},
	})
	var refused *calendar.Refused
	if err != nil && !errors.As(err, &refused) {
		o.t.Fatal(err)
	}
}

func (o *office) requests() iter.Seq2[uuid.UUID, error] {
	return func(yield func(uuid.UUID, error) bool) {
		for _, id := range o.all {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (o *office) backtest(d *workflows.Definition) *backtest.Backtest {
	return &backtest.Backtest{Log: o.log, Versions: o.library, Calendars: workflows.NewCalendars(o.log), Workflow: workflows.Compile(d, 0), Now: o.clock}
}

func (o *office) run(d *workflows.Definition) backtest.Report {
	o.t.Helper()
	r, err := o.backtest(d).Run(context.Background(), o.requests())
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// same fails when a backtest of the very definition finds anything.
func (o *office) same(t fatal) {
	r, err := o.backtest(o.w.Definition).Run(context.Background(), o.requests())
	if err != nil {
		t.Fatalf("%v", err)
	}
	if r.Unchanged != len(o.all) || len(r.Groups) > 0 {
		t.Fatalf("%d of %d unchanged\n%s", r.Unchanged, len(o.all), r.Words())
	}
	b := o.backtest(o.w.Definition)
	for _, id := range o.all {
		then, now, err := b.Sides(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		now.Workflow, now.Key = then.Workflow, then.Key // a definition that is not published has no number; nothing is sealed
		if d := cmp.Diff(then, now, cmpopts.IgnoreUnexported(domain.Request{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%s (-then +now)\n%s", id, d)
		}
	}
}

var head = domain.Actor{ID: "head-1", Role: "head", Capacity: domain.CapacityOfficer}

// replaced is a text with one thing in it said otherwise.
func replaced(t fatal, text []byte, old, by string) []byte {
	t.Helper()
	if !bytes.Contains(text, []byte(old)) {
		t.Fatalf("there is no %q", old)
	}
	return bytes.ReplaceAll(text, []byte(old), []byte(by))
}

var aHash = strings.Repeat("0", 64)

// fatal is a test of either kind.
type fatal interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}
