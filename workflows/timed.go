package workflows

import (
	"slices"
)

// terms holds that wherever somebody has to act, there is a time for it and
// something that happens when it runs out.
func (c *inspection) terms() {
	covered := c.ways.covered()
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Kind == KindEnd {
			continue
		}
		budgets, ends := c.d.timedBy(s, func(k int) bool { return covered[k][i] })
		switch {
		case !budgets && s.Kind != KindWait && len(c.d.Terms) > 0:
			c.find(FindingTerm, c.node("states", i), "state %q has no term, and a request can stand there before a legal term has started: say how long it may take", s.ID)
		case !budgets:
			c.find(FindingTerm, c.node("states", i), "state %q has no term: say how long it may take", s.ID)
		case !ends:
			c.find(FindingExpiry, c.node("states", i), "nothing happens when the term of state %q runs out: say whom it escalates to, or where the request moves", s.ID)
		}
	}
	for i := range c.d.Reviews {
		x := &c.d.Reviews[i]
		switch {
		case x.Term == nil:
			c.find(FindingTerm, c.node("reviews", i), "review %q has no term: say how long it may take", x.ID)
		case x.Term.Expires == nil:
			c.find(FindingExpiry, c.node("reviews", i), "nothing happens when the term of review %q runs out", x.ID)
		}
	}
	c.uncounted()
}

// uncounted notes legal terms that bind nobody: no time passes from what starts them until
// the request is closed, but where they stand still.
func (c *inspection) uncounted() {
	runs := c.ways.running(false)
	for k := range c.d.Terms {
		t, counts := &c.d.Terms[k], false
		for i := range c.d.States {
			s := &c.d.States[i]
			counts = counts || runs[k][i] && s.Kind != KindEnd && c.next(i) == nil && !slices.Contains(t.SuspendedIn, s.ID)
		}
		if !counts {
			c.find(FindingTerm, c.node("terms", k), "no time of term %q is counted before a request is closed: what starts it closes the request, or leads only to where the term stands still: start it earlier", t.ID)
		}
	}
}

// timedBy tells whether a state has a term of its own, or a legal term that runs there,
// and whether something happens when it runs out.
func (d *Definition) timedBy(s *State, runs func(term int) bool) (budget, end bool) {
	if s.Term != nil {
		budget, end = true, s.Term.Expires != nil
	}
	if s.Kind == KindWait {
		return budget, end // legal terms bind the agency, not whom it waits for
	}
	for i := range d.Terms {
		if runs(i) {
			budget, end = true, end || d.Terms[i].Expires != nil
		}
	}
	return budget, end
}

// covered tells of each legal term in which states it is running whichever way a
// request comes there from its submission: it may only come there later on. What a
// request is reopened to is left out, for it has been there. A term that is due at a date
// may run nowhere: a request need not have one, or it had passed.
func (r *routes) covered() []states {
	list := r.running(false)
	ended := make([][]ending, len(r.d.States))
	for s := range r.d.States {
		for k := range r.d.Terms {
			if to, ok := r.endOf(k, s); ok && r.runs[k][s] {
				addEnding(&ended[s], to, k)
			}
		}
	}
	for i := range list {
		t := &r.d.Terms[i]
		if t.Due != "" {
			clear(list[i])
			continue
		}
		if slices.ContainsFunc(t.Starts, r.d.Submits) {
			continue
		}
		before := make(states, len(r.d.States))
		for todo := []int{r.start()}; len(todo) > 0; {
			at := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if before[at] {
				continue
			}
			before[at], list[i][at] = true, false
			todo = r.withoutStart(i, at, ended[at], todo)
		}
	}
	return list
}

// withoutStart adds the states that a state leads to while a legal term has not started.
func (r *routes) withoutStart(term, at int, ended []ending, to []int) []int {
	d := r.d
	if d.States[at].Kind != KindEnd {
		for _, k := range r.leaving[at] {
			if t := &d.Transitions[k]; !slices.Contains(d.Terms[term].Starts, t.Action) {
				to = append(to, r.states[t.To])
			}
		}
	}
	for _, m := range r.own[at] {
		to = append(to, r.states[m.expiry.To])
	}
	for _, e := range ended {
		if e.more || e.term != term {
			to = append(to, e.to)
		}
	}
	return to
}
