package domain_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// Only what is open is waited for: of reviews that have come out, the remedy says something
// else, also where one of them is enough.
func TestWhatWouldHelpOfReviews(t *testing.T) {
	const open, approved, refused = domain.OpinionOpen, domain.OpinionApproved, domain.OpinionRefused
	for name, c := range map[string]struct {
		fire, water domain.Opinion
		atLeast     int
		want        domain.Opinion
		remedy      string
	}{
		"one is open":                         {approved, open, 2, approved, "wait for the opinions that are open"},
		"any is enough, and both are open":    {open, open, 1, approved, "wait for the opinions that are open"},
		"any is enough, and one is there":     {approved, open, 1, approved, ""},
		"any is enough, and the other is not": {approved, refused, 1, approved, "a refusal stands until the review is asked for anew"},
		"refused, and one is open":            {refused, open, 2, approved, "a refusal stands until the review is asked for anew"},
		"any is enough, and none is against":  {approved, open, 1, refused, "this is for requests that reviews are against"},
	} {
		d := domain.Dossier{Reviews: map[domain.ReviewID]domain.Review{"fire": {Opinion: c.fire}, "water": {Opinion: c.water}}}
		err := domain.Request{Dossier: d}.Lacks(domain.Needs{Reviews: domain.ReviewNeed{Join: domain.Join{Reviews: []domain.ReviewID{"fire", "water"}, AtLeast: c.atLeast}, Result: c.want}})
		var refusal *domain.Refusal
		got := ""
		if errors.As(err, &refusal) {
			got = refusal.Remedy
		}
		if d := cmp.Diff(c.remedy, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}
