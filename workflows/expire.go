package workflows

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Expire records what follows from a moment that a term of a request has waited for:
// the event happened then, however late it is recorded. Whoever finds the moment come
// may ask for it, on any node and as often as they like; it is recorded once. Errors:
// [*domain.Refusal] under [domain.RuleTerm] when the term waits for no such moment any
// more.
func (e *Engine) Expire(ctx context.Context, request uuid.UUID, id domain.TermID, due time.Time) (Answer, error) {
	r, err := e.Load(ctx, request)
	if err != nil {
		return Answer{}, err
	}
	return e.Act(ctx, request, expiry(r, request, id, due))
}

// expiry is the command of a moment that a term has waited for.
func expiry(r domain.Request, request uuid.UUID, id domain.TermID, due time.Time) domain.Expire {
	return domain.Expire{
		Header: domain.Header{
			// Of the same moment at the same version there is one command; a moment that
			// was moved away and comes back is another.
			ID:       domain.CommandID(due, "expire", request.String(), string(id), strconv.FormatInt(due.UnixNano(), 10), strconv.Itoa(int(r.Version))),
			Actor:    domain.System(),
			Occurred: due,
		},
		Term: id, Due: due,
	}
}

// Recompute has the terms of a request reckoned by the calendar as it is known now.
// Errors: [*domain.Refusal] under [domain.RuleTerm] when it moves none of them, as when
// another node was faster.
func (e *Engine) Recompute(ctx context.Context, request uuid.UUID) (Answer, error) {
	r, err := e.Load(ctx, request)
	if err != nil {
		return Answer{}, err
	}
	id := domain.CommandID(r.Submitted, "recompute", request.String(), strconv.Itoa(int(r.Version)))
	return e.Act(ctx, request, domain.RecomputeTerms{Header: domain.Header{ID: id, Actor: domain.System()}})
}

// tooOften is an error when so many moments had come that no request can have waited for
// them.
func tooOften(n int, id domain.TermID) error {
	if n <= domain.MaxFollowing {
		return nil
	}
	return fmt.Errorf("what follows from term %q does not come to rest", id)
}

// waitsFor reports whether a command is the one for a moment that has come.
func waitsFor(c domain.Command, id domain.TermID, due time.Time) bool {
	x, ok := c.(domain.Expire)
	return ok && x.Term == id && x.Due.Equal(due)
}

// timed is a workflow with its terms run by the calendar of the tenant.
func (e *Engine) timed(ctx context.Context, w *Workflow, r domain.Request, c domain.Command) (*Workflow, error) {
	if !w.hasTerms && len(r.Terms) == 0 {
		return w, nil
	}
	tenant := r.Tenant
	if s, ok := c.(domain.Submit); ok {
		tenant = s.Tenant
	}
	var cal *calendar.Calendar
	var err error
	if x, ok := c.(domain.Expire); ok {
		// What was not known when the time had passed makes no difference to it: late or
		// not, what follows is the same.
		cal, err = e.working.KnownAt(ctx, tenant, x.Due)
	} else {
		cal, err = e.working.Known(ctx, tenant)
	}
	if err == nil && behind(cal, &r) {
		cal, err = e.working.Latest(ctx, tenant)
	}
	if err != nil {
		return nil, fmt.Errorf("calendar of tenant %s: %w", tenant, err)
	}
	return w.On(cal), nil
}

// behind reports whether a term was reckoned by a newer calendar, by which another node
// went: no due time is ever moved back to an older.
func behind(cal *calendar.Calendar, r *domain.Request) bool {
	is := cal.Version()
	for _, t := range r.Terms {
		if was, err := calendar.ParseVersion(t.Calendar); err == nil && was != is && !is.Supersedes(was) {
			return true
		}
	}
	return false
}

// shipped are the calendars without any decree but those that are shipped.
type shipped struct{}

// shippedCalendars are kept by the names of their zones.
var shippedCalendars sync.Map

// Known implements [Almanac].
func (shipped) Known(_ context.Context, tenant domain.TenantCode) (*calendar.Calendar, error) {
	zone := tenant.Zone()
	if c, ok := shippedCalendars.Load(zone.String()); ok {
		return c.(*calendar.Calendar), nil
	}
	c, err := calendar.Compile(zone, nil, nil)
	if err == nil {
		shippedCalendars.Store(zone.String(), c)
	}
	return c, err
}

// KnownAt implements [Almanac].
func (s shipped) KnownAt(ctx context.Context, tenant domain.TenantCode, _ time.Time) (*calendar.Calendar, error) {
	return s.Known(ctx, tenant)
}

// Latest implements [Almanac].
func (s shipped) Latest(ctx context.Context, tenant domain.TenantCode) (*calendar.Calendar, error) {
	return s.Known(ctx, tenant)
}
