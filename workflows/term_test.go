package workflows_test

import (
	"testing"

	"github.com/alur-id/alur/workflows"
)

func TestBudgetInWords(t *testing.T) {
	for _, c := range []struct {
		budget workflows.Budget
		id, en string
	}{
		{workflows.Budget{Amount: 5, Unit: "days", Working: true}, "5 hari kerja", "5 working days"},
		{workflows.Budget{Amount: 1, Unit: "days"}, "1 hari", "1 day"},
		{workflows.Budget{Amount: 1, Unit: "hours", Working: true}, "1 jam kerja", "1 working hour"},
		{workflows.Budget{Amount: 20, Unit: "minutes"}, "20 menit", "20 minutes"},
	} {
		if id, en := c.budget.In("id"), c.budget.In("en"); id != c.id || en != c.en {
			t.Errorf("got %q and %q, want %q and %q", id, en, c.id, c.en)
		}
	}
}
