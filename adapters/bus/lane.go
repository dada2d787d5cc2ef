package bus

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// Lane is a line of sendings to one other system. What fails there holds up nothing else:
// it waits for its next attempt in the [Store], apart from the checkpoint of the group.
type Lane struct {
	Name string

	// Send sends, or finds that nothing is to be sent any more. It is called again for
	// what failed, and for what was under way when its process died. Errors:
	//   - [*domain.Postponed]: it is not the time; that is no attempt;
	//   - [ErrMoved]: it goes by another lane;
	//   - [domain.ErrUnavailable]: the other system is to blame, and the lane rests a while
	//     before anything else is tried in it;
	//   - [*domain.Undelivered] may say that no attempt will help, and more.
	// When the lease is lost its context ends at once, else after Timeout, also when the
	// program ends: what it cuts off may have been taken, and comes again.
	Send func(ctx context.Context, s Sending) error

	// GiveUp is told of what is given up, with the last error, before it is. When it fails
	// it is told again later. It may be nil.
	GiveUp func(ctx context.Context, s Sending, err error) error

	Pauses  []time.Duration // after each attempt that failed but the last
	Disable time.Duration   // when all attempts fail for so long, the lane is; 0: never
	AtOnce  int             // how many are sent at a time; 0 is 1

	// InOrder has what is of one stream sent in the order of its events, one at a time,
	// and says how long what is later waits for what is earlier and fails. Then it goes
	// ahead, when the earlier one was tried once more. 0: the order is that of chance.
	InOrder time.Duration

	Timeout time.Duration // of an attempt; 0 is 30 s
}

// UsualPauses are those between attempts: ten in three days, by the schedule that the
// Standard Webhooks give as an example.
func UsualPauses() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// laneRest is how long a lane rests at first and at most while the other system cannot
// be reached, and laneGrace how long it is tried, when the program ends, to keep what became
// of an attempt.
const laneRest, laneRestMost, laneGrace = time.Second, time.Minute, 5 * time.Second

// runLanes sends what is due until the context ends, then waits for what is under way. What
// is not held any more is cut off.
func (r *Router) runLanes(ctx, held context.Context, lanes []Lane) {
	var running sync.WaitGroup
	for _, l := range lanes {
		run := &laneRun{Lane: l, held: held, store: r.config.Store, now: r.config.Now, logger: r.config.Logger, metrics: r.config.Metrics}
		running.Go(func() {
			defer r.config.Metrics.left(l.Name)
			run.run(ctx)
		})
	}
	running.Wait()
}

// laneRun is a lane at work.
type laneRun struct {
	Lane
	held    context.Context // ends when the lease is lost
	store   *Store
	now     func() time.Time
	logger  *slog.Logger
	metrics *Metrics

	mu    sync.Mutex
	pause time.Duration // that the lane rests, while the other system cannot be reached
	fault string        // of the store, as it was told last
}

func (l *laneRun) run(ctx context.Context) {
	opened := false
	for ctx.Err() == nil {
		var err error
		if !opened {
			err = l.store.openLane(ctx, l.Name)
			opened = err == nil
		}
		more := false
		if err == nil {
			more, err = l.round(ctx)
		}
		l.tell(ctx, err)
		l.mu.Lock()
		wait := l.pause
		l.mu.Unlock()
		if wait == 0 && (!more || err != nil) {
			wait = lookAgain
		}
		rest(ctx, wait)
	}
}

// tell logs why nothing is sent, once for each reason.
func (l *laneRun) tell(ctx context.Context, err error) {
	reason := Reason(err)
	if err != nil && ctx.Err() == nil && reason != l.fault {
		level, text := slog.LevelWarn, "a lane does not advance, and tries again"
		if errors.Is(err, errDisabled) {
			level, text = slog.LevelError, "nothing is sent in a lane, and its consumer waits"
		}
		l.logger.Log(ctx, level, text, "lane", l.Name, "reason", reason)
	}
	l.fault = reason
}

// round sends some of what is due, and says whether there may be more. Its error is of the
// store, or says that the lane is disabled.
func (l *laneRun) round(ctx context.Context) (more bool, err error) {
	err = l.store.Disabled(ctx, l.Name)
	most := max(l.AtOnce, 1)
	l.mu.Lock()
	if l.pause > 0 {
		most = 1 // one finds out whether the other system is back
	}
	l.metrics.rests(l.Name, errors.Is(err, errDisabled) || l.pause > 0)
	l.mu.Unlock()
	if err != nil {
		return false, err
	}
	due, more, err := l.next(ctx, most)
	if err != nil {
		return false, err
	}
	faults := make([]error, len(due))
	var sending sync.WaitGroup
	for i, x := range due {
		sending.Go(func() { faults[i] = l.attempt(ctx, x) })
	}
	sending.Wait()
	return more, errors.Join(faults...)
}

// attempt sends once and keeps what became of it, also when the program ends meanwhile. Its
// error is that of the store.
func (l *laneRun) attempt(ctx context.Context, x Sending) error {
	if ctx.Err() != nil {
		return nil // nothing is begun any more
	}
	defer l.store.begin(x)()
	err := l.send(ctx, x)
	if err != nil && l.held.Err() != nil {
		l.logger.WarnContext(ctx, "an attempt was cut off, since another node has taken over: the message is sent again, and may come twice", "lane", l.Name, "message", x.ID)
		return nil
	}
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		rest(lasting, laneGrace)
		cancel()
	})()
	if err = l.became(lasting, x, err); err != nil && ctx.Err() != nil {
		l.logger.WarnContext(ctx, "what became of a message could not be kept: it is sent again", "lane", l.Name, "message", x.ID, "reason", Reason(err))
	}
	return err
}

// became keeps what became of an attempt.
func (l *laneRun) became(ctx context.Context, x Sending, err error) error {
	var later *domain.Postponed
	switch {
	case err == nil:
		l.rests(0)
		l.metrics.attempt(l.Name, "sent")
		return errors.Join(l.store.sent(ctx, x), l.store.took(ctx, l.Name))
	case errors.Is(err, ErrMoved):
		l.metrics.attempt(l.Name, "moved")
		return nil
	case errors.As(err, &later):
		l.metrics.attempt(l.Name, "postponed")
		return l.store.postpone(ctx, x, later.Until)
	}
	return l.failed(ctx, x, err)
}

// send calls Send, in the time that it has.
func (l *laneRun) send(ctx context.Context, x Sending) error {
	timeout := l.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	defer context.AfterFunc(l.held, cancel)()
	return l.Send(own, x)
}

// failed keeps when something is tried next, or gives it up.
func (l *laneRun) failed(ctx context.Context, x Sending, err error) error {
	now, was := l.now(), x
	var u *domain.Undelivered
	if !errors.As(err, &u) {
		u = &domain.Undelivered{}
	}
	unreachable := errors.Is(err, domain.ErrUnavailable)
	if unreachable {
		l.rests(laneRest)
	}
	early := x.Due.After(now) // for what is behind it: its own attempts are not used up by that
	if !early || u.Lasting {  // or it is the last
		x.Attempts++
	}
	x.Tried, x.Reason = now.UTC(), Reason(err)
	args := []any{"lane", l.Name, "message", x.ID, "attempts", x.Attempts, "reason", x.Reason}
	if u.Lasting || x.Attempts > len(l.Pauses) {
		if l.GiveUp != nil {
			if err := l.GiveUp(ctx, x, err); err != nil {
				return err
			}
		}
		x.State = SendingFailed
		l.metrics.attempt(l.Name, "given_up")
		l.logger.ErrorContext(ctx, "a message was given up, and is kept to be tried again", args...)
	} else {
		l.metrics.attempt(l.Name, "failed")
		pause := x.Due.Sub(now)
		if !early {
			pause = l.pauseAfter(x.Attempts)
		}
		x.Due = now.Add(max(pause, u.Wait))
		text := "a message was not taken, and waits" // since the lane is disabled for it
		if !u.Gone {
			text, args = "a message was not taken, and is tried again", append(args, "next", x.Due.UTC().Format(time.RFC3339))
		}
		l.logger.WarnContext(ctx, text, args...)
	}
	if err := l.store.keepSending(ctx, was, x); err != nil {
		return err
	}
	if u.Lasting && !u.Gone && !unreachable {
		return nil // the other system is well, and does not want this
	}
	return l.store.failing(ctx, l.Name, x.Reason, now, l.Disable, u.Gone)
}

// pauseAfter is the pause after so many attempts, up to a tenth more, so that what failed
// together is not tried together.
func (l *laneRun) pauseAfter(attempts int) time.Duration {
	p := l.Pauses[attempts-1]
	return p + rand.N(p/10+1)
}

// rests has the lane rest, longer each time; 0 ends that.
func (l *laneRun) rests(first time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first == 0 {
		l.pause = 0
		return
	}
	l.pause = min(max(2*l.pause, first), laneRestMost)
}
