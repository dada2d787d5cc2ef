package bus

import (
	"context"
	"strconv"
	"time"

	"github.com/alur-id/alur/domain"
)

// A lease is the right to do a consumer's work. Its row says who has it, and counts how
// often it was renewed. Whoever waits for it takes it when the row stayed the same for
// as long as [Config.Lease], by a clock of its own that only goes forward: no two
// machines' clocks are compared, and the database's is not asked. The holder gives
// itself up a sixth of that time earlier when it cannot renew. Should both be wrong,
// since a process or a machine stood still, the checkpoint is what they meet at: it
// moves only for the holder.
type lease struct {
	holder string
	of     *subscription
	ctx    context.Context // ends when the lease is lost, with the cause errLost
	lose   context.CancelCauseFunc
	fence  *time.Timer
}

// acquire waits for the lease of a consumer and returns it, with the checkpoint in kept
// and in at.
func (s *subscription) acquire(ctx context.Context) (*lease, error) {
	for ctx.Err() == nil {
		l, err := s.Store.look(ctx, s.name)
		if err != nil {
			return nil, err
		}
		switch {
		case l.holder == "" || l.holder == s.last: // free, or this subscription's own of before
		case l != s.seen:
			s.seen, s.since = l, time.Now()
			rest(ctx, s.Lease/12)
			continue
		case time.Since(s.since) < s.Lease:
			rest(ctx, s.Lease/12)
			continue
		}
		began := time.Now()
		holder := s.nextHolder()
		at, ok, err := s.Store.take(ctx, s.name, l, holder, s.instance)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if l.holder != s.last || s.at.position < at.position {
			s.at = at
		} // else nobody was at work since, and more was acknowledged
		s.last, s.kept = holder, at
		return s.hold(holder, began), nil
	}
	return nil, ctx.Err()
}

func (s *Subscriber) nextHolder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	return s.instance + "/" + strconv.Itoa(s.taken)
}

// hold has a lease renewed from now on.
func (s *subscription) hold(holder string, since time.Time) *lease {
	l := &lease{holder: holder, of: s}
	l.ctx, l.lose = context.WithCancelCause(context.Background())
	l.fence = time.AfterFunc(s.fence(since), func() { l.lose(errLost) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[holder] = l
	if !s.tick {
		s.tick = true
		s.running.Go(s.renew)
	}
	return l
}

// fence is for how long a lease that was renewed at a time is still held.
func (s *Subscriber) fence(since time.Time) time.Duration {
	return s.Lease*5/6 - time.Since(since)
}

// release gives a lease back together with what was acknowledged, or forgets one that
// was lost.
func (s *subscription) release(l *lease) {
	s.mu.Lock()
	delete(s.leases, l.holder)
	s.mu.Unlock()
	select {
	case s.released <- struct{}{}:
	default: // it is told already
	}
	l.fence.Stop()
	l.lose(errLost)
	// Also when all ends: the next would else wait for as long as a lease lasts.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.Lease/3)
	defer cancel()
	if s.Store.release(ctx, s.name, l.holder, s.kept, s.at) == nil {
		s.last = ""
	}
}

// renew renews the leases of all subscriptions until there are none or the subscriber
// has ended.
func (s *Subscriber) renew() {
	for {
		s.mu.Lock()
		before := make([]*lease, 0, len(s.leases))
		for _, l := range s.leases {
			before = append(before, l)
		}
		if len(before) == 0 {
			s.tick = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		began := time.Now()
		// A message under way when the subscriber closes is still in its lease.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.Lease/3)
		held, err := s.Store.renew(ctx, s.instance)
		cancel()
		for _, l := range before {
			switch {
			case err != nil: // the fence falls by itself
			case held[l.holder]:
				l.fence.Reset(s.fence(began))
			default:
				l.lose(errLost)
			}
		}
		s.measure(before)
		select {
		case <-time.After(s.Lease/6 - time.Since(began)):
		case <-s.released:
		}
	}
}

// measure tells how far behind the log the consumers are.
func (s *Subscriber) measure(leases []*lease) {
	if s.Metrics == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.Lease/6)
	defer cancel()
	head, err := s.Log.Head(ctx)
	if err != nil {
		return // whoever reads the log tells of it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leases {
		if s.leases[l.holder] == l && l.ctx.Err() == nil {
			s.Metrics.stands(l.of.name, domain.Position(l.of.stands.Load()), head)
		}
	}
}
