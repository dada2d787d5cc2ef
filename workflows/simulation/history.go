package simulation

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// Fitter learns parameters from the recorded events of one service. Those of a request
// come in their order.
type Fitter struct {
	// Of gives the calendar of a tenant. It may be nil: each tenant then has that of the
	// fitter, or where its zone is another, the one that is shipped, in its zone.
	Of func(domain.TenantCode) (*calendar.Calendar, error)

	d        *workflows.Definition
	calendar *calendar.Calendar // in which the arrivals of all are counted
	tenants  map[domain.TenantCode]*calendar.Calendar
	requests map[string]*recorded
	order    []*recorded
	err      error // no calendar could be had for a tenant
}

// recorded is one request.
type recorded struct {
	id    string
	by    *calendar.Calendar // of its tenant
	state domain.StateID
	came  time.Time // to its state
	last  time.Time
	began time.Time // picked or given out in its state
	asked map[domain.ReviewID]time.Time

	submitted time.Time
	ended     time.Time // first
	reopened  bool      // something was done after that
	works     []worked
	chosen    [2][]chosen // before the first end, and after it
}

// worked is something that somebody did.
type worked struct {
	what        string // a state, "review x" or "system x"
	by          *calendar.Calendar
	role        domain.RoleID
	officer     string
	ready, done time.Time
	began       time.Time // if it was recorded
	word        string    // of reviews and systems: what it came to
	again       bool      // after the first end
}

// chosen is an action out of a state.
type chosen struct {
	from domain.StateID
	choice
}

// NewFitter makes a fitter for a definition; the calendar says what working time is.
func NewFitter(d *workflows.Definition, c *calendar.Calendar) *Fitter {
	return &Fitter{d: d, calendar: c, requests: map[string]*recorded{}, tenants: map[domain.TenantCode]*calendar.Calendar{}}
}

// of is the calendar that the requests of a tenant are counted by.
func (f *Fitter) of(tenant domain.TenantCode) *calendar.Calendar {
	c, ok := f.tenants[tenant]
	if ok {
		return c
	}
	c = f.calendar
	var err error
	switch {
	case tenant == "":
	case f.Of != nil:
		c, err = f.Of(tenant)
	case tenant.Zone().String() != c.Zone().String():
		c, err = calendar.Compile(tenant.Zone(), nil, nil)
	}
	if err != nil {
		f.err = errors.Join(f.err, fmt.Errorf("calendar of tenant %s: %w", tenant, err))
		c = f.calendar
	}
	f.tenants[tenant] = c
	return c
}

// Add takes an event of the service.
func (f *Fitter) Add(e domain.Recorded) {
	at := e.Occurred
	if b, ok := e.Body.(domain.RequestSubmitted); ok {
		r := &recorded{id: domain.RequestStream(b.Request), by: f.of(e.Tenant), state: b.State, came: at, last: at, submitted: at, asked: map[domain.ReviewID]time.Time{}}
		f.requests[e.Stream] = r
		f.order = append(f.order, r)
		return
	}
	r := f.requests[e.Stream]
	if r == nil {
		return
	}
	if m, ok := e.Body.(domain.RequestMigrated); ok && !m.Came {
		r.renamed(m)
		return
	}
	r.last = at
	if m, ok := domain.MoveOf(e.Body); ok {
		defer r.moved(m, at)
	}
	switch b := e.Body.(type) {
	case domain.ActionTaken:
		if b.Kind != domain.ActionAuto {
			// Out of the first end it is still that end's.
			again := r.reopened
			r.works = append(r.works, worked{what: string(b.From), by: r.by, role: e.Actor.Role, officer: e.Actor.ID, ready: r.came, done: at, began: r.began, again: again})
			part := 0
			if again {
				part = 1
			}
			r.chosen[part] = append(r.chosen[part], chosen{b.From, choice{b.Action, e.Actor.Role}})
			r.reopened = !r.ended.IsZero()
		}
	case domain.TaskPicked, domain.TaskAllocated:
		r.began = at
	case domain.ReviewRequested:
		r.asked[b.Review] = at
	case domain.ReviewGiven:
		r.works = append(r.works, worked{what: "review " + string(b.Review), by: r.by, role: e.Actor.Role, officer: e.Actor.ID, ready: r.asked[b.Review], done: at, word: string(b.Opinion)})
	case domain.AnswerReported:
		r.works = append(r.works, worked{what: "system " + string(b.System), by: r.by, role: e.Actor.Role, ready: r.came, done: at, word: b.Outcome})
	}
}

// moved notes that a request came somewhere, by an action or by law.
func (r *recorded) moved(m domain.Move, at time.Time) {
	r.state, r.came, r.began = m.To, at, time.Time{}
	if m.Outcome != "" && r.ended.IsZero() {
		r.ended = at
	}
}

// renamed is a request that stands where it stood, by another name: nobody did anything,
// and its time there goes on.
func (r *recorded) renamed(m domain.RequestMigrated) {
	r.state = m.To
	asked := map[domain.ReviewID]time.Time{}
	for id, at := range r.asked {
		asked[domain.Called(m.Mapping.Reviews, id)] = at
	}
	r.asked = asked
}

// Requests is how many were added.
func (f *Fitter) Requests() int { return len(f.order) }

// Split divides what was added: the requests that came first, and the last share of
// them.
func (f *Fitter) Split(share float64) (first, rest *Fitter) {
	all := slices.Clone(f.order)
	slices.SortStableFunc(all, func(a, b *recorded) int { return cmp.Or(a.submitted.Compare(b.submitted), cmp.Compare(a.id, b.id)) })
	at := len(all) - int(math.Round(share*float64(len(all))))
	first, rest = NewFitter(f.d, f.calendar), NewFitter(f.d, f.calendar)
	first.order, rest.order = all[:at], all[at:]
	first.err, rest.err = f.err, f.err
	return first, rest
}

// Clock is that of the office, if the calendar knows all days of the history.
func (f *Fitter) Clock() Clock {
	for _, r := range f.order {
		if d, known := r.by.DateOf(r.submitted), r.by.Range(); d < known.From || d > known.To {
			return AroundClock
		}
	}
	return OfficeHours
}

// Past is what a history itself came to, measured as a simulation is.
type Past struct {
	Requests int     `json:"requests"`
	Ended    int     `json:"ended"`
	Came     float64 `json:"came_per_day"`
	PerDay   float64 `json:"ended_per_day"`
	Mean     float64 `json:"turnaround_mean_days"`
	Median   float64 `json:"turnaround_median_days"`
	P90      float64 `json:"turnaround_p90_days"`
}

// Past measures the history; turnarounds are of the requests that came to an end.
func (f *Fitter) Past(clock Clock) Past {
	x := &fit{Fitter: f, p: &Parameters{Clock: clock}}
	p := Past{Requests: len(f.order)}
	if len(f.order) < minFit {
		return p
	}
	x.arrivals()
	p.Came = tidy(x.p.Arrivals.PerDay)
	var list []float64
	for _, r := range f.order {
		if r.ended.IsZero() {
			continue
		}
		days := r.ended.Sub(r.submitted).Hours() / 24
		if clock == OfficeHours {
			n, _ := r.by.Used(calendar.WorkingDays, r.submitted, r.ended)
			days = float64(n) / float64(calendar.Day)
		}
		list = append(list, days)
	}
	slices.Sort(list)
	if p.Ended = len(list); p.Ended == 0 {
		return p
	}
	p.PerDay = tidy(p.Came * float64(p.Ended) / float64(p.Requests))
	p.Mean, p.Median, p.P90 = tidy(mean(list)), tidy(quantile(list, 0.5)), tidy(quantile(list, 0.9))
	return p
}
