package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/cenkalti/backoff/v5"

	"github.com/alur-id/alur/domain"
)

// Reactor is something that follows from events: a group of consumers, of which one is
// at work at a time.
type Reactor struct {
	Name  string // of its group
	Topic string // [All], or the beginning of the names of streams

	// Handle does what follows from a message; [Event] is what it tells of. It is called
	// for one message after the other, again for one whose process died meanwhile, and
	// again when it fails:
	//   - for an error that is [domain.ErrUnavailable], and when the message's context
	//     ends, the group waits and tries again for as long as it takes;
	//   - for any other it is tried again some times, and the message is then poisoned:
	//     it is kept with its reason, and the group goes on with the next.
	// Whoever must not do their work twice calls [Once].
	Handle func(msg *message.Message) error

	// Lanes are what its work puts into [Store.Queue], and is sent by whoever does it.
	Lanes []Lane

	Ordered bool          // the group stops at a poisoned message instead
	FromNow bool          // see [Config]
	Linger  time.Duration // see [Config]
}

// Router runs reactors. Watermill's router is what calls them; around each stand, from
// the outside in, the poison queue, the retries, and what makes an error of a panic.
type Router struct {
	config   RouterConfig
	router   *message.Router
	reactors []*Subscriber
}

// RouterConfig is what the reactors of a router share.
type RouterConfig struct {
	Log     domain.EventLog
	Store   *Store
	Metrics *Metrics // nil: none are kept
	Logger  *slog.Logger

	// Retries is how often a message that fails is tried again at once, First how long
	// after, each time twice as long, Most at most. Zero is 5 times, 200 ms and 5 s: 6 s
	// in all.
	Retries     int
	First, Most time.Duration

	// Tune changes how the reactors' groups consume, for tests.
	Tune func(*Config)

	Now func() time.Time // by which it is told what is due; nil is [time.Now]
}

// NewRouter makes a router without reactors.
func NewRouter(c RouterConfig) *Router {
	if c.Retries == 0 {
		c.Retries = 5
	}
	if c.First == 0 {
		c.First = 200 * time.Millisecond
	}
	if c.Most == 0 {
		c.Most = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Router{config: c, router: message.NewDefaultRouter(logAdapter{logger: c.Logger})}
}

// Add adds a reactor, before the router runs. One that begins from now begins from this
// call.
func (r *Router) Add(re Reactor) error {
	c := Config{
		Log: r.config.Log, Store: r.config.Store, Group: re.Name, FromNow: re.FromNow, Linger: re.Linger,
		Metrics: r.config.Metrics, Logger: r.config.Logger,
	}
	if len(re.Lanes) > 0 {
		c.Beside = func(ctx, held context.Context) { r.runLanes(ctx, held, re.Lanes) }
	}
	if r.config.Tune != nil {
		r.config.Tune(&c)
	}
	poison, err := middleware.PoisonQueueWithFilter(poisonQueue{r.config.Store, re.Ordered, r.config.Logger}, "poison", isPoison)
	if err != nil {
		return fmt.Errorf("reactor %s: %w", re.Name, err)
	}
	retry := middleware.Retry{MaxRetries: r.config.Retries, InitialInterval: r.config.First, MaxInterval: r.config.Most, Multiplier: 2}
	s := NewSubscriber(c)
	if re.FromNow {
		if err := s.SubscribeInitialize(re.Topic); err != nil {
			return fmt.Errorf("reactor %s: %w", re.Name, err)
		}
	}
	r.reactors = append(r.reactors, s)
	r.config.Metrics.could(newSubscription(s, s.ctx, re.Topic).name, re.Lanes)
	handler := r.router.AddConsumerHandler(re.Name, re.Topic, s, re.Handle)
	handler.AddMiddleware(poison, retry.Middleware, r.judge, middleware.Recoverer)
	return nil
}

// Run runs the reactors until the context ends, then lets what is under way finish.
func (r *Router) Run(ctx context.Context) error {
	err := r.router.Run(ctx)
	for _, s := range r.reactors {
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		return fmt.Errorf("run reactors: %w", err)
	}
	return nil
}

// failure is an error of a handler. Its text is safe to keep, wherever Watermill puts
// it.
type failure struct {
	err  error
	held bool // the message is not to blame
}

func (f *failure) Error() string { return Reason(f.err) }
func (f *failure) Unwrap() error { return f.err }

// isPoison reports whether a message is to be kept apart for its error.
func isPoison(err error) bool {
	var f *failure
	return errors.As(err, &f) && !f.held
}

// judge decides of each error whether to try again at once helps.
func (r *Router) judge(h message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		produced, err := h(msg)
		if err == nil {
			return produced, nil
		}
		ctx := msg.Context()
		f := &failure{err: err, held: ctx.Err() != nil || errors.Is(err, domain.ErrUnavailable) || errors.Is(err, errLost)}
		d, _ := deliveryOf(ctx)
		if d != nil {
			d.attempts++
		}
		var panicked middleware.RecoveredPanicError
		if errors.As(err, &panicked) {
			r.config.Logger.ErrorContext(ctx, "a reactor panicked", "reactor", message.HandlerNameFromCtx(ctx),
				"message", msg.UUID, "correlation", middleware.MessageCorrelationID(msg), "reason", f.Error(), "stack", panicked.Stacktrace)
		}
		var fault *Fault
		if f.held || errors.As(err, &fault) && fault.Lasting {
			return nil, backoff.Permanent(f) // no retry at once
		}
		return nil, f
	}
}

// poisonQueue is where Watermill's middleware sends what cannot be handled.
type poisonQueue struct {
	store   *Store
	ordered bool
	logger  *slog.Logger
}

func (q poisonQueue) Publish(_ string, messages ...*message.Message) error {
	for _, msg := range messages {
		ctx := msg.Context()
		d, err := deliveryOf(ctx)
		if err != nil {
			return err
		}
		reason := msg.Metadata.Get(middleware.ReasonForPoisonedKey)
		if err := q.store.poison(ctx, d, reason, q.ordered); err != nil {
			return err
		}
		q.logger.ErrorContext(ctx, "a message could not be handled, and is kept apart", "consumer", d.name, "event", msg.UUID,
			"correlation", middleware.MessageCorrelationID(msg), "attempts", d.attempts, "reason", reason, "stops", q.ordered)
		if q.ordered {
			d.set(halted, true)
		} else {
			d.set(settled, true)
		}
	}
	return nil
}

func (poisonQueue) Close() error { return nil }

// logAdapter is where Watermill logs. What it says of the ordinary is for debugging.
type logAdapter struct {
	logger *slog.Logger
	fields watermill.LogFields
}

func (a logAdapter) log(level slog.Level, text string, err error, fields watermill.LogFields) {
	args := make([]any, 0, 2*len(fields)+2)
	for k, v := range a.fields.Add(fields) {
		args = append(args, k, v)
	}
	if err != nil {
		args = append(args, "reason", Reason(err))
	}
	a.logger.Log(context.Background(), level, "watermill: "+text, args...)
}

func (a logAdapter) Error(text string, err error, fields watermill.LogFields) {
	level := slog.LevelError
	if errors.Is(err, errDisabled) {
		level = slog.LevelDebug // it comes with every attempt; the lane tells of it once
	}
	a.log(level, text, err, fields)
}

func (a logAdapter) Info(text string, fields watermill.LogFields) {
	a.log(slog.LevelDebug, text, nil, fields)
}

func (a logAdapter) Debug(text string, fields watermill.LogFields) {
	a.log(slog.LevelDebug, text, nil, fields)
}

func (a logAdapter) Trace(string, watermill.LogFields) {}

func (a logAdapter) With(fields watermill.LogFields) watermill.LoggerAdapter {
	return logAdapter{a.logger, a.fields.Add(fields)}
}
