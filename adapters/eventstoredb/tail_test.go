package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// ofAlur is the metadata of an event of Alur's.
const ofAlur = `{"alur":1,"schema":1,"meta":{}}`

func restart(t *testing.T, s *fakeserver.Server, between func()) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	between()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

// TestSubscriptionBeginsWhereItEnded: the library's default is the end, and then
// nobody would learn of what was recorded meanwhile.
func TestSubscriptionBeginsWhereItEnded(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	after := domain.Position(0)
	for round := range 3 {
		restart(t, s, func() { s.Write(fmt.Sprint("a-", round), "Done", ofAlur, "{}") })
		if err := l.Wait(limited(t), after); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var err error
		if after, err = l.Head(limited(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSubscriptionGoesOnFromItsCheckpoint: a filtered subscription that remembers
// only what it was shown would search the same long way again.
func TestSubscriptionGoesOnFromItsCheckpoint(t *testing.T) {
	s := serve(t)
	checkpoints, caughtUp := make(chan struct{}, 100), make(chan struct{}, 100)
	s.Mangle(func(r *streams.ReadResp) *streams.ReadResp {
		switch r.GetContent().(type) {
		case *streams.ReadResp_Checkpoint_:
			checkpoints <- struct{}{}
		case *streams.ReadResp_CaughtUp_:
			caughtUp <- struct{}{}
		}
		return r
	})
	opened(t, s.ConnectionString(), idle())
	receive(t, caughtUp)
	for range 600 {
		s.Write("$stats", "$statsCollected", "", "{}")
	}
	receive(t, checkpoints)
	receive(t, checkpoints)
	s.DropSubscriptions()
	receive(t, caughtUp)
	if n := len(checkpoints); n > 0 {
		t.Errorf("%d checkpoints were passed again", n)
	}
}

func receive[T any](t *testing.T, from <-chan T) {
	t.Helper()
	select {
	case <-from:
	case <-limited(t).Done():
		t.Fatal("waited in vain")
	}
}

// TestWaitOutlivesItsSubscription: whatever becomes of the subscription, those who
// wait are woken.
func TestWaitOutlivesItsSubscription(t *testing.T) {
	s := serve(t)
	other := opened(t, s.ConnectionString(), idle())
	quick, slow := idle(), idle()
	quick.pulse = 5 * time.Millisecond
	for _, c := range []struct {
		name  string
		set   settings
		fault func()
	}{
		{"dropped", slow, s.DropSubscriptions},
		{"unavailable", slow, func() { s.Unavailable(3); s.DropSubscriptions() }},
		{"gone and back", slow, func() { restart(t, s, func() {}) }},
		{"silent", quick, func() { s.Silence(true) }},
		{"silent and dropped", quick, s.DropSubscriptions},
		{"no longer silent", slow, func() { s.Silence(false); s.DropSubscriptions() }},
	} {
		l := opened(t, s.ConnectionString(), c.set)
		head, err := l.Head(limited(t))
		if err != nil {
			t.Fatal(err)
		}
		woken := make(chan error, 1)
		go func() { woken <- l.Wait(limited(t), head) }()
		c.fault()
		record(t, other, "a-"+c.name, 1)
		if err := <-woken; err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestSilentSubscriptionIsReplaced: the pulse notices a subscription that stands
// but gives nothing.
func TestSilentSubscriptionIsReplaced(t *testing.T) {
	s := serve(t)
	subscribed := make(chan struct{}, 100)
	s.Mangle(func(r *streams.ReadResp) *streams.ReadResp {
		if r.GetConfirmation() != nil {
			subscribed <- struct{}{}
		}
		return r
	})
	set := idle()
	set.pulse = 5 * time.Millisecond
	l := opened(t, s.ConnectionString(), set)
	receive(t, subscribed)
	s.Silence(true)
	record(t, l, "a", 1)
	receive(t, subscribed)
}

func TestWaitAfterClose(t *testing.T) {
	l := opened(t, serve(t).ConnectionString(), idle())
	record(t, l, "a", 1)
	woken := make(chan error, 2)
	go func() { woken <- l.Wait(context.Background(), 1<<40) }()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	go func() { woken <- l.Wait(context.Background(), 0) }()
	for range 2 {
		if err := <-woken; !errors.Is(err, domain.ErrClosed) {
			t.Errorf("got %v, want %v", err, domain.ErrClosed)
		}
	}
	if _, err := l.Append(limited(t), storetest.New(t, "b", 0, 1)); !errors.Is(err, domain.ErrClosed) {
		t.Errorf("Append: got %v, want %v", err, domain.ErrClosed)
	}
}
