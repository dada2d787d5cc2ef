package projections

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// How views follow the log.
const (
	retryAfter = 2 * time.Second // how long a view that failed rests at first
	restAtMost = time.Minute     // and at most
	lookAgain  = 5 * time.Second // how soon a view that has nothing to do looks whether the log still has what it folded
	lookEvery  = time.Second     // how often it is looked what other processes did to the views, and leases are renewed
	leaseSpan  = 5 * time.Second // how long a lease is held without: whoever waits for one has it some 6 s after its holder died
)

// clock is the machine's, for leases and rests. No row depends on it.
var clock = time.Now //nolint:forbidigo // see above

// Run follows the log until the context ends, with the views whose leases this process
// holds. A view that cannot fold an event stops there, says so in its health and its
// checkpoint, and is tried again; the others go on.
func (v *Views) Run(ctx context.Context) {
	v.running.Store(true)
	defer v.running.Store(false)
	t := newTape(ctx, v.log)
	var wg sync.WaitGroup
	wg.Go(func() { v.watch(ctx) })
	for _, w := range v.views {
		t.join(w, w.seen().position)
	}
	for _, w := range v.views {
		wg.Go(func() { v.follow(ctx, t, w) })
	}
	wg.Wait()
}

// watch keeps the leases and sees what other processes do to the checkpoints.
func (v *Views) watch(ctx context.Context) {
	defer v.release(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := v.hold(ctx); err != nil && ctx.Err() == nil {
			v.logger.WarnContext(ctx, "the leases of the views cannot be renewed", "error", err)
		}
		if err := v.look(ctx, lookEvery/2); err != nil && ctx.Err() == nil {
			v.logger.WarnContext(ctx, "the checkpoints cannot be read", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// hold takes and renews the leases of the views that this program can fold.
func (v *Views) hold(ctx context.Context) error {
	if v.leases == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaseSpan/2)
	defer cancel()
	var names []string
	for _, w := range v.views {
		w.mu.Lock()
		if !w.stale {
			names = append(names, leaseOf(w))
		}
		w.mu.Unlock()
	}
	began := clock()
	held, err := v.leases.Hold(ctx, v.holder, names, leaseSpan)
	if err != nil {
		return err
	}
	for _, w := range v.views {
		w.mu.Lock()
		had := clock().Before(w.until)
		if slices.Contains(held, leaseOf(w)) {
			w.until = began.Add(leaseSpan)
		} else {
			w.until = time.Time{}
		}
		if had != clock().Before(w.until) {
			w.wake()
		}
		w.mu.Unlock()
	}
	return nil
}

func leaseOf(w *view) string { return "view " + w.Name() }

func (v *Views) release(ctx context.Context) {
	if v.leases == nil {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseSpan/2)
	defer cancel()
	if err := v.leases.Release(last, v.holder); err != nil {
		v.logger.WarnContext(last, "the leases of the views run out by themselves", "error", err)
	}
}

// mine reports whether this process runs the view now.
func (v *Views) mine(w *view) bool {
	if v.leases == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return clock().Before(w.until)
}

func (v *Views) follow(ctx context.Context, t *tape, w *view) {
	defer t.leave(w)
	rest := time.Duration(0)
	for ctx.Err() == nil {
		w.mu.Lock()
		idle, stale, moved := w.at.paused || w.stale && w.ours, w.stale, w.moved
		w.mu.Unlock()
		if idle || !v.mine(w) && !stale {
			t.leave(w)
			if w.note(nil); w.foreign() {
				w.note(errForeign)
			}
			select {
			case <-moved:
			case <-ctx.Done():
			}
			continue
		}
		more, err := stale, error(nil)
		if stale {
			err = v.Renew(ctx)
		} else {
			more, err = v.advance(ctx, t, w)
		}
		if ctx.Err() != nil {
			return
		}
		var paused *PausedError
		if errors.As(err, &paused) {
			continue
		}
		if w.note(err); err == nil {
			rest = 0
			if !more {
				err = v.wait(ctx, w)
			}
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		t.leave(w)
		v.logger.ErrorContext(ctx, "the view does not advance", "view", w.Name(), "position", w.seen().position, "error", err)
		rest = min(max(2*rest, retryAfter), restAtMost)
		if errors.Is(err, errRestored) {
			rest = retryAfter
		}
		v.rest(ctx, w, rest)
	}
}

// rest waits before a view is tried again, unless others do something to it.
func (v *Views) rest(ctx context.Context, w *view, pause time.Duration) {
	w.mu.Lock()
	moved := w.moved
	w.mu.Unlock()
	enough := time.NewTimer(pause)
	defer enough.Stop()
	select {
	case <-enough.C:
	case <-moved:
	case <-ctx.Done():
	}
}

// wait returns when the log may have more for a view, or others did something to it.
func (v *Views) wait(ctx context.Context, w *view) error {
	w.mu.Lock()
	after, moved := w.at.position, w.moved
	w.mu.Unlock()
	some, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	go func() {
		select {
		case <-moved:
			cancel()
		case <-some.Done():
		}
	}()
	err := v.log.Wait(some, after)
	if some.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}
