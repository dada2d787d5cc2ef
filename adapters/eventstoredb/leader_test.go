package eventstoredb

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
	"github.com/alur-id/alur/adapters/storetest"
)

// TestLeaderGone: a follower names a leader that is gone, as it does until another
// is elected, while many call; then it goes too. Nobody hangs, Close included,
// nothing leaks, and all goes on when the servers are back.
func TestLeaderGone(t *testing.T) {
	leader, err := fakeserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	follower, err := fakeserver.StartFollower(leader)
	if err != nil {
		t.Fatal(err)
	}
	set := idle()
	set.farewell = 10 * time.Second
	l, err := open(limited(t), follower.ConnectionString(), set)
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, "a", 1)
	if err := leader.Stop(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(limited(t))
	crowd := func() {
		for range 200 {
			wg.Go(func() {
				if _, err := l.Head(ctx); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("Head: %v", err)
				}
			})
		}
	}
	crowd()
	for range 10 {
		_, err := l.Append(soon(t), storetest.New(t, "during", 0, 1))
		wantUnreached(t, "Append", err)
		if err := follower.Stop(); err != nil {
			t.Fatal(err)
		}
		crowd()
		_, err = l.Append(soon(t), storetest.New(t, "during", 0, 1))
		wantUnreached(t, "Append", err)
		if err := follower.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := leader.Start(); err != nil {
		t.Fatal(err)
	}
	record(t, l, "b", 1)
	cancel()
	wg.Wait()
	if err := errors.Join(l.Close(), leader.Stop(), follower.Stop()); err != nil {
		t.Error(err)
	}
}
