package migration_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
	"github.com/alur-id/alur/workflows/migration"
)

// shippedArchive has the calendar that every bench runs by.
type shippedArchive struct{}

func (shippedArchive) At(context.Context, domain.TenantCode, calendar.Version) (*calendar.Calendar, error) {
	return calendar.Compile(tenant.Zone(), nil, nil)
}

// lawless is the licence without a time of the law: of its state, the work on the
// decision has one that the law decides by.
func lawless(t *testing.T) []byte {
	t.Helper()
	text := string(patient(t))
	return []byte(text[:strings.Index(text, "terms:\n")] + text[strings.Index(text, "suspensions:\n"):])
}

// patient is the licence with more time for the work on the decision, that the law decides
// by.
func patient(t *testing.T) []byte {
	t.Helper()
	return licence(t, "term: {budget: 3 working days, expires: {escalate: [head]}}",
		"term: {budget: 30 working days, expires: {to: issued-by-law, ground: deemed_approval, basis: {id: andaian, en: assumed}}}")
}

// cannot holds that no request can be moved, and that nothing is recorded.
func cannot(t *testing.T, b *bench, x *migration.Migration, why ...string) {
	t.Helper()
	before, _ := b.log.Head(t.Context())
	_, err := b.migrator().Run(t.Context(), x)
	unfit := new(migration.UnfitError)
	if !errors.As(err, &unfit) {
		t.Fatalf("it is moved: %v", err)
	}
	for _, part := range why {
		if got := unfit.Report.Requests[0].Refusal; !strings.Contains(got, part) {
			t.Errorf("refused with %q, and not for %q", got, part)
		}
	}
	if after, _ := b.log.Head(t.Context()); after != before {
		t.Errorf("%d events were recorded", after-before)
	}
}

// What the law's time was is not forgotten: no migration drops it while the request runs,
// so that none begins it anew, at once or by a detour, nor gives it back.
func TestNoMigrationDropsTheTimeOfTheLaw(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(licence(t)).Definition
	r := b.submit(old, nil)
	untouched := b.submit(old, nil)
	b.act(old, r.ID, "clerk", "accept", "") // Monday 2 March, due on Monday 9
	b.now = b.now.Add(time.Hour)
	b.publish(lawless(t))
	cannot(t, b, b.between(1, 2, "migration: 1\nterms: {decision: ~}\nexcept: ["+string(untouched.Reference)+"]\n"),
		`term "decision" of the law has run`, "say in the map which term of version 2 it is")
	if done, err := b.migrator().Run(t.Context(), b.between(1, 2, "migration: 1\nterms: {decision: ~}\nonly: ["+string(untouched.Reference)+"]\n")); err != nil || done.Migrated != 1 {
		t.Fatalf("one whose time has not begun: %+v, %v", done, err)
	}
}

// A time of the law that has run out is not forgotten either: the request was reopened
// after the law had decided.
func TestATimeThatHasRunOutIsNotDropped(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(licence(t)).Definition
	r := b.submit(old, nil)
	b.act(old, r.ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 10)
	b.run(r.ID)
	if is := b.act(old, r.ID, "head", "object", ""); is.State != "review" || is.Terms["decision"].Expired.IsZero() {
		t.Fatalf("%+v", is)
	}
	b.publish(licence(t, "id: decision\n", "id: verdict\n"))
	cannot(t, b, b.between(1, 2, "migration: 1\nterms: {decision: ~}\n"), `term "decision" of the law has run`)
	if done, err := b.migrator().Run(t.Context(), b.between(1, 2, "migration: 1\nterms: {decision: verdict}\n")); err != nil || done.Migrated != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if is := b.load(r.ID); is.Terms["verdict"].Open() || is.Terms["verdict"].Expired.IsZero() || len(is.Terms) != 3 {
		t.Errorf("%+v", is.Terms)
	}
}

// run records what has come of the terms of a request by now.
func (b *bench) run(id [16]byte) domain.Request {
	for {
		is := b.load(id)
		term, due, ok := is.Overdue(b.now)
		if !ok {
			return is
		}
		if _, err := b.engine.Expire(b.ctx(), is.ID, term, due); err != nil {
			b.t.Fatal(err)
		}
	}
}

// A legal term that only the other version has begins where it would have begun there: as
// much of it is used as of the time that ran, and the other goes on beside it.
func TestALegalTermOfTheOtherVersionBeginsWhereItWouldHave(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(licence(t)).Definition
	r := b.submit(old, nil)
	b.act(old, r.ID, "clerk", "accept", "") // Monday 2 March, 9.00
	b.now = b.now.AddDate(0, 0, 1).Add(6 * time.Hour)
	b.act(old, r.ID, "clerk", "return", "unreadable") // Tuesday, 15.00, when work ends in Ramadan
	b.now = b.now.AddDate(0, 0, 1)
	r = b.act(old, r.ID, "applicant", "resubmit", "") // Wednesday, 15.00: one day stood still
	b.now = b.now.AddDate(0, 0, 1)
	b.publish(licence(t, "    expires: {to: issued-by-law, ground: deemed_approval}\n", "    expires: {escalate: [head]}\n", "suspensions:\n", `  - id: verdict
    title: {id: Putusan, en: Verdict}
    budget: 5 working days
    suspended_in: [returned]
    expires: {to: issued-by-law, ground: deemed_approval}
    basis: {id: andaian, en: assumed}
suspensions:
`))
	f, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n")
	was, now := r.Terms["decision"], is.Terms["verdict"]
	if !now.Due.Equal(was.Due) || !now.Started.Equal(was.Started) || len(now.Stops) != 1 {
		t.Errorf("it was due %s, and verdict is due %s: %+v", was.Due, now.Due, now)
	}
	if c := of(t, f, migration.KindTerm, "verdict"); c.What != migration.Gained || c.Was != "decision" || !c.After.Equal(was.Due) {
		t.Errorf("told: %+v", c)
	}
	// And the law decides when it would have.
	b.now = was.Due.AddDate(0, 0, 1)
	if is = b.run(r.ID); is.State != "issued-by-law" || !is.Terms["verdict"].Expired.Equal(was.Due) {
		t.Errorf("in %s: %+v", is.State, is.Terms["verdict"])
	}
}

// Where it would have run out already, the request is not moved.
func TestALegalTermThatWouldHaveRunOut(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(licence(t)).Definition
	b.act(old, b.submit(old, nil).ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 3)
	b.publish(licence(t, "suspensions:\n", `  - id: verdict
    title: {id: Putusan, en: Verdict}
    budget: 2 working days
    suspended_in: [returned]
    expires: {escalate: [head]}
    basis: {id: andaian, en: assumed}
suspensions:
`))
	cannot(t, b, b.between(1, 2, "migration: 1\n"), `term "verdict" would have run out at 2026-03-04T08:00:00Z already`)
}

// Where no time of the law has run, none was used: the first one begins with the migration,
// with all of its budget, for a request of which what starts it was done.
func TestTheFirstTimeOfTheLawBeginsWithTheMigration(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(lawless(t)).Definition
	r := b.submit(old, nil)
	r = b.act(old, r.ID, "clerk", "accept", "") // Monday 2 March
	waiting := b.submit(old, nil)
	b.now = b.now.AddDate(0, 0, 9) // Wednesday 11 March
	b.publish(patient(t))
	if done, err := b.migrator().Run(t.Context(), b.between(1, 2, "migration: 1\n")); err != nil || done.Migrated != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	got := b.load(r.ID).Terms["decision"]
	due := time.Date(2026, 3, 25, 16, 0, 0, 0, tenant.Zone()) // 12, 13, 16 and 17 March; 18 to 24 are no working days
	if !got.Started.Equal(b.now) || !got.Due.Equal(due) {
		t.Errorf("%+v", got)
	}
	if got := b.load(waiting.ID).Terms["decision"]; !got.Started.IsZero() {
		t.Errorf("nobody declared it complete: %+v", got)
	}
}

// A log of before may hold that a migration dropped the time of the law. Counted again, by
// whatever name, it goes on as if it had not been: the request was never closed.
func TestATimeThatWasDroppedBefore(t *testing.T) {
	for name, x := range map[string]struct {
		to   int
		term domain.TermID
	}{"back": {1, "decision"}, "by another name": {3, "verdict"}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, memory.New())
			old := b.publish(licence(t)).Definition
			r := b.submit(old, nil)
			b.act(old, r.ID, "clerk", "accept", "") // Monday 2 March, due on Monday 9
			b.act(old, r.ID, "clerk", "return", "unreadable")
			b.now = b.now.AddDate(0, 0, 1)
			r = b.act(old, r.ID, "applicant", "resubmit", "") // due on Tuesday 10
			b.publish(lawless(t))
			b.publish(licence(t, "id: decision\n", "id: verdict\n"))
			b.now = b.now.AddDate(0, 0, 1)
			k := domain.Reckoning{Consumed: r.Terms["decision"].Left, Remaining: r.Terms["decision"].Left, Due: r.Terms["decision"].Due, Calendar: r.Terms["decision"].Calendar}
			b.record(r.ID,
				domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "review", To: "review", Public: r.Public, Mapping: domain.Mapping{Terms: map[domain.TermID]domain.TermID{"decision": ""}}, Ground: ground, Approver: "head-9", Map: "ab"},
				domain.TermDropped{Term: "decision", Version: 2, Reckoning: k})
			b.now = b.now.AddDate(0, 0, 2)
			was := b.load(r.ID)
			done, err := b.migrator().Run(t.Context(), b.between(2, x.to, "migration: 1\nterms: {'state:review': {take: new}}\n"))
			if err != nil || done.Migrated != 1 {
				t.Fatalf("%+v, %v", done, err)
			}
			is := b.load(r.ID)
			if now := is.Terms[x.term]; !now.Open() || now.Budget != "5 working days" || !now.Due.Equal(r.Terms["decision"].Due) || len(now.Stops) != 1 {
				t.Errorf("it was due %s: %+v", r.Terms["decision"].Due, now)
			}
			lines, err := b.engine.Ledger(t.Context(), r.ID, shippedArchive{})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.Version > was.Version && l.Again != "" {
					t.Errorf("%s %s is recorded with %+v, and its calendar gives %s", l.Event, l.Term, l.Reckoning, l.Again)
				}
			}
		})
	}
}

// What the law has decided by a time, that time has done: under a version by which nothing
// is decided it does not go on.
func TestATimeThatHasDecidedIsOver(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(licence(t)).Definition
	r := b.submit(old, nil)
	b.act(old, r.ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 10)
	b.run(r.ID)
	r = b.act(old, r.ID, "head", "object", "")
	b.publish(silent(t))
	if done, err := b.migrator().Run(t.Context(), b.between(1, 2, "migration: 1\n")); err != nil || done.Migrated != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	was := r.Terms["decision"]
	if is := b.load(r.ID).Terms["decision"]; is.Open() || !is.Wakes.IsZero() || !is.Ended.Equal(was.Ended) {
		t.Errorf("it was %+v, and is %+v", was, is)
	}
}
