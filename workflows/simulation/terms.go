package simulation

import (
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// clock is a legal term of one request.
type clock struct {
	started bool
	running bool
	from    int64 // since when, if it runs
	used    calendar.Span
	changes int // of running: what was due before counts no more
}

// runTerms starts, stops and resumes the legal terms of a request that came to a state.
func (s *run) runTerms(j *job, state *workflows.State) {
	for i := range s.Definition.Terms {
		t, c := &s.Definition.Terms[i], &j.clocks[i]
		if t.Due != "" {
			continue // whatever date an invented request had would be invented
		}
		if !c.started {
			if !slices.ContainsFunc(t.Starts, s.Definition.Submits) && !takenAny(&j.place.request, t.Starts) {
				continue
			}
			c.started, c.from = true, s.begins(t.Budget, s.now)
		}
		runs := state.Kind != workflows.KindEnd && !contains(t.SuspendedIn, state.ID)
		if c.running == runs {
			continue
		}
		c.changes++
		c.running = runs
		if !runs {
			c.used += max(0, s.used(t.Budget.Measure(), c.from, s.now))
			continue
		}
		c.from = max(c.from, s.now)
		if t.Expires != nil && t.Expires.To != "" {
			changes := c.changes
			s.at(s.due(t.Budget.Measure(), c.from, t.Budget.Span()-c.used), true, func() {
				if c.running && c.changes == changes {
					s.expire(j, t.Expires)
				}
			})
		}
	}
}

func takenAny(r *domain.Request, actions []domain.ActionID) bool {
	for _, a := range actions {
		if r.Times(a) > 0 {
			return true
		}
	}
	return false
}

// expires watches the term of a state, or of a review in it, if it moves the request.
// That of a state in which the office acts goes on with what was left of it when the
// request comes there again; the applicant's own time begins anew.
func (s *run) expires(j *job, t *workflows.Term, it *item) {
	if t == nil || t.Expires == nil || t.Expires.To == "" {
		return
	}
	from, left := s.begins(t.Budget, s.now), t.Budget.Span()
	if it == nil {
		if used, again := j.used[j.place.request.State]; again {
			from, left = s.now, left-used
		}
	}
	stay := j.stay
	s.at(s.due(t.Budget.Measure(), from, left), true, func() {
		if j.stay == stay && (it == nil || it.state != over) {
			s.expire(j, t.Expires)
		}
	})
}

// leaves notes what was used of the term of the state that a request goes out of.
func (s *run) leaves(j *job, state *workflows.State) {
	t := state.Term
	if t == nil || t.Expires == nil || t.Expires.To == "" || s.Definition.Applicants(state) {
		return
	}
	if j.used == nil {
		j.used = map[domain.StateID]calendar.Span{}
	}
	from := j.entered
	used, again := j.used[state.ID]
	if !again {
		from = s.begins(t.Budget, from)
	}
	j.used[state.ID] = used + max(0, s.used(t.Budget.Measure(), from, s.now))
}

// expire moves a request because a term ran out.
func (s *run) expire(j *job, x *workflows.Expiry) {
	if x.Ground != workflows.Lapse {
		j.deemed = true
	}
	s.move(j, s.tree.expired(j.place, s.states[x.To], x.Ground))
}

// within reports whether so much time was inside of a budget that started at a moment.
func (s *run) within(b calendar.Budget, from, to int64) bool {
	return s.used(b.Measure(), s.begins(b, from), to) <= b.Span()
}
