package simulation

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Parameters are what a simulation needs beside the definition. What is left out is
// assumed by [Complete].
type Parameters struct {
	Clock    Clock
	Arrivals Arrivals
	Pools    []Pool
	Stages   map[domain.StateID]Stage
	Reviews  map[domain.ReviewID]ReviewWork
	Systems  map[domain.SystemID]SystemWork
	Cases    []Case
	Promise  *calendar.Budget // of the whole, from the submission; nil: what the definition's words say, if anything

	// Notes say where the parameters came from, in the order of the report.
	Notes []Note
}

// Clock says when officers work.
type Clock string

// The clocks.
const (
	OfficeHours Clock = "office" // in the working time of the tenant's calendar
	AroundClock Clock = "wall"   // always; for histories of which no calendar is known
)

// Arrivals is how requests come: so many on a working day (a day of 24 hours, where
// officers work around the clock), spread evenly at random; or by the hour of the week.
type Arrivals struct {
	PerDay float64
	ByHour *[7 * 24]float64 // requests in each hour of the week, from Sunday 00.00, of the tenant's zone
}

// Pool is officers who stand in for each other in some roles.
type Pool struct {
	Name      string
	Roles     []domain.RoleID
	Officers  int
	Unlimited bool // nobody waits for them: their stages last as long as they last
}

// Stage is the work of a state.
type Stage struct {
	Service *Duration
	Choices map[domain.ActionID]float64 // the weight of each action; missing: 0. Out of an end: its share
	Left    float64                     // the weight of that nothing is done any more, as some histories show
	Doers   map[choice]float64          // of a history: the weight of each role for each action; none: the owner
	Again   *Stage                      // of a history: as it was for requests that were over before
}

// ReviewWork is that of a review.
type ReviewWork struct {
	Service *Duration
	Refused *float64 // the share that is refused
}

// SystemWork is that of an external system.
type SystemWork struct {
	Answer   *Duration
	Outcomes map[string]float64
}

// Case is what is submitted.
type Case struct {
	Weight float64
	By     domain.RoleID
	As     domain.Capacity
	Facts  domain.Facts
	Form   domain.Personal
}

// Source is where a parameter came from.
type Source string

// The sources.
const (
	Given   Source = "given"
	Fitted  Source = "fitted"
	Assumed Source = "assumed"
	Missing Source = "not fitted" // and why
)

// Note says where one parameter came from.
type Note struct {
	Source Source `json:"source"`
	What   string `json:"what"`
	Value  string `json:"value"`
	Seen   int    `json:"seen,omitempty"` // times that it was recorded, of a fitted one
}

func (p *Parameters) note(s Source, what, value string, seen int) {
	p.Notes = append(p.Notes, Note{s, what, value, seen})
}

// pool is the pool of a role; -1 for none.
func (p *Parameters) pool(r domain.RoleID) int {
	for i := range p.Pools {
		for _, x := range p.Pools[i].Roles {
			if x == r {
				return i
			}
		}
	}
	return -1
}

// Over lays parameters upon others: what these say counts, where they say something.
func (p *Parameters) Over(under *Parameters) *Parameters {
	out := *p
	out.Clock = cmp.Or(out.Clock, under.Clock)
	out.Arrivals = cmp.Or(out.Arrivals, under.Arrivals)
	out.Pools = slices.Clone(p.Pools)
	for _, pool := range under.Pools {
		pool.Roles = slices.DeleteFunc(slices.Clone(pool.Roles), func(r domain.RoleID) bool { return p.pool(r) >= 0 })
		if len(pool.Roles) > 0 {
			out.Pools = append(out.Pools, pool)
		}
	}
	out.Stages = laid(p.Stages, under.Stages, func(s, under Stage) Stage {
		s.Service = cmp.Or(s.Service, under.Service)
		if s.Choices == nil {
			s.Choices, s.Left, s.Doers, s.Again = under.Choices, under.Left, under.Doers, under.Again
		}
		return s
	})
	out.Reviews = laid(p.Reviews, under.Reviews, func(x, under ReviewWork) ReviewWork {
		return ReviewWork{cmp.Or(x.Service, under.Service), cmp.Or(x.Refused, under.Refused)}
	})
	out.Systems = laid(p.Systems, under.Systems, func(x, under SystemWork) SystemWork {
		x.Answer = cmp.Or(x.Answer, under.Answer)
		if x.Outcomes == nil {
			x.Outcomes = under.Outcomes
		}
		return x
	})
	if len(out.Cases) == 0 {
		out.Cases = under.Cases
	}
	out.Promise = cmp.Or(out.Promise, under.Promise)
	out.Notes = slices.Concat(p.Notes, under.Notes)
	return &out
}

// laid joins two maps; of what is in both, both tells.
func laid[K comparable, V any](top, under map[K]V, both func(top, under V) V) map[K]V {
	out := map[K]V{}
	maps.Copy(out, under)
	for k, v := range top {
		out[k] = both(v, under[k])
	}
	return out
}

// share is a pointer to a share.
func share(x float64) *float64 { return &x }

const hour = time.Hour

// choice is an action, and the role that it was taken in.
type choice struct {
	action domain.ActionID
	role   domain.RoleID
}

// stage is the work of a state, for requests that were over before or not.
func (p *Parameters) stage(id domain.StateID, again bool) *Stage {
	s := p.Stages[id]
	if again && s.Again != nil {
		return s.Again
	}
	return &s
}
