package jetstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/bus/jetstream"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

func TestMain(m *testing.M) {
	if os.Getenv(childTask) != "" {
		os.Exit(runChild())
	}
	goleak.VerifyTestMain(m)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// embedded runs a server in this process until stop is called; its files stay.
func embedded(t testing.TB, dir string, port int) (url string, stop func()) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL(), func() { s.Shutdown(); s.WaitForShutdown() }
}

// freePort is a port that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// node is a log, the store of its consumers, and what forwards from the one by the
// other.
type node struct {
	log   *sqlite.Log
	store *bus.Store
}

func newNode(t testing.TB) node {
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
	store, err := bus.OpenStore(t.Context(), o.Writer, o.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return node{log, store}
}

// record records n events of requests and returns their ids.
func (n node) record(t testing.TB, count int) []string {
	t.Helper()
	ids := make([]string, count)
	appends := make([]domain.Append, count)
	for i := range ids {
		appends[i] = storetest.New(t, "request-"+uuid.NewString(), 0, 1)
		ids[i] = appends[i].Entries[0].ID.String()
	}
	if _, _, err := n.log.AppendBatch(t.Context(), appends); err != nil {
		t.Fatal(err)
	}
	return ids
}

// forward forwards until the test ends or stop is called.
func (n node) forward(t testing.TB, url string, mode bus.ContentMode) (stop func()) {
	t.Helper()
	p, err := jetstream.NewPublisher(jetstream.Server{URL: url, Name: "forwarder"}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	r := bus.NewRouter(bus.RouterConfig{Log: n.log, Store: n.store, Logger: quiet(), Tune: func(c *bus.Config) {
		c.Backoff.First, c.Backoff.Most = 10*time.Millisecond, 200*time.Millisecond
	}})
	if err := r.Add(bus.Forwarder(p, mode, "https://alur.example")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func subscribe(t testing.TB, url, group, subjects string) (<-chan *message.Message, func()) {
	t.Helper()
	s, err := jetstream.NewSubscriber(jetstream.Server{URL: url, Name: group}, jetstream.Group{Name: group, AckWait: 5 * time.Second}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	messages, err := s.Subscribe(t.Context(), subjects)
	if err != nil {
		t.Fatal(err)
	}
	return messages, func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func next(t testing.TB, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(time.Minute):
		t.Fatal("no message came in a minute")
	}
	return nil
}

// take takes n messages, and adds their ids to those that were taken before. The last of
// these may come again: a server that stops may not have heard that it was taken.
func take(t testing.TB, messages <-chan *message.Message, taken []string, n int) []string {
	t.Helper()
	for n > 0 {
		m := next(t, messages)
		if len(taken) == 0 || m.UUID != taken[len(taken)-1] {
			taken = append(taken, m.UUID)
			n--
		}
		m.Ack()
	}
	return taken
}

func same(t testing.TB, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-want +got)\n%s", d)
	}
}

// kept is how many messages the stream holds.
func kept(t testing.TB, url string) int {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	info, err := js.StreamInfo(jetstream.Stream)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.State.Msgs)
}

// Events go from one machine to another in order and in either mode, while the server
// restarts and while each side does. Nothing is lost, and nothing comes again where
// nothing was killed.
func TestForwarding(t *testing.T) {
	for _, mode := range bus.ContentModes() {
		t.Run(string(mode), func(t *testing.T) {
			n, dir, port := newNode(t), t.TempDir(), freePort(t)
			url, stopServer := embedded(t, dir, port)
			stop := n.forward(t, url, mode)
			want := n.record(t, 50)
			messages, leave := subscribe(t, url, "elsewhere", jetstream.Subjects)
			m := next(t, messages)
			var c bus.CloudEvent
			if err := json.Unmarshal(m.Payload, &c); err != nil {
				t.Fatal(err)
			}
			if c.ID != want[0] || c.Type != "alur.request.moved" || c.Source != "/alur/tenants/11.71" || c.DataSchema != "https://alur.example/api/v1/events/schema" {
				t.Errorf("event %+v", c)
			}
			m.Nack() // it comes again
			got := take(t, messages, nil, 50)
			leave()

			want = append(want, n.record(t, 10)...)
			messages, leave = subscribe(t, url, "elsewhere", jetstream.Subjects)
			got = take(t, messages, got, 10)

			stopServer()
			want = append(want, n.record(t, 100)...)
			url, stopServer = embedded(t, dir, port)
			defer stopServer()
			got = take(t, messages, got, 100)
			leave()

			stop()
			want = append(want, n.record(t, 20)...)
			stop = n.forward(t, url, mode)
			messages, leave = subscribe(t, url, "elsewhere", jetstream.Subjects)
			got = take(t, messages, got, 20)
			leave()
			stop()
			same(t, want, got)
			if k := kept(t, url); k != len(want) {
				t.Errorf("the stream holds %d messages of %d events", k, len(want))
			}
			if list, err := n.store.Poisoned(t.Context(), ""); err != nil || len(list) > 0 {
				t.Errorf("poisoned: %v, %v", list, err)
			}
		})
	}
}

// A forwarder that lost its place sends all again: the servers know the messages by
// their ids.
func TestForwardedAgain(t *testing.T) {
	n := newNode(t)
	url, stopServer := embedded(t, t.TempDir(), -1)
	defer stopServer()
	want := n.record(t, 30)
	for range 2 {
		stop := n.forward(t, url, bus.Structured)
		until(t, "all is forwarded", func() bool {
			list, err := n.store.Consumers(t.Context())
			return err == nil && len(list) == 1 && list[0].Position == 30
		})
		stop()
		if _, err := n.store.DB().ExecContext(t.Context(), `DELETE FROM consumer`); err != nil {
			t.Fatal(err)
		}
	}
	if k := kept(t, url); k != len(want) {
		t.Errorf("the stream holds %d messages of %d events", k, len(want))
	}
}

// Who wants the events of one service gets those.
func TestSubjects(t *testing.T) {
	n := newNode(t)
	url, stopServer := embedded(t, t.TempDir(), -1)
	defer stopServer()
	var want []string
	for i := range 9 {
		e := storetest.Events(1)
		e[0].Service = fmt.Sprint("service-", i%3)
		a, _ := storetest.Entered(t, "request-"+uuid.NewString(), domain.Tip{}, e)
		if _, err := n.log.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if i%3 == 1 {
			want = append(want, e[0].ID.String())
		}
	}
	defer n.forward(t, url, bus.Binary)()
	messages, leave := subscribe(t, url, "one", "alur.11-71.service-1.request.moved")
	defer leave()
	same(t, want, take(t, messages, nil, 3))
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for late := time.After(time.Minute); !is(); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatalf("a minute has passed without: %s", what)
		}
	}
}
