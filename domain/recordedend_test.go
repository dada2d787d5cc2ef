package domain_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
)

// An imported case is told by its record until an action is taken with it, or the law moves
// it, at another time than it was recorded at.
func TestACaseIsToldByItsRecordUntilSomethingIsDoneHere(t *testing.T) {
	began, recorded, ended := time.Unix(1e9, 0), time.Unix(2e9, 123_456_789), time.Unix(1e9+60, 0).UTC()
	moved := domain.ActionTaken{From: "new", To: "done", Outcome: domain.OutcomeClosed}
	for name, x := range map[string]struct {
		body domain.Body
		at   time.Time
		here bool
	}{
		"as it was told":            {moved, recorded, false},
		"as a store gives it":       {moved, recorded.Truncate(time.Microsecond), false},
		"here":                      {moved, recorded.Add(time.Millisecond), true},
		"here, in place":            {domain.ActionTaken{From: "new", To: "new"}, recorded.Add(time.Hour), true},
		"by law":                    {domain.DecisionDeemed{From: "new", To: "done"}, recorded.Add(time.Hour), true},
		"under another version":     {domain.RequestMigrated{From: "new", To: "new"}, recorded.Add(time.Hour), false},
		"a term runs out":           {domain.TermExpired{Term: "law"}, recorded.Add(time.Hour), false},
		"decided, not recorded yet": {moved, time.Time{}, true},
	} {
		imported := &domain.Imported{Case: "c", Ended: ended}
		var r domain.Request
		for i, e := range []domain.Recorded{
			{Event: domain.Event{Envelope: domain.Envelope{Occurred: began, At: recorded}, Body: domain.RequestSubmitted{State: "new", Imported: imported}}},
			{Event: domain.Event{Envelope: domain.Envelope{Occurred: began, At: x.at}, Body: x.body}},
			{Event: domain.Event{Envelope: domain.Envelope{Occurred: began, At: recorded}, Body: domain.FactsRecorded{}}},
		} {
			e.Version = domain.Version(i + 1)
			r = domain.Evolve(r, e)
		}
		if got := r.EndedByRecord(); got.IsZero() != x.here || !x.here && !got.Equal(ended) || r.ByRecord(false) == x.here {
			t.Errorf("%s: ended %s by the record; told by that: %t", name, got, r.ByRecord(false))
		}
	}
	var open, other domain.Request
	open.Imported = &domain.Imported{Case: "c"}
	if open.ByRecord(false) || !open.ByRecord(true) || other.ByRecord(true) || !open.EndedByRecord().IsZero() {
		t.Error("a case without a date is told by its record where a version says where that has the end, and no other")
	}
}
