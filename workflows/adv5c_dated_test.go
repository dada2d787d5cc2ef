package workflows_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
)

// docs/agencies/terms.md: "A date that has passed is one that was missed" (datedterm_test.go).
// One before 1900 locks the request for ever: what would follow is refused, and so is all else.
func TestAdv5cADateOfLongAgoLocksTheRequest(t *testing.T) {
	b := newEvent(t, "1850-01-01 09:00")
	b.at("2026-04-07 09:00")
	c := domain.Act{Header: newHeader(t, "clerk"), Action: "grant"}
	c.Occurred = b.now
	if _, err := b.engine.Act(t.Context(), b.r.ID, c); err != nil {
		t.Errorf("the clerk can do nothing: %v", err)
	}
}
