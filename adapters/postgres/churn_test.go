package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// churn is writers and followers at work on some logs of one database, whatever
// happens to it.
type churn struct {
	ctx     context.Context
	writers sync.WaitGroup
	stop    chan struct{} // closed: writers finish what they are at

	followers sync.WaitGroup
	ended     chan struct{} // closed when the last writer has

	mu    sync.Mutex
	acked map[uuid.UUID]domain.Position
	seen  [][]domain.Entry // of each follower
}

const patience = 3 * time.Minute

// startChurn has writers append to streams of their own, checked clients to
// shared ones, and one follower a log read all of it.
func startChurn(t *testing.T, writers int, logs ...*postgres.Log) *churn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c := &churn{
		ctx: ctx, stop: make(chan struct{}), ended: make(chan struct{}),
		acked: map[uuid.UUID]domain.Position{}, seen: make([][]domain.Entry, len(logs)),
	}
	for w := range writers {
		c.writers.Go(func() { c.write(t, logs[w%len(logs)], fmt.Sprint("writer-", w)) })
	}
	for i, log := range logs {
		c.followers.Go(func() { c.seen[i] = c.follow(t, log) })
	}
	return c
}

// write appends event after event, and repeats one until it is told of it.
func (c *churn) write(t *testing.T, log domain.EventLog, stream string) {
	var tip domain.Tip
	for i := 0; ; i++ {
		select {
		case <-c.stop:
			return
		default:
		}
		a, next := storetest.Entered(t, stream, tip, storetest.Events(1+i%3))
		done, err := c.insist(log, a)
		if err != nil {
			t.Errorf("%s version %d: %v", stream, next.Version, err)
			return
		}
		if done.Version != next.Version {
			t.Errorf("%s: answered version %d, want %d", stream, done.Version, next.Version)
		}
		tip = next
		c.mu.Lock()
		for n, e := range a.Entries {
			c.acked[e.ID] = done.Position - domain.Position(len(a.Entries)-1-n)
		}
		c.mu.Unlock()
	}
}

func (c *churn) insist(log domain.EventLog, a domain.Append) (domain.Appended, error) {
	for {
		ctx, cancel := context.WithTimeout(c.ctx, 2*time.Second)
		done, err := log.Append(ctx, a)
		cancel()
		if err == nil || !errors.Is(err, domain.ErrUnavailable) || c.ctx.Err() != nil {
			return done, err
		}
	}
}

// follow reads until it has seen everything that was acknowledged.
func (c *churn) follow(t *testing.T, log domain.EventLog) []domain.Entry {
	var seen []domain.Entry
	after := domain.Position(0)
	last := func() bool {
		select {
		case <-c.ended:
			return true
		default:
			return false
		}
	}
	for {
		final := last()
		for e, err := range log.ReadAll(c.ctx, after) {
			if err != nil {
				t.Errorf("follower after %d: %v", after, err)
				return seen
			}
			if e.Position != after+1 {
				t.Errorf("follower saw %d after %d", e.Position, after)
			}
			seen, after = append(seen, e), e.Position
		}
		if final {
			return seen
		}
		ctx, cancel := context.WithCancel(c.ctx)
		stop := context.AfterFunc(endOf(ctx, c.ended), cancel)
		err := log.Wait(ctx, after)
		stop()
		cancel()
		if err != nil && !last() {
			t.Errorf("follower waits: %v", err)
			return seen
		}
	}
}

// endOf is a context that ends with a channel, or with its parent.
func endOf(parent context.Context, ended <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		defer cancel()
		select {
		case <-ended:
		case <-parent.Done():
		}
	}()
	return ctx
}

// acknowledged is how many events were.
func (c *churn) acknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// progress waits until so many more events are acknowledged.
func (c *churn) progress(t *testing.T, more int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for want := c.acknowledged() + more; c.acknowledged() < want; {
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			t.Fatalf("%d events were acknowledged, want %d", c.acknowledged(), want)
		}
	}
}

// finish lets the writers end and checks that what was acknowledged is in the log,
// once and where it was said to be, and was seen by each follower as it stands.
func (c *churn) finish(t *testing.T, log domain.EventLog) {
	t.Helper()
	close(c.stop)
	c.writers.Wait()
	close(c.ended)
	c.followers.Wait()
	storetest.Verify(t, features, log)
	at := map[uuid.UUID]domain.Position{}
	for e, err := range log.ReadAll(c.ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if before, twice := at[e.ID]; twice {
			t.Errorf("event %s is at %d and at %d", e.ID, before, e.Position)
		}
		at[e.ID] = e.Position
	}
	lost := 0
	for id, position := range c.acked {
		if at[id] != position {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged events are not where they were said to be", lost, len(c.acked))
	}
	for i, seen := range c.seen {
		if len(seen) != len(at) {
			t.Errorf("follower %d saw %d events of %d", i, len(seen), len(at))
		}
		for _, e := range seen {
			if at[e.ID] != e.Position {
				t.Errorf("follower %d saw %s at %d; it is at %d", i, e.ID, e.Position, at[e.ID])
			}
		}
	}
	t.Logf("%d events, %d acknowledged", len(at), len(c.acked))
}
