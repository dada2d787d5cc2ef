package workflows_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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

// swept is a log with views of its terms, and a clock and calendars that a test moves.
type swept struct {
	t     *testing.T
	log   *memory.Log
	views *projections.Views
	terms *projections.TermsView
	dec   *decrees
	now   time.Time
}

func newSwept(t *testing.T) *swept {
	t.Helper()
	s := &swept{t: t, log: memory.New(), dec: newDecrees(t), now: time.Date(2026, 6, 2, 1, 0, 0, 0, time.UTC)}
	file, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	s.views, err = projections.NewViews(t.Context(), s.log, file.Writer, slog.New(slog.DiscardHandler),
		projections.StatusProjection{}, projections.TermsProjection{})
	if err != nil {
		t.Fatal(err)
	}
	s.terms = projections.NewTermsView(file.Reader)
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// One that the law would grant, and that must not be granted.
	text := strings.Replace(string(source), "\nterms:", `
facts:
  - {id: blocked, type: boolean, title: {id: Terhalang, en: Blocked}, default: false}
invariants:
  - {never: 'outcome == "approved" && facts.blocked', because: {id: terhalang, en: it is blocked}}
terms:`, 1)
	d, err := workflows.Read("sip.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []domain.TenantCode{"33.14", "33.15"} {
		if _, err := s.node().Library().Publish(t.Context(), workflows.Publication{
			Tenant: tenant, Source: []byte(text), Definition: d, Occurred: s.now, At: s.now, Why: "test", Trial: "to be tried",
			Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// node is an engine of its own: what one knows, another does not.
func (s *swept) node() node { return s.nodeOn(s.log, s.dec) }

func (s *swept) nodeOn(log domain.EventLog, calendars workflows.Almanac) node {
	library := workflows.NewLibrary(log)
	return node{library, workflows.NewEngine(log, library, workflows.EngineConfig{
		Now: func() time.Time { return s.now }, Random: func() uint64 { return 7 }, Calendars: calendars,
	})}
}

type node struct {
	library *workflows.Library
	engine  *workflows.Engine
}

func (n node) Library() *workflows.Library { return n.library }

func (s *swept) sweeper(n node) *workflows.Sweeper {
	return &workflows.Sweeper{Engine: n.engine, Wakings: s.terms, Calendars: s.dec, Now: func() time.Time { return s.now }, Logger: slog.New(slog.DiscardHandler)}
}

// complete submits a request and declares it complete.
func (s *swept) complete(n node, facts domain.Facts) uuid.UUID {
	s.t.Helper()
	return s.completeIn(n, "33.14", facts)
}

func (s *swept) completeIn(n node, tenant domain.TenantCode, facts domain.Facts) uuid.UUID {
	s.t.Helper()
	a, err := n.engine.Submit(s.t.Context(), domain.Submit{Header: newHeader(s.t, "applicant"), Tenant: tenant, Service: "sip-mppdn", Facts: facts})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := n.engine.Act(s.t.Context(), a.Request.ID, domain.Act{Header: newHeader(s.t, "clerk"), Action: "accept"}); err != nil {
		s.t.Fatal(err)
	}
	return a.Request.ID
}

// fired lists what followed from terms since a position, in the order of the log.
func (s *swept) fired(after domain.Position) []domain.Recorded {
	s.t.Helper()
	var list []domain.Recorded
	for e, err := range domain.Events(s.log.ReadAll(s.t.Context(), after)) {
		if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func (s *swept) head() domain.Position {
	s.t.Helper()
	at, err := s.log.Head(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return at
}

func (s *swept) catchUp() {
	s.t.Helper()
	if err := s.views.CatchUp(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// A sweep that comes weeks late records everything in the order in which it was due,
// what it finds on the way too, and does so once.
func TestALateSweepKeepsTheOrder(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	for i := range 5 {
		s.complete(n, nil)
		s.now = s.now.Add(time.Duration(7+i) * time.Hour)
	}
	s.catchUp()
	before := s.head()
	s.now = s.now.AddDate(0, 1, 0)
	done, err := s.sweeper(s.node()).Sweep(t.Context())
	if err != nil || done.Fired == 0 || done.Failed > 0 {
		t.Fatal(done, err)
	}
	events := s.fired(before)
	if !slices.IsSortedFunc(events, func(a, b domain.Recorded) int { return a.Occurred.Compare(b.Occurred) }) {
		t.Error("not in the order in which they were due")
	}
	deemed := 0
	for _, e := range events {
		if _, ok := e.Body.(domain.DecisionDeemed); ok {
			deemed++
		}
		if !e.At.Equal(s.now) || e.Occurred.After(s.now) {
			t.Errorf("occurred %s, recorded %s", e.Occurred, e.At)
		}
	}
	if deemed != 5 {
		t.Errorf("%d of 5 were granted by law", deemed)
	}
	at := s.head()
	for _, caughtUp := range []bool{false, true} { // the view still lists what was fired, and then does not
		if caughtUp {
			s.catchUp()
		}
		again, err := s.sweeper(s.node()).Sweep(t.Context())
		if err != nil || again.Failed > 0 || s.head() != at {
			t.Errorf("a second sweep: %+v, %v, %d events more", again, err, s.head()-at)
		}
	}
}

// Many nodes sweep the same terms at the same moment.
func TestManySweepersFireOnce(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	for range 40 {
		s.complete(n, nil)
	}
	s.catchUp()
	before := s.head()
	s.now = s.now.AddDate(0, 0, 20)
	var wg sync.WaitGroup
	for range 4 {
		sweeper := s.sweeper(s.node())
		wg.Go(func() {
			if done, err := sweeper.Sweep(context.Background()); err != nil || done.Failed > 0 {
				t.Errorf("%+v, %v", done, err)
			}
		})
	}
	wg.Wait()
	times := map[string]int{}
	for _, e := range s.fired(before) {
		name, _ := e.Body.Type()
		times[e.Stream+" "+name]++
		if b, ok := e.Body.(domain.TermEscalated); ok {
			times[e.Stream+" "+name]--
			times[e.Stream+" "+name+string(b.Term)]++
		}
		if b, ok := e.Body.(domain.TermExpired); ok {
			times[e.Stream+" "+name]--
			times[e.Stream+" "+name+string(b.Term)]++
		}
	}
	for what, n := range times {
		if n > 1 {
			t.Errorf("%s: %d times", what, n)
		}
	}
	if len(times) < 40 {
		t.Errorf("only %d things happened", len(times))
	}
}

// One request of which nothing can be recorded stops no other, and is told.
func TestOneBadRequestStopsNoSweep(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	s.complete(n, nil)
	bad := s.complete(n, nil)
	last := s.complete(n, nil)
	s.catchUp()
	s.now = s.now.AddDate(0, 0, 20)
	done, err := s.sweeper(s.nodeOn(&torn{s.log, bad}, s.dec)).Sweep(t.Context())
	if err != nil || done.Failed == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	for id, want := range map[uuid.UUID]domain.StateID{bad: "review", last: "issued-by-law"} {
		if r, err := n.engine.Load(t.Context(), id); err != nil || r.State != want {
			t.Errorf("in %s, %v", r.State, err)
		}
	}
}

// torn is a log in which one request cannot be read.
type torn struct {
	*memory.Log
	request uuid.UUID
}

func (l *torn) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	if stream == domain.RequestStream(l.request) {
		return func(yield func(domain.Entry, error) bool) { yield(domain.Entry{}, errors.New("torn out")) }
	}
	return l.Log.ReadStream(ctx, stream, after)
}

// What the law would grant and the workflow says must never be granted is not: the term
// has run out, the ombudsman is told, and whoever decides can still do so.
func TestAMoveThatMustNotBeLocksNobodyOut(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	id := s.complete(n, domain.Facts{"blocked": true})
	s.catchUp()
	s.now = s.now.AddDate(0, 0, 20)
	if done, err := s.sweeper(n).Sweep(t.Context()); err != nil || done.Failed > 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	s.catchUp()
	list, err := s.terms.List(t.Context(), projections.TermFilter{Listed: true})
	if err != nil || len(list) != 1 || list[0].Term != "decision" || list[0].Deemed != "" || list[0].Expired.IsZero() {
		t.Errorf("on the list: %+v, %v", list, err)
	}
	a, err := n.engine.Act(t.Context(), id, domain.Act{Header: newHeader(t, "head"), Action: "refuse", Reason: "str-invalid"})
	if err != nil || a.Request.State != "refused" {
		t.Errorf("in %s, %v", a.Request.State, err)
	}
	if lines, err := n.engine.Ledger(t.Context(), id, s.dec); err != nil || slices.ContainsFunc(lines, func(l workflows.LedgerLine) bool { return l.Again != "" }) {
		t.Errorf("%+v, %v", lines, err)
	}
}

// A decree that is added while terms run moves them, visibly, once, whichever node looks.
func TestADecreeMovesWhatRuns(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	id := s.complete(n, nil) // on Tuesday the second of June, due on the ninth
	s.catchUp()
	was := s.dec.made[0].DateOf(s.now)
	s.dec.add(was + 6) // Monday the eighth
	before := s.head()
	for range 2 {
		s.now = s.now.Add(time.Minute)
		if _, err := s.sweeper(s.node()).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var moved []string
	for _, e := range s.fired(before) {
		b, ok := e.Body.(domain.TermRecomputed)
		if !ok {
			t.Errorf("recorded %T", e.Body)
			continue
		}
		moved = append(moved, string(b.Term)+" "+b.Was.In(zone).Format("02 15:04")+" > "+b.Due.In(zone).Format("02 15:04"))
	}
	if d := cmp.Diff([]string{"decision 09 16:00 > 10 16:00"}, moved); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	r, err := n.engine.Load(t.Context(), id)
	if err != nil || r.Terms["decision"].Calendar != s.dec.made[1].Version().String() {
		t.Errorf("%+v, %v", r.Terms["decision"], err)
	}
}

var zone = domain.TenantCode("33.14").Zone()
