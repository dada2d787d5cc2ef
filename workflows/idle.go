package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// FindingIdle is a state whose owner has to act and can do nothing.
const FindingIdle = "idle"

// idle holds that whoever has the work of a state can do something there: an action, or
// something that what follows by itself asks for.
func (c *inspection) idle() {
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Kind != KindStart && s.Kind != KindWork {
			continue
		}
		if !slices.ContainsFunc(c.ways.leaving[i], func(k int) bool {
			t := &c.d.Transitions[k]
			return slices.Contains(t.Roles, s.Owner) || t.Automatic && (t.Needs == nil && !t.When.waits() || c.adds(t, s))
		}) {
			c.find(FindingIdle, c.node("states", i), "state %q is the work of role %q, who can do nothing there: name them where it leads on, or another owner", s.ID, s.Owner)
		}
	}
}

// adds reports whether the owner of a state may do something there that a transition asks
// for: answer a checklist, hand in or refuse a document, record a payment, give a review
// that is still open.
func (c *inspection) adds(t *Transition, s *State) bool {
	needs := t.Needs
	if needs == nil {
		needs = &Needs{}
	}
	var asks uses
	if t.When != nil {
		asks = t.When.uses
	}
	here := func(by []domain.RoleID, in []domain.StateID) bool {
		return slices.Contains(by, s.Owner) && (len(in) == 0 || slices.Contains(in, s.ID))
	}
	return len(needs.Fees)+len(asks.fees) > 0 && slices.Contains(c.d.Payers, s.Owner) ||
		slices.ContainsFunc(c.d.Checklists, func(x Checklist) bool {
			return here(x.By, x.In) && slices.Contains(needs.Checklists, x.ID)
		}) ||
		slices.ContainsFunc(c.d.Documents, func(x Document) bool {
			needed := slices.Contains(needs.Documents, x.ID) || needs.Required && (x.Required || x.RequiredWhen != nil)
			asked := slices.Contains(asks.documents, x.ID)
			return here(x.By, x.In) && (needed || asked) || asked && here(x.RefusedBy, x.RefusedIn)
		}) ||
		slices.ContainsFunc(asks.reviews, func(id domain.ReviewID) bool {
			x := c.d.review(id)
			return x != nil && x.Role == s.Owner && c.ways.after(domain.Reviewing(id))[c.ways.states[s.ID]]
		})
}

// waits reports whether a condition may come to hold while a request stays where it is: by
// what is added to its dossier.
func (c *Condition) waits() bool {
	return c != nil && len(c.uses.reviews)+len(c.uses.fees)+len(c.uses.documents)+len(c.uses.systems) > 0
}
