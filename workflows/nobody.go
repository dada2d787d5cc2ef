package workflows

import (
	"fmt"
	"slices"

	"github.com/alur-id/alur/domain"
)

// FindingNobody is a role that nobody can act in, or a service that nobody can ask for.
const FindingNobody = "nobody"

// nobody holds that somebody can act in each role. A definition that was drafted from an
// event log is for importing it: who acts in its roles from now on is still to be said.
func (c *inspection) nobody() {
	for i := range c.d.Roles {
		if r := &c.d.Roles[i]; r.absent() {
			c.find(FindingNobody, c.node("roles", i), "nobody can act in role %q: unrecorded is the capacity of imported histories, and whoever acts now is refused in it: say as what people act in this role, such as officer or self", r.ID)
		}
	}
	if absent := c.d.absentees(); !absent.othersIn(c.d.Submit) {
		c.find(FindingNobody, valueOf(c.root, "submit"), "no request can be submitted: nobody can act as %s; nothing was proved of what follows", domain.Listed(c.d.Submit))
	}
}

// absent reports whether a role has no capacity that anybody can act in.
func (r *Role) absent() bool {
	return !slices.ContainsFunc(r.Capacities, func(x domain.Capacity) bool { return x != domain.CapacityUnrecorded })
}

// absentees are the roles that nobody can act in.
type absentees map[domain.RoleID]bool

func (d *Definition) absentees() absentees {
	list := absentees{}
	for i := range d.Roles {
		if r := &d.Roles[i]; r.absent() {
			list[r.ID] = true
		}
	}
	return list
}

// othersIn reports whether somebody, or a machine, can act in one of some roles.
func (a absentees) othersIn(roles []domain.RoleID) bool {
	return slices.ContainsFunc(roles, func(id domain.RoleID) bool { return !a[id] })
}

// asUnrecorded is how a command in the capacity of imported histories is refused; nil for
// any other.
func asUnrecorded(a domain.Actor) error {
	if a.Capacity != domain.CapacityUnrecorded {
		return nil
	}
	return domain.NewRefusal(domain.RuleCapacity, fmt.Sprintf("role %q may not act in capacity %q", a.Role, a.Capacity),
		"that is the capacity of imported histories: give the role one that people act in, such as officer or self")
}
