package eventstoredb

import (
	"context"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/alur-id/alur/domain"
)

// tail is the position of the last event that is known, shared by all who wait.
type tail struct {
	mu    sync.Mutex
	head  domain.Position
	seen  esdb.Position // by the subscription: where it goes on
	grown chan struct{} // closed and replaced when head grows
}

func (t *tail) position() (domain.Position, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head, t.grown
}

// raise moves the head up to a position, never down, and returns it.
func (t *tail) raise(p domain.Position) domain.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p > t.head {
		t.head = p
		close(t.grown)
		t.grown = make(chan struct{})
	}
	return t.head
}

// see notes how far the subscription has come.
func (t *tail) see(p esdb.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if later(p, t.seen) {
		t.seen = p
	}
}

func (t *tail) progress() esdb.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Wait implements [domain.EventLog].
func (l *Log) Wait(ctx context.Context, after domain.Position) error {
	for {
		head, grown := l.tail.position()
		switch {
		case l.ctx.Err() != nil:
			return domain.ErrClosed
		case head > after:
			return ctx.Err()
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.ctx.Done():
			return domain.ErrClosed
		}
	}
}

// follow keeps a subscription to all streams going, on one client after the
// other, until the log is closed. It raises the head and nothing else: readers
// are woken by it and then read, so that a subscription that was dropped, or
// that gives an event twice, can make no reader skip or repeat one.
func (l *Log) follow() {
	head, _ := l.tail.position()
	l.tail.see(place(head))
	pause := l.healer.pause()
	for {
		began := time.Now()
		c, err := l.healer.take(l.ctx)
		if err != nil {
			return
		}
		ctx, cancel := context.WithCancel(l.ctx)
		dropped := launch(ctx, l.healer, c, l.subscribe)
		l.watch(c, dropped)
		cancel()
		if time.Since(began) > 2*l.set.patience {
			pause = l.healer.pause()
		}
		if pause.wait(l.ctx) != nil {
			return
		}
	}
}

// watch returns when a subscription has ended, its client is retired, or it does
// not deliver. For the last it looks for the head by itself now and then, which
// also wakes those who would wait in vain.
func (l *Log) watch(c *client, dropped <-chan answer[struct{}]) {
	pulse := time.NewTicker(l.set.pulse)
	defer pulse.Stop()
	due := l.tail.progress()
	for {
		select {
		case a := <-dropped:
			if weigh(a.err) == lost {
				c.retire(a.err)
			}
			return
		case <-c.gone:
			return
		case <-l.ctx.Done():
			return
		case <-pulse.C:
			if later(due, l.tail.progress()) {
				return
			}
			if head, err := l.Head(l.ctx); err == nil {
				due = place(head)
			}
		}
	}
}

// subscribe raises the head until the subscription is dropped.
func (l *Log) subscribe(ctx context.Context, c *esdb.Client) (struct{}, error) {
	s, err := c.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{
		From: from(l.tail.progress()), Filter: esdb.ExcludeSystemEventsFilter(), MaxSearchWindow: 256,
	})
	if err != nil {
		return struct{}{}, err
	}
	defer s.Close()
	for {
		switch e := s.Recv(); {
		case e.SubscriptionDropped != nil:
			return struct{}{}, e.SubscriptionDropped.Error
		case e.CheckPointReached != nil:
			l.tail.see(*e.CheckPointReached)
		case e.EventAppeared != nil:
			recorded := e.EventAppeared.Event
			// Damaged counts too: whoever waits must come and find it.
			if _, ours, _ := l.entry(recorded); ours {
				l.tail.raise(domain.Position(recorded.Position.Commit))
			}
			l.tail.see(recorded.Position)
		}
	}
}
