package workflows

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// citizen reports whether a role is one of those who ask, and not of those who
// decide.
func (c *inspection) citizen(id domain.RoleID) bool {
	for _, r := range c.d.Roles {
		if r.ID == id {
			return !r.absent() && !slices.ContainsFunc(r.Capacities, func(x domain.Capacity) bool {
				return x == domain.CapacityOfficer || x == domain.CapacitySystem
			})
		}
	}
	return false
}

// staff reports whether whoever acts in a role may be one of the staff: an officer, or
// somebody at the counter who acts for another. A role of citizens and of the counter
// is both.
func (c *inspection) staff(id domain.RoleID) bool {
	return slices.ContainsFunc(c.d.Roles, func(r Role) bool {
		return r.ID == id && (!c.citizen(id) || slices.Contains(r.Capacities, domain.CapacityCounter))
	})
}

// capacities holds that no action is shared by citizens and staff: it could not be
// told later on whose behalf it was taken.
func (c *inspection) capacities() {
	type use struct{ citizen, staff domain.RoleID }
	uses := map[domain.ActionID]use{}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		u, before := uses[t.Action], uses[t.Action]
		for _, role := range t.Roles {
			if c.citizen(role) {
				u.citizen = role
			} else {
				u.staff = role
			}
		}
		uses[t.Action] = u
		if u.citizen != "" && u.staff != "" && (before.citizen == "" || before.staff == "") {
			c.find(FindingCapacity, c.node("transitions", i), "action %q is shared by %s, who asks, and %s, who decides: give them an action each", t.Action, u.citizen, u.staff)
		}
	}
	for i, r := range c.d.Roles {
		if asks, decides := splits(r.Capacities); asks && decides {
			c.find(FindingCapacity, c.node("roles", i), "role %q may act as one who asks and as an officer: make two of it", r.ID)
		} else if decides && slices.Contains(r.Capacities, domain.CapacityCounter) {
			c.find(FindingCapacity, c.node("roles", i), "role %q may file for somebody at the counter and decide as an officer: make two of it", r.ID)
		}
	}
}

// themselves holds that whoever asks does not also give the opinions, the answers and the
// payments that their request waits for, nor says that their file is complete.
func (c *inspection) themselves() {
	note := func(n ast.Node, what string, roles ...domain.RoleID) {
		for _, id := range roles {
			if c.asker(id) {
				c.find(FindingCapacity, n, "%s is role %q, who asks: whoever asks does not decide on their own request", what, id)
			}
		}
	}
	d := &c.d
	note(valueOf(c.root, "payers"), "under payers", d.Payers...)
	for i := range d.Reviews {
		note(c.node("reviews", i), fmt.Sprintf("who gives review %q", d.Reviews[i].ID), d.Reviews[i].Role)
	}
	for i := range d.Checklists {
		note(c.node("checklists", i), fmt.Sprintf("who answers checklist %q", d.Checklists[i].ID), d.Checklists[i].By...)
	}
	for i := range d.Systems {
		note(c.node("systems", i), fmt.Sprintf("who answers for system %q", d.Systems[i].ID), d.Systems[i].Role)
	}
	for i := range d.Documents {
		note(c.node("documents", i), fmt.Sprintf("who refuses document %q", d.Documents[i].ID), d.Documents[i].RefusedBy...)
	}
	for i := range d.Transitions {
		if t := &d.Transitions[i]; t.Kind == domain.ActionComplete {
			note(c.node("transitions", i), fmt.Sprintf("who declares the file complete by %q", t.Action), t.Roles...)
		}
	}
	for i := range d.States {
		if a := d.States[i].Allocate; a != nil {
			note(c.node("states", i), fmt.Sprintf("who gives out the work of state %q", d.States[i].ID), a.Assigner...)
		}
	}
}

// asker reports whether a role may be used by those who ask.
func (c *inspection) asker(id domain.RoleID) bool {
	return slices.ContainsFunc(c.d.Roles, func(r Role) bool {
		asks, _ := splits(r.Capacities)
		return r.ID == id && asks
	})
}

func splits(list []domain.Capacity) (asks, decides bool) {
	for _, x := range list {
		switch x {
		case domain.CapacitySelf, domain.CapacityProxy, domain.CapacityProfessional:
			asks = true
		case domain.CapacityOfficer:
			decides = true
		default:
		}
	}
	return asks, decides
}
