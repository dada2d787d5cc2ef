// Package jetstream carries integration events between machines, by NATS JetStream.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/domain"
)

// Stream is the stream that integration events are kept in, and Subjects what it takes.
const (
	Stream   = "ALUR"
	Subjects = "alur.>"
)

const (
	answerPatience = 4 * time.Second // for a server's answer
	reconnectWait  = time.Second
)

// Server says where the servers are and who asks.
type Server struct {
	URL         string // one or more, by commas; may hold a password, and is never printed
	Credentials string // file of a user's JWT and seed; may be empty
	Name        string // by which the servers know this program
}

// connect connects to servers, or goes on trying: it fails only for what cannot be
// right. Nothing is held back for a server that is gone, so that whoever publishes is
// told.
func (s Server) connect(logger *slog.Logger) (*nats.Conn, error) {
	ctx := context.Background()
	var mu sync.Mutex
	told := ""
	options := []nats.Option{
		nats.Name(s.Name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait),
		nats.ReconnectBufSize(-1), nats.Timeout(answerPatience), nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() {
				logger.WarnContext(ctx, "the connection to NATS is lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { logger.InfoContext(ctx, "NATS is connected again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err.Error() == told { // such as a wrong password, each second
				return
			}
			told = err.Error()
			logger.WarnContext(ctx, "NATS says that something is wrong", "error", err)
		}),
	}
	if s.Credentials != "" {
		options = append(options, nats.UserCredentials(s.Credentials))
	}
	conn, err := nats.Connect(s.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return conn, nil
}

// unavailable says of an error of a server or of the way to it that it may well go away.
// What the client says of one names nobody.
func unavailable(err error) error {
	return &bus.Fault{Text: "NATS does not take part: " + err.Error(), Err: fmt.Errorf("%w: %w", domain.ErrUnavailable, err)}
}

// ensureStream makes the stream if there is none. One that is there stays as its
// operator made it. On a cluster it has three replicas.
func ensureStream(js nats.JetStreamContext) error {
	_, err := js.StreamInfo(Stream)
	if err == nil || !errors.Is(err, nats.ErrStreamNotFound) {
		return err
	}
	config := nats.StreamConfig{
		Name: Stream, Subjects: []string{Subjects}, Storage: nats.FileStorage, Replicas: 3,
		Description: "Integration events of Alur", Duplicates: 2 * time.Minute, MaxAge: 30 * 24 * time.Hour,
	}
	_, err = js.AddStream(&config)
	var refused *nats.APIError
	if errors.As(err, &refused) && refused.ErrorCode == replicasNotSupported {
		config.Replicas = 1
		_, err = js.AddStream(&config)
	}
	if errors.Is(err, nats.ErrStreamNameAlreadyInUse) {
		return nil // another node was faster
	}
	return err
}

// replicasNotSupported is how a single server refuses replicas: "replicas > 1 not
// supported in non-clustered mode".
const replicasNotSupported nats.ErrorCode = 10074
