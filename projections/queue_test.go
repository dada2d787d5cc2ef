package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// Five wait for a signature. The second and fourth are taken first: who was before them
// is told by how many they were overtaken, and how that came about.
func TestQueue(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		db, log := open()(), newLog()
		views, queue := inboxViews(t, log, db.writer), projections.NewQueueView(db.reader)
		minute := func(n int) time.Time { return now.Add(time.Duration(n) * time.Minute) }
		tellers := make([]*teller, 6)
		for i := range tellers {
			tellers[i] = &teller{request: requestOf(i), late: time.Duration(6-i) * time.Hour}
		}
		tell := func(i, at int, bodies ...domain.Body) {
			for _, b := range bodies {
				tellers[i].tell(t, log, happened{b, officer("h-1"), minute(at)})
			}
		}
		ready := domain.TaskReady{State: "sign", Role: "head", Rule: "order"}
		for _, i := range []int{4, 2, 0, 1, 3} { // recorded in another order than they came
			tell(i, i, submitted(i, "sign", minute(i)).body, ready)
		}
		tell(5, -1440, submitted(5, "sign", minute(-1440)).body, ready) // was done yesterday
		tell(5, -1430, domain.TaskPicked{State: "sign"}, moves("sign", "issued", domain.OutcomeApproved))
		tell(1, 10, domain.TaskPicked{State: "sign"})
		tell(3, 11, domain.TaskReassigned{State: "sign", To: "h-2", Reason: "vip"})
		tell(3, 12, domain.TaskReassigned{State: "sign", To: "h-3", Reason: "leave"}, moves("sign", "issued", domain.OutcomeApproved))
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		one := projections.QueueFilter{Tenant: "11.71", Service: "permit", Office: "licences", State: "sign"}
		list, err := queue.List(t.Context(), projections.QueueFilter{Tenant: "11.71"}, now)
		if d := cmp.Diff([]projections.Queue{{
			Tenant: "11.71", Service: "permit", Office: "licences", State: "sign", Waiting: 3, Oldest: minute(0), Taken: 2, Done: 1,
		}}, list); d != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, d)
		}
		if list, err := queue.List(t.Context(), projections.QueueFilter{Tenant: "11.71", State: "check"}, now); err != nil || len(list) > 0 {
			t.Errorf("another queue: %+v, %v", list, err)
		}
		line, err := queue.Line(t.Context(), one, 10)
		waits := func(i, position, overtaken int) projections.Waiting {
			return projections.Waiting{Request: requestOf(i), Reference: domain.NewReference(uint64(i + 1)), Position: position, Ready: minute(i), Overtaken: overtaken}
		}
		if d := cmp.Diff([]projections.Waiting{waits(0, 1, 2), waits(2, 2, 1), waits(4, 3, 0)}, line); d != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, d)
		}
		place, waiting, err := queue.Of(t.Context(), requestOf(0))
		if d := cmp.Diff(projections.Place{
			Service: "permit", Office: "licences", State: "sign", Rule: "order", Ready: minute(0), Position: 1, Waiting: 3,
			Overtaken: []projections.Overtaking{{How: "picked", Rule: "order", Count: 1}, {How: "reassigned", Rule: "order", Reason: "vip", Count: 1}},
		}, place); d != "" || err != nil || !waiting || place.Overtakers() != 2 {
			t.Errorf("%v (-want +got)\n%s", err, d)
		}
		for _, i := range []int{1, 3, 99} { // who was taken, is done, or does not exist
			if _, waiting, err := queue.Of(t.Context(), requestOf(i)); waiting || err != nil {
				t.Errorf("%d waits: %t, %v", i, waiting, err)
			}
		}
		// The day is the tenant's: in Aceh, yesterday's was done before midnight.
		if list, err := queue.List(t.Context(), projections.QueueFilter{Tenant: "11.71"}, minute(-1430)); err != nil || list[0].Taken != 1 || list[0].Done != 1 {
			t.Errorf("yesterday: %+v, %v", list, err)
		}
		midnight := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC) // in WIB, UTC+7
		for at, taken := range map[time.Time]int{midnight: 2, midnight.Add(-time.Second): 1} {
			if list, err := queue.List(t.Context(), projections.QueueFilter{Tenant: "11.71"}, at); err != nil || list[0].Taken != taken {
				t.Errorf("at %s: %+v, %v; want %d taken", at, list, err, taken)
			}
		}
		nothingDiffers(t, views)
	})
}
