package migration_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
)

// Imported cases, migrated at random: the same.
func TestImportedCasesMigratedAtRandom(t *testing.T) {
	failed, moved, refused := 0, 0, map[string]int{}
	for seed := range uint64(60) {
		if failed > 5 {
			break
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			b := newBench(t, memory.New())
			whole := string(aRecord(t))
			texts := []string{
				uncounted(undated(t)), undated(t), whole,
				strings.ReplaceAll(whole, "budget: 5 days", "budget: 9 days"),
				strings.Replace(whole, ", ended: closed", "", 1),
				strings.Replace(undated(t), "starts: [check]", "starts: [submit]", 1),
				strings.Replace(whole, "due: deadline, starts: [submit]", "due: deadline, starts: [check]", 1),
			}
			first, second := r.IntN(len(texts)), r.IntN(len(texts))
			w := b.publish([]byte(texts[first]))
			at := b.now.AddDate(0, 0, -r.IntN(20))
			steps, dates := map[string]time.Time{}, map[string]time.Time{}
			for i, k := range []string{"check", "ask", "answer"} {
				if i > 0 && r.IntN(3) == 0 {
					break
				}
				steps[k] = at
				at = at.Add(time.Duration(r.IntN(60)) * time.Hour)
			}
			for _, k := range []string{"received", "deadline", "closed"} {
				if r.IntN(2) == 0 {
					dates[k] = b.now.Add(time.Duration(r.IntN(800)-600) * time.Hour)
				}
			}
			q := importing(t, b, w, steps, dates)
			b.now = b.now.Add(time.Duration(r.IntN(100)) * time.Hour)
			q = b.run(q.ID)
			d2 := b.publish([]byte(texts[second])).Definition
			versions := []*workflows.Definition{w.Definition}
			x, err := b.prepared("sip-mppdn", "migration: 1\n")
			if err != nil { // the map would have to say more
				refused[fmt.Sprintf("%d>%d %.60s", first, second, err)]++
				return
			}
			report, err := b.migrator().Forecast(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			if report.Movable == 1 {
				done, err := b.migrator().Run(t.Context(), x)
				if err != nil || done.Migrated != 1 {
					t.Fatal(done, err)
				}
				b.foreseenIs(t, report, map[uuid.UUID]domain.Version{q.ID: q.Version})
				versions = append(versions, d2)
				moved++
			} else {
				refused[fmt.Sprintf("%d>%d %.60s", first, second, report.Requests[0].Refusal)]++
			}
			b.now = b.now.Add(time.Duration(r.IntN(300)) * time.Hour)
			q = b.run(q.ID)
			lines, err := b.engine.Ledger(t.Context(), q.ID, shippedArchive{})
			if err != nil {
				t.Fatal(err)
			}
			sum := map[domain.TermID]int64{}
			for _, l := range lines {
				if l.Again != "" {
					t.Errorf("%s %s again %s", l.Event, l.Term, l.Again)
				}
				if s, ok := sum[l.Term]; ok && s != l.Consumed+l.Remaining {
					t.Errorf("%s of %s: %d + %d, not %d", l.Event, l.Term, l.Consumed, l.Remaining, s)
				}
				sum[l.Term] = l.Consumed + l.Remaining
			}
			for i, v := range versions {
				bt := &backtest.Backtest{Log: b.log, Versions: b.library, Calendars: workflows.NewCalendars(b.log), Workflow: workflows.Compile(v, 0), Now: b.now}
				h, err := bt.History(t.Context(), q.ID, true)
				if err != nil {
					t.Fatal(err)
				}
				if len(h.Differences) > 0 {
					t.Errorf("%d>%d by version %d of %d: %+v", first, second, i+1, len(versions), h.Differences)
				}
			}
			if t.Failed() {
				failed++
			}
		})
	}
	if moved < 20 {
		t.Errorf("only %d were moved; refused: %v", moved, refused)
	}
}
