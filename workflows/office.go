package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// offices holds that what is the applicant's to do is not done by the office without a
// word: to give the request up, and to say what it rests on; that a request is closed for
// a reason; and that what gives a request up is recorded as that.
func (c *inspection) offices() {
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		to := c.ways.state(t.To)
		n := c.node("transitions", i)
		if t.Kind == domain.ActionWithdraw && to.Outcome != domain.OutcomeWithdrawn {
			leads := "is no end"
			if to.Kind == KindEnd {
				leads = "ends as " + string(to.Outcome)
			}
			c.find(FindingPublic, n, "action %q gives the request up and leads to %q, which %s: lead it to an end with outcome withdrawn, or leave kind: withdraw out", t.Action, t.To, leads)
		}
		k := slices.IndexFunc(t.Roles, func(id domain.RoleID) bool { return !c.citizen(id) })
		if k < 0 || len(t.Reasons) > 0 {
			continue
		}
		what := ""
		for _, to := range c.atOnce(t) {
			switch to.Outcome {
			case domain.OutcomeClosed:
				what = "closes the request"
			case domain.OutcomeWithdrawn:
				what = "gives up what somebody else asks for"
			default:
			}
		}
		if t.Kind == domain.ActionCorrect {
			what = "corrects what whoever asks has said"
		}
		if what != "" {
			c.find(FindingReason, n, "role %q %s by action %q and does not say why: give it reason codes", t.Roles[k], what, t.Action)
		}
	}
}
