package migration_test

import (
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// undated is aRecord without the term by date, and law without what a migration minds.
func undated(t *testing.T, replace ...string) string {
	return string(aRecord(t, append([]string{"  - {id: deadline, title: {id: Tenggat, en: Deadline}, due: deadline, starts: [submit], expires: {escalate: [clerk], ombudsman: true}, basis: {id: andaian, en: assumed}}\n", ""}, replace...)...))
}

func uncounted(source string) string {
	i, j := strings.Index(source, "terms:\n"), strings.Index(source, "states:\n")
	return strings.Replace(source[:i]+source[j:], "  - {id: granted-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Granted by law}}\n", "", 1)
}

func importing(t *testing.T, b *bench, w *workflows.Workflow, steps map[string]time.Time, dates map[string]time.Time) domain.Request {
	t.Helper()
	trace := workflows.Trace{Name: "case-1"}
	for _, k := range []string{"received", "deadline", "closed"} {
		if at, ok := dates[k]; ok {
			trace.Attributes = append(trace.Attributes, workflows.Attribute{Key: k, Kind: workflows.AttributeDate, Value: at.Format(time.RFC3339)})
		}
	}
	for _, k := range []string{"check", "ask", "answer", "grant"} {
		if at, ok := steps[k]; ok {
			role := "clerk"
			if k == "answer" {
				role = "applicant"
			}
			trace.Events = append(trace.Events, workflows.TraceEvent{Name: k, Resource: role + "-1", Role: role, Time: at})
		}
	}
	one := func(yield func(workflows.Trace, error) bool) { yield(trace, nil) }
	s, err := (&workflows.Importer{Log: b.log.(*memory.Log), Engine: b.engine}).Import(t.Context(), tenant, w, iter.Seq2[workflows.Trace, error](one))
	if err != nil || s.KeptCases != 1 {
		t.Fatal(s, err)
	}
	running, err := b.running(t.Context(), tenant, "sip-mppdn", 1)
	if err != nil || len(running) != 1 {
		t.Fatal(running, err)
	}
	return b.load(running[0].Request)
}

// What another system did when no term of it was counted here begins none: how it stood
// still since then is not known, and nobody was late here.
func TestAMigrationBeginsNoTermOfAnImportedCase(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(uncounted(undated(t))))
	r := importing(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, nil) // 2 March is now
	b.publish([]byte(undated(t)))
	_, is := migrates(t, b, r, "migration: 1\n")
	if len(is.Terms) > 0 {
		t.Errorf("%+v", is.Terms)
	}
	// What is done here does.
	d := b.publish([]byte(undated(t))).Definition
	b.act(d, r.ID, "clerk", "ask", "")
	if is = b.act(d, r.ID, "applicant", "answer", ""); len(is.Terms) > 0 {
		t.Errorf("%+v", is.Terms)
	}
}

// A case that was late by its record, and that runs on by its state, is told as on time after
// the migration.
func TestALateImportedCaseIsOnTimeAfterAMigration(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(uncounted(undated(t))))
	r := importing(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
		"deadline": time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC), "closed": time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC),
	})
	if r.Punctuality() != domain.PunctualityLate {
		t.Fatal(r.Punctuality())
	}
	b.publish([]byte(undated(t)))
	migrates(t, b, r, "migration: 1\n")
	b.now = b.now.AddDate(0, 0, 30)
	is := b.run(r.ID)
	for _, e := range b.events(domain.RequestStream(r.ID), r.Version) {
		n, _ := e.Body.Type()
		t.Logf("%s %s %+v", e.Occurred, n, e.Body)
	}
	if is.Punctuality() != domain.PunctualityLate {
		t.Errorf("checked 5 January, five days, closed 20 February: %s; %+v", is.Punctuality(), is.Terms["law"])
	}
}

// What ended a case is read from its record when it is imported: a version that names it
// later on changes nothing.
func TestAVersionThatSaysWhatEndsACase(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(undated(t, ", ended: closed", "")))
	r := importing(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
		"closed": time.Date(2026, 1, 8, 0, 0, 0, 0, time.UTC),
	})
	b.publish([]byte(undated(t)))
	migrates(t, b, r, "migration: 1\n")
	b.now = b.now.AddDate(0, 0, 30)
	if is := b.run(r.ID); is.Punctuality() != domain.PunctualityOpen || is.Terms["law"].Expired.IsZero() {
		t.Errorf("%s %+v", is.Punctuality(), is.Terms["law"])
	}
}

// oneMore is undated with another legal term, counted from the same action.
func oneMore(t *testing.T, budget string, replace ...string) []byte {
	return []byte(strings.Replace(undated(t, replace...), "  - id: law\n", "  - {id: whole, title: {id: Seluruhnya, en: The whole}, budget: "+budget+", starts: [check], basis: {id: andaian, en: assumed}}\n  - id: law\n", 1))
}

// An imported case that ended by its record, and whose state is no end, is moved to a version
// with one more term of law. terms.md: nothing follows, nobody here was late; migration.md:
// imported cases keep what their terms came to by their record.
func TestAnImportedCaseThatEndedByItsRecordIsMoved(t *testing.T) {
	for _, budget := range []string{"900 days", "6 days"} {
		t.Run(budget, func(t *testing.T) {
			b := newBench(t, memory.New())
			w := b.publish([]byte(undated(t)))
			r := importing(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
				"closed": time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC),
			})
			b.publish(oneMore(t, budget))
			for day := range 3 {
				b.now = b.now.AddDate(0, 0, day)
				b.run(r.ID)
				report, err := b.migrator().Forecast(t.Context(), b.prepare("sip-mppdn", "migration: 1\n"))
				if err != nil {
					t.Fatal(err)
				}
				if report.Movable != 1 {
					t.Errorf("day %d: %s", day, report.Requests[0].Refusal)
				}
			}
		})
	}
}

// An open imported case that is moved to a version with one more term.
func TestAnOpenImportedCaseIsMovedToAVersionWithOneMoreTerm(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(undated(t)))
	r := importing(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, nil)
	b.publish(oneMore(t, "6 days"))
	report, err := b.migrator().Forecast(t.Context(), b.prepare("sip-mppdn", "migration: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %v", report.Requests[0].Refusal, r.Terms)
	if report.Movable != 1 {
		t.Errorf("%s", report.Requests[0].Refusal)
	}
}

// What a migration says a version ends by: version 2 names no end any more, or version 2 does.
func TestAVersionThatSaysOtherwiseWhatEndsACase(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(undated(t)))
	r := importing(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
		"closed": time.Date(2026, 1, 8, 0, 0, 0, 0, time.UTC),
	})
	was := r.Terms["law"]
	t.Logf("%s %+v", r.Punctuality(), was)
	b.publish([]byte(undated(t, ", ended: closed", "")))
	_, is := migrates(t, b, r, "migration: 1\n")
	t.Logf("%s %+v", is.Punctuality(), is.Terms["law"])
	for _, e := range b.events("request-"+r.ID.String(), r.Version) {
		n, _ := e.Body.Type()
		t.Logf("%s %s", e.Occurred, n)
	}
	b.now = b.now.AddDate(0, 0, 30)
	is = b.run(r.ID)
	if is.Punctuality() != r.Punctuality() {
		t.Errorf("it was %s and is %s", r.Punctuality(), is.Punctuality())
	}
}
