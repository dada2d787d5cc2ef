package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alur-id/alur/adapters/memory"
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

// line are requests that wait, or did, for the work of a state.
type line struct {
	*testing.T
	db      database
	log     *memory.Log
	views   *projections.Views
	queue   *projections.QueueView
	tellers []*teller
}

func newLine(t *testing.T, db database, n int) *line {
	log := newLog()
	l := &line{T: t, db: db, log: log, views: inboxViews(t, log, db.writer), queue: projections.NewQueueView(db.reader)}
	for i := range n {
		l.tellers = append(l.tellers, &teller{request: requestOf(i)})
	}
	return l
}

func minute(n int) time.Time { return now.Add(time.Duration(n) * time.Minute) }

func (l *line) tell(i, at int, bodies ...domain.Body) {
	for _, b := range bodies {
		l.tellers[i].tell(l, l.log, happened{b, officer("h-1"), minute(at)})
	}
}

// offer has requests come to be signed, a minute after each other, where work is given out.
func (l *line) offer(requests ...int) {
	for _, i := range requests {
		l.tell(i, i, submitted(i, "sign", minute(i)).body, domain.TaskReady{State: "sign", Role: "head", Rule: "order"})
	}
}

// lists says how the queues stand.
func (l *line) lists(want ...projections.Queue) {
	l.Helper()
	if err := l.views.CatchUp(l.Context()); err != nil {
		l.Fatal(err)
	}
	for i := range want {
		want[i].Tenant, want[i].Service = "11.71", "permit"
	}
	list, err := l.queue.List(l.Context(), projections.QueueFilter{Tenant: "11.71"}, now)
	if d := cmp.Diff(want, list, cmpopts.EquateEmpty()); d != "" || err != nil {
		l.Errorf("queues: %v (-want +got)\n%s", err, d)
	}
}

// waits says who waits in a queue, in their order, and by how many each was overtaken:
// told of the queue, and of each request.
func (l *line) waits(office string, state domain.StateID, want ...projections.Waiting) {
	l.Helper()
	if err := l.views.CatchUp(l.Context()); err != nil {
		l.Fatal(err)
	}
	got, err := l.queue.Line(l.Context(), projections.QueueFilter{Tenant: "11.71", Service: "permit", Office: office, State: state}, 10)
	if err != nil {
		l.Fatal(err)
	}
	for i, w := range got {
		p, waits, err := l.queue.Of(l.Context(), w.Request)
		if err != nil || !waits || p.Office != office || p.State != state || p.Position != w.Position || p.Waiting != len(got) || p.Overtakers() != w.Overtaken || !p.Ready.Equal(w.Ready) {
			l.Errorf("%+v in its queue, and of itself %+v, %t, %v", w, p, waits, err)
		}
		got[i].Reference = ""
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		l.Errorf("who waits in %s of %s (-want +got)\n%s", state, office, d)
	}
}

func inLine(i, position, overtaken int) projections.Waiting {
	return projections.Waiting{Request: requestOf(i), Position: position, Ready: minute(i), Overtaken: overtaken}
}

func migrates(from, to domain.StateID, version int) domain.RequestMigrated {
	return domain.RequestMigrated{FromVersion: version - 1, ToVersion: version, From: from, To: to}
}

// What ended while nobody had it was not done; what an officer had and was withdrawn was.
func TestQueueCountsAsDoneWhatWasTaken(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		l := newLine(t, open()(), 4)
		l.offer(0, 1, 2, 3)
		l.tell(0, 10, moves("sign", "withdrawn", domain.OutcomeWithdrawn))
		l.tell(1, 10, domain.RequestLapsed{Term: "law", From: "sign", To: "lapsed", Outcome: domain.OutcomeClosed})
		l.tell(2, 10, domain.DecisionDeemed{Term: "law", From: "sign", To: "issued", Outcome: domain.OutcomeApproved})
		l.tell(3, 10, domain.TaskPicked{State: "sign"}, moves("sign", "withdrawn", domain.OutcomeWithdrawn))
		l.lists(projections.Queue{Office: "licences", State: "sign", Taken: 1, Done: 1})
	})
}

// An office that takes a state over has the queue as it was: whoever became ready first
// is first, before those who came to it there.
func TestQueueGoesWithItsOffice(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		l := newLine(t, open()(), 3)
		l.offer(0, 1)
		l.tellers[2].office = "mall"
		l.offer(2)
		for _, i := range []int{1, 0} {
			l.tellers[i].office = "mall"
			l.tell(i, 10, migrates("sign", "sign", 2))
		}
		l.lists(projections.Queue{Office: "mall", State: "sign", Waiting: 3, Oldest: minute(0)})
		l.waits("licences", "sign")
		l.waits("mall", "sign", inLine(0, 1, 0), inLine(1, 2, 0), inLine(2, 3, 0))
		page, err := projections.NewInboxView(l.db.reader).List(l.Context(), projections.InboxFilter{Tenant: "11.71", Sort: projections.BySince, Limit: 10})
		if err != nil || len(page.Tasks) != 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		for i, task := range page.Tasks {
			if task.Request != requestOf(i) || task.Office != "mall" {
				t.Errorf("the inbox has, as number %d, %+v", i, task)
			}
		}
		l.tell(2, 11, domain.TaskPicked{State: "sign"})
		l.waits("mall", "sign", inLine(0, 1, 1), inLine(1, 2, 1))
		nothingDiffers(t, l.views)
	})
}

// Where another version gives the work out by another rule, those who wait do so by that;
// where by none, they wait in no queue, until one does again: then where they were.
func TestQueueHasTheRuleOfItsVersion(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		l := newLine(t, open()(), 3)
		l.offer(0, 1, 2)
		l.tell(1, 5, domain.TaskPicked{State: "sign"})
		rule := func(want string, waiting bool) {
			t.Helper()
			if err := l.views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			p, waits, err := l.queue.Of(t.Context(), requestOf(0))
			if err != nil || waits != waiting || p.Rule != want && waiting {
				t.Errorf("the queue has %+v, %t, %v; want rule %q, %t", p, waits, err, want, waiting)
			}
			page, err := projections.NewInboxView(l.db.reader).List(t.Context(), projections.InboxFilter{Tenant: "11.71", Sort: projections.BySince, Limit: 10})
			if err != nil || len(page.Tasks) != 3 || page.Tasks[0].Rule != want || page.Tasks[1].Rule != want || page.Tasks[1].Holder != "h-1" {
				t.Errorf("the inbox has %+v, %v; want rule %q", page, err, want)
			}
		}
		all := func(at, version int) {
			for i := range 3 {
				l.tell(i, at, migrates("sign", "sign", version))
			}
		}
		rule("order", true)
		all(10, 2)
		rule("lottery-2", true)
		l.waits("licences", "sign", inLine(0, 1, 1), inLine(2, 2, 0))
		all(20, 13) // which gives no work out
		rule("", false)
		l.waits("licences", "sign")
		l.lists(projections.Queue{Office: "licences", State: "sign", Taken: 1})
		all(30, 3)
		rule("lottery-3", true)
		l.waits("licences", "sign", inLine(0, 1, 1), inLine(2, 2, 0))
		l.tell(2, 31, domain.TaskAllocated{State: "sign", To: "h-2", Rule: "lottery-3"})
		l.tell(1, 32, moves("sign", "issued", domain.OutcomeApproved))
		l.waits("licences", "sign", inLine(0, 1, 2))
		l.lists(projections.Queue{Office: "licences", State: "sign", Waiting: 1, Oldest: minute(0), Taken: 2, Done: 1})
		p, _, err := l.queue.Of(t.Context(), requestOf(0))
		if d := cmp.Diff([]projections.Overtaking{{How: "allocated", Rule: "lottery-3", Count: 1}, {How: "picked", Rule: "order", Count: 1}}, p.Overtaken); d != "" || err != nil {
			t.Errorf("by the rule of then: %v (-want +got)\n%s", err, d)
		}
		nothingDiffers(t, l.views)
	})
}

// A queue that a migration calls otherwise is not forgotten by those who wait in it: who
// overtook them under the old name did, and so does who comes under the new one. Who
// stays behind under the old name waits in a queue of their own from then on.
func TestQueueIsRememberedByWhoWaits(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		l := newLine(t, open()(), 7)
		l.offer(0, 1, 2, 3, 4, 5)
		l.tell(1, 6, domain.TaskPicked{State: "sign"}, moves("sign", "issued", domain.OutcomeApproved))
		l.tell(2, 6, domain.TaskReassigned{State: "sign", To: "h-2", Reason: "vip"})
		l.waits("licences", "sign", inLine(0, 1, 2), inLine(3, 2, 0), inLine(4, 3, 0), inLine(5, 4, 0))
		for _, i := range []int{2, 4, 0} { // 3 and 5 stay
			l.tell(i, 10, migrates("sign", "signing", 2))
		}
		l.waits("licences", "signing", inLine(0, 1, 2), inLine(4, 2, 0))
		l.waits("licences", "sign", inLine(3, 1, 0), inLine(5, 2, 0))
		l.tell(6, 11, submitted(6, "signing", minute(11)).body, domain.TaskReady{State: "signing", Role: "head", Rule: "lottery-2"})
		l.tell(6, 12, domain.TaskAllocated{State: "signing", To: "h-3"})
		l.tell(5, 12, domain.TaskPicked{State: "sign"})
		l.tell(2, 12, moves("signing", "issued", domain.OutcomeApproved))
		l.waits("licences", "signing", inLine(0, 1, 3), inLine(4, 2, 1))
		l.waits("licences", "sign", inLine(3, 1, 1))
		l.lists(
			projections.Queue{Office: "licences", State: "sign", Waiting: 1, Oldest: minute(3), Taken: 3, Done: 1},
			projections.Queue{Office: "licences", State: "signing", Waiting: 2, Oldest: minute(0), Taken: 1, Done: 1})
		l.tell(3, 20, migrates("sign", "signing", 2)) // with the one who overtook it, but not those of the other queue
		l.waits("licences", "signing", inLine(0, 1, 3), inLine(3, 2, 1), inLine(4, 3, 1))
		l.tell(0, 30, migrates("signing", "sealing", 12)) // to where nothing is given out, and back
		l.tell(4, 31, domain.TaskAllocated{State: "signing", To: "h-3"})
		l.tell(0, 32, migrates("sealing", "signing", 3))
		l.waits("licences", "signing", inLine(0, 1, 3), inLine(3, 2, 2))
		nothingDiffers(t, l.views)
	})
}
