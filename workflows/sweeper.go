package workflows

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"sync"
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
	// ReckonedBy lists requests with open terms that were reckoned by a calendar, in
	// some order, behind one that was seen before.
	ReckonedBy(ctx context.Context, tenant domain.TenantCode, calendar string, after uuid.UUID, limit int) ([]uuid.UUID, error)
}

// Sweeper has terms run out when their time comes, and reckons them anew when a
// calendar was amended. Several may sweep the same log: what one was faster with is
// nothing to the others. A sweeper is not safe for concurrent use.
type Sweeper struct {
	Engine    *Engine
	Wakings   Wakings
	Calendars Almanac
	Now       func() time.Time
	Logger    *slog.Logger

	settled map[domain.TenantCode]string // by which calendar a tenant's terms were last looked through
	looked  time.Time                    // when it was last looked whether a calendar was amended
}

// Swept is what a sweep came to.
type Swept struct {
	Fired      int // moments that had come
	Recomputed int // requests whose due times a calendar moved
	Failed     int // moments and requests of which that was not possible; they are tried again
}

// sweepBatch is how many moments are read at once, sweepers how many of those that
// come at the same time are recorded side by side.
const (
	sweepBatch = 1000
	sweepers   = 64
)

// lookEvery is how long a sweep takes the calendars to be as they were.
const lookEvery = 10 * time.Second

// Sweep looks at every term once. What is wrong with one request is logged and counted,
// and stops no other.
func (s *Sweeper) Sweep(ctx context.Context) (Swept, error) {
	var done Swept
	err := s.recompute(ctx, &done)
	return done, errors.Join(err, s.fire(ctx, &done))
}

// fire records all moments that have come, in their order, those of one time side by
// side. What a request next waits for may have come too, when a sweep is late: it takes
// its place in the order.
func (s *Sweeper) fire(ctx context.Context, done *Swept) error {
	until := s.Now()
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
		for len(listed) > 0 && listed[0].At.Equal(at) {
			last, now, listed = listed[0], append(now, listed[0]), listed[1:]
		}
		for len(found) > 0 && found[0].At.Equal(at) {
			now = append(now, heap.Pop(&found).(domain.Waking))
		}
		fired, failed := s.each(ctx, now, func(w domain.Waking) ([]domain.Waking, error) {
			a, err := s.Engine.Expire(ctx, w.Request, w.Term, w.At)
			if id, due, ok := a.Request.Overdue(until); ok && err == nil {
				return []domain.Waking{{Request: w.Request, Term: id, At: due}}, nil
			}
			return nil, err
		}, &found)
		done.Fired, done.Failed = done.Fired+fired, done.Failed+failed
		if err := ctx.Err(); err != nil {
			return err
		}
	}
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

// each does something for each of some moments, and says how often it was done and
// how often it failed. That it was done before, or need not be, is neither.
func (s *Sweeper) each(ctx context.Context, batch []domain.Waking, do func(domain.Waking) ([]domain.Waking, error), found *wakings) (int, int) {
	var mu sync.Mutex
	done, failed := 0, 0
	var wg sync.WaitGroup
	turns := make(chan struct{}, sweepers)
	for _, w := range batch {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			more, err := do(w)
			var refusal *domain.Refusal
			mu.Lock()
			defer mu.Unlock()
			for _, m := range more {
				heap.Push(found, m)
			}
			switch {
			case err == nil:
				done++
			case ctx.Err() != nil || errors.As(err, &refusal) && refusal.Rule == domain.RuleTerm:
			default:
				failed++
				s.Logger.ErrorContext(ctx, "what follows from a term cannot be recorded", "request", w.Request, "term", w.Term, "due", w.At, "error", err)
			}
		})
	}
	wg.Wait()
	return done, failed
}

// recompute looks through the terms of tenants whose calendar is another one than they
// were reckoned by.
func (s *Sweeper) recompute(ctx context.Context, done *Swept) error {
	if now := s.Now(); now.Sub(s.looked) >= lookEvery || now.Before(s.looked) {
		s.looked = now
	} else {
		return nil
	}
	all, err := s.Wakings.Calendars(ctx)
	if err != nil {
		return err
	}
	for tenant, versions := range all {
		cal, err := s.Calendars.Latest(ctx, tenant)
		if err != nil {
			done.Failed++
			s.Logger.ErrorContext(ctx, "the calendar cannot be read", "tenant", tenant, "error", err)
			continue
		}
		now := cal.Version().String()
		if s.settled[tenant] == now {
			continue
		}
		failed := done.Failed
		for _, v := range versions {
			if v == now || newer(v, now) {
				continue
			}
			if err := s.recomputeThose(ctx, tenant, v, done); err != nil {
				return err
			}
		}
		if failed == done.Failed {
			if s.settled == nil {
				s.settled = map[domain.TenantCode]string{}
			}
			s.settled[tenant] = now
		}
	}
	return nil
}

// newer reports whether a calendar has more decrees than another.
func newer(a, b string) bool {
	x, errA := calendar.ParseVersion(a)
	y, errB := calendar.ParseVersion(b)
	return errA == nil && errB == nil && cmp.Or(cmp.Compare(x.National, y.National), cmp.Compare(x.Tenant, y.Tenant)) > 0
}

func (s *Sweeper) recomputeThose(ctx context.Context, tenant domain.TenantCode, version string, done *Swept) error {
	var after uuid.UUID
	for {
		requests, err := s.Wakings.ReckonedBy(ctx, tenant, version, after, sweepBatch)
		if err != nil || len(requests) == 0 {
			return err
		}
		batch := make([]domain.Waking, len(requests))
		for i, id := range requests {
			batch[i] = domain.Waking{Request: id}
		}
		recomputed, failed := s.each(ctx, batch, func(w domain.Waking) ([]domain.Waking, error) {
			_, err := s.Engine.Recompute(ctx, w.Request)
			return nil, err
		}, nil)
		done.Recomputed, done.Failed = done.Recomputed+recomputed, done.Failed+failed
		if err := ctx.Err(); err != nil {
			return err
		}
		after = requests[len(requests)-1]
	}
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
		case done != Swept{}:
			s.Logger.InfoContext(ctx, "swept the terms", "fired", done.Fired, "recomputed", done.Recomputed, "failed", done.Failed)
		}
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
	}
}
