package workflows_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/workflows/calendar"
)

// A decree settles the year: no date moves, they are only not provisional any more. Nobody
// is told of their date once more.
func TestADecreeThatMovesNoDateIsToldToNobody(t *testing.T) {
	s := newSwept(t)
	s.now = time.Date(2029, 6, 5, 1, 0, 0, 0, time.UTC)
	n := s.node()
	id := s.complete(n, nil)
	s.catchUp()
	r, err := n.engine.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	was := r.Terms["decision"]
	s.dec.list = append(s.dec.list, calendar.Decree{
		Number: "SKB", Title: calendar.Text{ID: "uji", EN: "test"}, Covers: []int{2029},
		Days: []calendar.DayRule{{Date: s.dec.made[0].DateOf(s.now) + 100, Kind: calendar.Holiday, Name: calendar.Text{ID: "uji", EN: "test"}}},
	})
	s.dec.make()
	before := s.head()
	s.now = s.now.Add(time.Minute)
	if _, err := s.sweeper(s.node()).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	fired := s.fired(before)
	if len(fired) == 0 || !was.Unsure {
		t.Fatalf("nothing was reckoned anew, or was provisional: %+v", was)
	}
	for _, e := range fired {
		if _, ok, err := s.node().engine.Telling(t.Context(), id, e.Version); err != nil || ok {
			t.Errorf("%T is told: %v %v", e.Body, ok, err)
		}
	}
}
