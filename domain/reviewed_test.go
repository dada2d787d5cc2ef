package domain_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
)

// gated lets nobody act who gave a review, by whatever name it goes in this version.
type gated struct {
	rules
	review domain.ReviewID
}

func (g gated) Fire(r domain.Request, action domain.ActionID) (domain.Transition, error) {
	t, err := g.rules.Fire(r, action)
	t.NotBy = []domain.ActionID{domain.Reviewing(g.review)}
	return t, err
}

// Whoever gave a review is kept from what it bars them from, also when a migration gave
// the review another name since.
func TestAReviewIsRememberedByItsNewName(t *testing.T) {
	gave := event(1, clerk, domain.ReviewGiven{Review: "fire", Opinion: domain.OpinionApproved})
	asked := event(1, head, domain.ReviewRequested{Review: "fire", Role: "clerk"})
	r := given(submitted(), asked, gave)
	moved := domain.Evolve(r, domain.Recorded{Event: event(2, head, domain.RequestMigrated{
		Mapping: domain.Mapping{Reviews: map[domain.ReviewID]domain.ReviewID{"fire": "rescue"}}, From: "new", To: "new",
	}), Version: 4})
	loud := clerk
	loud.ID = "C-1"
	for name, c := range map[string]struct {
		r      domain.Request
		who    domain.Actor
		review domain.ReviewID
		barred bool
	}{
		"before":             {r, clerk, "fire", true},
		"in capitals":        {r, loud, "fire", true},
		"another review":     {r, clerk, "water", false},
		"by its new name":    {moved, clerk, "rescue", true},
		"not by its old one": {moved, clerk, "fire", false},
	} {
		_, err := domain.Decide(c.r, act(3, c.who, "check", ""), gated{rules{version: 3}, c.review})
		if (err != nil) != c.barred {
			t.Errorf("%s: %v", name, err)
		}
	}
}
