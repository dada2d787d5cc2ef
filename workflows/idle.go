package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// FindingIdle is a state whose owner has to act and can do nothing.
const FindingIdle = "idle"

// idle holds that whoever has the work of a state can do something there.
func (c *inspection) idle() {
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Kind != KindStart && s.Kind != KindWork {
			continue
		}
		may, follows, passes := false, false, false
		for _, k := range c.ways.leaving[i] {
			t := &c.d.Transitions[k]
			may = may || slices.Contains(t.Roles, s.Owner)
			follows = follows || t.Automatic
			passes = passes || t.Automatic && t.Needs == nil && !t.When.waits()
		}
		if !may && !passes && (!follows || !c.adds(s)) {
			c.find(FindingIdle, c.node("states", i), "state %q is the work of role %q, who can do nothing there: name them where it leads on, or another owner", s.ID, s.Owner)
		}
	}
}

// adds reports whether the owner of a state may add to what a request has gathered there,
// so that something follows of it.
func (c *inspection) adds(s *State) bool {
	here := func(by []domain.RoleID, in []domain.StateID) bool {
		return slices.Contains(by, s.Owner) && (len(in) == 0 || slices.Contains(in, s.ID))
	}
	return slices.ContainsFunc(c.d.Checklists, func(x Checklist) bool { return here(x.By, x.In) }) ||
		slices.ContainsFunc(c.d.Documents, func(x Document) bool { return here(x.By, x.In) }) ||
		len(c.d.Fees) > 0 && slices.Contains(c.d.Payers, s.Owner)
}

// waits reports whether a condition may come to hold while a request stays where it is: by
// what is added to its dossier.
func (c *Condition) waits() bool {
	return c != nil && len(c.uses.reviews)+len(c.uses.fees)+len(c.uses.documents)+len(c.uses.systems) > 0
}
