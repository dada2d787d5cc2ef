package workflows_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
)

func (a *archive) decree(n int, day time.Time, kind string) error {
	source := fmt.Sprintf("decree: 1\nnumber: Perwal %d/2026\ntitle: {id: Libur, en: Holiday}\nsource: invented\npublished: %s\ndays:\n  - {date: %s, kind: %s, name: {id: Libur, en: Holiday}}\n", n, a.now.Format(time.DateOnly), day.Format(time.DateOnly), kind)
	d, err := workflows.ReadDecree("decree.yaml", []byte(source))
	if err != nil {
		return err
	}
	_, _, err = a.calendars.Add(a.t.Context(), workflows.Addition{
		Tenant: grobogan, Source: []byte(source), Decree: d, Occurred: a.now, At: a.now, Why: "test",
		Actor: domain.Actor{ID: "admin-1", Role: "administrator", Capacity: domain.CapacityOfficer},
	})
	return err
}

// Imported cases at random, through decrees, sweeps and imports again: ledgers are reckoned
// again, add up, a term runs out once, the view says what the request does, and by the
// definition that they ran under no history differs.
func TestImportedCasesAtRandom(t *testing.T) {
	failed := 0
	for seed := range uint64(60) {
		if failed > 6 {
			break
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			unit := []string{"days", "working days", "hours", "working hours"}[r.IntN(4)]
			replace := []string{"budget: 5 days", "budget: 5 " + unit, "promise: 3 days", "promise: 3 " + unit, "remind_after: 4 days", "remind_after: 4 " + unit}
			if r.IntN(3) == 0 {
				replace = append(replace, ", ended: closed", "")
			}
			if r.IntN(3) == 0 {
				replace = append(replace, "starts: [check]", "starts: [submit]")
			}
			if r.IntN(3) == 0 {
				replace = append(replace, "due: deadline, starts: [submit]", "due: deadline, starts: [ask]")
			}
			a := newArchive(t, replace...)
			a.now = march(t, fmt.Sprintf("%d %02d:00", 2+r.IntN(6), 8+r.IntN(9)))
			var list []workflows.Trace
			for i := range 4 {
				at := march(t, "2 09:00").Add(time.Duration(r.IntN(60)) * time.Hour)
				if r.IntN(4) == 0 {
					at = at.AddDate(0, -r.IntN(5), 0)
				}
				trace := workflows.Trace{Name: fmt.Sprint(i)}
				for _, k := range []string{"received", "deadline", "closed"} {
					if r.IntN(2) == 0 {
						trace.Attributes = append(trace.Attributes, workflows.Attribute{Key: k, Kind: workflows.AttributeDate, Value: at.Add(time.Duration(r.IntN(400)-60) * time.Hour).Format(time.RFC3339)})
					}
				}
				step := func(name string) {
					role := "clerk"
					if name == "answer" {
						role = "applicant"
					}
					trace.Events = append(trace.Events, workflows.TraceEvent{Name: name, Resource: role + "-1", Role: role, Time: at})
					at = at.Add(time.Duration(r.IntN(80)-8) * time.Hour)
				}
				step("check")
				for range r.IntN(3) {
					step("ask")
					if r.IntN(4) == 0 {
						break
					}
					step("answer")
				}
				if trace.Events[len(trace.Events)-1].Name != "ask" && r.IntN(2) == 0 {
					step("grant")
					if r.IntN(3) == 0 {
						step("reopen")
					}
				}
				list = append(list, trace)
			}
			file, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "views.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			views, err := projections.NewViews(t.Context(), a.log, file.Writer, slog.New(slog.DiscardHandler), projections.StatusProjection{}, projections.TermsProjection{})
			if err != nil {
				t.Fatal(err)
			}
			sweeper := workflows.Sweeper{
				Engine: a.engine, Wakings: projections.NewTermsView(file.Reader), Calendars: a.calendars, Now: func() time.Time { return a.now },
				Logger: slog.New(slog.DiscardHandler), CatchUp: views.CatchUp,
			}
			a.imports(list...)
			for n := range 12 {
				switch r.IntN(4) {
				case 0:
					day := a.now.AddDate(0, 0, r.IntN(20)-8)
					if err := a.decree(n+1, day, "regional"); err != nil {
						t.Log("decree:", err)
					}
				case 1:
					a.imports(list...)
				case 2:
					if done, err := sweeper.Sweep(t.Context()); err != nil || done.Failed > 0 {
						t.Fatal(done, err)
					}
				}
				a.now = a.now.Add(time.Duration(r.IntN(60)) * time.Hour)
			}
			if done, err := sweeper.Sweep(t.Context()); err != nil || done.Failed > 0 {
				t.Fatal(done, err)
			}
			if err := views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := projections.NewStatusView(file.Reader).List(t.Context(), projections.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			bt := &backtest.Backtest{Log: a.log, Versions: a.library, Calendars: a.calendars, Workflow: workflows.Compile(a.w.Definition, 0), Now: a.now}
			for _, row := range rows {
				q, err := a.engine.Load(t.Context(), row.Request)
				if err != nil {
					t.Fatal(err)
				}
				if q.Punctuality() != row.Punctuality {
					t.Errorf("case %s: %q in the view, %q of the request", q.Imported.Case, row.Punctuality, q.Punctuality())
				}
				lines, err := a.engine.Ledger(t.Context(), row.Request, a.calendars)
				if err != nil {
					t.Fatal(err)
				}
				sum, expired := map[domain.TermID]int64{}, map[domain.TermID]int{}
				for _, l := range lines {
					if l.Again != "" {
						t.Errorf("case %s: %s of %s again: %s", q.Imported.Case, l.Event, l.Term, l.Again)
					}
					if s, ok := sum[l.Term]; ok && s != l.Consumed+l.Remaining {
						t.Errorf("case %s: %s of %s: %d + %d, not %d", q.Imported.Case, l.Event, l.Term, l.Consumed, l.Remaining, s)
					}
					sum[l.Term] = l.Consumed + l.Remaining
					if l.Event == "TermExpired" {
						if expired[l.Term]++; expired[l.Term] > 1 {
							t.Errorf("case %s: %s ran out twice", q.Imported.Case, l.Term)
						}
					}
				}
				h, err := bt.History(t.Context(), row.Request, false)
				if err != nil {
					t.Fatal(err)
				}
				if len(h.Differences) > 0 {
					t.Errorf("case %s differs by its own definition: %+v\n%v\n%v", q.Imported.Case, h.Differences, a.history(row.Request), replace)
				}
			}
			if t.Failed() {
				failed++
			}
		})
	}
}
