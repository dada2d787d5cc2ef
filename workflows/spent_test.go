package workflows_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Each hour of a request is somebody's, once: that of whoever has to act, and of nobody
// while it is closed.
func TestSpent(t *testing.T) {
	b := newBench(t)
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-100) * time.Hour) }
	submit := b.submission(t)
	submit.Occurred = at(0)
	a, err := b.engine.Submit(t.Context(), submit)
	if err != nil {
		t.Fatal(err)
	}
	act := func(hour int, role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) {
		t.Helper()
		h := newHeader(t, role)
		h.Occurred = at(hour)
		if _, err := b.engine.Act(t.Context(), a.Request.ID, domain.Act{Header: h, Action: action, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	act(3, "front-office", "return", "str-missing")
	act(8, "applicant", "resubmit", "")
	act(9, "front-office", "accept", "")
	act(11, "health-office", "advise-against", "three-places")
	act(12, "head", "refuse", "three-places")
	hours := func(agency, applicant int) workflows.Spent {
		return workflows.Spent{Agency: time.Duration(agency) * time.Hour, Applicant: time.Duration(applicant) * time.Hour}
	}
	for until, want := range map[int]workflows.Spent{-1: {}, 2: hours(2, 0), 7: hours(3, 4), 10: hours(5, 5), 90: hours(7, 5)} {
		got, err := b.engine.Spent(t.Context(), a.Request.ID, at(until))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("until hour %d: %v (-want +got)\n%s", until, err, d)
		}
	}
}
