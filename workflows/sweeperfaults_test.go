package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// inOrder holds that events stand in the order in which they happened.
func inOrder(t *testing.T, events []domain.Recorded) {
	t.Helper()
	if !slices.IsSortedFunc(events, func(a, b domain.Recorded) int { return a.Occurred.Compare(b.Occurred) }) {
		for _, e := range events {
			t.Logf("%s %s %T", e.Occurred.Format(time.DateTime), e.Stream[len(e.Stream)-4:], e.Body)
		}
		t.Error("not in the order in which they were due")
	}
}

// firedOnce holds that nothing happened to a term of a request twice, and returns how
// much did.
func firedOnce(t *testing.T, events []domain.Recorded) int {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range events {
		what := ""
		switch b := e.Body.(type) {
		case domain.TermReminded:
			what = fmt.Sprintf("%s reminded of %s", e.Stream, b.Term)
		case domain.TermExpired:
			what = fmt.Sprintf("%s expired %s", e.Stream, b.Term)
		case domain.TermEscalated:
			what = fmt.Sprintf("%s escalated %s %s %s", e.Stream, b.Term, b.Step, b.Role)
		case domain.DecisionDeemed:
			what = fmt.Sprintf("%s deemed %s", e.Stream, b.Term)
		default:
			continue
		}
		if seen[what] {
			t.Errorf("%s twice", what)
		}
		seen[what] = true
	}
	return len(seen)
}

func (s *swept) sweep(sweeper *workflows.Sweeper, want workflows.Swept) {
	s.t.Helper()
	if got, err := sweeper.Sweep(s.t.Context()); err != nil || got != want {
		s.t.Fatalf("swept %+v, %v; want %+v", got, err, want)
	}
}

// A calendar that was amended while nobody swept does not have one request overtake
// another.
func TestALateSweepByAnotherCalendarKeepsTheOrder(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	for range 4 {
		s.complete(n, nil)
		s.now = s.now.Add(25 * time.Hour)
	}
	s.catchUp()
	s.dec.add(s.dec.made[0].DateOf(s.now) + 3) // a Tuesday on which some are due
	before := s.head()
	s.now = s.now.AddDate(0, 1, 0)
	if done, err := s.sweeper(s.node()).Sweep(t.Context()); err != nil || done.Failed > 0 {
		t.Fatal(done, err)
	}
	events := s.fired(before)
	inOrder(t, events)
	if !slices.ContainsFunc(events, func(e domain.Recorded) bool { _, ok := e.Body.(domain.TermRecomputed); return ok }) {
		t.Error("the calendar moved nothing: the test tested nothing")
	}
	firedOnce(t, events)
}

// What a request waits for next is fired in its turn, though the view still lists what
// another node has fired.
func TestAViewThatIsBehindDoesNotChangeTheOrder(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	first := s.complete(n, nil)
	s.now = s.now.Add(30 * time.Hour)
	s.complete(n, nil)
	s.catchUp()
	began := s.now
	s.now = s.now.AddDate(0, 1, 0)
	r, err := n.engine.Load(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	id, due, ok := r.Overdue(s.now)
	if !ok {
		t.Fatal("nothing has come")
	}
	if _, err := s.node().engine.Expire(t.Context(), first, id, due); err != nil {
		t.Fatal(err)
	}
	before := s.head()
	if done, err := s.sweeper(n).Sweep(t.Context()); err != nil || done.Failed > 0 {
		t.Fatal(done, err)
	}
	events := s.fired(before)
	inOrder(t, events)
	if n := firedOnce(t, events); n < 8 {
		t.Errorf("only %d things happened since %s", n, began)
	}
	for _, id := range []uuid.UUID{first} {
		if r, err := n.engine.Load(t.Context(), id); err != nil || r.State != "issued-by-law" {
			t.Errorf("in %s, %v", r.State, err)
		}
	}
}

// A request that nothing can be recorded of is tried ever more rarely, is told each
// time it is tried, and is known to be there all the while.
func TestABadRequestIsLeftAlone(t *testing.T) {
	s := newSwept(t)
	bad := s.complete(s.node(), nil)
	s.complete(s.node(), nil)
	n := s.nodeOn(&torn{s.log, bad}, s.dec)
	s.catchUp()
	s.now = s.now.AddDate(0, 0, 20)
	var told strings.Builder
	sweeper := s.sweeper(n)
	sweeper.Logger = slog.New(slog.NewTextHandler(&told, nil))
	if done, err := sweeper.Sweep(t.Context()); err != nil || done.Failed != 1 || done.Stuck != 1 || done.Fired == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	s.catchUp()
	start, tried := s.now, []time.Duration{0}
	for range 400 {
		s.now = s.now.Add(2 * time.Second)
		done, err := sweeper.Sweep(t.Context())
		if err != nil || done.Stuck != 1 || done.Fired != 0 {
			t.Fatalf("%+v, %v", done, err)
		}
		if done.Failed > 0 {
			tried = append(tried, s.now.Sub(start))
		}
	}
	var want []time.Duration
	for at, rest := time.Duration(0), 4*time.Second; at <= 800*time.Second; at, rest = at+rest, min(2*rest, 5*time.Minute) {
		want = append(want, at)
	}
	if d := cmp.Diff(want, tried); d != "" {
		t.Errorf("tried (-want +got)\n%s", d)
	}
	if n := strings.Count(told.String(), "cannot be recorded"); n != len(want) {
		t.Errorf("told %d times of %d\n%s", n, len(want), told.String())
	}
	// A clock that is put back does not keep it waiting until it is there again.
	s.now = s.now.Add(-time.Hour)
	s.sweep(sweeper, workflows.Swept{Failed: 1, Stuck: 1})
	if last := sweeper.Last(); last == nil || !last.At.Equal(s.now) || last.Swept.Stuck != 1 {
		t.Errorf("the last sweep: %+v", last)
	}
}

// elsewhere are calendars of which that of one tenant cannot be read.
type elsewhere struct {
	*decrees
	not domain.TenantCode
}

func (e *elsewhere) Known(ctx context.Context, t domain.TenantCode) (*calendar.Calendar, error) {
	if t == e.not {
		return nil, errors.New("torn out")
	}
	return e.decrees.Known(ctx, t)
}

func (e *elsewhere) KnownAt(ctx context.Context, t domain.TenantCode, _ time.Time) (*calendar.Calendar, error) {
	return e.Known(ctx, t)
}

func (e *elsewhere) Latest(ctx context.Context, t domain.TenantCode) (*calendar.Calendar, error) {
	return e.Known(ctx, t)
}

// The calendar of one tenant that cannot be read is no other's concern, and all is made
// good when it can be.
func TestACalendarThatCannotBeRead(t *testing.T) {
	s := newSwept(t)
	calendars := &elsewhere{decrees: s.dec}
	n := s.nodeOn(s.log, calendars)
	here, there := s.completeIn(n, "33.14", nil), s.completeIn(n, "33.15", nil)
	s.catchUp()
	s.now = s.now.AddDate(0, 0, 20)
	calendars.not = "33.14"
	sweeper := s.sweeper(n)
	sweeper.Calendars = calendars
	done, err := sweeper.Sweep(t.Context())
	if err != nil || done.Failed != 2 || done.Stuck != 1 { // the calendar, and the request
		t.Fatalf("%+v, %v", done, err)
	}
	state := func(id uuid.UUID) domain.StateID {
		r, err := n.engine.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return r.State
	}
	if a, b := state(here), state(there); a != "review" || b != "issued-by-law" {
		t.Errorf("in %s and %s", a, b)
	}
	calendars.not = ""
	s.now = s.now.Add(time.Minute)
	if done, err := sweeper.Sweep(t.Context()); err != nil || done.Failed > 0 || done.Stuck > 0 || state(here) != "issued-by-law" {
		t.Errorf("%+v, %v, in %s", done, err, state(here))
	}
	firedOnce(t, s.fired(0))
}

// gated is a log that asks before each append.
type gated struct {
	*memory.Log
	ask func() error
}

func (g *gated) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if err := errors.Join(g.ask(), ctx.Err()); err != nil {
		return domain.Appended{}, err
	}
	return g.Log.Append(ctx, a)
}

// A log that is gone for a while, and a sweep that is ended in its middle, are no
// request's fault; what was left is done by the next sweep.
func TestASweepThatIsCutShort(t *testing.T) {
	for name, cut := range map[string]func(cancel func()) error{
		"the log is gone":    func(func()) error { return fmt.Errorf("no route: %w", domain.ErrUnavailable) },
		"the log is stopped": func(func()) error { return domain.ErrStopped },
		"the context ends":   func(cancel func()) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSwept(t)
			n := s.node()
			for range 150 {
				s.complete(n, nil)
			}
			s.catchUp()
			before := s.head()
			s.now = s.now.AddDate(0, 0, 20)
			ctx, cancel := context.WithCancel(t.Context())
			var appends atomic.Int64
			log := &gated{s.log, func() error {
				if appends.Add(1) > 200 {
					return cut(cancel)
				}
				return nil
			}}
			var told strings.Builder
			sweeper := s.sweeper(s.nodeOn(log, s.dec))
			sweeper.Logger = slog.New(slog.NewTextHandler(&told, nil))
			done, err := sweeper.Sweep(ctx)
			if err == nil || done.Failed > 0 || done.Stuck > 0 || told.Len() > 0 {
				t.Errorf("%+v, %v\n%s", done, err, told.String())
			}
			if done.Fired == 0 || appends.Load() > 200+128 {
				t.Errorf("%d fired, %d tried", done.Fired, appends.Load())
			}
			log.ask = func() error { return nil }
			s.catchUp()
			if done, err = sweeper.Sweep(t.Context()); err != nil || done.Failed > 0 {
				t.Errorf("%+v, %v", done, err)
			}
			events := s.fired(before)
			inOrder(t, events)
			if n := firedOnce(t, events); n != 150*5 { // review expires and escalates, a reminder, the end of the decision, and what the law makes of it
				t.Errorf("%d things happened", n)
			}
		})
	}
}

// More moments at one time than are read at once.
func TestAFloodAtOneTime(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	const many = 1100
	for range many {
		s.complete(n, nil)
	}
	s.catchUp()
	before := s.head()
	s.now = s.now.AddDate(0, 0, 20)
	// The view follows while it is swept, and lists again what was found on the way.
	ctx, stop := context.WithCancel(t.Context())
	following := make(chan struct{})
	go func() { defer close(following); s.views.Run(ctx) }()
	done, err := s.sweeper(s.node()).Sweep(t.Context())
	stop()
	<-following
	events := s.fired(before)
	inOrder(t, events)
	if n := firedOnce(t, events); err != nil || done.Failed > 0 || n != many*5 {
		t.Errorf("%+v, %v: %d things happened", done, err, n)
	}
	if done.Fired != many*3 { // moments
		t.Errorf("%d fired", done.Fired)
	}
}

// Whoever acts on a request in the moment in which a sweeper fires what it waited for
// finds it fired, and is never told to wait.
func TestActingBesideASweeper(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	for range 30 {
		id := s.complete(n, nil)
		r, err := n.engine.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		s.now = s.now.AddDate(0, 0, 20)
		var wg sync.WaitGroup
		for range 4 {
			other, header := s.node(), newHeader(t, "head")
			wg.Go(func() { // as a sweeper
				for r := r; ; {
					term, due, ok := r.Overdue(s.now)
					if !ok {
						return
					}
					_, err := other.engine.Expire(context.Background(), id, term, due)
					var refusal *domain.Refusal
					if err != nil && !errors.As(err, &refusal) {
						t.Error(err)
						return
					}
					if r, err = other.engine.Load(context.Background(), id); err != nil {
						t.Error(err)
						return
					}
				}
			})
			acting := s.node()
			wg.Go(func() {
				_, err := acting.engine.Act(context.Background(), id, domain.Act{Header: header, Action: "issue"})
				var refusal *domain.Refusal
				if !errors.As(err, &refusal) || refusal.Rule == domain.RuleTerm { // it was issued by law, and cannot be once more
					t.Errorf("told %v", err)
				}
			})
		}
		wg.Wait()
	}
	firedOnce(t, s.fired(0))
}
