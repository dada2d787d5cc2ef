package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// atOnce lists where a transition brings a request: to its state, and to those that follow
// at once, whatever the request is. What follows so belongs to the step before it: whoever
// takes that decides where the request goes.
func (c *inspection) atOnce(t *Transition) []*State {
	list := []*State{c.ways.state(t.To)}
	for {
		next := c.next(c.ways.states[list[len(list)-1].ID])
		if next == nil || slices.Contains(list, c.ways.state(next.To)) {
			return list
		}
		list = append(list, c.ways.state(next.To))
	}
}

// next is the transition that follows in a state at once, since it asks for nothing and none
// is looked at before it; nil where there is none.
func (c *inspection) next(state int) *Transition {
	for _, k := range c.ways.leaving[state] {
		if t := &c.d.Transitions[k]; t.Automatic {
			if t.When == nil && t.Needs == nil {
				return t
			}
			return nil
		}
	}
	return nil
}

// byStaff reports whether what staff do can have a transition follow by itself out of a
// state: their review or answer, what they add there to the dossier, or that they led the
// request there. A machine is none of them.
func (c *inspection) byStaff(t *Transition, from int) bool {
	s := &c.d.States[from]
	switch {
	case t.Needs != nil && t.Needs.Answer != "":
		return c.person(c.d.system(s.WaitsFor).Role)
	case t.Needs != nil || t.When.waits():
		return true
	}
	return c.ledByStaff(from, make(states, len(c.d.States)))
}

// ledByStaff reports whether staff can lead a request to a state, or their time that runs
// out.
func (c *inspection) ledByStaff(to int, seen states) bool {
	seen[to] = true
	if slices.ContainsFunc(c.ways.moves, func(m move) bool {
		return m.expiry.To == c.d.States[to].ID && !c.d.Applicants(c.ways.state(m.from))
	}) {
		return true
	}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		if c.ways.states[t.To] != to {
			continue
		}
		if slices.ContainsFunc(t.Roles, c.person) {
			return true
		}
		for _, id := range t.From {
			if from := c.ways.states[id]; t.Automatic && !seen[from] && (t.Needs != nil || t.When.waits() || c.ledByStaff(from, seen)) {
				return true
			}
		}
	}
	return false
}

// person reports whether somebody of the staff may act in a role, and not only a machine.
func (c *inspection) person(id domain.RoleID) bool {
	return c.staff(id) && slices.ContainsFunc(c.d.Roles, func(r Role) bool {
		return r.ID == id && r.people()
	})
}

// people reports whether people, and not only machines, can act in a role.
func (r *Role) people() bool {
	return slices.ContainsFunc(r.Capacities, func(x domain.Capacity) bool {
		return x != domain.CapacitySystem && x != domain.CapacityUnrecorded
	})
}

// machine reports whether nobody acts in a role but programs: who is told there does nothing
// about it.
func (c *inspection) machine(id domain.RoleID) bool { return !c.citizen(id) && !c.person(id) }
