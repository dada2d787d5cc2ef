package bus_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/storetest/faultproxy"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

// Watermill's own test of a server that restarts, here in the midst of what is
// published and taken.
func TestWatermillReconnect(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: Watermill's test reads what it publishes while another goroutine writes it; go test ./... runs this")
	}
	server := pgserver.Start(t)
	at := openPostgres(t, server.NewDatabase(t))
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range asked {
			server.Restart(t)
		}
	}()
	defer func() { signal.Stop(asked); close(asked); <-done }()
	tests.TestReconnect(t, tests.TestContext{TestID: tests.NewTestID(), Features: tests.Features{
		Persistent: true, GuaranteedOrder: true, RestartServiceCommand: []string{"kill", "-USR1", strconv.Itoa(os.Getpid())},
	}}, func(t *testing.T) (message.Publisher, message.Subscriber) {
		c := at.config("suite")
		c.Linger = 50 * time.Millisecond
		return publisher{at.log}, unhurried{at.subscriber(t, c)}
	})
}

// unhurried gives the last of the messages of Watermill's test out a little later: the test
// then looks at its list of what was published, to which goroutines of its own still add,
// and which nobody can wait for.
type unhurried struct{ *bus.Subscriber }

func (u unhurried) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	in, err := u.Subscriber.Subscribe(ctx, topic)
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		seen := map[string]bool{}
		for m := range in {
			if seen[m.UUID] = true; len(seen) == 10_000 {
				time.Sleep(time.Second)
			}
			select {
			case out <- m:
			case <-m.Context().Done():
			}
		}
	}()
	return out, err
}

// Two nodes reach the database by lines that fail: they are cut, say nothing for longer
// than a lease lasts, or are refused. Each event is given out, and of those that come
// again none comes before one that was not yet given out.
func TestFaultyLines(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	direct := openPostgres(t, dsn)
	var proxies []*faultproxy.Proxy
	var mu sync.Mutex
	seen := map[string]int{}
	var order []string
	all := make(chan struct{})
	const total = 3000
	for range 2 {
		p := faultproxy.Start(t, "unix", server.Socket())
		proxies = append(proxies, p)
		c := openPostgres(t, pgserver.Proxied(t, dsn, p.Addr())).plain()
		c.Lease = time.Second
		messages := subscribe(t, direct.subscriber(t, c))
		go func() {
			for m := range messages {
				mu.Lock()
				if seen[m.UUID]++; seen[m.UUID] == 1 {
					if order = append(order, m.UUID); len(order) == total {
						close(all)
					}
				}
				mu.Unlock()
				if rand.IntN(50) == 0 {
					m.Nack()
				} else {
					m.Ack()
				}
			}
		}()
	}
	var want []string
	for i := range 30 {
		want = append(want, direct.events(t, total/30)...)
		p := proxies[rand.IntN(2)]
		switch i % 3 {
		case 0:
			p.Drop()
		case 1:
			p.Freeze(true)
			rest(time.Duration(rand.IntN(1500)) * time.Millisecond)
			p.Freeze(false)
		case 2:
			p.Refuse(true)
			p.Drop()
			rest(time.Duration(rand.IntN(300)) * time.Millisecond)
			p.Refuse(false)
		}
	}
	select {
	case <-all:
	case <-time.After(time.Minute):
		t.Error("a minute after the last fault not all is given out")
	}
	mu.Lock()
	defer mu.Unlock()
	same(t, want, order)
	again := 0
	for _, n := range seen {
		again += n - 1
	}
	t.Logf("%d came again, with those that were refused", again)
}

// rest is how long a fault lasts.
func rest(d time.Duration) { <-time.After(d) }
