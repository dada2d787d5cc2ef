package bus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

func TestMain(m *testing.M) {
	if os.Getenv(childTask) != "" {
		os.Exit(runChild())
	}
	// Watermill's suite leaves some of its own behind when it has read enough.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/ThreeDotsLabs/watermill/internal/subscriber.(*Multiplier).Subscribe.func1"),
		goleak.IgnoreAnyFunction("github.com/ThreeDotsLabs/watermill/pubsub/tests.TestReconnect.func2"))
}

// place is a log and the store of its consumers, as several subscribers share them.
type place struct {
	log   storetest.Log
	store *bus.Store
}

func newStore(t testing.TB, o sqlite.Outbox) *bus.Store {
	t.Helper()
	s, err := bus.OpenStore(t.Context(), o.Writer, o.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onSQLite(t testing.TB) place {
	t.Helper()
	dir := t.TempDir()
	log, err := sqlite.Open(t.Context(), filepath.Join(dir, "alur.db"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := sqlite.OpenOutbox(t.Context(), filepath.Join(dir, "alur.outbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(t, o, log) })
	return place{log, newStore(t, o)}
}

func onPostgres(t testing.TB) place {
	t.Helper()
	return openPostgres(t, pgserver.Start(t).NewDatabase(t))
}

func openPostgres(t testing.TB, dsn string) place {
	t.Helper()
	log, err := postgres.OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	o, err := postgres.OpenOutbox(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(t, o, log) })
	return place{log, newStore(t, sqlite.Outbox(o))}
}

func closeAll(t testing.TB, closers ...interface{ Close() error }) {
	t.Helper()
	for _, c := range closers {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// places are the stores that the bus runs on.
var places = []struct {
	name string
	open func(testing.TB) place
}{{"sqlite", onSQLite}, {"postgres", onPostgres}}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// publisher appends messages to the log as Watermill's suite wants them: any payload,
// any metadata. Alur itself publishes by commands alone.
type publisher struct{ log domain.EventLog }

func (p publisher) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		id, err := uuid.Parse(m.UUID)
		if err != nil {
			return err
		}
		meta, err := json.Marshal(m.Metadata)
		if err != nil {
			return err
		}
		stream := topic + "-" + m.UUID
		e := domain.Entry{Stream: stream, Version: 1, ID: id, Type: "Published", Schema: 1, Meta: meta, Data: m.Payload}
		if _, err := p.log.Append(context.Background(), domain.Append{Stream: stream, Entries: []domain.Entry{e}}); err != nil {
			return err
		}
	}
	return nil
}

func (publisher) Close() error { return nil }

// published is the message of such an entry.
func published(e domain.Entry) (*message.Message, error) {
	m := message.NewMessage(e.ID.String(), e.Data)
	return m, json.Unmarshal(e.Meta, &m.Metadata)
}

func (p place) config(group string) bus.Config {
	c := bus.Config{Log: p.log, Store: p.store, Group: group, Message: published, Grace: 100 * time.Millisecond, Logger: quiet()}
	c.Backoff.First, c.Backoff.Most = time.Millisecond, 10*time.Millisecond
	return c
}

// subscriber makes a subscriber that is closed when the test ends.
func (p place) subscriber(t testing.TB, c bus.Config) *bus.Subscriber {
	t.Helper()
	s := bus.NewSubscriber(c)
	t.Cleanup(func() { closeAll(t, s) })
	return s
}

// Watermill's own suite, for every feature that is claimed: groups, order, durability,
// and, of subscribers that are each a group of their own, that they get what is old.
// Where each acknowledgement is durable by itself the disk sets the pace: with fewer
// messages, unless it is a soak.
func TestWatermillSuite(t *testing.T) {
	for _, p := range places {
		for _, linger := range []time.Duration{0, 50 * time.Millisecond} {
			t.Run(fmt.Sprint(p.name, "/linger ", linger), func(t *testing.T) {
				at := p.open(t)
				group := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
					c := at.config(group)
					c.Linger = linger
					return publisher{at.log}, at.subscriber(t, c)
				}
				one := func(t *testing.T) (message.Publisher, message.Subscriber) { return group(t, "suite") }
				tests.TestPubSub(t, tests.Features{
					ConsumerGroups: true, GuaranteedOrder: true, Persistent: true,
					ForceShort: linger == 0 && os.Getenv("ALUR_SOAK_ROUNDS") == "",
				}, one, group)
			})
		}
	}
}

func TestWatermillSuiteOfNewGroups(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			at := p.open(t)
			fresh := func(t *testing.T) (message.Publisher, message.Subscriber) {
				return publisher{at.log}, at.subscriber(t, at.config(uuid.NewString()))
			}
			tests.TestNewSubscriberReceivesOldMessages(t, tests.TestContext{
				TestID: tests.NewTestID(), Features: tests.Features{Persistent: true, NewSubscriberReceivesOldMessages: true},
			}, fresh)
		})
	}
}
