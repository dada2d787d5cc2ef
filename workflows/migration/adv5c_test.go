package migration_test

import (
	"strings"
	"testing"
	"time"

	"iter"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// advRecord is aRecord without the term by date, and law without what a migration minds.
func advRecord(t *testing.T, replace ...string) string {
	return string(aRecord(t, append([]string{"  - {id: deadline, title: {id: Tenggat, en: Deadline}, due: deadline, starts: [submit], expires: {escalate: [clerk], ombudsman: true}, basis: {id: andaian, en: assumed}}\n", ""}, replace...)...))
}

func advWithoutTerms(source string) string {
	i, j := strings.Index(source, "terms:\n"), strings.Index(source, "states:\n")
	return strings.Replace(source[:i]+source[j:], "  - {id: granted-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Granted by law}}\n", "", 1)
}

func advImport(t *testing.T, b *bench, w *workflows.Workflow, steps map[string]time.Time, dates map[string]time.Time) domain.Request {
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

// docs/agencies/terms.md#imported-cases: "A term that the submission starts begins at
// history.started, if the case has it, else at its first event. One that an action starts
// begins with that action." And docs/agencies/migration.md: "a time of the law that only the
// other version has ... begins where it would have begun there, with what was used until now".
func TestAdv5cATermThatAMigrationGivesAnImportedCaseBeginsByItsRecord(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(advWithoutTerms(advRecord(t))))
	checked := time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC) // 2 March is now
	r := advImport(t, b, w, map[string]time.Time{"check": checked}, nil)
	b.publish([]byte(advRecord(t)))
	_, is := migrates(t, b, r, "migration: 1\n")
	got := is.Terms["law"]
	t.Logf("started %s due %s wakes %s", got.Started, got.Due, got.Wakes)
	if !got.Started.Equal(checked) {
		t.Errorf("the term of 5 days that check on %s starts is said to have started %s, due %s", checked, got.Started, got.Due)
	}
}

// A case that was late by its record, and that runs on by its state, is told as on time after
// the migration.
func TestAdv5cALateImportedCaseIsOnTimeAfterAMigration(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(advWithoutTerms(advRecord(t))))
	r := advImport(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
		"deadline": time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC), "closed": time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC),
	})
	if r.Punctuality() != domain.PunctualityLate {
		t.Fatal(r.Punctuality())
	}
	b.publish([]byte(advRecord(t)))
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

// Imported under version 1 that does not name what ended a case; version 2 does.
func TestAdv5cAVersionThatSaysWhatEndsACase(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(advRecord(t, ", ended: closed", "")))
	r := advImport(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
		"closed": time.Date(2026, 1, 8, 0, 0, 0, 0, time.UTC),
	})
	b.publish([]byte(advRecord(t)))
	migrates(t, b, r, "migration: 1\n")
	b.now = b.now.AddDate(0, 0, 30)
	is := b.run(r.ID)
	t.Logf("%s %+v", is.Punctuality(), is.Terms["law"])
	t.Log(is.Facts)
}

// native: v1 has no legal term, v2 one of 5 working days from submit: begins where it would have begun.
func TestAdv5cATermFromTheSubmissionBeginsWhereItWouldHaveBegun(t *testing.T) {
	b := newBench(t, memory.New())
	text := string(licence(t))
	text = text[:strings.Index(text, "terms:\n")] + text[strings.Index(text, "suspensions:\n"):]
	text = strings.Replace(text, "[refused, issued-by-law]", "[refused]", 1)
	text = strings.Replace(text, "  - {id: issued-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Issued by law}}\n", "", 1)
	old := b.publish([]byte(text)).Definition
	r := b.submit(old, nil)
	r = b.act(old, r.ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 30)
	b.publish(licence(t, "    budget: 5 working days\n", "    budget: 5 working days\n    starts: [submit]\n"))
	_, is := migrates(t, b, r, "migration: 1\n")
	t.Logf("%+v", is.Terms["decision"])
	if !is.Terms["decision"].Started.Equal(r.Submitted) {
		t.Errorf("began %s, submitted %s", is.Terms["decision"].Started, r.Submitted)
	}
}
