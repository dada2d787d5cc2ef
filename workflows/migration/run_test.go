package migration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/migration"
)

const renames = "migration: 1\nstates: {review: assess}\nterms: {decision: {to: verdict, take: new}}\n"

// renamedLicence is the licence with other names, and more time.
func renamedLicence(t *testing.T) []byte {
	return licence(t, "id: review\n", "id: assess\n", "to: review,", "to: assess,", "[review]", "[assess]", ", review]", ", assess]",
		"id: decision\n", "id: verdict\n", "budget: 5 working days", "budget: 8 working days", "[applicant]\nreasons", "[applicant]\nnotifications:\n  - {id: told, on: [assess], to: applicant, text: {id: Versi baru, en: New version}}\nreasons")
}

// many is a bench with n requests that run under the first version, some of them in
// another state.
func many(t *testing.T, log domain.EventLog, n int) *bench {
	t.Helper()
	b := newBench(t, log)
	old := b.publish(licence(t)).Definition
	for i := range n {
		r := b.submit(old, nil)
		if i%3 > 0 {
			b.act(old, r.ID, "clerk", "accept", "")
		}
		if i%3 > 1 {
			b.act(old, r.ID, "clerk", "return", "unreadable")
		}
	}
	b.now = b.now.AddDate(0, 0, 1)
	b.publish(renamedLicence(t))
	return b
}

// once holds that each request was migrated, and told, exactly once.
func once(t *testing.T, b *bench, requests []migration.Running) {
	t.Helper()
	for _, r := range requests {
		is := b.load(r.Request)
		if is.Workflow.Version != 2 || b.count(r.Request, "RequestMigrated") != 1 {
			t.Errorf("%s is under version %d, migrated %d times", r.Reference, is.Workflow.Version, b.count(r.Request, "RequestMigrated"))
		}
		want := 0
		if is.State == "assess" {
			want = 1
		}
		if n := b.count(r.Request, "NoticeDue"); n != want {
			t.Errorf("%s in %s: %d notices, want %d", r.Reference, is.State, n, want)
		}
		if is.State == "assess" && (b.count(r.Request, "TermCarried") != 1 || is.Terms["verdict"].Budget != "8 working days") {
			t.Errorf("%s: %+v", r.Reference, is.Terms)
		}
	}
	if n := len(b.events(domain.MigrationStream(tenant, "sip-mppdn", 1, 2), 0)); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// Whenever the process dies, running it again does the rest, and nothing twice.
func TestAMigrationIsResumed(t *testing.T) {
	const requests = 7
	for after := range requests + 2 {
		t.Run(fmt.Sprint("killed after ", after), func(t *testing.T) {
			log := &stopping{Log: memory.New(), left: 1 << 30}
			b := many(t, log, requests)
			list, err := b.running(t.Context(), tenant, "sip-mppdn", 1)
			if err != nil || len(list) != requests {
				t.Fatal(len(list), err)
			}
			log.left = after
			if _, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", renames)); after <= requests && !errors.Is(err, errKilled) {
				t.Fatalf("it was not killed: %v", err)
			}
			log.left = 1 << 30
			next := newBench(t, log) // another process, which remembers nothing
			next.now = b.now.AddDate(0, 0, 1)
			moved := 0
			for _, r := range list {
				moved += next.count(r.Request, "RequestMigrated")
			}
			done, err := next.migrator().Run(t.Context(), next.prepare("sip-mppdn", renames))
			if err != nil || len(done.Left) > 0 || done.Migrated != requests-moved || done.Before != moved || done.Ended != 0 {
				t.Fatalf("%d were moved before: %+v, %v", moved, done, err)
			}
			once(t, next, list)
		})
	}
}

// Forth, back, and forth again with the same map, on the same ground and by the same
// people: that is an order of its own each time, and what the dry run says happens.
func TestForthBackAndForthAgain(t *testing.T) {
	log := &stopping{Log: memory.New(), left: 1 << 30}
	b := newBench(t, log)
	old := b.publish(licence(t)).Definition
	const requests = 4
	for range requests {
		b.act(old, b.submit(old, nil).ID, "clerk", "accept", "")
	}
	b.now = b.now.Add(time.Hour)
	b.publish(licence(t, "budget: 5 working days", "budget: 8 working days"))
	for i, way := range []struct{ from, to, killed int }{{1, 2, 0}, {2, 1, 0}, {1, 2, 3}, {2, 1, 3}, {1, 2, 0}} {
		b.now = b.now.Add(time.Hour)
		run := func() (migration.Report, *migration.Done, error) {
			report, err := b.migrator().Forecast(t.Context(), b.between(way.from, way.to, "migration: 1\n"))
			if err != nil {
				t.Fatal(err)
			}
			done, err := b.migrator().Run(t.Context(), b.between(way.from, way.to, "migration: 1\n"))
			return report, done, err
		}
		before := 0
		if way.killed > 0 { // after the order and the first requests
			log.left, before = way.killed, way.killed-1
			if _, _, err := run(); !errors.Is(err, errKilled) {
				t.Fatalf("step %d: it was not killed: %v", i, err)
			}
			log.left = 1 << 30
		}
		report, done, err := run()
		if err != nil || report.Movable != requests-before || done.Migrated != report.Movable || done.Before != before || len(done.Left) > 0 {
			t.Fatalf("step %d: foreseen %d, done %+v, %v", i, report.Movable, done, err)
		}
		list, err := b.running(t.Context(), tenant, "sip-mppdn", way.to)
		if err != nil || len(list) != requests {
			t.Fatalf("step %d: %d run under version %d, %v", i, len(list), way.to, err)
		}
		// Run once more, there is nothing to do, and it says what was done.
		if _, done, err = run(); err != nil || done.Migrated != 0 || done.Before != requests {
			t.Fatalf("step %d, again: %+v, %v", i, done, err)
		}
		for _, r := range list {
			events := b.events(domain.RequestStream(r.Request), 0)
			last := events[len(events)-1]
			for n := len(events) - 2; last.Body == nil || !isMigration(last); n-- {
				last = events[n]
			}
			orders := b.events(domain.MigrationStream(tenant, "sip-mppdn", way.from, way.to), 0)
			if last.Correlation != orders[len(orders)-1].Command {
				t.Errorf("step %d: %s was not moved by the last of %d orders", i, r.Reference, len(orders))
			}
		}
	}
	if there, back := len(b.events(domain.MigrationStream(tenant, "sip-mppdn", 1, 2), 0)), len(b.events(domain.MigrationStream(tenant, "sip-mppdn", 2, 1), 0)); there != 3 || back != 2 {
		t.Errorf("%d orders there, %d back", there, back)
	}
}

func isMigration(e domain.Recorded) bool {
	_, ok := e.Body.(domain.RequestMigrated)
	return ok
}

// An order is for those who ran when it was given: what was submitted since is moved by
// another.
func TestAnOldOrderIsNotForLaterRequests(t *testing.T) {
	b := newBench(t, memory.New())
	b.publish(licence(t))
	b.publish(licence(t, "budget: 5 working days", "budget: 8 working days"))
	in, err := workflows.Read("w", licence(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 2; i++ {
		r := b.submit(in, nil) // under version 2, which is in force
		b.now = b.now.Add(time.Hour)
		done, err := b.migrator().Run(t.Context(), b.between(2, 1, "migration: 1\n"))
		if err != nil || done.Migrated != 1 || done.Before != 0 {
			t.Fatalf("%+v, %v", done, err)
		}
		orders := b.events(domain.MigrationStream(tenant, "sip-mppdn", 2, 1), 0)
		if events := b.events(domain.RequestStream(r.ID), r.Version); len(orders) != i || events[0].Correlation != orders[i-1].Command {
			t.Errorf("%d orders; moved by %s", len(orders), events[0].Correlation)
		}
		b.now = b.now.Add(time.Hour)
	}
}

// Two who carry out the same order at once do what one does.
func TestTwoMigrateAtOnce(t *testing.T) {
	b := many(t, memory.New(), 30)
	list, err := b.running(t.Context(), tenant, "sip-mppdn", 1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	total := make([]int, 3)
	for i := range total {
		other := newBench(t, b.log)
		other.now = b.now
		x := other.prepare("sip-mppdn", renames)
		wg.Go(func() {
			done, err := other.migrator().Run(context.Background(), x)
			if err != nil || len(done.Left) > 0 || done.Migrated+done.Before != len(list) {
				t.Errorf("%+v, %v", done, err)
				return
			}
			total[i] = done.Migrated
		})
	}
	wg.Wait()
	if total[0]+total[1]+total[2] != len(list) {
		t.Errorf("migrated %v, and there are %d", total, len(list))
	}
	once(t, newBench(t, b.log), list)
}

// overtaken is a log in which somebody else does all of a migration just before it is
// ordered.
type overtaken struct {
	domain.EventLog
	first func()
}

func (o *overtaken) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if domain.StreamKind(a.Stream) == "migration" && o.first != nil {
		first := o.first
		o.first = nil
		first()
	}
	return o.EventLog.Append(ctx, a)
}

// Who comes to order what somebody else orders and carries out meanwhile says that all were
// moved before.
func TestAMigrationThatSomebodyElseWasFasterWith(t *testing.T) {
	for _, later := range []time.Duration{0, time.Second} {
		b := many(t, memory.New(), 30)
		other := newBench(t, b.log)
		other.now = b.now.Add(later)
		late := newBench(t, &overtaken{b.log, func() {
			if done, err := other.migrator().Run(t.Context(), other.prepare("sip-mppdn", renames)); err != nil || done.Migrated != 30 {
				t.Errorf("%+v, %v", done, err)
			}
		}})
		late.now = b.now
		done, err := late.migrator().Run(t.Context(), late.prepare("sip-mppdn", renames))
		if err != nil || done.Migrated != 0 || done.Before != 30 || len(done.Left) > 0 {
			t.Errorf("%s later: %+v, %v", later, done, err)
		}
	}
}

// All are moved, or none: who is to stay is named.
func TestAllOrNamedExceptions(t *testing.T) {
	b := many(t, memory.New(), 4)
	list, _ := b.running(t.Context(), tenant, "sip-mppdn", 1)
	text := renames + fmt.Sprintf("except: [%s]\n", list[1].Reference)
	done, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", text))
	if err != nil || done.Migrated != 3 || done.Excepted != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if is := b.load(list[1].Request); is.Workflow.Version != 1 {
		t.Errorf("the exception is under version %d", is.Workflow.Version)
	}
	orders := b.events(domain.MigrationStream(tenant, "sip-mppdn", 1, 2), 0)
	o, _ := orders[0].Body.(domain.MigrationOrdered)
	if len(orders) != 1 || o.Source != text || o.Approver != "head-9" || o.Ground != ground || len(o.Except) != 1 || o.Except[0] != list[1].Reference || orders[0].Actor != legal {
		t.Errorf("%+v", orders)
	}
	// The order is what the requests' own events go back to.
	for _, e := range b.events(domain.RequestStream(list[0].Request), 0) {
		if m, ok := e.Body.(domain.RequestMigrated); ok && (e.Correlation != orders[0].Command || m.Approver != "head-9" || m.Ground != ground || m.Map != o.Hash) {
			t.Errorf("%+v", e)
		}
	}
	done, err = b.migrator().Run(t.Context(), b.prepare("sip-mppdn", renames+fmt.Sprintf("only: [%s]\n", list[1].Reference)))
	if err != nil || done.Migrated != 1 {
		t.Errorf("afterwards: %+v, %v", done, err)
	}
}

func TestWhoAnswersForAMigration(t *testing.T) {
	b := many(t, memory.New(), 1)
	for name, change := range map[string]func(*migration.Migration){
		"no ground":                       func(x *migration.Migration) { x.Ground = domain.Basis{} },
		"two eyes":                        func(x *migration.Migration) { x.Approver = x.Actor.ID },
		"two eyes, in capitals":           func(x *migration.Migration) { x.Approver = strings.ToUpper(x.Actor.ID) },
		"two eyes, with a space":          func(x *migration.Migration) { x.Approver = x.Actor.ID + " " },
		"no approver":                     func(x *migration.Migration) { x.Approver = "" },
		"not a pseudonym":                 func(x *migration.Migration) { x.Approver = "budi@example.id" },
		"a ground that is about somebody": func(x *migration.Migration) { x.Ground.EN = "asked by NIK 1171010101900001" },
		"a ground of two lines":           func(x *migration.Migration) { x.Ground.ID = "Perwal\n9/2026" },
	} {
		x := b.prepare("sip-mppdn", renames)
		change(x)
		var refusal *domain.Refusal
		if _, err := b.migrator().Run(t.Context(), x); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
		list, _ := b.running(t.Context(), tenant, "sip-mppdn", 1)
		c := domain.Migrate{Header: domain.Header{ID: uuid.New(), Actor: x.Actor}, Plan: x.Map.Plan}
		c.Ground, c.Approver = x.Ground, x.Approver
		if _, err := b.engine.Migrate(t.Context(), list[0].Request, c); !errors.As(err, &refusal) {
			t.Errorf("%s, past the migrator: %v", name, err)
		}
	}
}

// What is not the version that requests are judged by now takes no running request.
func TestWhereRequestsMayGo(t *testing.T) {
	b := many(t, memory.New(), 1)
	prepare := func(from, to int) error {
		_, err := b.migrator().Prepare(t.Context(), tenant, "sip-mppdn", from, to, "map.yaml", []byte(renames))
		return err
	}
	if err := prepare(1, 1); err == nil || !strings.Contains(err.Error(), "already") {
		t.Error(err)
	}
	if err := prepare(1, 3); !errors.Is(err, domain.ErrNotFound) {
		t.Error(err)
	}
	d, err := workflows.Read("w", licence(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.library.Publish(t.Context(), workflows.Publication{
		Tenant: tenant, Source: licence(t), Definition: d, Actor: legal, Why: "x", Trial: "x", Occurred: b.now, At: b.now, Effective: b.now.AddDate(0, 1, 0),
	}); err != nil {
		t.Fatal(err)
	}
	if err := prepare(2, 3); err == nil || !strings.Contains(err.Error(), "future") {
		t.Error(err)
	}
}

// Another node was faster with what came of a term: whoever remembers the request as it
// was before is told nothing of it.
func TestANodeThatIsBehind(t *testing.T) {
	b := many(t, memory.New(), 2)
	list, err := b.running(t.Context(), tenant, "sip-mppdn", 1)
	if err != nil {
		t.Fatal(err)
	}
	r := b.load(list[1].Request) // in review
	other := newBench(t, b.log)
	b.now = r.Terms["state:review"].Due.AddDate(0, 0, 1)
	other.now = b.now
	for {
		is := other.load(r.ID)
		id, due, ok := is.Overdue(b.now)
		if !ok {
			break
		}
		if _, err := other.engine.Expire(t.Context(), r.ID, id, due); err != nil {
			t.Fatal(err)
		}
	}
	x := b.prepare("sip-mppdn", renames)
	c := domain.Migrate{Header: domain.Header{ID: uuid.New(), Actor: legal}, Plan: x.Map.Plan}
	c.Ground, c.Approver = ground, "head-9"
	if a, err := b.engine.Migrate(t.Context(), r.ID, c); err != nil || a.Request.Workflow.Version != 2 {
		t.Errorf("%+v, %v", a.Request.Workflow, err)
	}
}
