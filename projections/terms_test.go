package projections_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

const timedTenant = domain.TenantCode("33.14")

// almanac is calendars of which version n has the first n decrees.
type almanac struct {
	decrees []calendar.Decree
	made    []*calendar.Calendar
}

func (a *almanac) amend(holidays ...calendar.Date) error {
	if len(holidays) > 0 {
		d := calendar.Decree{Number: fmt.Sprint("test ", len(a.decrees)), Title: calendar.Text{ID: "uji", EN: "test"}}
		for _, day := range holidays {
			d.Days = append(d.Days, calendar.DayRule{Date: day, Kind: calendar.Holiday, Name: calendar.Text{ID: "uji", EN: "test"}})
		}
		a.decrees = append(a.decrees, d)
	}
	c, err := calendar.Compile(timedTenant.Zone(), a.decrees, nil)
	a.made = append(a.made, c)
	return err
}

func (a *almanac) Known(context.Context, domain.TenantCode) (*calendar.Calendar, error) {
	return a.made[len(a.made)-1], nil
}

func (a *almanac) KnownAt(ctx context.Context, t domain.TenantCode, _ time.Time) (*calendar.Calendar, error) {
	return a.Known(ctx, t)
}

func (a *almanac) Latest(ctx context.Context, t domain.TenantCode) (*calendar.Calendar, error) {
	return a.Known(ctx, t)
}

func (a *almanac) At(_ context.Context, _ domain.TenantCode, v calendar.Version) (*calendar.Calendar, error) {
	for _, c := range a.made {
		if c.Version() == v {
			return c, nil
		}
	}
	return nil, domain.ErrNotFound
}

var sealing = regexp.MustCompile(`(?m)^(?:form|tests):\n(?:  .*\n)+|, from: form\.\w+`)

// timed is an engine with requests whose terms run.
type timed struct {
	t        *rapid.T
	log      *memory.Log
	engine   *workflows.Engine
	almanac  *almanac
	now      time.Time
	requests []uuid.UUID
	old      *workflows.Workflow // of what is imported
}

func newTimed(t *rapid.T) *timed {
	x := &timed{t: t, log: memory.New(), almanac: &almanac{}, now: time.Date(2026, 5, rapid.IntRange(1, 28).Draw(t, "day"), 2, 7, 3, 123456789, time.UTC)}
	if err := x.almanac.amend(); err != nil {
		t.Fatal(err)
	}
	library := workflows.NewLibrary(x.log)
	for _, path := range []string{"clock/sip.yaml", "definitions/pbg.yaml", "clock/old.yaml"} {
		source, err := os.ReadFile(filepath.Join("..", "workflows", "testdata", path))
		if err != nil {
			t.Fatal(err)
		}
		source = sealing.ReplaceAll(source, nil) // there is nobody who does it
		d, err := workflows.Read(path, source)
		if err != nil {
			t.Fatal(err)
		}
		if x.old, err = library.Publish(context.Background(), workflows.Publication{
			Tenant: timedTenant, Source: source, Definition: d, Occurred: x.now, At: x.now, Why: "test", Trial: "to be tried",
			Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
		}); err != nil {
			t.Fatal(err)
		}
	}
	references := uint64(0)
	x.engine = workflows.NewEngine(x.log, library, workflows.EngineConfig{
		Now: func() time.Time { return x.now }, Calendars: x.almanac,
		Random: func() uint64 { references++; return references << 20 },
	})
	return x
}

func (x *timed) header(role domain.RoleID, capacity domain.Capacity) domain.Header {
	h := domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: capacity}}
	if back := rapid.SampledFrom([]int{0, 0, 0, 1, 30}).Draw(x.t, "hours ago"); back > 0 { // what an office tells later
		h.Occurred = x.now.Add(-time.Duration(back) * time.Hour)
	}
	return h
}

// imports takes a case over from another system, with the dates that this had, if any.
func (x *timed) imports() error {
	at := func(what string) time.Time {
		return x.now.Add(time.Duration(rapid.IntRange(-20, 5).Draw(x.t, what)) * 24 * time.Hour).Add(time.Duration(rapid.IntRange(0, 1).Draw(x.t, "a moment")) * 1500)
	}
	trace := workflows.Trace{Name: fmt.Sprint("case ", len(x.requests))}
	for _, key := range []string{"received", "deadline", "closed"} {
		if rapid.IntRange(0, 3).Draw(x.t, "has "+key) > 0 {
			trace.Attributes = append(trace.Attributes, workflows.Attribute{Key: key, Kind: workflows.AttributeDate, Value: at(key).Format(time.RFC3339Nano)})
		}
	}
	steps := []string{"check", "ask", "answer", "grant", "reopen", "ask"}
	for _, name := range steps[:rapid.IntRange(1, len(steps)).Draw(x.t, "steps")] {
		role := "clerk"
		if name == "answer" {
			role = "applicant"
		}
		trace.Events = append(trace.Events, workflows.TraceEvent{Name: name, Role: role, Resource: role, Time: at(name)})
	}
	one := func(yield func(workflows.Trace, error) bool) { yield(trace, nil) }
	s, err := (&workflows.Importer{Log: x.log, Engine: x.engine}).Import(context.Background(), timedTenant, x.old, one)
	if err != nil || len(s.Refused) > 0 {
		return errors.Join(err, fmt.Errorf("refused %+v", s.Refused))
	}
	for e, err := range domain.Events(x.log.ReadAll(context.Background(), 0)) {
		if err != nil {
			return err
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok && !slices.Contains(x.requests, b.Request) {
			x.requests = append(x.requests, b.Request)
		}
	}
	return nil
}

func (x *timed) attach(d domain.DocumentID) domain.Command {
	return domain.Attach{Header: x.header("applicant", domain.CapacitySelf), Document: d, Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64)}
}

// step is one command, sensible or not.
func (x *timed) step() error {
	officer, self := domain.CapacityOfficer, domain.CapacitySelf
	act := func(role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) domain.Command {
		capacity := officer
		if role == "applicant" {
			capacity = self
		}
		return domain.Act{Header: x.header(role, capacity), Action: action, Reason: reason}
	}
	review := func(role domain.RoleID, o domain.Opinion, reason domain.ReasonCode) domain.Command {
		return domain.GiveReview{Header: x.header(role, officer), Review: domain.ReviewID(role), Opinion: o, Reason: reason}
	}
	x.now = x.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 7, 20, 30, 100, 400}).Draw(x.t, "hours"))*time.Hour + time.Duration(rapid.IntRange(0, 59).Draw(x.t, "minutes"))*time.Minute)
	fresh := rapid.IntRange(0, 5).Draw(x.t, "new")
	if fresh == 1 {
		return x.imports()
	}
	if len(x.requests) == 0 || fresh == 0 {
		c := domain.Submit{Header: x.header("applicant", self), Tenant: timedTenant, Service: "sip-mppdn"}
		if rapid.Bool().Draw(x.t, "building") {
			c.Service, c.Facts = "pbg", domain.Facts{"floor_area": 600.0, "use": "business"}
		}
		a, err := x.engine.Submit(context.Background(), c)
		if err != nil {
			return err
		}
		x.requests = append(x.requests, a.Request.ID)
		next := []func() domain.Command{
			func() domain.Command { return act("clerk", "accept", "") },
			func() domain.Command { return act("clerk", "return", "unreadable") },
		}
		if c.Service == "pbg" {
			next = []func() domain.Command{
				func() domain.Command { return x.attach("land-title") },
				func() domain.Command { return x.attach("structure") },
				func() domain.Command { return act("front-office", "accept", "") },
				func() domain.Command { return review("technical", domain.OpinionApproved, "") },
			}
		}
		for _, command := range next[:rapid.IntRange(0, len(next)).Draw(x.t, "gone on")] {
			if _, err := x.engine.Act(context.Background(), a.Request.ID, command()); err != nil {
				return err
			}
		}
		return nil
	}
	commands := []func() domain.Command{
		func() domain.Command { return act("clerk", "accept", "") },
		func() domain.Command { return act("front-office", "accept", "") },
		func() domain.Command { return act("clerk", "return", "unreadable") },
		func() domain.Command { return act("clerk", "return", "unreadable") },
		func() domain.Command { return act("clerk", "return", "unreadable") },
		func() domain.Command { return act("front-office", "return", "incomplete") },
		func() domain.Command { return act("applicant", "resubmit", "") },
		func() domain.Command { return act("head", "issue", "") },
		func() domain.Command { return act("head", "refuse", "str-invalid") },
		func() domain.Command { return act("head", "object", "") },
		func() domain.Command { return act("head", "object", "unsafe") },
		func() domain.Command { return x.attach("land-title") },
		func() domain.Command { return x.attach("structure") },
		func() domain.Command { return review("technical", domain.OpinionApproved, "") },
		func() domain.Command { return review("fire", domain.OpinionApproved, "") },
		func() domain.Command { return review("fire", domain.OpinionRefused, "unsafe") },
		func() domain.Command {
			return domain.OrderSuspension{Header: x.header("head", officer), Ground: domain.StopForceMajeure, Reason: "flood"}
		},
		func() domain.Command {
			return domain.OrderSuspension{Header: x.header("head", officer), Ground: domain.StopForceMajeure, Reason: "flood"}
		},
		func() domain.Command { return domain.LiftSuspension{Header: x.header("head", officer)} },
		func() domain.Command {
			return domain.ExtendTerm{Header: x.header("head", officer), Term: "decision", Reason: "site-visit"}
		},
	}
	_, err := x.engine.Act(context.Background(), rapid.SampledFrom(x.requests).Draw(x.t, "request"), rapid.SampledFrom(commands).Draw(x.t, "command")())
	return err
}

// rows is what the view should hold: from the requests as they are folded, and what the
// ledger says beyond that.
func (x *timed) rows() (list []projections.Term) {
	for _, id := range x.requests {
		r, err := x.engine.Load(context.Background(), id)
		if err != nil {
			x.t.Fatal(err)
		}
		lines, err := x.engine.Ledger(context.Background(), id, x.almanac)
		if err != nil {
			x.t.Fatal(err)
		}
		rows := map[domain.TermID]*projections.Term{}
		for name, t := range r.Terms {
			short := func(t time.Time) time.Time { return t.Truncate(time.Microsecond) }
			rows[name] = &projections.Term{
				Request: id, Reference: r.Reference, Term: name, Tenant: r.Tenant, Service: r.Service, Budget: t.Budget, Started: short(t.Started), Late: t.Kept == domain.PunctualityLate,
				Due: t.Due, Promised: t.Promised, Wakes: t.Wakes, Stopped: t.Stopped(), Remaining: t.Left, Calendar: t.Calendar,
				Expired: short(t.Expired), Ended: short(t.Ended),
			}
		}
		for _, l := range lines {
			row := rows[l.Term]
			row.Consumed, row.Suspended = l.Consumed, l.Suspended
			switch {
			case l.Event == "TermStarted":
				row.Listed, row.Deemed = false, ""
				row.Date = strings.TrimPrefix(l.Ground, "due by ")
			case l.Event == "TermExpired":
				row.Deemed = domain.ExpiryGround(l.Ground)
			case l.Event == "TermEscalated" && strings.HasPrefix(l.Ground, string(domain.StepOmbudsman)):
				row.Listed = true
			}
			if l.Again != "" {
				x.t.Errorf("%s %s comes to %s", l.Event, l.Term, l.Again)
			}
		}
		for _, row := range rows {
			list = append(list, *row)
		}
	}
	slices.SortFunc(list, func(a, b projections.Term) int {
		return cmp.Or(cmp.Compare(undue(a), undue(b)), a.Due.Compare(b.Due), strings.Compare(a.Request.String(), b.Request.String()), cmp.Compare(a.Term, b.Term))
	})
	return list
}

func undue(t projections.Term) int {
	if t.Due.IsZero() {
		return 1
	}
	return 0
}

// matches is the filter, as it is described.
func matches(f projections.TermFilter, t projections.Term) bool {
	return (f.Tenant == "" || f.Tenant == t.Tenant) && (f.Service == "" || f.Service == t.Service) && (f.Request == uuid.Nil || f.Request == t.Request) &&
		(f.DueBefore.IsZero() || !t.Due.IsZero() && t.Due.Before(f.DueBefore.Truncate(time.Microsecond))) && (!f.Open || t.Ended.IsZero()) && (!f.Stopped || t.Ended.IsZero() && t.Stopped != "") &&
		(!f.Expired || !t.Expired.IsZero()) && (!f.Deemed || t.Deemed != "") && (!f.Listed || t.Listed)
}

// viewsPair is a database for views that are kept while things happen, and one for views
// that are made at the end.
type viewsPair func(t *testing.T, n int) (live, rebuilt database, done func() error)

// database is where views are written, and where they are read.
type database struct {
	writer projections.Store
	reader *sql.DB
}

func sqlitePair(t *testing.T, n int) (database, database, func() error) {
	dir := t.TempDir()
	one, err := sqlite.OpenViews(t.Context(), filepath.Join(dir, fmt.Sprint(n, "live.db")))
	if err != nil {
		t.Fatal(err)
	}
	two, err := sqlite.OpenViews(t.Context(), filepath.Join(dir, fmt.Sprint(n, "rebuilt.db")))
	if err != nil {
		t.Fatal(err)
	}
	return database{one.Writer, one.Reader}, database{two.Writer, two.Reader}, func() error { return errors.Join(one.Close(), two.Close()) }
}

// postgresPair gives the same two databases each time: views of another log begin anew.
func postgresPair(t *testing.T) viewsPair {
	server := pgserver.Start(t)
	var pair []postgres.Views
	for range 2 {
		v, err := postgres.OpenViews(t.Context(), server.NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
		pair = append(pair, v)
	}
	return func(*testing.T, int) (database, database, func() error) {
		return database{pair[0].Writer, pair[0].Reader}, database{pair[1].Writer, pair[1].Reader}, func() error { return nil }
	}
}

func TestTermsAreThoseOfTheRequests(t *testing.T) { termsAgree(t, 1, sqlitePair) }

func TestTermsAreThoseOfTheRequestsOnPostgreSQL(t *testing.T) { termsAgree(t, 3, postgresPair(t)) }

// Whatever is done to requests, however their events interleave, and wherever the runner
// stopped and was started again: the rows of the terms are what the requests come to when
// they are folded, the same as a rebuild from zero, and found by every way of asking.
func termsAgree(t *testing.T, every int, open viewsPair) {
	seen, n := map[string]int{}, 0
	rapid.Check(t, func(r *rapid.T) {
		if n++; n%every > 0 {
			return // it takes long
		}
		x := newTimed(r)
		live, rebuilt, done := open(t, n)
		defer func() {
			if err := done(); err != nil {
				r.Error(err)
			}
		}()
		start := func(db database) *projections.Views { return newViews(t, x.log, db.writer) }
		views, terms := start(live), projections.NewTermsView(live.reader)
		sweeper := workflows.Sweeper{Engine: x.engine, Wakings: terms, Calendars: x.almanac, Now: func() time.Time { return x.now }, Logger: slog.New(slog.DiscardHandler)}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			var refusal *domain.Refusal
			if err := x.step(); err != nil && !errors.As(err, &refusal) {
				r.Fatal(err)
			}
			var err error
			switch rapid.IntRange(0, 11).Draw(r, "then") {
			case 0, 1:
				err = views.CatchUp(t.Context())
			case 2: // the process ends; another begins
				views = start(live)
			case 3, 4:
				if swept, fault := sweeper.Sweep(t.Context()); fault != nil || swept.Failed > 0 {
					r.Fatal(swept, fault)
				}
			case 5:
				err = x.almanac.amend(x.almanac.made[0].DateOf(x.now) + calendar.Date(rapid.IntRange(-3, 8).Draw(r, "holiday")))
			}
			if err != nil {
				r.Fatal(err)
			}
		}
		for _, v := range []*projections.Views{views, start(rebuilt)} {
			if err := v.CatchUp(t.Context()); err != nil {
				r.Fatal(err)
			}
		}
		for _, table := range []string{"term", "timeline", "status"} {
			all := "SELECT * FROM " + table + " ORDER BY 1, 2"
			if d := diff.Diff(storetest.Rows(t, rebuilt.reader, all), storetest.Rows(t, live.reader, all)); d != "" {
				r.Fatalf("(-rebuilt +live)\n%s", d)
			}
		}
		want := x.rows()
		for _, row := range want {
			seen["stopped "+string(row.Stopped)]++
			seen[fmt.Sprint("deemed ", row.Deemed)]++
			seen[fmt.Sprint("listed ", row.Listed)]++
			seen[fmt.Sprint("ended ", !row.Ended.IsZero(), " review ", strings.HasPrefix(string(row.Term), "review:"))]++
		}
		x.asks(t, terms, want)
		list, err := projections.NewStatusView(live.reader).List(t.Context(), projections.Filter{})
		if err != nil || len(list) != len(x.requests) {
			r.Fatal(len(list), err)
		}
		for _, s := range list {
			request, err := x.engine.Load(t.Context(), s.Request)
			if err != nil || s.Punctuality != request.Punctuality() {
				r.Fatalf("the view says %q, the request %q, %v: %+v", s.Punctuality, request.Punctuality(), err, request.Terms)
			}
			seen[fmt.Sprint("imported ", s.Case != "", " ", s.Punctuality)]++
		}
	})
	for _, what := range []string{
		"stopped applicant", "stopped force_majeure", "deemed deemed_approval", "deemed lapse", "listed true", "ended true review true", "ended false review true",
		"imported true on_time", "imported true late", "imported true open", "imported false on_time", "imported false late", "imported false open",
	} {
		if seen[what] == 0 && n >= 100*every { // fewer may not come to it
			t.Errorf("%s was never tried: %v", what, seen)
		}
	}
	t.Log(seen)
}

// asks compares what the view answers with what the rows say.
func (x *timed) asks(t *testing.T, terms *projections.TermsView, rows []projections.Term) {
	f := projections.TermFilter{
		Open: rapid.Bool().Draw(x.t, "open"), Stopped: rapid.Bool().Draw(x.t, "stopped"), Expired: rapid.Bool().Draw(x.t, "expired"),
		Deemed: rapid.Bool().Draw(x.t, "deemed"), Listed: rapid.Bool().Draw(x.t, "listed"),
		Tenant: rapid.SampledFrom([]domain.TenantCode{"", timedTenant, "11.71"}).Draw(x.t, "tenant"), Service: rapid.SampledFrom([]string{"", "pbg"}).Draw(x.t, "service"),
	}
	if len(x.requests) > 0 && rapid.Bool().Draw(x.t, "one") {
		f.Request = x.requests[0]
	}
	if rapid.Bool().Draw(x.t, "before") {
		f.DueBefore = x.now.Add(time.Duration(rapid.IntRange(-500, 500).Draw(x.t, "due")) * time.Hour)
	}
	for _, f := range []projections.TermFilter{{}, {Open: true, DueBefore: x.now}, f} {
		got, err := terms.List(t.Context(), f)
		if err != nil {
			x.t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(rows), func(r projections.Term) bool { return !matches(f, r) })
		if d := diff.Diff(append([]projections.Term{}, want...), got); d != "" {
			x.t.Fatalf("%+v (-requests +view)\n%s", f, d)
		}
	}
	var want []domain.Waking
	calendars := map[domain.TenantCode][]string{}
	for _, row := range rows {
		if !row.Wakes.IsZero() && row.Wakes.Before(x.now.Truncate(time.Microsecond)) {
			want = append(want, domain.Waking{Request: row.Request, Term: row.Term, At: row.Wakes})
		}
		if row.Ended.IsZero() && !slices.Contains(calendars[row.Tenant], row.Calendar) {
			calendars[row.Tenant] = append(calendars[row.Tenant], row.Calendar)
		}
	}
	slices.SortFunc(want, func(a, b domain.Waking) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Request.String(), b.Request.String()), cmp.Compare(a.Term, b.Term))
	})
	var got []domain.Waking
	for last := (domain.Waking{}); ; last = got[len(got)-1] {
		page, err := terms.Waking(t.Context(), x.now, last, 2)
		if err != nil {
			x.t.Fatal(err)
		}
		if got = append(got, page...); len(page) == 0 {
			break
		}
	}
	if d := diff.Diff(want, got); d != "" {
		x.t.Fatalf("moments (-requests +view)\n%s", d)
	}
	list, err := terms.Calendars(t.Context())
	for tenant := range calendars {
		slices.Sort(calendars[tenant])
	}
	if d := diff.Diff(calendars, list); err != nil || d != "" {
		x.t.Fatalf("calendars (-requests +view) %v\n%s", err, d)
	}
	for _, version := range calendars[timedTenant] {
		x.reckonedBy(t, terms, rows, version)
	}
}

func (x *timed) reckonedBy(t *testing.T, terms *projections.TermsView, rows []projections.Term, version string) {
	want, got := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	for _, row := range rows {
		if row.Ended.IsZero() && row.Calendar == version {
			want[row.Request]++
		}
	}
	for after := domain.Position(0); ; {
		page, err := terms.ReckonedBy(t.Context(), timedTenant, version, after, 2)
		if err != nil {
			x.t.Fatal(err)
		}
		for _, r := range page {
			got[r.Request]++
			after = r.Position
		}
		if len(page) == 0 {
			break
		}
	}
	if !maps.Equal(want, got) {
		x.t.Fatalf("reckoned by %s: %v, want %v", version, got, want)
	}
}
