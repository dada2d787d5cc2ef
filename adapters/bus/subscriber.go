package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/domain"
)

// All is the topic of every stream. Any other topic is the beginning of the names of
// streams, in whole words: "request" is the streams of all requests, "workflow-11.71"
// those of one tenant's workflows.
const All = "all"

// Config says how a group consumes a log.
type Config struct {
	Log   domain.EventLog
	Store *Store
	Group string // its name is its memory: another name begins anew

	// Message makes the message of an entry; nil is [FromEntry]. An entry of which it
	// can make none holds the group up until it can.
	Message func(domain.Entry) (*message.Message, error)
	// FromNow has a group that was never seen begin behind what the log holds then, not
	// at its beginning.
	FromNow bool
	// Linger is how long messages may be acknowledged before that is durable. After a
	// crash they come again. Zero makes each acknowledgement durable before the next
	// message is given out.
	Linger time.Duration
	// Backoff is how long a message that was refused rests, at first and at most; each
	// refusal doubles it. Zero is 100 ms and 30 s.
	Backoff struct{ First, Most time.Duration }
	// Grace is how long closing waits for the message under way before its context ends.
	// Zero is 10 s, in which a server of NATS answers or is given up.
	Grace time.Duration
	// Lease is how long whoever does the group's work may be silent before another takes
	// it over, which may take a twelfth of it longer. Zero is 6 s. It is the same on all
	// nodes.
	Lease time.Duration

	// Beside is what whoever does the group's work does besides, until the context ends.
	// The lease is kept until it has returned; held ends if it is lost all the same. It may
	// be nil.
	Beside func(ctx, held context.Context)

	Metrics *Metrics // nil: none are kept
	Logger  *slog.Logger
}

func (c *Config) setDefaults() {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&c.Backoff.First, 100*time.Millisecond)
	set(&c.Backoff.Most, 30*time.Second)
	set(&c.Grace, 10*time.Second)
	set(&c.Lease, 6*time.Second)
	if c.Message == nil {
		c.Message = FromEntry
	}
}

// Subscriber is a [message.Subscriber] over an event log. Of all subscriptions of a
// group to a topic, in whatever process, one gets messages: all events of the topic in
// the order of the log, the next when the last was acknowledged. The others wait to
// take its place. Events come at least once: after a crash, or when a lease was lost,
// some come again, with the same message id, which is the event's. See [Once] for
// whoever must not do their work twice.
//
// A message that is refused comes again after a pause. A store that cannot be reached
// is waited for. The channel is closed when the subscription's context or the
// subscriber is, and not before.
type Subscriber struct {
	Config
	instance string
	ctx      context.Context // ends with the subscriber
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	leases map[string]*lease // that are held, by holder
	taken  int
	tick   bool // the leases are being renewed

	released chan struct{} // tells the renewer that there is one lease less
}

var (
	_ message.Subscriber           = (*Subscriber)(nil)
	_ message.SubscribeInitializer = (*Subscriber)(nil)
)

// NewSubscriber makes a subscriber of a group. It does nothing until it is asked to
// subscribe.
func NewSubscriber(c Config) *Subscriber {
	c.setDefaults()
	s := &Subscriber{Config: c, instance: newInstance(), leases: map[string]*lease{}, released: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// newInstance names a subscriber so that an operator finds its process.
func newInstance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}

// ErrClosed says that the subscriber is closed.
var ErrClosed = errors.New("the subscriber is closed")

// Subscribe implements [message.Subscriber]. It needs no store: one that is gone is
// waited for.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	sub := newSubscription(s, ctx, topic)
	s.running.Go(func() { sub.run(ctx) })
	return sub.out, nil
}

// SubscribeInitialize makes the group known, so that one that begins from now begins
// from the time of this call.
func (s *Subscriber) SubscribeInitialize(topic string) error {
	return newSubscription(s, s.ctx, topic).enrol(s.ctx)
}

// Close ends all subscriptions and returns when they have ended: messages under way
// have [Config.Grace] to be acknowledged.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	return nil
}

// rest waits, unless the context ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
