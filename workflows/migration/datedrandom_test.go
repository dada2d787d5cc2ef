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

// Requests with a date and imported cases, migrated at random: by any version that it was
// under, a history does not differ (docs/agencies/backtest.md); what was foreseen happens;
// ledgers add up and are reckoned again the same.
func TestDatedRequestsMigratedAtRandom(t *testing.T) {
	failed, moved := 0, 0
	for seed := range uint64(40) {
		if failed > 5 {
			break
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			b := newBench(t, memory.New())
			texts := []string{
				string(dated(t, false)), string(dated(t, true)),
				strings.Replace(string(dated(t, true)), "starts: [accept], basis", "starts: [submit], expires: {escalate: [clerk, head], ombudsman: true}, basis", 1),
				strings.Replace(string(dated(t, true)), "due: day, starts: [accept]", "budget: 9 working days, starts: [accept]", 1),
			}
			first := r.IntN(4)
			old := b.publish([]byte(texts[first])).Definition
			facts := domain.Facts{}
			if r.IntN(5) > 0 {
				facts["day"] = b.now.Add(time.Duration(r.IntN(40*24)) * time.Hour).Format(time.RFC3339)
			}
			q := b.submit(old, facts)
			pass := func() {
				b.now = b.now.Add(time.Duration(r.IntN(80)) * time.Hour)
				b.run(q.ID)
			}
			act := func(d *workflows.Definition) {
				q = b.load(q.ID)
				do := func(role domain.RoleID, a domain.ActionID, reason domain.ReasonCode) {
					q = b.act(d, q.ID, role, a, reason)
				}
				switch q.State {
				case "submitted":
					if r.IntN(3) == 0 {
						if len(q.Returned) == 0 {
							do("clerk", "return", "unreadable")
						}
					} else {
						do("clerk", "accept", "")
					}
				case "returned":
					do("applicant", "resubmit", "")
				case "review":
					switch r.IntN(4) {
					case 0:
						if len(q.Returned) == 0 {
							do("clerk", "return", "unreadable")
						}
					case 1:
						do("head", "refuse", "str-invalid")
					}
				case "refused":
					do("head", "object", "")
				}
			}
			d := old
			for range r.IntN(4) {
				pass()
				act(d)
			}
			pass()
			second := r.IntN(4)
			d2 := b.publish([]byte(texts[second])).Definition
			q = b.load(q.ID)
			versions := []*workflows.Definition{d}
			if q.Outcome == "" && q.State != "issued-by-law" {
				x, err := b.prepared("sip-mppdn", "migration: 1\n")
				if err == nil {
					report, err := b.migrator().Forecast(t.Context(), x)
					if err != nil {
						t.Fatal(err)
					}
					if report.Movable == 1 {
						from := q.Version
						done, err := b.migrator().Run(t.Context(), x)
						if err != nil || done.Migrated != 1 {
							t.Fatal(done, err)
						}
						b.foreseenIs(t, report, map[uuid.UUID]domain.Version{q.ID: from})
						versions = append(versions, d2)
						d = d2
						moved++
					}
				}
			}
			for range r.IntN(4) {
				pass()
				act(d)
			}
			pass()
			lines, err := b.engine.Ledger(t.Context(), q.ID, shippedArchive{})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.Again != "" {
					t.Errorf("%s %s again %s", l.Event, l.Term, l.Again)
				}
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
	if moved < 10 {
		t.Errorf("only %d were moved", moved)
	}
}
