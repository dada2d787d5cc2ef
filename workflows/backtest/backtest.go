// Package backtest judges recorded histories by another version of their workflow: what
// people did is decided anew, in its order and with its times, and what would have gone
// another way is told. Nothing is recorded, and no personal data is opened.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// Versions gives the versions that requests were judged by, such as [workflows.Library].
type Versions interface {
	Version(context.Context, domain.TenantCode, domain.WorkflowRef) (*workflows.Workflow, error)
}

// Calendars gives calendars as they were known, such as [workflows.Calendars].
type Calendars interface {
	Decrees(context.Context, domain.TenantCode) ([]workflows.AddedDecree, error)
	At(context.Context, domain.TenantCode, calendar.Version) (*calendar.Calendar, error)
	AsOf(context.Context, domain.TenantCode, domain.Position) (*calendar.Calendar, error)
}

// Backtest judges histories by a version. It is not safe for concurrent use.
type Backtest struct {
	Log       domain.EventLog
	Versions  Versions
	Calendars Calendars
	Workflow  *workflows.Workflow
	Now       time.Time // up to which the terms of requests run that are open

	decrees   map[domain.TenantCode][]domain.Position // where the decrees of a tenant were added
	calendars *lru.Cache[key, *calendar.Calendar]
	bound     *lru.Cache[binding, *workflows.Workflow]
	same      map[*workflows.Workflow]bool // that say the very same as the new version
}

// binding is a version whose terms are run by a calendar.
type binding struct {
	workflow *workflows.Workflow
	calendar *calendar.Calendar
}

// key is a calendar of a tenant: by its version, or after so many decrees.
type key struct {
	tenant             domain.TenantCode
	version            string
	national, ofTenant int
}

// kept is how many calendars are kept, at some 190 KB each.
const kept = 128

// timed is a version with its terms run by a calendar.
func (t *Backtest) timed(w *workflows.Workflow, c *calendar.Calendar) *workflows.Workflow {
	if t.bound == nil {
		t.bound, _ = lru.New[binding, *workflows.Workflow](kept) // fails only for a size below one
	}
	timed, ok := t.bound.Get(binding{w, c})
	if !ok {
		timed = w.On(c)
		t.bound.Add(binding{w, c}, timed)
	}
	return timed
}

// calendarAt is the calendar that a step was reckoned by, if it says so, else the one
// that was known when it was recorded.
func (t *Backtest) calendarAt(ctx context.Context, tenant domain.TenantCode, position domain.Position, version string) (*calendar.Calendar, error) {
	k := key{tenant: tenant, version: version}
	if version == "" {
		var err error
		if k.national, err = t.before(ctx, "", position); err != nil {
			return nil, err
		}
		if k.ofTenant, err = t.before(ctx, tenant, position); err != nil {
			return nil, err
		}
	}
	if t.calendars == nil {
		t.calendars, _ = lru.New[key, *calendar.Calendar](kept)
	}
	if c, ok := t.calendars.Get(k); ok {
		return c, nil
	}
	var c *calendar.Calendar
	var err error
	if version == "" {
		c, err = t.Calendars.AsOf(ctx, tenant, position)
	} else {
		var v calendar.Version
		if v, err = calendar.ParseVersion(version); err == nil {
			c, err = t.Calendars.At(ctx, tenant, v)
		}
	}
	if err == nil {
		t.calendars.Add(k, c)
	}
	return c, err
}

// before is how many decrees a tenant had at a position.
func (t *Backtest) before(ctx context.Context, tenant domain.TenantCode, position domain.Position) (int, error) {
	list, ok := t.decrees[tenant]
	if !ok {
		decrees, err := t.Calendars.Decrees(ctx, tenant)
		if err != nil {
			return 0, err
		}
		for _, d := range decrees {
			list = append(list, d.Position)
		}
		if t.decrees == nil {
			t.decrees = map[domain.TenantCode][]domain.Position{}
		}
		t.decrees[tenant] = list
	}
	n := 0
	for n < len(list) && list[n] <= position {
		n++
	}
	return n, nil
}

// whenever is a position after all others.
const whenever = domain.Position(1<<63 - 1)

// History judges the history of one request. With tell it says each step. The error is
// not about the history: what is wrong with that is one of its differences.
func (t *Backtest) History(ctx context.Context, request uuid.UUID, tell bool) (History, error) {
	c := t.course(ctx, tell)
	c.h.Request = request
	err := c.run(t.Log.ReadStream(ctx, domain.RequestStream(request), 0))
	if ctx.Err() != nil {
		return c.h, ctx.Err()
	}
	if err != nil {
		if unread := new(unreadError); errors.As(err, &unread) {
			return c.h, err
		}
		c.differs(Difference{Kind: Unjudged, Cause: err.Error()})
		c.h.Stopped = err.Error()
	}
	c.settle()
	c.h.Reference, c.h.Tenant, c.h.Version = c.then.Reference, c.then.Tenant, c.then.Workflow.Version
	c.h.Then, c.h.Now = c.was.outcome, c.is.outcome
	c.h.Partly = c.stopped && c.is.outcome == open || c.refused
	c.h.Verdict = c.h.verdict()
	return c.h, nil
}

// unreadError says that the log could not be read.
type unreadError struct{ error }

func (e *unreadError) Unwrap() error { return e.error }

func (c *course) run(entries iter.Seq2[domain.Entry, error]) error {
	var events []domain.Recorded
	var damaged error
	for entry, err := range entries {
		if err != nil && !errors.Is(err, domain.ErrDamaged) {
			return &unreadError{fmt.Errorf("request %s: %w", c.h.Request, err)}
		}
		var e domain.Recorded
		if err == nil {
			e, err = domain.Decode(entry)
		}
		if err != nil {
			damaged = fmt.Errorf("its events cannot be read: %w", err)
			break
		}
		events = append(events, e)
	}
	if len(events) == 0 && damaged == nil {
		return &unreadError{fmt.Errorf("request %s: %w", c.h.Request, domain.ErrNotFound)}
	}
	if damaged != nil { // of what stands before it, who it is is told
		for i := range events {
			c.then = domain.Evolve(c.then, events[i])
		}
		return damaged
	}
	var err error
	if c.stands, err = c.t.stands(c.ctx, events); err != nil {
		return err
	}
	if uncounted(events) {
		c.own = c.t.course(c.ctx, false)
	}
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].Command == events[0].Command {
			n++
		}
		if err := c.take(&step{events[:n]}); err != nil {
			return err
		}
		events = events[n:]
	}
	return c.end()
}

// uncounted reports whether a case was imported by a program that counted no terms of it.
func uncounted(events []domain.Recorded) bool {
	imported := false
	for i := range events {
		switch b := events[i].Body.(type) {
		case domain.RequestSubmitted:
			imported = b.Imported != nil
		case domain.TermEvent:
			return false
		}
	}
	return imported
}

// end lets the time pass on both sides until the request ended, or until now. The terms of
// an imported case end as its record says, whatever its last step led to.
func (c *course) end() error {
	var err error
	if c.cal, err = c.t.calendarAt(c.ctx, c.then.Tenant, whenever, ""); err != nil {
		return err
	}
	until := c.then.Changed
	if (c.then.Outcome == "" || c.then.Imported != nil) && c.t.Now.After(until) {
		until = c.t.Now
		// What the recorded course still has to come is derived by its own version.
		side := c.t.course(c.ctx, false)
		side.now, side.is, side.cal, side.under, side.ref = c.then, c.was, c.cal, c.by, c.by.Ref()
		if err := side.pass(until); err != nil {
			return err
		}
		c.then, c.was = side.now, side.is
	}
	if c.own != nil {
		c.own.cal = c.cal
		if err := c.own.pass(until); err != nil {
			return err
		}
		c.was.terms = c.own.is.terms
	}
	if c.stopped {
		c.ended()
		return nil
	}
	if err := c.pass(until); err != nil {
		return err
	}
	if c.tell && c.then.Outcome == "" || c.tell && c.then.State != c.now.State {
		c.h.Steps = append(c.h.Steps, Line{At: until, What: "time passed", Then: c.then.State, Now: c.now.State})
	}
	c.compare(false)
	c.ended()
	return nil
}

// pass lets the time pass on the side of the new version.
func (c *course) pass(until time.Time) error {
	if !c.now.Exists() {
		return nil
	}
	comes := func(_ domain.TermID, due time.Time) bool { return !due.After(until) }
	stuck := new(stuckError)
	if err := c.fire(comes); err != nil && !errors.As(err, &stuck) {
		return err
	}
	if c.now.Outcome != "" {
		return nil
	}
	return c.recompute(later(c.now.Changed, until))
}

func later(a, b time.Time) time.Time {
	if b.Before(a) {
		return a
	}
	return b
}

// ended compares the outcomes. After an action was refused that moved the request, nobody
// knows what would have come, unless the request had ended.
func (c *course) ended() {
	if c.after != "" && c.was.outcome == c.is.outcome {
		c.differs(Difference{Kind: Needless, Cause: c.after})
	}
	if c.was.outcome == c.is.outcome || c.is.outcome == open && (c.refused || c.stopped) {
		return
	}
	c.differs(Difference{Kind: Outcome, Cause: c.was.outcome + " then, " + c.is.outcome + " now"})
}
