package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/alur-id/alur/domain"
)

// healer keeps one living client. The library's own way of mending a connection
// is to look for a server a few times and, when there is none, to be dead for
// ever and leave callers hanging. So a client here has one connection and one
// life: at the first sign of a lost server it is retired, nobody starts another
// call on it, and a new one takes its place.
type healer struct {
	config esdb.Configuration
	set    settings
	ctx    context.Context // ends when the log is closed
	work   sync.WaitGroup  // every goroutine of this package, calls included

	mu      sync.Mutex
	living  *client       // nil while there is none
	changed chan struct{} // closed and replaced when living changes
	failure error         // why there was none last time
	closed  bool
}

func newHealer(ctx context.Context, config esdb.Configuration, set settings) *healer {
	// One look for a server at a time, so that a probe ends soon; trying again is
	// the healer's work.
	config.MaxDiscoverAttempts = 1
	config.DiscoveryInterval = 1
	config.GossipTimeout = min(max(config.GossipTimeout, 1), 3)
	config.NodePreference = esdb.NodePreferenceLeader // others would turn us away
	h := &healer{config: config, set: set, ctx: ctx, changed: make(chan struct{})}
	h.work.Go(h.maintain)
	return h
}

// maintain is the one goroutine that makes clients.
func (h *healer) maintain() {
	pause := h.pause()
	leader := "" // that a follower told of
	for h.ctx.Err() == nil {
		began := time.Now()
		c, err := h.probe(leader)
		leader = ""
		if err != nil {
			h.publish(nil, err)
		} else {
			h.publish(c, nil)
			select {
			case <-c.gone:
			case <-h.ctx.Done():
			}
			c.retire(nil)
			h.publish(nil, c.cause())
			leader = c.told()
		}
		if time.Since(began) > 2*h.set.patience {
			pause = h.pause() // it was well in between
		}
		if pause.wait(h.ctx) != nil {
			return
		}
	}
}

// probe makes a client and the first call on it. The library looks for a server
// in the first call, during which any other would hang, and for ever if no server
// is found; so nobody else has the client before. A leader that was told of is
// asked instead of the servers of the connection string.
func (h *healer) probe(leader string) (*client, error) {
	c := &client{gone: make(chan struct{}), work: &h.work}
	config := h.config
	if leader != "" {
		config.Address, config.DnsDiscover, config.GossipSeeds = leader, false, nil
	}
	config.Logger = c.overhear
	inner, err := esdb.NewClient(&config)
	if err != nil {
		return nil, err
	}
	c.inner = inner
	if _, err := inner.GetServerVersion(); err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	return c, nil
}

func (h *healer) publish(c *client, failure error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.living, h.failure = c, failure
	close(h.changed)
	h.changed = make(chan struct{})
}

// take waits for a living client and begins a call on it; launch ends the call.
func (h *healer) take(ctx context.Context) (*client, error) {
	for {
		h.mu.Lock()
		c, changed, closed, failure := h.living, h.changed, h.closed, h.failure
		if !closed && c != nil && c.enter() {
			h.work.Add(1)
			h.mu.Unlock()
			return c, nil
		}
		h.mu.Unlock()
		if closed {
			return nil, domain.ErrClosed
		}
		select {
		case <-changed:
		case <-h.ctx.Done():
			return nil, domain.ErrClosed
		case <-ctx.Done():
			return nil, unavailable(ctx, failure)
		}
	}
}

// close waits until no goroutine is left. The log's context has ended before.
func (h *healer) close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	left := make(chan struct{})
	go func() { h.work.Wait(); close(left) }()
	patience := time.NewTimer(h.set.farewell)
	defer patience.Stop()
	select {
	case <-left:
		return nil
	case <-patience.C:
		return errors.New("close event log: calls to the server still hang")
	}
}

// pause is how long to wait before trying again.
type pause struct{ next, most time.Duration }

func (h *healer) pause() *pause { return &pause{next: h.set.backoff, most: h.set.patience} }

// wait waits, longer each time, and returns the context's error if it ends.
// Half of the time is left to chance, so that many who failed together do not
// come back together.
func (p *pause) wait(ctx context.Context) error {
	t := time.NewTimer(p.next/2 + rand.N(p.next/2+1))
	defer t.Stop()
	p.next = min(2*p.next, p.most)
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unavailable is the error of a call whose context ended before the server had
// answered.
func unavailable(ctx context.Context, why error) error {
	if why == nil {
		return fmt.Errorf("%w: %w", domain.ErrUnavailable, ctx.Err())
	}
	return fmt.Errorf("%w: %w; before that: %w", domain.ErrUnavailable, ctx.Err(), why)
}
