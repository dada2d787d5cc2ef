package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// FindingChosen is work that is given out by rule, where who does it can choose it all
// the same.
const FindingChosen = "chosen"

// chosen holds that those among whom work is given out by rule do not give it to
// themselves: an assigner may give it to anybody.
func (c *inspection) chosen() {
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Allocate != nil && s.Allocate.Rule != domain.AllocateByOrder && slices.Contains(s.Allocate.Assigner, s.Owner) {
			c.find(FindingChosen, c.node("states", i), "the work of state %q is given out by rule %s, and role %q, whose it is, may give it to whom it likes: have another role assign it", s.ID, s.Allocate.Rule, s.Owner)
		}
	}
}
