package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/domain"
)

// subscription is one channel of messages. Its fields are those of the goroutine that
// runs it.
type subscription struct {
	*Subscriber
	topic  string
	name   string          // of the consumer: its group, and the topic if it is not all
	values context.Context // what the messages' contexts carry
	out    chan *message.Message
	life   context.Context // ends when no more messages are wanted

	seen  lookout // of somebody else's lease
	since time.Time
	last  string // the lease that this subscription had last, if it was not given back

	at     mark         // up to here all is acknowledged
	kept   mark         // up to here that is durable
	when   time.Time    // when it became so
	owed   bool         // a message was acknowledged since
	stands atomic.Int64 // the position of at, for the figures
	looked time.Time    // when poisoned messages were last looked for
	noted  int          // events since the last mark
	absent time.Time    // since when the log does not have what was acknowledged; zero if it has
	fault  string       // what was told last
}

func newSubscription(s *Subscriber, ctx context.Context, topic string) *subscription {
	name := s.Group
	if topic != All {
		name += "/" + topic
	}
	return &subscription{Subscriber: s, topic: topic, name: name, values: context.WithoutCancel(ctx), out: make(chan *message.Message)}
}

// run gives out messages until the context or the subscriber ends. Whatever fails is
// tried again: nothing but that closes the channel.
func (s *subscription) run(ctx context.Context) {
	defer close(s.out)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	s.life = ctx
	pause := s.Backoff.First
	for ctx.Err() == nil {
		was := s.at
		err := s.work(ctx)
		if ctx.Err() != nil {
			return
		}
		s.tell(ctx, err)
		if s.at != was {
			pause = s.Backoff.First
		}
		rest(ctx, pause)
		pause = min(2*pause, max(s.Lease/6, s.Backoff.First)) // a store that is back is found soon
	}
}

// tell logs why the group does not advance, once for each reason.
func (s *subscription) tell(ctx context.Context, err error) {
	if err != nil && err.Error() != s.fault {
		s.fault = err.Error()
		s.Logger.WarnContext(ctx, "the consumer does not advance, and tries again", "consumer", s.name, "position", s.at.position, "error", err)
	}
}

// enrol makes the consumer known, with the place where it begins.
func (s *subscription) enrol(ctx context.Context) error {
	if known, err := s.Store.known(ctx, s.name); err != nil || known {
		return err
	}
	var at mark
	if s.FromNow {
		var err error
		if at, err = s.newest(ctx); err != nil {
			return err
		}
	}
	return s.Store.enrol(ctx, s.name, at)
}

// newest is the last event of the log.
func (s *subscription) newest(ctx context.Context) (at mark, err error) {
	head, err := s.Log.Head(ctx)
	if err != nil || head == 0 {
		return at, err
	}
	for e, err := range s.Log.ReadAll(ctx, head-1) {
		if err != nil {
			return at, err
		}
		at = markOf(e)
	}
	return at, nil
}

// work takes the lease and does the group's work until something is wrong.
func (s *subscription) work(ctx context.Context) (err error) {
	if err := s.enrol(ctx); err != nil {
		return err
	}
	lease, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	s.when, s.owed, s.looked = time.Now(), s.at != s.kept, time.Time{}
	s.stands.Store(int64(s.at.position))
	s.Metrics.took(s.name, true)
	defer s.Metrics.took(s.name, false) // when nothing of it is measured any more
	defer s.release(lease)
	var besides sync.WaitGroup
	defer besides.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(lease.ctx, func() { stop(errLost) })()
	if s.Beside != nil {
		besides.Go(func() { s.Beside(ctx, lease.ctx) })
	}
	defer func() {
		if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errLost) {
			err = errLost
		}
	}()
	for {
		halted, err := s.poisoned(ctx, lease)
		if err != nil {
			return err
		}
		more := false
		if !halted {
			if more, err = s.advance(ctx, lease); err != nil {
				return err
			}
		}
		s.fault = ""
		if err := s.note(ctx); err != nil {
			return err
		}
		if more {
			continue
		}
		if s.owed || time.Since(s.when) > lookAgain {
			if err := s.keep(ctx, lease); err != nil {
				return err
			}
		}
		if err := s.wait(ctx, halted); err != nil {
			return err
		}
	}
}

// lookAgain is how soon a consumer that has nothing to do looks for messages that are
// to be tried again, and whether the log still has what it had.
const lookAgain = time.Second

// wait waits for news.
func (s *subscription) wait(ctx context.Context, halted bool) error {
	if halted {
		rest(ctx, lookAgain)
		return ctx.Err()
	}
	some, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	err := s.Log.Wait(some, s.at.position)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// advance gives out what comes next in the log, and says whether there is more.
func (s *subscription) advance(ctx context.Context, l *lease) (more bool, err error) {
	b, err := s.read(ctx)
	if err != nil && len(b.entries) == 0 && b.end == s.at {
		return false, err
	}
	for _, e := range b.entries {
		became, err := s.deliver(ctx, l, turn{entry: e, passes: true})
		if err != nil || became == halted {
			s.looked = time.Time{}
			return true, err
		}
		s.pass(markOf(e))
		s.owed = true
		if became == settled {
			s.keptNow()
		} else if time.Since(s.when) >= s.Linger {
			if err := s.keep(ctx, l); err != nil {
				return false, err
			}
		}
	}
	s.pass(b.end)
	return b.more, err // what comes before a fault of the log is given out first
}

// pass says that all up to a place is acknowledged, or is not of the topic.
func (s *subscription) pass(to mark) {
	if to.position > s.at.position {
		s.at = to
		s.stands.Store(int64(to.position))
	}
}

// keep makes durable what was acknowledged. It does not return before that is done, or
// the lease is lost.
func (s *subscription) keep(ctx context.Context, l *lease) error {
	if s.kept == s.at {
		return nil
	}
	// Whoever ends, ends with release, which keeps it too.
	for pause := s.Backoff.First; ; pause = min(2*pause, s.Lease/6) {
		err := s.Store.move(ctx, s.name, l.holder, s.at)
		if err == nil {
			break
		}
		if errors.Is(err, errLost) || ctx.Err() != nil {
			return err
		}
		s.tell(ctx, err)
		rest(ctx, pause)
	}
	s.keptNow()
	return nil
}

// note keeps a place that was passed, now and then.
func (s *subscription) note(ctx context.Context) error {
	if s.noted < markEvery || s.kept.position == 0 {
		return nil
	}
	s.noted = 0
	return s.Store.note(ctx, s.name, s.kept)
}

func (s *subscription) keptNow() { s.kept, s.when, s.owed = s.at, time.Now(), false }

// What is read at once: so many entries of the topic, so many bytes of them, so many
// entries of any.
const batchEntries, batchBytes, batchScanned = 256, 4 << 20, 10_000

// batch is a part of the log: the entries of the topic, and where it ends.
type batch struct {
	entries []domain.Entry
	end     mark
	more    bool // it was not read to the end of the log
}

// read reads what comes behind the checkpoint. It begins with the event of the
// checkpoint itself: a log that does not have it any more has lost what came before.
func (s *subscription) read(ctx context.Context) (batch, error) {
	b := batch{end: s.at}
	found, scanned, bytes := s.at.position == 0, 0, 0
	for e, err := range s.Log.ReadAll(ctx, max(s.at.position-1, 0)) {
		if err != nil {
			return b, err
		}
		if !found {
			if markOf(e) != s.at {
				break
			}
			found = true
			continue
		}
		b.end, scanned = markOf(e), scanned+1
		if onTopic(s.topic, e.Stream) {
			b.entries, bytes = append(b.entries, e), bytes+e.Size()
		}
		if len(b.entries) == batchEntries || bytes >= batchBytes || scanned == batchScanned {
			b.more = true
			break
		}
	}
	if !found {
		return batch{end: s.at}, s.rewind(ctx)
	}
	s.absent = time.Time{}
	s.noted += scanned
	return b, nil
}

func onTopic(topic, stream string) bool {
	if topic == All {
		return true
	}
	rest, ok := strings.CutPrefix(stream, topic)
	return ok && (rest == "" || rest[0] == '-')
}

// rewind deals with a log that no longer has what was acknowledged: its server lost
// it, or an older state was restored. What the log holds now in its place has not been
// given out. So the consumer goes back to the newest place that it passed and that the
// log still has. The server may only be late, so it is given some time.
func (s *subscription) rewind(ctx context.Context) error {
	if s.absent.IsZero() {
		s.absent = time.Now()
	}
	if time.Since(s.absent) < s.Lease {
		return errAbsent
	}
	marks, err := s.Store.marks(ctx, s.name)
	if err != nil {
		return err
	}
	to := mark{}
	for _, m := range marks {
		if m.position > s.at.position {
			continue
		}
		has, err := s.has(ctx, m)
		if err != nil {
			return err
		}
		if has {
			to = m
			break
		}
	}
	if err := s.Store.forget(ctx, s.name, to.position); err != nil {
		return err
	}
	s.Logger.WarnContext(ctx, "the log lost events that the consumer had: it goes back, and some messages may come again",
		"consumer", s.name, "from", s.at.position, "to", to.position)
	s.at, s.absent = to, time.Time{}
	return nil
}

var errAbsent = errors.New("the log does not have the event of the checkpoint")

func (s *subscription) has(ctx context.Context, m mark) (bool, error) {
	for e, err := range s.Log.ReadAll(ctx, m.position-1) {
		return err == nil && markOf(e) == m, err
	}
	return false, nil
}

// poisoned gives out again the messages that somebody wants tried again, and says
// whether the group has stopped at one.
func (s *subscription) poisoned(ctx context.Context, l *lease) (stops bool, err error) {
	if time.Since(s.looked) < lookAgain {
		return false, nil
	}
	due, err := s.Store.due(ctx, s.name, s.at.position)
	if err != nil {
		return false, err
	}
	for _, p := range due {
		ahead := p.Position > s.at.position
		switch {
		case ahead && p.State == PoisonWaiting:
			return true, nil
		case ahead && p.State == PoisonSkipped:
			s.pass(mark{p.Position, p.Event.String()})
			continue
		}
		if stops, err := s.retry(ctx, l, p, ahead); err != nil || stops {
			return stops, err
		}
	}
	s.looked = time.Now()
	return false, nil
}

// retry gives out a poisoned message again, and says whether the group stops there.
func (s *subscription) retry(ctx context.Context, l *lease, p Poisoned, ahead bool) (stops bool, err error) {
	e, err := s.entry(ctx, p)
	if errors.Is(err, domain.ErrNotFound) { // an older log was restored
		return false, s.Store.decide(ctx, p.Consumer, p.Event, PoisonWaiting)
	}
	if err != nil {
		return false, err
	}
	became, err := s.deliver(ctx, l, turn{entry: e, again: true, passes: ahead})
	if err != nil || became == halted {
		return ahead, err
	}
	if became == handled {
		// Also when all ends: it was acknowledged.
		if err := s.Store.cure(context.WithoutCancel(ctx), s.name, e); err != nil {
			return false, err
		}
	}
	s.pass(markOf(e))
	s.owed = true
	return false, nil
}

// entry reads the message that was poisoned.
func (s *subscription) entry(ctx context.Context, p Poisoned) (domain.Entry, error) {
	for e, err := range s.Log.ReadAll(ctx, p.Position-1) {
		if err != nil {
			return e, err
		}
		if e.ID == p.Event {
			return e, nil
		}
		break
	}
	return domain.Entry{}, fmt.Errorf("poisoned event %s at position %d: %w", p.Event, p.Position, domain.ErrNotFound)
}
