package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/faultproxy"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// rounds is how often a test lets something happen; ALUR_SOAK_ROUNDS makes it more.
func rounds(t *testing.T, usual int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("ALUR_SOAK_ROUNDS")); err == nil {
		return n
	}
	return usual
}

func TestTwoLogsOnOneDatabase(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	a, b := open(t, dsn), open(t, dsn)
	c := startChurn(t, 16, a, b)
	c.progress(t, 16*150)
	c.finish(t, a)
}

func TestTwoLogsAreLinearizable(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	logs := []*postgres.Log{open(t, dsn), open(t, dsn)}
	h := storetest.NewHistories()
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() { h.Client(t.Context(), t, logs[client%2], client, 3, 40) })
	}
	wg.Wait()
	h.Check(t)
}

// through opens two logs on one database, each by a proxy of its own.
func through(t *testing.T) (logs []*postgres.Log, proxies []*faultproxy.Proxy, direct string) {
	t.Helper()
	server := pgserver.Start(t)
	direct = server.NewDatabase(t)
	for range 2 {
		p := faultproxy.Start(t, "unix", server.Socket())
		proxies = append(proxies, p)
		logs = append(logs, open(t, pgserver.Proxied(t, direct, p.Addr())))
	}
	return logs, proxies, direct
}

// checked has clients whose histories are checked work on the logs, until done.
func checked(t *testing.T, logs []*postgres.Log, operations int) (done func()) {
	t.Helper()
	h := storetest.NewHistories()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	var wg sync.WaitGroup
	for client := range 6 {
		wg.Go(func() { h.Client(ctx, t, logs[client%len(logs)], client, 3, operations) })
	}
	return func() {
		wg.Wait()
		cancel()
		h.Check(t)
	}
}

func TestServerThatDies(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	logs := []*postgres.Log{open(t, dsn), open(t, dsn)}
	c := startChurn(t, 8, logs...)
	done := checked(t, logs, 60)
	for i := range rounds(t, 4) {
		c.progress(t, 300)
		if i%2 == 0 {
			server.Kill(t)
			server.Resume(t)
		} else {
			server.Restart(t)
		}
	}
	c.progress(t, 300)
	done()
	c.finish(t, logs[0])
}

func TestNetworkThatFails(t *testing.T) {
	logs, proxies, direct := through(t)
	c := startChurn(t, 8, logs...)
	done := checked(t, logs, 60)
	for range rounds(t, 8) {
		c.progress(t, 100+rand.IntN(100))
		p := proxies[rand.IntN(len(proxies))]
		switch rand.IntN(4) {
		case 0:
			p.Drop()
		case 1:
			p.Refuse(true)
			p.Drop()
			c.progress(t, 20) // by the other log
			p.Refuse(false)
		case 2:
			p.Freeze(true)
			time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond) // how long it lasts; nothing depends on it
			p.Freeze(false)
		case 3:
			p.Stall()
			c.progress(t, 20) // by the other log
			p.Drop()
		}
	}
	c.progress(t, 200)
	done()
	c.finish(t, open(t, direct))
}

// A connection on which nothing comes back is given up within seconds, though
// nobody closed it: everything goes on by others.
func TestHalfOpenConnectionsAreGivenUp(t *testing.T) {
	server := pgserver.Start(t)
	direct := server.NewDatabase(t)
	proxy := faultproxy.Start(t, "unix", server.Socket())
	log := open(t, pgserver.Proxied(t, direct, proxy.Addr()))
	add(t, log, storetest.New(t, "before", 0, 1))
	wantHead(t, log, 1)
	proxy.Stall()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := log.Append(ctx, storetest.New(t, "after", 0, 1)); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := log.Wait(ctx, 2); err != nil { // of what is recorded elsewhere
			t.Error(err)
		}
	})
	wg.Go(func() {
		if _, err := log.Head(ctx); err != nil {
			t.Error(err)
		}
	})
	other := open(t, direct)
	add(t, other, storetest.New(t, "elsewhere", 0, 2))
	wg.Wait()
	storetest.Verify(t, features, other)
}

func wantHead(t testing.TB, log domain.EventLog, want domain.Position) {
	t.Helper()
	if head, err := log.Head(t.Context()); err != nil || head != want {
		t.Errorf("head %d, %v; want %d", head, err, want)
	}
}

// Whatever the server does, a call ends with its context.
func TestFrozenServerHoldsNobody(t *testing.T) {
	server := pgserver.Start(t)
	direct := server.NewDatabase(t)
	proxy := faultproxy.Start(t, "unix", server.Socket())
	dsn := pgserver.Proxied(t, direct, proxy.Addr())
	log, keys := open(t, dsn), openKeys(t, dsn)
	add(t, log, storetest.New(t, "s", 0, 1))
	k := storetest.Key("s-1", "permit")
	if _, err := keys.Put(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	proxy.Freeze(true)
	for name, call := range map[string]func(context.Context) error{
		"Append": func(ctx context.Context) error {
			_, err := log.Append(ctx, storetest.New(t, fmt.Sprint("t-", rand.Int()), 0, 1))
			return err
		},
		"Head": func(ctx context.Context) error {
			_, err := log.Head(ctx)
			return err
		},
		"ReadAll": func(ctx context.Context) (last error) {
			for _, last = range log.ReadAll(ctx, 0) {
				continue
			}
			return last
		},
		"Wait": func(ctx context.Context) error { return log.Wait(ctx, 99) },
		"Get": func(ctx context.Context) error {
			_, err := keys.Get(ctx, k.ID)
			return err
		},
		"Put": func(ctx context.Context) error {
			_, err := keys.Put(ctx, storetest.Key("s-2", "permit"))
			return err
		},
		"OpenLog": func(ctx context.Context) error {
			_, err := postgres.OpenLog(ctx, dsn)
			return err
		},
		"OpenViews": func(ctx context.Context) error {
			_, err := postgres.OpenViews(ctx, dsn)
			return err
		},
	} {
		for range 2 { // on a connection that was there before, and on another
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			ended := make(chan error, 1)
			go func() { ended <- call(ctx) }()
			select {
			case err := <-ended:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: got %v, want %v", name, err, context.DeadlineExceeded)
				}
				if name == "Append" && !errors.Is(err, domain.ErrUnavailable) {
					t.Errorf("%s: got %v, want %v as well", name, err, domain.ErrUnavailable)
				}
			case <-time.After(time.Minute):
				t.Errorf("%s did not end with its context", name)
			}
			cancel()
		}
	}
	proxy.Freeze(false)
	// What was given up may still be recorded, before what is asked for now.
	if _, err := log.Append(t.Context(), storetest.New(t, "after", 0, 1)); err != nil {
		t.Fatal(err)
	}
	storetest.Verify(t, features, log)
}

// Closing does not wait for a server that is gone, and says so to who waits.
func TestCloseWithoutAServer(t *testing.T) {
	server := pgserver.Start(t)
	proxy := faultproxy.Start(t, "unix", server.Socket())
	log := open(t, pgserver.Proxied(t, server.NewDatabase(t), proxy.Addr()))
	proxy.Refuse(true)
	proxy.Drop()
	appended := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		_, err := log.Append(ctx, storetest.New(t, "s", 0, 1))
		appended <- err
	}()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	if err := <-appended; !errors.Is(err, domain.ErrUnavailable) && !errors.Is(err, domain.ErrClosed) {
		t.Errorf("got %v, want %v or %v", err, domain.ErrUnavailable, domain.ErrClosed)
	}
}
