package workflows

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Wakings is a view of the terms of all requests. It may be behind the log: what it
// lists too late is fired late, and what it lists too long is not fired again.
type Wakings interface {
	// Waking lists moments before until in the order in which they come, behind one
	// that was seen before.
	Waking(ctx context.Context, until time.Time, after domain.Waking, limit int) ([]domain.Waking, error)
	// Calendars lists by which calendars the open terms of each tenant were reckoned.
	Calendars(context.Context) (map[domain.TenantCode][]string, error)
	// ReckonedBy lists open terms that were reckoned by a calendar, in the order in
	// which that was recorded, behind a position.
	ReckonedBy(ctx context.Context, tenant domain.TenantCode, calendar string, after domain.Position, limit int) ([]domain.Reckoned, error)
}

// Sweeper has terms run out when their time comes, and reckons them anew when a
// calendar was amended. Several may sweep the same log: what one was faster with is
// nothing to the others. A sweeper is not safe for concurrent use, but for Last.
type Sweeper struct {
	Engine    *Engine
	Wakings   Wakings
	Calendars Almanac
	Now       func() time.Time
	Logger    *slog.Logger
	// CatchUp has the view follow the log as far as it has come, so that what is listed
	// is all there is. It may be nil, and may give up: what is listed is fired then.
	CatchUp func(context.Context) error
	// Fired is told of each moment that a sweep recorded how late that was, by several
	// goroutines. It may be nil.
	Fired func(late time.Duration)

	looked  time.Time                     // when it was last looked whether a calendar was amended
	through map[amendment]domain.Position // how far the terms that it may move were looked through
	stuck   map[uuid.UUID]rest
	last    atomic.Pointer[LastSweep]
}

// Swept is what a sweep came to.
type Swept struct {
	Fired      int // moments that had come, recorded by this sweep
	Recomputed int // requests whose due times a calendar moved
	Failed     int // requests and calendars with which that was not possible; they are tried again
	Stuck      int // requests with which it was not possible when it was last tried, by this sweep or one before
}

// LastSweep is the last sweep that came to its end, or to a fault of the stores.
type LastSweep struct {
	At    time.Time // when it began
	Swept Swept
	Err   error
}

// Last is the last sweep; nil before the first one. It is safe for concurrent use.
func (s *Sweeper) Last() *LastSweep { return s.last.Load() }

// sweepBatch is how many moments are read at once, sweepers how many of those that
// come at the same time are recorded side by side.
const (
	sweepBatch = 1000
	sweepers   = 64
)

// lookEvery is how long a sweep takes the calendars to be as they were.
const lookEvery = 10 * time.Second

// Sweep looks at every term once. What is wrong with one request is logged and counted,
// and stops no other; the request is then left alone for a while. Stores that cannot be
// reached stop the sweep: that is no request's fault.
func (s *Sweeper) Sweep(ctx context.Context) (Swept, error) {
	began := s.Now()
	done, err := s.sweep(ctx, began)
	done.Stuck = len(s.stuck)
	if ctx.Err() == nil {
		s.last.Store(&LastSweep{At: began, Swept: done, Err: err})
	}
	return done, err
}

// sweep looks at the calendars first, so that no moment comes by an old one, but has
// only then what they move recorded: that is dated to now, and what came before stands
// before it.
func (s *Sweeper) sweep(ctx context.Context, until time.Time) (Swept, error) {
	var done Swept
	s.forget(until)
	if s.CatchUp != nil {
		if err := s.CatchUp(ctx); err != nil {
			return done, err
		}
	}
	amended, calendars := s.look(ctx, until, &done)
	if err := s.fire(ctx, until, &done); err != nil {
		return done, errors.Join(calendars, err)
	}
	if err := s.again(ctx, &done); err != nil {
		return done, errors.Join(calendars, err)
	}
	for _, a := range amended {
		if err := s.recompute(ctx, a, &done); err != nil {
			return done, errors.Join(calendars, err)
		}
	}
	return done, calendars
}

// fire records all moments that have come, in their order, those of one time side by
// side. What a request next waits for may have come too, when a sweep or the view is
// late: it takes its place in the order.
func (s *Sweeper) fire(ctx context.Context, until time.Time, done *Swept) error {
	var last domain.Waking
	var listed []domain.Waking // as the view has them
	var found wakings          // as they were found on the way
	for {
		if len(listed) == 0 {
			var err error
			if listed, err = s.Wakings.Waking(ctx, until, last, sweepBatch); err != nil {
				return err
			}
		}
		var at time.Time
		switch {
		case len(listed) == 0 && len(found) == 0:
			return nil
		case len(found) == 0 || len(listed) > 0 && !found[0].At.Before(listed[0].At):
			at = listed[0].At
		default:
			at = found[0].At
		}
		var now []domain.Waking
		have := map[domain.Waking]bool{}
		add := func(w domain.Waking) {
			if w.At = at; !have[w] {
				have[w], now = true, append(now, w)
			}
		}
		for len(listed) > 0 && listed[0].At.Equal(at) {
			last, listed = listed[0], listed[1:]
			add(last)
		}
		for len(found) > 0 && found[0].At.Equal(at) {
			add(heap.Pop(&found).(domain.Waking))
		}
		var mu sync.Mutex
		err := s.each(ctx, now, &done.Fired, done, func(ctx context.Context, w domain.Waking) (bool, error) {
			fired, next, err := s.expire(ctx, w, until)
			if fired && s.Fired != nil {
				s.Fired(s.Now().Sub(w.At))
			}
			if next != nil {
				mu.Lock()
				heap.Push(&found, *next)
				mu.Unlock()
			}
			return fired, err
		})
		if err != nil {
			return err
		}
	}
}

// expire records one moment, and says what of the request comes next, if that has come
// too. That another was faster, or the view is behind, is no fault; that the request
// still waits for the moment is.
func (s *Sweeper) expire(ctx context.Context, w domain.Waking, until time.Time) (bool, *domain.Waking, error) {
	a, err := s.Engine.Expire(ctx, w.Request, w.Term, w.At)
	r, overtaken := a.Request, isRefusal(err, domain.RuleTerm)
	if overtaken {
		var unread error
		if r, unread = s.Engine.Load(ctx, w.Request); unread != nil {
			return false, nil, unread
		}
	} else if err != nil {
		return false, nil, err
	}
	id, due, ok := r.Overdue(until)
	switch {
	case !ok:
		return !overtaken && !a.Repeated, nil, nil
	case overtaken && id == w.Term && due.Equal(w.At):
		return false, nil, err
	}
	return !overtaken && !a.Repeated, &domain.Waking{Request: w.Request, Term: id, At: due}, nil
}

// wakings are moments, the first on top of the heap.
type wakings []domain.Waking

func (w wakings) Len() int           { return len(w) }
func (w wakings) Less(i, j int) bool { return w[i].At.Before(w[j].At) }
func (w wakings) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *wakings) Push(x any)        { *w = append(*w, x.(domain.Waking)) }
func (w *wakings) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	*w = (*w)[:last]
	return x
}

// each does something for each of some moments, side by side, counts how often it was
// done and with how many requests it was not possible. Those rest. The error is one of
// the log, or of the context.
func (s *Sweeper) each(ctx context.Context, batch []domain.Waking, did *int, done *Swept, do func(context.Context, domain.Waking) (bool, error)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan struct{}, sweepers)
	for _, w := range batch {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-turns }()
			now := s.Now()
			mu.Lock()
			rests := s.stuck[w.Request].lasts(now)
			mu.Unlock()
			if rests {
				return
			}
			ok, err := do(ctx, w)
			if gone := s.gone(ctx, err); gone != nil {
				stop(gone)
			}
			if err != nil && ctx.Err() != nil {
				return // whatever it is, it is not the request
			}
			mu.Lock()
			defer mu.Unlock()
			if ok {
				*did++
			}
			if err == nil {
				delete(s.stuck, w.Request)
				return
			}
			if !s.stuck[w.Request].lasts(now) { // by another of its moments, meanwhile
				s.fails(w, now, err)
				done.Failed++
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// gone is the fault of the whole log that is behind an error, if one is.
func (s *Sweeper) gone(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return nil
	}
	for _, fault := range []error{domain.ErrUnavailable, domain.ErrStopped, domain.ErrReadOnly, domain.ErrClosed} {
		if errors.Is(err, fault) {
			return err
		}
	}
	_, unread := s.Engine.log.Head(ctx)
	return unread
}

// rest is for how long a request with which something was not possible is left alone.
type rest struct {
	since     time.Time
	lasting   time.Duration
	recompute bool // it was to be reckoned anew
}

// A request that nothing can be recorded of is tried again soon, then ever more rarely.
const (
	firstRest   = 4 * time.Second
	longestRest = 5 * time.Minute
)

// lasts reports whether it is not over. A clock that was put back ends it.
func (r rest) lasts(now time.Time) bool {
	return !now.Before(r.since) && now.Sub(r.since) < r.lasting
}

func (s *Sweeper) fails(w domain.Waking, now time.Time, err error) {
	if s.stuck == nil {
		s.stuck = map[uuid.UUID]rest{}
	}
	r := rest{now, min(max(firstRest, 2*s.stuck[w.Request].lasting), longestRest), w.Term == ""}
	s.stuck[w.Request] = r
	s.Logger.Error("what follows from a term cannot be recorded", "request", w.Request, "term", w.Term, "due", w.At, "again_in", r.lasting, "error", err)
}

// forget drops requests that nothing was tried with since their rest was over: the view
// lists them no more.
func (s *Sweeper) forget(now time.Time) {
	maps.DeleteFunc(s.stuck, func(_ uuid.UUID, r rest) bool {
		return !r.recompute && now.Sub(r.since) > r.lasting+longestRest
	})
}

// amendment is a calendar by which open terms of a tenant were reckoned, and that which
// came after it.
type amendment struct {
	tenant   domain.TenantCode
	was, now string
}

// look has the calendars of all tenants with open terms read anew, if that is some time
// ago, and says which terms they may move.
func (s *Sweeper) look(ctx context.Context, now time.Time, done *Swept) ([]amendment, error) {
	if now.Sub(s.looked) < lookEvery && !now.Before(s.looked) {
		return nil, nil
	}
	s.looked = now
	all, err := s.Wakings.Calendars(ctx)
	if err != nil {
		return nil, err
	}
	var list []amendment
	for _, tenant := range slices.Sorted(maps.Keys(all)) {
		cal, err := s.Calendars.Latest(ctx, tenant)
		if err != nil {
			done.Failed++
			s.Logger.ErrorContext(ctx, "the calendar cannot be read", "tenant", tenant, "error", err)
			continue
		}
		for _, was := range all[tenant] {
			if v, err := calendar.ParseVersion(was); err == nil && cal.Version().Supersedes(v) {
				list = append(list, amendment{tenant, was, cal.Version().String()})
			}
		}
	}
	maps.DeleteFunc(s.through, func(a amendment, _ domain.Position) bool { return !slices.Contains(list, a) })
	return list, nil
}

// recompute looks through the terms that a calendar may move, from where it last came
// to. Most it does not move, and they stay as they were reckoned; others come later, by
// a node that did not know the calendar, or because the view was behind.
func (s *Sweeper) recompute(ctx context.Context, a amendment, done *Swept) error {
	for {
		list, err := s.Wakings.ReckonedBy(ctx, a.tenant, a.was, s.through[a], sweepBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		requests := make([]uuid.UUID, len(list))
		for i, r := range list {
			requests[i] = r.Request
		}
		if err := s.recomputeEach(ctx, requests, done); err != nil {
			return err
		}
		if s.through == nil {
			s.through = map[amendment]domain.Position{}
		}
		s.through[a] = list[len(list)-1].Position
	}
}

// again tries once more what was not possible.
func (s *Sweeper) again(ctx context.Context, done *Swept) error {
	var requests []uuid.UUID
	for id, r := range s.stuck {
		if r.recompute {
			requests = append(requests, id)
		}
	}
	return s.recomputeEach(ctx, requests, done)
}

func (s *Sweeper) recomputeEach(ctx context.Context, requests []uuid.UUID, done *Swept) error {
	slices.SortFunc(requests, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	requests = slices.Compact(requests)
	batch := make([]domain.Waking, len(requests))
	for i, id := range requests {
		batch[i].Request = id
	}
	return s.each(ctx, batch, &done.Recomputed, done, func(ctx context.Context, w domain.Waking) (bool, error) {
		answer, err := s.Engine.Recompute(ctx, w.Request)
		if isRefusal(err, domain.RuleTerm) {
			return false, nil
		}
		return err == nil && !answer.Repeated, err
	})
}

// Run sweeps until the context ends, every so often.
func (s *Sweeper) Run(ctx context.Context, every time.Duration) {
	turn := time.NewTicker(every)
	defer turn.Stop()
	for {
		done, err := s.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Logger.ErrorContext(ctx, "the terms were not swept", "error", err)
		case done.Fired+done.Recomputed+done.Failed > 0:
			s.Logger.InfoContext(ctx, "swept the terms", "fired", done.Fired, "recomputed", done.Recomputed, "failed", done.Failed, "stuck", done.Stuck)
		}
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
	}
}
