package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
)

// Subscriber gets integration events on another machine, for a group of consumers whose
// place the servers remember: one event after the other, the next when the last was
// acknowledged, to one of those that subscribe at a time. A message's payload is a
// CloudEvent in the JSON event format, its id the event's. Events come at least once.
type Subscriber struct {
	conn  *nats.Conn
	js    nats.JetStreamContext
	inner *wmnats.Subscriber
	group Group

	logger *slog.Logger
}

var (
	_ message.Subscriber           = (*Subscriber)(nil)
	_ message.SubscribeInitializer = (*Subscriber)(nil)
)

// Group is a group of consumers.
type Group struct {
	Name string // letters, digits, - and _
	// AckWait is how long a message may be under way before it comes again, also one
	// that was lost on its way to the consumer as a server died. Zero is 30 s.
	AckWait time.Duration
}

// NewSubscriber makes a subscriber of a group. A group has one topic: the subjects that
// it wants, such as "alur.11-71.*.request.>".
func NewSubscriber(s Server, group Group, logger *slog.Logger) (*Subscriber, error) {
	if group.AckWait == 0 {
		group.AckWait = 30 * time.Second
	}
	conn, err := s.connect(logger)
	if err != nil {
		return nil, err
	}
	sub := &Subscriber{conn: conn, group: group, logger: logger}
	if sub.js, err = conn.JetStream(nats.MaxWait(answerPatience)); err == nil {
		sub.inner, err = wmnats.NewSubscriberWithNatsConn(conn, wmnats.SubscriberSubscriptionConfig{
			Unmarshaler: marshaler{}, QueueGroupPrefix: group.Name, AckWaitTimeout: group.AckWait, CloseTimeout: 5 * time.Second, NakDelay: backoff{},
			JetStream: wmnats.JetStreamConfig{DurablePrefix: group.Name, ConnectOptions: []nats.JSOpt{nats.MaxWait(answerPatience)}},
		}, nil)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscribe to NATS: %w", err)
	}
	return sub, nil
}

// SubscribeInitialize makes the group known to the servers.
//
// It is made here, and not by subscribing, since whoever subscribes deletes what they
// made when they close: after a restart all messages would come again.
func (s *Subscriber) SubscribeInitialize(topic string) error {
	if err := ensureStream(s.js); err != nil {
		return unavailable(err)
	}
	_, err := s.js.ConsumerInfo(Stream, s.group.Name)
	if errors.Is(err, nats.ErrConsumerNotFound) {
		_, err = s.js.AddConsumer(Stream, &nats.ConsumerConfig{
			Durable: s.group.Name, DeliverSubject: "_alur." + s.group.Name, DeliverGroup: s.group.Name, FilterSubject: topic,
			DeliverPolicy: nats.DeliverAllPolicy, AckPolicy: nats.AckExplicitPolicy, AckWait: s.group.AckWait, MaxAckPending: 1, MaxDeliver: -1,
		})
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// Subscribe implements [message.Subscriber]. It waits for servers that are gone, for as
// long as the context lasts.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	told := ""
	for {
		err := s.SubscribeInitialize(topic)
		if err == nil {
			return s.inner.Subscribe(ctx, topic)
		}
		if err.Error() != told {
			told = err.Error()
			s.logger.WarnContext(ctx, "there is no subscription yet, it is tried again", "group", s.group.Name, "error", err)
		}
		select {
		case <-time.After(reconnectWait):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// Close ends the subscriptions and closes the connection.
func (s *Subscriber) Close() error {
	defer s.conn.Close()
	return s.inner.Close()
}

// backoff is how long a message that was refused rests: twice as long each time, from
// 100 ms to 30 s.
type backoff struct{}

// WaitTime implements [wmnats.Delay].
func (backoff) WaitTime(delivered uint64) time.Duration {
	return time.Duration(min(30, 0.1*math.Exp2(float64(max(delivered, 1)-1))) * float64(time.Second))
}
