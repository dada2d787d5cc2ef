package workflows_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// archive imports cases of testdata/clock/old.yaml, on a day of March 2026 in Grobogan.
type archive struct {
	*bench

	t         *testing.T
	now       time.Time
	calendars *workflows.Calendars
	w         *workflows.Workflow
}

const grobogan = domain.TenantCode("33.15")

// byLaw is the state that a term leads to.
const byLaw = "  - {id: granted-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Granted by law}}\n"

// march is a time of March 2026, such as "12 09:00", or a day's beginning.
func march(t *testing.T, text string) time.Time {
	t.Helper()
	day, clock, timed := strings.Cut(text, " ")
	if !timed {
		clock = "00:00"
	}
	at, err := time.ParseInLocation("2006-01-2 15:04", "2026-03-"+day+" "+clock, grobogan.Zone())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func newArchive(t *testing.T, replace ...string) *archive {
	t.Helper()
	a := &archive{bench: &bench{log: memory.New()}, t: t, now: march(t, "31 12:00")}
	a.library, a.calendars = workflows.NewLibrary(a.log), workflows.NewCalendars(a.log)
	references := uint64(0)
	a.engine = workflows.NewEngine(a.log, a.library, workflows.EngineConfig{
		Now: func() time.Time { return a.now }, Random: func() uint64 { references++; return references << 20 }, Calendars: a.calendars,
	})
	a.w = a.publishes(replace...)
	return a
}

// publishes records the definition, with some things in it said otherwise, for imports.
func (a *archive) publishes(replace ...string) *workflows.Workflow {
	a.t.Helper()
	source, err := os.ReadFile("testdata/clock/old.yaml")
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(source), replace[i]) {
			a.t.Fatalf("there is no %q", replace[i])
		}
		source = []byte(strings.ReplaceAll(string(source), replace[i], replace[i+1]))
	}
	d, err := workflows.Read("old.yaml", source)
	if err != nil {
		a.t.Fatal(err)
	}
	w, err := a.library.Publish(a.t.Context(), workflows.Publication{
		Tenant: grobogan, Source: source, Definition: d, Occurred: published, At: published, Why: "import", History: true,
		Actor: domain.Actor{ID: "import", Role: "import", Capacity: domain.CapacitySystem},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return w
}

// oldCase is a case of the old system: "check 3 09:00; grant 5 10:00", and its dates.
func oldCase(t *testing.T, name, steps string, dates map[string]string) workflows.Trace {
	t.Helper()
	trace := workflows.Trace{Name: name}
	for _, key := range slices.Sorted(slices.Values([]string{"received", "deadline", "closed"})) {
		if d := dates[key]; d != "" {
			trace.Attributes = append(trace.Attributes, workflows.Attribute{Key: key, Kind: workflows.AttributeDate, Value: march(t, d).Format(time.RFC3339Nano)})
		}
	}
	for step := range strings.SplitSeq(steps, "; ") {
		action, at, _ := strings.Cut(step, " ")
		role := "clerk"
		if action == "answer" {
			role = "applicant"
		}
		trace.Events = append(trace.Events, workflows.TraceEvent{Name: action, Resource: role + "-1", Role: role, Time: march(t, at)})
	}
	return trace
}

func (a *archive) imports(list ...workflows.Trace) workflows.ImportSummary {
	a.t.Helper()
	s, err := (&workflows.Importer{Log: a.log, Engine: a.engine}).Import(a.t.Context(), grobogan, a.w, traces(list))
	if err != nil {
		a.t.Fatal(err)
	}
	return s
}

// requests are those that were imported, in order.
func (a *archive) requests() []uuid.UUID {
	a.t.Helper()
	var list []uuid.UUID
	for e, err := range domain.Events(a.log.ReadAll(a.t.Context(), 0)) {
		if err != nil {
			a.t.Fatal(err)
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok {
			list = append(list, b.Request)
		}
	}
	return list
}

// history is what was recorded of a request, shortly, each event with when it happened.
func (a *archive) history(request uuid.UUID) []string {
	a.t.Helper()
	var list []string
	at := func(t time.Time) string { return t.In(grobogan.Zone()).Format("2 15:04") }
	for e, err := range domain.Events(a.log.ReadStream(a.t.Context(), domain.RequestStream(request), 0)) {
		if err != nil {
			a.t.Fatal(err)
		}
		said := ""
		switch b := e.Body.(type) {
		case domain.RequestSubmitted:
			said = "submitted"
		case domain.ActionTaken:
			said = string(b.Action)
		case domain.TermStarted:
			said = fmt.Sprintf("%s starts, %s", b.Term, b.Budget)
			if b.Date != "" {
				said = fmt.Sprintf("%s starts, until %s", b.Term, b.Date)
			}
			if !b.Since.IsZero() {
				said += " since " + at(b.Since)
			}
			if b.Due.IsZero() {
				said += ", no due time"
			} else {
				said += ", due " + at(b.Due)
			}
		case domain.TermSuspended:
			said = fmt.Sprintf("%s stops", b.Term)
		case domain.TermResumed:
			said = fmt.Sprintf("%s goes on, due %s", b.Term, at(b.Due))
		case domain.TermExpired:
			said = fmt.Sprintf("%s has run out", b.Term)
		case domain.TermEnded:
			said = fmt.Sprintf("%s ends, late %v", b.Term, b.Late)
		default:
			said, _ = b.Type()
		}
		list = append(list, at(e.Occurred)+" "+said)
	}
	return list
}

// An imported case has the terms of its definition, by what its record says of them: when
// they began, until when there was time, that it passed, and when the case ended. Each
// event is dated to its own time, stands where it came, and nothing else follows.
func TestTermsOfImportedCases(t *testing.T) {
	byDate := []string{`  - id: law
    title: {id: Jangka waktu keputusan, en: Time for the decision}
    budget: 5 days
    promise: 3 days
    remind_after: 4 days
    starts: [check]
    suspended_in: [asked]
    expires: {to: granted-by-law, ground: deemed_approval}
    basis: {id: andaian, en: assumed}
`, "", byLaw, ""}
	byBudget := []string{`  - {id: deadline, title: {id: Tenggat, en: Deadline}, due: deadline, starts: [submit], expires: {escalate: [clerk], ombudsman: true}, basis: {id: andaian, en: assumed}}
`, ""}
	for name, x := range map[string]struct {
		replace []string
		steps   string
		dates   map[string]string
		want    []string
		is      domain.Punctuality
	}{
		"in time": {
			byDate, "check 3 09:00; grant 5 10:00",
			map[string]string{"received": "2", "deadline": "9", "closed": "6"},
			[]string{"3 09:00 submitted", "3 09:00 deadline starts, until deadline since 2 00:00, due 9 00:00", "3 09:00 check", "5 10:00 grant", "6 00:00 deadline ends, late false"},
			domain.PunctualityOnTime,
		},
		"at the very due time": {
			byDate, "check 3 09:00",
			map[string]string{"deadline": "9", "closed": "9"},
			[]string{"3 09:00 submitted", "3 09:00 deadline starts, until deadline, due 9 00:00", "3 09:00 check", "9 00:00 deadline ends, late false"},
			domain.PunctualityOnTime,
		},
		"late, and its time came between two steps": {
			byDate, "check 3 09:00; grant 12 10:00",
			map[string]string{"received": "2", "deadline": "9", "closed": "13"},
			[]string{
				"3 09:00 submitted", "3 09:00 deadline starts, until deadline since 2 00:00, due 9 00:00", "3 09:00 check",
				"9 00:00 deadline has run out", "12 10:00 grant", "13 00:00 deadline ends, late true",
			},
			domain.PunctualityLate,
		},
		"steps after its end change nothing": {
			byDate, "check 3 09:00; grant 12 10:00; reopen 14 10:00",
			map[string]string{"deadline": "13", "closed": "10"},
			[]string{
				"3 09:00 submitted", "3 09:00 deadline starts, until deadline, due 13 00:00", "3 09:00 check",
				"10 00:00 deadline ends, late false", "12 10:00 grant", "14 10:00 reopen",
			},
			domain.PunctualityOnTime,
		},
		"its end is before its first step": {
			byDate, "check 12 09:00",
			map[string]string{"received": "2", "deadline": "9", "closed": "10"},
			[]string{
				"12 09:00 submitted", "12 09:00 deadline starts, until deadline since 2 00:00, due 9 00:00",
				"9 00:00 deadline has run out", "10 00:00 deadline ends, late true", "12 09:00 check",
			},
			domain.PunctualityLate,
		},
		"open, and its time has come since": {
			byDate, "check 3 09:00; grant 5 10:00",
			map[string]string{"deadline": "9"},
			[]string{"3 09:00 submitted", "3 09:00 deadline starts, until deadline, due 9 00:00", "3 09:00 check", "5 10:00 grant", "9 00:00 deadline has run out"},
			domain.PunctualityOpen,
		},
		"no date, no term": {
			byDate, "check 3 09:00",
			map[string]string{"received": "2", "closed": "4"},
			[]string{"3 09:00 submitted", "3 09:00 check"},
			"",
		},
		"by a budget, which stands still": {
			byBudget, "check 3 09:00; ask 4 12:00; answer 6 12:00; grant 9 10:00",
			map[string]string{"closed": "12"},
			[]string{
				"3 09:00 submitted", "3 09:00 check", "3 09:00 law starts, 5 days, due 9 00:00", "4 12:00 ask", "4 12:00 law stops", "6 12:00 answer", "6 12:00 law goes on, due 11 00:00",
				"9 10:00 grant", "11 00:00 law has run out", "12 00:00 law ends, late true",
			},
			domain.PunctualityLate,
		},
		"by a budget, without an end in the record": {
			append([]string{", ended: closed", ""}, byBudget...), "check 3 09:00; grant 4 10:00; reopen 6 10:00; grant 7 10:00", nil,
			[]string{
				"3 09:00 submitted", "3 09:00 check", "3 09:00 law starts, 5 days, due 9 00:00", "4 10:00 grant", "4 10:00 law ends, late false",
				"6 10:00 reopen", "6 10:00 law goes on, due 11 00:00", "7 10:00 grant", "7 10:00 law ends, late false",
			},
			domain.PunctualityOnTime,
		},
		"by a budget that the submission starts": {
			append([]string{"starts: [check]", "starts: [submit]"}, byBudget...), "check 3 09:00",
			map[string]string{"received": "1", "closed": "4"},
			[]string{"3 09:00 submitted", "3 09:00 law starts, 5 days since 1 00:00, due 7 00:00", "3 09:00 check", "4 00:00 law ends, late false"},
			domain.PunctualityOnTime,
		},
		"a clock that runs backwards": {
			byDate, "check 10 09:00; grant 5 10:00",
			map[string]string{"deadline": "9", "closed": "12"},
			[]string{
				"10 09:00 submitted", "10 09:00 deadline starts, until deadline, due 9 00:00", "9 00:00 deadline has run out", "10 09:00 check", "5 10:00 grant", "12 00:00 deadline ends, late true",
			},
			domain.PunctualityLate,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, x.replace...)
			s := a.imports(oldCase(t, "1", x.steps, x.dates))
			if s.KeptCases != 1 || len(s.Refused) > 0 || s.KeptEvents != strings.Count(x.steps, ";")+1 {
				t.Fatalf("%+v", s)
			}
			request := a.requests()[0]
			if d := cmp.Diff(x.want, a.history(request)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			r, err := a.engine.Load(t.Context(), request)
			if err != nil || r.Punctuality() != x.is || s.Punctuality[string(x.is)] != min(1, len(x.is)) {
				t.Errorf("%q, want %q; %v, %v", r.Punctuality(), x.is, s.Punctuality, err)
			}
			lines, err := a.engine.Ledger(t.Context(), request, a.calendars)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.Again != "" || l.Consumed+l.Remaining != lines[0].Consumed+lines[0].Remaining {
					t.Errorf("%s: reckoned again: %s; %+v", l.Event, l.Again, l.Reckoning)
				}
			}
			// Told once more, on another day: nothing is doubled.
			head, _ := a.log.Head(t.Context())
			a.now = a.now.AddDate(0, 1, 0)
			if s := a.imports(oldCase(t, "1", x.steps, x.dates)); s.WereThere != 1 {
				t.Errorf("%+v", s)
			}
			if after, _ := a.log.Head(t.Context()); after != head {
				t.Errorf("%d events more", after-head)
			}
		})
	}
}

// Of an open case whose time is still to come, a sweeper records when it does, and nothing
// that the definition would make of it here: nobody here was late.
func TestASweepDecidesNothingOfAnImportedCase(t *testing.T) {
	a := newArchive(t)
	a.now = march(t, "5 12:00")
	a.imports(oldCase(t, "1", "check 3 09:00", map[string]string{"deadline": "20"}), oldCase(t, "2", "check 3 09:00; ask 4 09:00", map[string]string{"deadline": "30"}))
	file, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	views, err := projections.NewViews(t.Context(), a.log, file.Writer, slog.New(slog.DiscardHandler), projections.StatusProjection{}, projections.TermsProjection{})
	if err != nil {
		t.Fatal(err)
	}
	sweeper := workflows.Sweeper{
		Engine: a.engine, Wakings: projections.NewTermsView(file.Reader), Calendars: a.calendars, Now: func() time.Time { return a.now },
		Logger: slog.New(slog.DiscardHandler), CatchUp: views.CatchUp,
	}
	for _, day := range []string{"8 12:00", "9 12:00", "21 12:00", "31 12:00"} {
		a.now = march(t, day)
		if done, err := sweeper.Sweep(t.Context()); err != nil || done.Failed > 0 {
			t.Fatal(done, err)
		}
	}
	for i, want := range [][]string{
		{
			"3 09:00 submitted", "3 09:00 deadline starts, until deadline, due 20 00:00", "3 09:00 check", "3 09:00 law starts, 5 days, due 9 00:00",
			"9 00:00 law has run out", "20 00:00 deadline has run out",
		},
		{
			"3 09:00 submitted", "3 09:00 deadline starts, until deadline, due 30 00:00", "3 09:00 check", "3 09:00 law starts, 5 days, due 9 00:00",
			"4 09:00 ask", "4 09:00 law stops", "30 00:00 deadline has run out",
		},
	} {
		if d := cmp.Diff(want, a.history(a.requests()[i])); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := projections.NewStatusView(file.Reader).List(t.Context(), projections.Filter{})
	if err != nil || len(list) != 2 || list[0].Punctuality != domain.PunctualityOpen || list[0].Outcome != "" {
		t.Errorf("%+v %v", list, err)
	}
}

// What a case says is known again when its terms come out otherwise: by a decree that was
// recorded since, or because it was imported under a definition without terms. What it
// says otherwise is not.
func TestACaseIsKnownAgainWhateverItsTermsComeTo(t *testing.T) {
	list := []workflows.Trace{
		oldCase(t, "1", "check 3 09:00; grant 25 10:00", map[string]string{"closed": "25"}),
		oldCase(t, "2", "check 3 09:00", nil),
	}
	working := []string{"budget: 5 days", "budget: 5 working days", "promise: 3 days", "promise: 3 working days", "remind_after: 4 days", "remind_after: 4 working days"}
	for name, change := range map[string]func(a *archive){
		"a decree":    func(a *archive) { a.holiday("2026-03-05") },
		"other terms": func(a *archive) { a.w = a.publishes("budget: 5 days", "budget: 6 days") },
		"no terms": func(a *archive) {
			source, err := os.ReadFile("testdata/clock/old.yaml")
			if err != nil {
				t.Fatal(err)
			}
			_, terms, _ := strings.Cut(string(source), "terms:\n")
			terms, _, _ = strings.Cut(terms, "states:\n")
			a.w = a.publishes("terms:\n"+terms, "", byLaw, "")
		},
		"a sweep": func(a *archive) {
			a.now = march(t, "31 12:00")
			r, err := a.engine.Load(t.Context(), a.requests()[1])
			if err != nil {
				t.Fatal(err)
			}
			id, due, ok := r.Overdue(a.now)
			if !ok {
				t.Fatal("nothing is due")
			}
			if _, err := a.engine.Expire(t.Context(), r.ID, id, due); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, working...)
			a.now = march(t, "9 12:00")
			a.imports(list...)
			change(a)
			head, _ := a.log.Head(t.Context())
			if s := a.imports(list...); s.KeptCases != 2 || s.WereThere != 2 || len(s.Refused) > 0 {
				t.Errorf("%+v", s)
			}
			if after, _ := a.log.Head(t.Context()); after != head {
				t.Errorf("%d events more", after-head)
			}
			other := slices.Clone(list)
			other[0] = oldCase(t, "1", "check 3 09:00; grant 26 10:00", map[string]string{"closed": "25"})
			if s := a.imports(other...); len(s.Refused) != 1 || s.Refused[0].Rule != workflows.RuleOtherCase {
				t.Errorf("%+v", s)
			}
		})
	}
}

func (a *archive) holiday(day string) {
	a.t.Helper()
	source := fmt.Sprintf("decree: 1\nnumber: Perwal 1/2026\ntitle: {id: Libur, en: Holiday}\nsource: invented\npublished: 2026-03-01\ndays:\n  - {date: %s, kind: regional, name: {id: Libur, en: Holiday}}\n", day)
	d, err := workflows.ReadDecree("decree.yaml", []byte(source))
	if err != nil {
		a.t.Fatal(err)
	}
	if _, _, err := a.calendars.Add(a.t.Context(), workflows.Addition{
		Tenant: grobogan, Source: []byte(source), Decree: d, Occurred: a.now, At: a.now, Why: "test",
		Actor: domain.Actor{ID: "admin-1", Role: "administrator", Capacity: domain.CapacityOfficer},
	}); err != nil {
		a.t.Fatal(err)
	}
}

// A time before any calendar is no fault: what is counted in working days has no due time
// then, and what is due at a date has.
func TestAnImportedCaseOfLongAgo(t *testing.T) {
	a := newArchive(t, "budget: 5 days", "budget: 5 working days", "promise: 3 days", "promise: 3 working days", "remind_after: 4 days", "remind_after: 4 working days")
	old := oldCase(t, "1", "check 3 09:00; grant 25 10:00", map[string]string{"deadline": "20", "closed": "25"})
	for i := range old.Attributes {
		old.Attributes[i].Value = strings.Replace(old.Attributes[i].Value, "2026", "2011", 1)
	}
	for i := range old.Events {
		old.Events[i].Time = old.Events[i].Time.AddDate(-15, 0, 0)
	}
	if s := a.imports(old); s.Punctuality["late"] != 1 {
		t.Errorf("%+v", s)
	}
	want := []string{
		"3 09:00 submitted", "3 09:00 deadline starts, until deadline, due 20 00:00", "3 09:00 check", "3 09:00 law starts, 5 working days, no due time",
		"20 00:00 deadline has run out", "25 00:00 deadline ends, late true", "25 00:00 law ends, late false", "25 10:00 grant",
	}
	if d := cmp.Diff(want, a.history(a.requests()[0])); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
