package jetstream

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"

	"github.com/alur-id/alur/adapters/bus"
)

// Publisher publishes messages to the stream, one after the other: each is kept by the
// servers before the next is sent. A repetition of a message that they took not long
// ago (two minutes, unless the stream says otherwise) they drop by its id. Safe for
// concurrent use.
type Publisher struct {
	conn      *nats.Conn
	js        nats.JetStreamContext
	publisher *wmnats.Publisher

	mu      sync.Mutex
	ensured bool // that there is a stream
}

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher makes a publisher. Servers that are gone are waited for.
func NewPublisher(s Server, logger *slog.Logger) (*Publisher, error) {
	conn, err := s.connect(logger)
	if err != nil {
		return nil, err
	}
	p := &Publisher{conn: conn}
	if p.js, err = conn.JetStream(nats.MaxWait(answerPatience)); err == nil {
		p.publisher, err = wmnats.NewPublisherWithNatsConn(conn, wmnats.PublisherPublishConfig{
			Marshaler: marshaler{}, SubjectCalculator: wmnats.DefaultSubjectCalculator,
			JetStream: wmnats.JetStreamConfig{ConnectOptions: []nats.JSOpt{nats.MaxWait(answerPatience)}},
		}, nil)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("publish to NATS: %w", err)
	}
	return p, nil
}

// Publish implements [message.Publisher]. The topic is the subject. An error is
// [domain.ErrUnavailable] unless it is the message's own fault.
func (p *Publisher) Publish(subject string, messages ...*message.Message) error {
	if err := p.ensure(); err != nil {
		return unavailable(err)
	}
	err := p.publisher.Publish(subject, messages...)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject), errors.Is(err, nats.ErrBadHeaderMsg):
		return &bus.Fault{Text: "the message is none that NATS takes", Err: err, Lasting: true}
	}
	p.mu.Lock()
	p.ensured = false // it may be that somebody removed it
	p.mu.Unlock()
	return unavailable(err)
}

func (p *Publisher) ensure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ensured {
		return nil
	}
	err := ensureStream(p.js)
	p.ensured = err == nil
	return err
}

// Close closes the connection.
func (p *Publisher) Close() error {
	p.conn.Close()
	return nil
}

// marshaler writes a message's metadata into headers and reads CloudEvents.
type marshaler struct{}

// Marshal implements [wmnats.Marshaler].
func (marshaler) Marshal(subject string, msg *message.Message) (*nats.Msg, error) {
	m := nats.NewMsg(subject)
	m.Data = msg.Payload
	for k, v := range msg.Metadata {
		m.Header[k] = []string{v}
	}
	m.Header.Set(nats.MsgIdHdr, msg.UUID)
	return m, nil
}

// Unmarshal implements [wmnats.Unmarshaler].
func (marshaler) Unmarshal(m *nats.Msg) (*message.Message, error) {
	return bus.Received(m.Header.Get, m.Data)
}
