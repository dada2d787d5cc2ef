package workflows

import (
	"fmt"
	"slices"

	"github.com/alur-id/alur/domain"
)

// unused notes what is declared and makes no difference: checklists that nothing needs,
// systems that nothing waits for, roles that do nothing, reasons that nobody gives. A
// document that nothing asks for is one that may be handed in.
func (c *inspection) unused() {
	used := c.d.used()
	note := func(list string, i int, kind, id string) {
		if !used[kind+" "+id] {
			c.find(FindingUnused, c.node(list, i), "%s %q is used nowhere", kind, id)
		}
	}
	for i, x := range c.d.Checklists {
		note("checklists", i, "checklist", string(x.ID))
	}
	for i, x := range c.d.Systems {
		note("systems", i, "system", string(x.ID))
	}
	for i, x := range c.d.Reasons {
		note("reasons", i, "reason", string(x.Code))
	}
	for i, x := range c.d.Roles {
		note("roles", i, "role", string(x.ID))
	}
}

// nowhere notes where something is said to happen and never does: documents and checklists
// in an end, where a request is closed; rules for a stop of the clock where none stops; and
// the second of two rules of which the engine takes the first.
func (c *inspection) nowhere() {
	closed := func(list string, i int, what string, in []domain.StateID) {
		if k := slices.IndexFunc(in, func(id domain.StateID) bool { return c.ways.state(id).Kind == KindEnd }); k >= 0 {
			c.find(FindingUnused, c.node(list, i), "%s in %q, which is an end: a request is closed there, and nothing is added to it", what, in[k])
		}
	}
	for i := range c.d.Documents {
		x := &c.d.Documents[i]
		closed("documents", i, fmt.Sprintf("document %q is handed in", x.ID), x.In)
		closed("documents", i, fmt.Sprintf("document %q is refused", x.ID), x.RefusedIn)
	}
	for i := range c.d.Checklists {
		closed("checklists", i, fmt.Sprintf("checklist %q is answered", c.d.Checklists[i].ID), c.d.Checklists[i].In)
	}
	ordered, stopped := map[domain.StopGround]bool{}, map[domain.StateID]bool{}
	for i := range c.d.Suspensions {
		x, n := &c.d.Suspensions[i], c.node("suspensions", i)
		if len(x.Roles) > 0 && ordered[x.Ground] {
			c.find(FindingUnused, n, "a second rule says who may order a stop on ground %s: the first one is meant, so put them together", x.Ground)
		}
		ordered[x.Ground] = ordered[x.Ground] || len(x.Roles) > 0
		for _, id := range x.In {
			switch {
			case !c.stands(id, false):
				c.find(FindingUnused, n, "a rule lets terms stand still in %q, and none does: name the state under suspended_in of a term", id)
			case !c.stands(id, true):
				c.find(FindingUnused, n, "a rule lets terms stand still in %q, and none that does has started when a request comes there", id)
			case stopped[id]:
				c.find(FindingUnused, n, "a second rule lets terms stand still in %q: the first one is meant", id)
			}
			stopped[id] = true
		}
	}
}

// stands reports whether some legal term stands still in a state: as the definition says,
// or also because it may be running there.
func (c *inspection) stands(id domain.StateID, runs bool) bool {
	for i := range c.d.Terms {
		if slices.Contains(c.d.Terms[i].SuspendedIn, id) && (!runs || c.ways.runs[i][c.ways.states[id]]) {
			return true
		}
	}
	return false
}

// used are the names that are said anywhere but where they are declared.
func (d *Definition) used() map[string]bool {
	used := map[string]bool{}
	roles := func(list ...domain.RoleID) { mark(used, "role", list) }
	roles(d.Submit...)
	roles(d.Payers...)
	for _, x := range d.Documents {
		roles(x.By...)
		roles(x.RefusedBy...)
		mark(used, "reason", x.Reasons)
	}
	for _, x := range d.Checklists {
		roles(x.By...)
	}
	for _, x := range d.Reviews {
		roles(x.Role)
		mark(used, "reason", x.Reasons)
	}
	for _, x := range d.Systems {
		roles(x.Role)
	}
	for _, x := range d.Terms {
		if x.Extension != nil {
			roles(x.Extension.Roles...)
			mark(used, "reason", x.Extension.Reasons)
		}
	}
	for _, x := range d.Suspensions {
		roles(x.Roles...)
		mark(used, "reason", x.Reasons)
	}
	for _, x := range d.Notices {
		roles(x.To)
	}
	for _, x := range d.States {
		roles(x.Owner)
		mark(used, "system", []domain.SystemID{x.WaitsFor})
		if x.Allocate != nil {
			roles(x.Allocate.Assigner...)
		}
	}
	for _, t := range d.allTerms() {
		if t.Expires != nil {
			roles(t.Expires.Escalate...)
		}
	}
	for _, x := range d.Transitions {
		roles(x.Roles...)
		roles(x.Consent...)
		mark(used, "reason", x.Reasons)
		mark(used, "checklist", x.Clears)
		if x.Needs != nil {
			mark(used, "checklist", x.Needs.Checklists)
		}
	}
	for _, x := range d.conditions() {
		mark(used, "system", x.uses.systems)
	}
	return used
}

func mark[T ~string](used map[string]bool, kind string, list []T) {
	for _, id := range list {
		used[kind+" "+string(id)] = true
	}
}

// allTerms are the terms of the law, of states and of reviews.
func (d *Definition) allTerms() []*Term {
	var list []*Term
	for i := range d.Terms {
		list = append(list, d.Terms[i].term())
	}
	for i := range d.States {
		list = append(list, d.States[i].Term)
	}
	for i := range d.Reviews {
		list = append(list, d.Reviews[i].Term)
	}
	return slices.DeleteFunc(list, func(t *Term) bool { return t == nil })
}
