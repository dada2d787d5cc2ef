package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// terms holds that wherever somebody has to act, there is a time for it and
// something that happens when it runs out.
func (c *inspection) terms() {
	covered := c.d.covered()
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Kind == KindEnd {
			continue
		}
		budgets, ends := c.d.timedBy(s, func(i int) bool { return covered[i][s.ID] })
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
// request is reopened to is left out, for it has been there. A term whose date a request
// need not have may run nowhere.
func (d *Definition) covered() []map[domain.StateID]bool {
	list, moves := d.running(false), d.moves()
	for i := range list {
		switch f := d.fact(d.Terms[i].Due); {
		case f != nil && !f.Required && f.Default == nil:
			clear(list[i])
			continue
		case slices.ContainsFunc(d.Terms[i].Starts, d.Submits):
			continue
		}
		forth := map[domain.StateID][]domain.StateID{}
		for k := range d.Transitions {
			t := &d.Transitions[k]
			for _, from := range t.From {
				if d.state(from).Kind != KindEnd && !slices.Contains(d.Terms[i].Starts, t.Action) {
					forth[from] = append(forth[from], t.To)
				}
			}
		}
		for _, m := range moves {
			if m.expiry != d.Terms[i].Expires {
				forth[m.from] = append(forth[m.from], m.expiry.To)
			}
		}
		for id := range graph.Closure(forth, d.start().ID) {
			delete(list[i], id)
		}
	}
	return list
}
