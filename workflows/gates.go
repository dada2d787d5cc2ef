package workflows

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// gates holds that what is kept apart is done by people, and may be done before.
func (c *inspection) gates() {
	for i, gate := range c.d.Separate {
		for _, a := range gate {
			c.taken(c.node("separate", i), "separate", a)
		}
	}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		c.before(c.node("transitions", i), t.Action, t.NotBy, t.From)
	}
	for i := range c.d.Reviews {
		x := &c.d.Reviews[i]
		var asked []domain.StateID
		for k := range c.d.States {
			if slices.Contains(c.d.States[k].Reviews, x.ID) {
				asked = append(asked, c.d.States[k].ID)
			}
		}
		c.before(c.node("reviews", i), domain.Reviewing(x.ID), x.NotBy, asked)
	}
}

// taken notes a gate that nobody passes.
func (c *inspection) taken(n ast.Node, list string, a domain.ActionID) bool {
	known := false
	for i := range c.d.Transitions {
		if t := &c.d.Transitions[i]; t.Action == a {
			if !t.Automatic {
				return true
			}
			known = true
		}
	}
	if known {
		c.find(FindingSeparated, n, "%s names %q, which nobody takes: it follows by itself", list, a)
	}
	return !known
}

// before notes what not_by names and nobody can have done before a request comes to some
// states, or in them. Where the two are to be kept apart whichever comes first, it is no
// slip.
func (c *inspection) before(n ast.Node, gate domain.ActionID, notBy []domain.ActionID, states []domain.StateID) {
	for _, a := range notBy {
		apart := slices.ContainsFunc(c.d.Separate, func(list []domain.ActionID) bool { return slices.Contains(list, gate) && slices.Contains(list, a) })
		if c.taken(n, "not_by", a) && !apart && !c.d.Submits(a) && !slices.ContainsFunc(states, func(s domain.StateID) bool { return c.ways.after(a)[c.ways.states[s]] }) {
			c.find(FindingUnused, n, "not_by names %q, which nobody can have done before", a)
		}
	}
}
