package projections_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

var now = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

func newLog() *memory.Log { return memory.New() }

func openFile(t *testing.T, path string) sqlite.Views {
	t.Helper()
	file, err := sqlite.OpenViews(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return file
}

func newViews(t *testing.T, log domain.EventLog, store projections.Store, list ...projections.Projection) *projections.Views {
	t.Helper()
	if len(list) == 0 {
		list = []projections.Projection{projections.StatusProjection{}, projections.TimelineProjection{}, projections.TermsProjection{}, projections.StatisticsProjection{}, projections.PermitProjection{}}
	}
	v, err := projections.NewViews(t.Context(), log, store, slog.New(slog.DiscardHandler), list...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// played is a request to be told to a log: how many actions it takes.
type played struct {
	command uuid.UUID
	version domain.Version
	tip     domain.Tip
}

func newPlayed(n int) *played {
	return &played{command: domain.CommandID(now, fmt.Sprint("request ", n))}
}

func (p *played) request() uuid.UUID { return domain.RequestID(p.command) }

// next records the request's next event.
func (p *played) next(t testing.TB, log domain.EventLog) domain.Appended {
	t.Helper()
	command := domain.CommandID(now, p.command.String(), fmt.Sprint(p.version))
	e := domain.Event{Envelope: domain.Envelope{
		ID: domain.EventID(command, 0), Tenant: "11.71", Service: "permit",
		Actor:    domain.Actor{ID: "officer-secret", Role: "clerk", Capacity: domain.CapacityOfficer},
		Workflow: domain.WorkflowRef{ID: "permit", Version: 2}, Command: command, Correlation: command,
		Occurred: now.Add(time.Duration(p.version) * time.Hour),
	}}
	if p.version == 0 {
		e.Body = domain.RequestSubmitted{
			Request: p.request(), Reference: domain.NewReference(uint64(p.command[9]) << 20), State: "new", Public: domain.StatusReceived,
			Imported: &domain.Imported{Case: "case", Due: now, Ended: now.Add(time.Second)},
		}
	} else {
		from := domain.StateID(fmt.Sprint("s", p.version-1))
		to := domain.StateID(fmt.Sprint("s", p.version))
		e.Body = domain.ActionTaken{Action: "go", From: from, To: to, Public: domain.StatusInProcess, Reason: "r"}
	}
	a, tip, err := domain.Enter(domain.RequestStream(p.request()), p.tip, now, []domain.Event{e})
	if err != nil {
		t.Fatal(err)
	}
	done, err := log.Append(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	p.version, p.tip = p.version+1, tip
	return done
}

// dump is every row of the views but for positions, which another order of the
// same streams changes.
func dump(t testing.TB, db *sql.DB, ordered bool) []string {
	t.Helper()
	var out []string
	columns := map[string]string{
		"status":   "request, reference, tenant, service, workflow_version, state, public, outcome, submitted, changed, version, source_case, due, ended",
		"timeline": "request, version, occurred, recorded, action, state, public, reason",
	}
	if ordered {
		columns["status"] += ", began"
	}
	for _, table := range []string{"status", "timeline"} {
		out = append(out, storetest.Rows(t, db, "SELECT "+columns[table]+" FROM "+table+" ORDER BY request, version")...)
	}
	for _, table := range []string{"statistics", "permit"} { // these have no positions
		out = append(out, storetest.Rows(t, db, "SELECT * FROM "+table+" ORDER BY request")...)
	}
	return out
}

func TestViewsShowWhatHappened(t *testing.T) {
	log := newLog()
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer)
	one, two := newPlayed(1), newPlayed(2)
	one.next(t, log)
	two.next(t, log)
	one.next(t, log)
	one.next(t, log)
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := projections.NewStatusView(file.Reader)
	list, err := status.List(t.Context(), projections.Filter{})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d requests, %v", len(list), err)
	}
	want := projections.Status{
		Request: one.request(), Reference: list[0].Reference, Tenant: "11.71", Service: "permit", WorkflowVersion: 2,
		State: "s2", Public: domain.StatusInProcess, Submitted: now, Changed: now.Add(2 * time.Hour), Version: 3,
		Case: "case", Due: now, Ended: now.Add(time.Second), Punctuality: domain.PunctualityLate,
	}
	if d := cmp.Diff(want, list[0]); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	byRef, err := status.ByReference(t.Context(), list[0].Reference)
	if err != nil || byRef.Request != one.request() {
		t.Errorf("by reference: %v, %v", byRef.Request, err)
	}
	steps, err := projections.NewTimelineView(file.Reader).Of(t.Context(), one.request())
	if err != nil {
		t.Fatal(err)
	}
	wantSteps := []projections.Step{
		{Version: 1, Workflow: 2, Kind: projections.StepSubmitted, Occurred: now, Recorded: now, State: "new", Public: domain.StatusReceived},
		{Version: 2, Workflow: 2, Kind: projections.StepAction, Occurred: now.Add(time.Hour), Recorded: now, Action: "go", State: "s1", Public: domain.StatusInProcess, Reason: "r"},
		{Version: 3, Workflow: 2, Kind: projections.StepAction, Occurred: now.Add(2 * time.Hour), Recorded: now, Action: "go", State: "s2", Public: domain.StatusInProcess, Reason: "r"},
	}
	if d := cmp.Diff(wantSteps, steps); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, row := range dump(t, file.Reader, true) {
		if strings.Contains(row, "secret") {
			t.Errorf("a view for citizens holds an officer: %s", row)
		}
	}
}

func TestListFilters(t *testing.T) {
	log := newLog()
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer)
	var all []*played
	for i := range 5 {
		all = append(all, newPlayed(i))
		all[i].next(t, log)
	}
	all[3].next(t, log)
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := projections.NewStatusView(file.Reader)
	list, err := status.List(t.Context(), projections.Filter{})
	if err != nil || len(list) != 5 {
		t.Fatalf("%d requests, %v", len(list), err)
	}
	for name, c := range map[string]struct {
		filter projections.Filter
		want   []int
	}{
		"by tenant":         {projections.Filter{Tenant: "11.71"}, []int{0, 1, 2, 3, 4}},
		"by another tenant": {projections.Filter{Tenant: "11.72"}, nil},
		"by service":        {projections.Filter{Service: "nothing"}, nil},
		"by state":          {projections.Filter{State: "s1"}, []int{3}},
		"by status":         {projections.Filter{Public: domain.StatusReceived}, []int{0, 1, 2, 4}},
		"the first two":     {projections.Filter{Limit: 2}, []int{0, 1}},
		"the next two":      {projections.Filter{Limit: 2, After: list[1].Reference}, []int{2, 3}},
		"the rest":          {projections.Filter{After: list[3].Reference}, []int{4}},
	} {
		got, err := status.List(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var want, have []uuid.UUID
		for _, i := range c.want {
			want = append(want, all[i].request())
		}
		for _, s := range got {
			have = append(have, s.Request)
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}

// Whatever the interleaving of the streams, and wherever the runner stopped and
// was started again, the rows are those of a rebuild from zero.
func TestViewsAgreeWithARebuild(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		log := newLog()
		open := func(name string) sqlite.Views { // for this check only: there are many
			file, err := sqlite.OpenViews(t.Context(), filepath.Join(dir, fmt.Sprint(n, name)))
			if err != nil {
				r.Fatal(err)
			}
			return file
		}
		file, rebuilt, straight := open("live.db"), open("rebuilt.db"), open("straight.db")
		defer func() {
			if err := errors.Join(file.Close(), rebuilt.Close(), straight.Close()); err != nil {
				r.Error(err)
			}
		}()
		views := newViews(t, log, file.Writer)
		requests := []*played{newPlayed(1), newPlayed(2), newPlayed(3)}
		other := newLog() // the same streams, one after the other
		for range rapid.IntRange(1, 30).Draw(r, "events") {
			requests[rapid.IntRange(0, 2).Draw(r, "request")].next(t, log)
			switch rapid.IntRange(0, 5).Draw(r, "then") {
			case 0:
				if err := views.CatchUp(t.Context()); err != nil {
					r.Fatal(err)
				}
			case 1: // the process ends; another begins
				views = newViews(t, log, file.Writer)
			}
		}
		for i, p := range requests {
			again := newPlayed(i + 1)
			for range p.version {
				again.next(t, other)
			}
		}
		for _, v := range []*projections.Views{views, newViews(t, log, rebuilt.Writer), newViews(t, other, straight.Writer)} {
			if err := v.CatchUp(t.Context()); err != nil {
				r.Fatal(err)
			}
		}
		if d := cmp.Diff(dump(t, rebuilt.Reader, true), dump(t, file.Reader, true)); d != "" {
			r.Fatalf("(-rebuilt +live)\n%s", d)
		}
		if d := cmp.Diff(dump(t, straight.Reader, false), dump(t, file.Reader, false)); d != "" {
			r.Fatalf("(-straight +interleaved)\n%s", d)
		}
	})
}

// Two processes that keep the same views do not fold an event twice.
func TestTwoRunnersShareTheViews(t *testing.T) {
	log := newLog()
	path := filepath.Join(t.TempDir(), "views.db")
	a, b := openFile(t, path), openFile(t, path)
	va, vb := newViews(t, log, a.Writer), newViews(t, log, b.Writer)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, 2)
	for _, v := range []*projections.Views{va, vb} {
		go func() { v.Run(ctx); done <- struct{}{} }()
	}
	var last domain.Appended
	for i := range 20 {
		p := newPlayed(i)
		for range 5 {
			last = p.next(t, log)
		}
	}
	for _, v := range []*projections.Views{va, vb} {
		wait, stop := context.WithTimeout(t.Context(), time.Minute)
		if err := v.WaitFor(wait, last.Position); err != nil {
			t.Error(err)
		}
		stop()
	}
	cancel()
	<-done
	<-done
	rebuilt := openFile(t, filepath.Join(t.TempDir(), "rebuilt.db"))
	if err := newViews(t, log, rebuilt.Writer).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(dump(t, rebuilt.Reader, true), dump(t, a.Reader, true)); d != "" {
		t.Errorf("(-rebuilt +live)\n%s", d)
	}
}

// poison cannot fold an event.
type poison struct{ at domain.Position }

type poisonRow struct{ Position domain.Position }

func (poison) Name() string   { return "poison" }
func (poison) Schema() string { return `CREATE TABLE poison (position BIGINT PRIMARY KEY)` }
func (p poison) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	table := projections.Table[poisonRow]{Name: "poison", Key: 1, Fold: func(rows *projections.Rows[poisonRow], e domain.Recorded) error {
		if e.Position == p.at {
			return errors.New("indigestible")
		}
		rows.Add(poisonRow{e.Position})
		return nil
	}}
	return table.Apply(ctx, tx, events)
}

func TestWhatCannotBeFoldedStopsOnlyItsViewAndIsNamed(t *testing.T) {
	log := newLog()
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer, poison{at: 2}, projections.StatusProjection{})
	p := newPlayed(1)
	var last domain.Appended
	for range 3 {
		last = p.next(t, log)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { views.Run(ctx); close(done) }()
	var lags []projections.Lag
	for now, err := range poll(t, func() ([]projections.Lag, error) { return views.Lags(t.Context()) }) {
		if err != nil {
			t.Fatal(err)
		}
		if lags = now; lags[0].Stopped != nil && lags[0].Fault != "" && lags[1].Position == last.Position {
			break
		}
	}
	cancel()
	<-done
	if l := lags[0]; l.Position != 1 || l.Stopped == nil || l.Stopped.Position != 2 || l.Stopped.Type != "ActionTaken" || l.Events != 2 || l.Seconds <= 0 || lags[1].Fault != "" {
		t.Errorf("lags %+v", lags)
	}
	if rows := storetest.Rows(t, file.Reader, `SELECT * FROM poison`); len(rows) != 1 {
		t.Errorf("what comes before it: %v", rows)
	}
	// Whoever looks from elsewhere is told the same; a program that can fold it goes on.
	again := newViews(t, log, file.Writer, poison{at: 99}, projections.StatusProjection{})
	if there, err := again.Lags(t.Context()); err != nil || there[0].Stopped == nil || *there[0].Stopped != *lags[0].Stopped {
		t.Errorf("%+v, %v", there, err)
	}
	if err := again.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if there, err := again.Lags(t.Context()); err != nil || there[0].Stopped != nil || there[0].Position != last.Position {
		t.Errorf("%+v, %v", there, err)
	}
}

// poll asks again until the test stops asking, at most for a minute.
func poll[T any](t *testing.T, ask func() (T, error)) func(func(T, error) bool) {
	t.Helper()
	return func(yield func(T, error) bool) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range 12_000 {
			if v, err := ask(); !yield(v, err) {
				return
			}
			<-tick.C
		}
		t.Fatal("waited a minute for nothing")
	}
}

func TestViewsOfAnotherLogAreBuiltAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "views.db")
	file := openFile(t, path)
	first := newLog()
	newPlayed(1).next(t, first)
	if err := newViews(t, first, file.Writer).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := newLog()
	newPlayed(2).next(t, second)
	if err := newViews(t, second, file.Writer).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := projections.NewStatusView(file.Reader).List(t.Context(), projections.Filter{})
	if err != nil || len(list) != 1 || list[0].Request != newPlayed(2).request() {
		t.Errorf("%+v, %v; want only the second log's request", list, err)
	}
}

func TestFinder(t *testing.T) {
	log := newLog()
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer)
	status := projections.NewStatusView(file.Reader)
	finder := projections.NewFinder(log, views, status)
	p := newPlayed(1)
	p.next(t, log)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { views.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	ref := string(domain.NewReference(uint64(p.command[9]) << 20))
	// Just submitted: the view may not have it yet, and is waited for.
	for _, typed := range []string{ref, strings.ToLower(ref), strings.ReplaceAll(ref, "-", " ")} {
		if s, err := finder.Find(t.Context(), typed); err != nil || s.Request != p.request() {
			t.Errorf("%q: %v, %v", typed, s.Request, err)
		}
	}
	for _, typed := range []string{"", "nonsense", string(domain.NewReference(77)), ref + "X"} {
		if _, err := finder.Find(t.Context(), typed); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

// faulty is a log that cannot be read beyond a position.
type faulty struct {
	*memory.Log
	last domain.Position
}

func (f faulty) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		for e, err := range f.Log.ReadAll(ctx, after) {
			if e.Position > f.last {
				yield(domain.Entry{}, errors.New("undecodable"))
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestWhatComesBeforeAnUnreadableEventIsShown(t *testing.T) {
	log := newLog()
	p := newPlayed(1)
	for range 5 {
		p.next(t, log)
	}
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, faulty{log, 3}, file.Writer)
	if err := views.CatchUp(t.Context()); err == nil {
		t.Error("the fault was not told")
	}
	list, err := projections.NewStatusView(file.Reader).List(t.Context(), projections.Filter{})
	if err != nil || len(list) != 1 || list[0].Version != 3 {
		t.Errorf("%+v, %v; want version 3", list, err)
	}
}

// Another view that is stuck does not keep the finder from saying that there is
// no such request.
func TestFinderDoesNotWaitForOtherViews(t *testing.T) {
	log := newLog()
	newPlayed(1).next(t, log)
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer, poison{at: 1}, projections.StatusProjection{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { views.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	finder := projections.NewFinder(log, views, projections.NewStatusView(file.Reader))
	for _, typed := range []string{"nonsense", string(domain.NewReference(77))} {
		if _, err := finder.Find(t.Context(), typed); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

// When the status view itself does not advance, nobody is told that a request
// does not exist: it may. Whatever was typed, the answer is the same.
func TestFinderDoesNotDenyWhatItCannotKnow(t *testing.T) {
	log := newLog()
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer) // nobody runs them
	newPlayed(1).next(t, log)
	finder := projections.NewFinder(log, views, projections.NewStatusView(file.Reader))
	for _, typed := range []string{"nonsense", string(domain.NewReference(77))} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := finder.Find(ctx, typed); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q: %v", typed, err)
		}
		cancel()
	}
}
