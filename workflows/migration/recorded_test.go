package migration_test

import (
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/migration"
)

// aRecord is the definition of imported cases, with some things in it said otherwise.
func aRecord(t *testing.T, replace ...string) []byte {
	t.Helper()
	source, err := os.ReadFile("../testdata/clock/old.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(source), "id: old-permits", "id: sip-mppdn", 1)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("there is no %q", replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return []byte(text)
}

// recorded imports one case that is open: checked on the first of March, and due by its
// record at a date.
func recorded(t *testing.T, deadline time.Time, source []byte) (*bench, domain.Request) {
	t.Helper()
	log := memory.New()
	b := newBench(t, log)
	w := b.publish(source)
	trace := workflows.Trace{
		Name:       "case-1",
		Attributes: []workflows.Attribute{{Key: "deadline", Kind: workflows.AttributeDate, Value: deadline.Format(time.RFC3339)}},
		Events:     []workflows.TraceEvent{{Name: "check", Resource: "clerk-1", Role: "clerk", Time: b.now.AddDate(0, 0, -1)}},
	}
	one := func(yield func(workflows.Trace, error) bool) { yield(trace, nil) }
	s, err := (&workflows.Importer{Log: log, Engine: b.engine}).Import(t.Context(), tenant, w, iter.Seq2[workflows.Trace, error](one))
	if err != nil || s.KeptCases != 1 {
		t.Fatal(s, err)
	}
	running, err := b.running(t.Context(), tenant, "sip-mppdn", 1)
	if err != nil || len(running) != 1 {
		t.Fatal(running, err)
	}
	return b, b.load(running[0].Request)
}

// An imported case that goes on under another version keeps what its terms came to by its
// record, and nothing is decided of it by the law of either.
func TestAnImportedCaseIsMigrated(t *testing.T) {
	b, r := recorded(t, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), aRecord(t))
	b.publish(aRecord(t, "budget: 5 days", "budget: 9 days", "ground: deemed_approval", "ground: deemed_refusal"))
	f, is := migrates(t, b, r, "migration: 1\n")
	for id, was := range r.Terms {
		now := is.Terms[id]
		if now.Budget != was.Budget || !now.Due.Equal(was.Due) || !now.Until.Equal(was.Until) || !now.Wakes.Equal(was.Wakes) || !now.Open() {
			t.Errorf("term %s was %+v and is %+v", id, was, now)
		}
	}
	for _, c := range f.Changes {
		if c.Kind == migration.KindExpiry || c.Kind == migration.KindLadder {
			t.Errorf("nothing follows for a case of another system, and %+v is told", c)
		}
	}
	b.now = b.now.AddDate(0, 2, 0)
	if is = b.run(r.ID); is.State != "checked" || is.Terms["law"].Expired.IsZero() || is.Terms["deadline"].Expired.IsZero() {
		t.Errorf("%s: %+v", is.State, is.Terms)
	}
}

// What a new version counts by the record begins where that says, whatever the law's time
// that ran before.
func TestAnImportedCaseGetsATerm(t *testing.T) {
	const law = "  - id: law\n"
	source := string(aRecord(t))
	without := source[:strings.Index(source, "  - {id: deadline, title: {id: Tenggat, en: Deadline}, due")] + source[strings.Index(source, law):]
	b, r := recorded(t, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), []byte(without))
	b.publish([]byte(source))
	_, is := migrates(t, b, r, "migration: 1\n")
	if got := is.Terms["deadline"]; !got.Open() || !got.Until.Equal(time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)) || is.Terms["law"].Due != r.Terms["law"].Due {
		t.Errorf("%+v", is.Terms)
	}
}

// dated is the licence with a term until the day of an event, or without.
func dated(t *testing.T, until bool) []byte {
	t.Helper()
	text := string(licence(t))
	text = strings.Replace(text, "\nroles:", "\nfacts:\n  - {id: day, type: time, title: {id: Hari, en: Day}}\nroles:", 1)
	if until {
		text = strings.Replace(text, "\nterms:\n", "\nterms:\n  - {id: event, title: {id: Hari acara, en: Day of the event}, due: day, starts: [accept], basis: {id: andaian, en: assumed}}\n", 1)
	}
	if until != strings.Contains(text, "id: event") || !strings.Contains(text, "id: day") {
		t.Fatal(text)
	}
	return []byte(text)
}

// A date of the case begins to count with a migration although the law's time has run:
// it gives nothing more. One that has passed is not put upon a request.
func TestADateBeginsWithAMigration(t *testing.T) {
	for days, refused := range map[int]bool{30: false, 1: true} {
		b := newBench(t, memory.New())
		old := b.publish(dated(t, false)).Definition
		day := b.now.AddDate(0, 0, days)
		r := b.submit(old, domain.Facts{"day": day.Format(time.RFC3339)})
		r = b.act(old, r.ID, "clerk", "accept", "")
		b.now = b.now.AddDate(0, 0, 2)
		b.publish(dated(t, true))
		if refused {
			_, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\n"))
			report, err2 := b.migrator().Forecast(t.Context(), b.prepare("sip-mppdn", "migration: 1\n"))
			if err == nil || err2 != nil || !strings.Contains(report.Requests[0].Refusal, `term "event" would have run out`) || b.load(r.ID).Workflow.Version != 1 {
				t.Errorf("%v, %v, %+v", err, err2, report.Requests)
			}
			continue
		}
		_, is := migrates(t, b, r, "migration: 1\n")
		if got := is.Terms["event"]; !got.Open() || !got.Due.Equal(day) || is.Terms["decision"].Due != r.Terms["decision"].Due {
			t.Errorf("%+v", is.Terms)
		}
	}
}

// A date stands, whatever budget another version would give in its place.
func TestADateStaysWithAMigration(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(dated(t, true)).Definition
	day := b.now.AddDate(0, 0, 30)
	r := b.submit(old, domain.Facts{"day": day.Format(time.RFC3339)})
	r = b.act(old, r.ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 2)
	b.publish([]byte(strings.Replace(string(dated(t, true)), "due: day", "budget: 90 days", 1)))
	report, err := b.migrator().Forecast(t.Context(), b.prepare("sip-mppdn", "migration: 1\nterms: {event: {take: new}}\n"))
	if err != nil || !strings.Contains(report.Requests[0].Refusal, "due at a date that stands") {
		t.Errorf("%v, %+v", err, report.Requests)
	}
	if _, is := migrates(t, b, r, "migration: 1\n"); is.Terms["event"].Due != day || is.Terms["event"].Until != day {
		t.Errorf("%+v", is.Terms["event"])
	}
}

// Where the other version has a budget and another end, or a date instead, no word of the
// map gives it: what is told leads out.
func TestWhatIsToldOfADateLeadsOut(t *testing.T) {
	byLaw := strings.Replace(string(dated(t, true)), "due: day,", "budget: 90 days, expires: {to: issued-by-law, ground: deemed_approval},", 1)
	for name, versions := range map[string][2]string{
		"a budget where there was a date": {string(dated(t, true)), byLaw},
		"a date where there was a budget": {byLaw, string(dated(t, true))},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, memory.New())
			old := b.publish([]byte(versions[0])).Definition
			r := b.submit(old, domain.Facts{"day": b.now.AddDate(0, 0, 30).Format(time.RFC3339)})
			r = b.act(old, r.ID, "clerk", "accept", "")
			b.now = b.now.AddDate(0, 0, 2)
			b.publish([]byte(versions[1]))
			for _, text := range []string{"migration: 1\n", "migration: 1\nterms: {event: {take: new}}\n"} {
				report, err := b.migrator().Forecast(t.Context(), b.prepare("sip-mppdn", text))
				if err != nil || report.Movable > 0 {
					t.Fatalf("%v, %+v", err, report)
				}
				if told := report.Requests[0].Refusal; !strings.Contains(told, "under except") || strings.Contains(told, "say take: new") || strings.Contains(told, "leave the term as it is") {
					t.Errorf("%s%s", text, told)
				}
			}
			report, err := b.migrator().Forecast(t.Context(), b.prepare("sip-mppdn", "migration: 1\nexcept: ["+string(r.Reference)+"]\n"))
			if err != nil || slices.ContainsFunc(report.Requests, func(x migration.Forecast) bool { return x.Refusal != "" }) {
				t.Errorf("%v, %+v", err, report.Requests)
			}
		})
	}
}
