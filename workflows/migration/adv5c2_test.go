package migration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
)

// advTwo is advRecord with another legal term, counted from the same action.
func advTwo(t *testing.T, budget string, replace ...string) []byte {
	return []byte(strings.Replace(advRecord(t, replace...), "  - id: law\n", "  - {id: whole, title: {id: Seluruhnya, en: The whole}, budget: "+budget+", starts: [check], basis: {id: andaian, en: assumed}}\n  - id: law\n", 1))
}

// An imported case that ended by its record, and whose state is no end, is moved to a version
// with one more term of law. terms.md: nothing follows, nobody here was late; migration.md:
// imported cases keep what their terms came to by their record.
func TestAdv5cAnImportedCaseThatEndedByItsRecordIsMoved(t *testing.T) {
	for _, budget := range []string{"900 days", "6 days"} {
		t.Run(budget, func(t *testing.T) {
			b := newBench(t, memory.New())
			w := b.publish([]byte(advRecord(t)))
			r := advImport(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
				"closed": time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC),
			})
			b.publish(advTwo(t, budget))
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
func TestAdv5cAnOpenImportedCaseIsMovedToAVersionWithOneMoreTerm(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(advRecord(t)))
	r := advImport(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, nil)
	b.publish(advTwo(t, "6 days"))
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
func TestAdv5cAVersionThatSaysOtherwiseWhatEndsACase(t *testing.T) {
	b := newBench(t, memory.New())
	w := b.publish([]byte(advRecord(t)))
	r := advImport(t, b, w, map[string]time.Time{"check": time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)}, map[string]time.Time{
		"closed": time.Date(2026, 1, 8, 0, 0, 0, 0, time.UTC),
	})
	was := r.Terms["law"]
	t.Logf("%s %+v", r.Punctuality(), was)
	b.publish([]byte(advRecord(t, ", ended: closed", "")))
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
