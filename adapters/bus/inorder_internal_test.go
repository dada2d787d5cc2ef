package bus

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// A gateway that is slow for the first message of a request gets the others of it in
// their order, and those of another request meanwhile.
func TestWhatIsOfOneRequestIsSentInOrder(t *testing.T) {
	lane := Lane{AtOnce: 8, InOrder: time.Hour, Pauses: UsualPauses()}
	onBoth(t, lane, func(t *testing.T, b *laneBench) {
		var mu sync.Mutex
		var took []domain.Position
		other := make(chan struct{})
		b.Send = func(_ context.Context, s Sending) error {
			switch s.Position {
			case 1:
				<-other
			case 5:
				defer close(other)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, s.Position)
			return nil
		}
		b.of(t, "request-a", 1, 2, 3, 4)
		b.of(t, "request-b", 5)
		b.rounds(t)
		if d := cmp.Diff([]domain.Position{5, 1, 2, 3, 4}, took); d != "" {
			t.Errorf("taken (-want +got)\n%s", d)
		}
	})
}

// What is later waits some time for what is earlier and fails, and no longer. When both
// can be delivered the order holds, whichever is due; other requests wait for neither.
func TestWhatIsLaterWaitsForWhatFailsForSomeTime(t *testing.T) {
	lane := Lane{AtOnce: 4, InOrder: 10 * time.Minute, Pauses: []time.Duration{time.Minute, 24 * time.Hour, 24 * time.Hour}}
	onBoth(t, lane, func(t *testing.T, b *laneBench) {
		refused := map[domain.Position]error{1: errName}
		b.answer = func(s Sending) error { return refused[s.Position] }
		b.of(t, "request-a", 1)
		step := func(want ...string) {
			t.Helper()
			got := b.rounds(t)
			slices.Sort(got) // those of two requests are tried side by side
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("at %s: (-want +got)\n%s", b.clock.Format(time.TimeOnly), d)
			}
		}
		step("1")
		b.clock = b.clock.Add(time.Second)
		b.of(t, "request-a", 2)
		b.of(t, "request-b", 3)
		step("1", "3") // 1 before its time
		b.clock = b.clock.Add(2 * time.Minute)
		step("1")
		b.clock = b.clock.Add(8 * time.Minute)
		step("1", "2")
		if left := b.left(t); len(left) != 1 || left[0].Attempts != 2 {
			t.Errorf("left: %+v", left)
		}
		delete(refused, 1)
		b.clock = b.clock.Add(time.Minute)
		b.of(t, "request-a", 4)
		step("1", "4")
	})
}

// What is given up when it is tried before its time, for what is behind it, was tried then,
// too.
func TestTheLastAttemptCountsWheneverItIs(t *testing.T) {
	lane := Lane{AtOnce: 4, InOrder: 10 * time.Minute, Pauses: UsualPauses()}
	onBoth(t, lane, func(t *testing.T, b *laneBench) {
		b.answer = func(Sending) error { return errName }
		b.of(t, "request-a", 1)
		b.rounds(t)
		b.clock = b.clock.Add(time.Second)
		b.answer = func(s Sending) error {
			if s.Position == 1 {
				return &domain.Undelivered{Text: "no such number", Lasting: true}
			}
			return nil
		}
		b.of(t, "request-a", 2)
		if d := cmp.Diff([]string{"1", "2"}, b.rounds(t)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if left := b.left(t); len(left) != 1 || left[0].State != SendingFailed || left[0].Attempts != 2 {
			t.Errorf("left: %+v", left)
		}
		if d := cmp.Diff([]int{2}, b.attempts); d != "" {
			t.Errorf("attempts that giving up was told of (-want +got)\n%s", d)
		}
	})
}

// A gateway that was gone for long gets what waited in the order of each request,
// although the later was tried less often and is due first.
func TestTheOrderHoldsWhenAGatewayIsBack(t *testing.T) {
	lane := Lane{AtOnce: 4, InOrder: time.Minute, Pauses: []time.Duration{time.Second, time.Hour, 24 * time.Hour}}
	onBoth(t, lane, func(t *testing.T, b *laneBench) {
		b.answer = func(Sending) error { return &domain.Undelivered{Text: "no answer", Unreachable: true} }
		b.of(t, "request-a", 1)
		for _, later := range []time.Duration{0, time.Minute, 2 * time.Hour} {
			b.clock = b.clock.Add(later)
			b.rounds(t)
		}
		b.of(t, "request-a", 2)
		b.rounds(t)
		b.clock = b.clock.Add(2 * time.Hour) // 1 is due in a day, 2 is due
		b.answer = func(Sending) error { return nil }
		if d := cmp.Diff([]string{"1", "2"}, b.rounds(t)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

// Quiet hours are one for all messages of a request: what is later is not tried before.
func TestWhatIsPostponedPostponesWhatIsBehindIt(t *testing.T) {
	onBoth(t, Lane{AtOnce: 4, InOrder: time.Minute}, func(t *testing.T, b *laneBench) {
		until := b.clock.Add(8 * time.Hour)
		b.answer = func(Sending) error {
			if b.clock.Before(until) {
				return &domain.Postponed{Until: until}
			}
			return nil
		}
		b.of(t, "request-a", 1, 2)
		if d := cmp.Diff([]string{"1"}, b.rounds(t)); d != "" {
			t.Errorf("at night (-want +got)\n%s", d)
		}
		b.clock = until.Add(-time.Millisecond)
		b.of(t, "request-a", 3)
		if d := cmp.Diff([]string{"1"}, b.rounds(t)); d != "" {
			t.Errorf("before morning (-want +got)\n%s", d)
		}
		b.clock = until
		if d := cmp.Diff([]string{"1", "2", "3"}, b.rounds(t)); d != "" {
			t.Errorf("in the morning (-want +got)\n%s", d)
		}
	})
}
