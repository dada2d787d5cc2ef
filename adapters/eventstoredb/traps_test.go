package eventstoredb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// The tests of this file are about the faults of the client library, each by the
// number it has in the list that they were found in.

// idle is hasty without a pulse, so that only what the test does reaches the
// server.
func idle() settings {
	set := hasty()
	set.pulse = time.Hour
	return set
}

func record(t testing.TB, l *Log, stream string, n int) domain.Appended {
	t.Helper()
	done, err := l.Append(limited(t), storetest.New(t, stream, 0, n))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// wantUnreached checks the error of a call whose context ended during an outage.
func wantUnreached(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("%s: got %v, want %v and %v", what, err, context.DeadlineExceeded, domain.ErrUnavailable)
	}
}

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestTrap1DeadAfterAnOutage: a client that found no server is dead for ever.
func TestTrap1DeadAfterAnOutage(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	for round := range 3 {
		record(t, l, fmt.Sprint("before-", round), 1)
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		_, err := l.Append(soon(t), storetest.New(t, "during", 0, 1))
		wantUnreached(t, "Append", err)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		record(t, l, fmt.Sprint("after-", round), 1)
	}
}

// TestTrap2CallersHang: those who call while it looks for a server hang for ever,
// whatever their contexts say.
func TestTrap2CallersHang(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 1)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := l.Head(soon(t))
			wantUnreached(t, "Head", err)
		})
	}
	wg.Wait()
	// Those who come before anybody has noticed: their client is not told either.
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	record(t, l, "b", 1)
}

// TestTrap2NobodyServes: the library's goroutine, which gives calls its connection,
// is busy looking for a server. Those who ask meanwhile are told when the client
// is retired; the one it is busy for, when it is done.
func TestTrap2NobodyServes(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	config, err := parse(s.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	busy, end := make(chan struct{}), make(chan struct{})
	config.Logger = func(_ esdb.LogLevel, format string, _ ...any) {
		if strings.HasPrefix(format, "discovery attempt") {
			close(busy)
			<-end
		}
	}
	inner, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{inner: inner, gone: make(chan struct{}), work: &l.healer.work}
	const crowd = 20
	answers := make(chan error, crowd)
	ask := func(_ context.Context, inner *esdb.Client) (*esdb.ServerVersion, error) {
		return inner.GetServerVersion()
	}
	for i := range crowd {
		c.enter()
		l.healer.work.Add(1)
		answered := launch(limited(t), l.healer, c, ask)
		go func() { a := <-answered; answers <- a.err }()
		if i == 0 {
			<-busy
		}
	}
	// And whoever cannot wait leaves.
	c.enter()
	l.healer.work.Add(1)
	_, err = once(soon(t), l.healer, c, ask)
	wantUnreached(t, "a call", err)
	c.retire(errMisled)
	for range crowd - 1 {
		if err := <-answers; !errors.Is(err, errLost) {
			t.Errorf("got %v, want %v", err, errLost)
		}
	}
	close(end)
	if err := <-answers; err != nil {
		t.Error(err)
	}
}

// TestTrap2NobodyHasAClientBefore: a client is given to nobody before it has found
// a server.
func TestTrap2NobodyHasAClientBefore(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString()+"&gossipTimeout=1", idle())
	restart(t, s, func() {
		_, err := l.Head(soon(t)) // the outage was noticed
		wantUnreached(t, "Head", err)
		s.Hang(true)
	})
	if err := s.WaitHung(limited(t), 1); err != nil { // a client is looking
		t.Fatal(err)
	}
	if c, err := l.healer.take(soon(t)); err == nil {
		t.Error("a client that has found nothing is given")
		c.leave()
		l.healer.work.Done()
	}
	s.Hang(false)
	record(t, l, "a", 1)
}

// TestTrap3PanicOnClose: a client that is closed under a call panics.
func TestTrap3PanicOnClose(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	c, err := l.healer.take(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	inside, retired := make(chan struct{}), make(chan struct{})
	answers := launch(limited(t), l.healer, c, func(_ context.Context, inner *esdb.Client) (int, error) {
		close(inside)
		<-retired
		_, err := inner.GetServerVersion()
		return 0, err
	})
	<-inside
	c.retire(errLost)
	close(retired)
	// It may be told that the connection was lost, for it had none yet.
	if a := <-answers; a.err != nil && !errors.Is(a.err, errLost) {
		t.Errorf("a client was closed under a call: %v", a.err)
	}
	// And in the crowd: nobody sees a panic, though all are closed on.
	for range 10 {
		l := opened(t, s.ConnectionString(), idle())
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := l.Head(context.Background()); errors.Is(err, errPanic) {
					t.Error(err)
				}
			})
		}
		s.Unavailable(10)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		s.Unavailable(0)
	}
}

// TestTrap4EndOfTheProcess: an event whose creation time is not a number ends the
// process.
func TestTrap4EndOfTheProcess(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 2)
	for _, created := range []string{"yesterday", ""} {
		s.Mangle(func(r *streams.ReadResp) *streams.ReadResp {
			if e := r.GetEvent().GetEvent(); e != nil {
				e.Metadata["created"] = created
			}
			return r
		})
		wantReadError(t, l, "created at no time")
	}
	s.Mangle(nil)
	wantEntries(t, l, 2)
}

// TestTrap5UnknownMessage: a message that the library does not expect makes it
// panic.
func TestTrap5UnknownMessage(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 2)
	for _, c := range []struct {
		unknown *streams.ReadResp
		want    string
	}{
		{&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: 2}}, "unreachable code"},
		{&streams.ReadResp{}, "unreachable code"},
		{&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{}}}, "event without an event"},
	} {
		s.Mangle(func(r *streams.ReadResp) *streams.ReadResp {
			if r.GetEvent() != nil {
				return c.unknown
			}
			return r
		})
		wantReadError(t, l, c.want)
	}
	s.Mangle(nil)
	wantEntries(t, l, 2)
}

func wantReadError(t *testing.T, l *Log, text string) {
	t.Helper()
	for e, err := range l.ReadStream(limited(t), "a", 0) {
		switch {
		case err == nil:
			t.Errorf("version %d was read", e.Version)
		case !strings.Contains(err.Error(), text):
			t.Errorf("%v: want %q", err, text)
		}
		return
	}
	t.Error("the stream ends without an error")
}

func wantEntries(t testing.TB, l *Log, n int) {
	t.Helper()
	found := 0
	for _, err := range l.ReadAll(limited(t), 0) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if found != n {
		t.Errorf("%d entries, want %d", found, n)
	}
}

// TestTrap6LeaderNotRequired: the library does not send that it requires a leader.
func TestTrap6LeaderNotRequired(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	for name, call := range map[string]func() error{
		"Append":     func() error { _, err := l.Append(limited(t), storetest.New(t, "a", 0, 1)); return err },
		"Head":       func() error { _, err := l.Head(limited(t)); return err },
		"ReadAll":    func() error { wantEntries(t, l, s.Clients()); return nil },
		"ReadStream": func() error { _, err := l.version(limited(t), "a"); return err },
	} {
		before := s.RequiredLeader()
		if err := call(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.RequiredLeader() == before {
			t.Errorf("%s requires no leader", name)
		}
	}
	if n, led := s.Requests(), s.RequiredLeader(); n > led {
		t.Errorf("of %d requests %d require a leader", n, led)
	}
}

// TestTrap7ReasonLost: what a server says of an append that is too large gets
// lost; so it is not sent.
func TestTrap7ReasonLost(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 1)
	large := storetest.New(t, "large", 0, 1)
	large.Entries[0].Data = bytes.Repeat([]byte("x"), MaxAppend)
	// Small by our measure, not by the server's, which counts a type twice.
	many := domain.Append{Stream: "m"}
	for i := range 9500 {
		many.Entries = append(many.Entries, domain.Entry{
			Stream: "m", Version: domain.Version(i + 1), ID: uuid.New(), Type: strings.Repeat("t", 30), Schema: 1, Meta: []byte("{}"), Data: []byte("{}"),
		})
	}
	if many.Size() > MaxAppend {
		t.Fatalf("%d bytes are too large for this test", many.Size())
	}
	for _, a := range []domain.Append{large, many} {
		before := s.Requests()
		if _, err := l.Append(limited(t), a); !errors.Is(err, domain.ErrTooLarge) {
			t.Errorf("got %v, want %v", err, domain.ErrTooLarge)
		}
		if _, _, err := l.AppendBatch(limited(t), []domain.Append{storetest.New(t, "b", 0, 1), a}); !errors.Is(err, domain.ErrTooLarge) {
			t.Errorf("in a batch: got %v, want %v", err, domain.ErrTooLarge)
		}
		if n := s.Requests() - before; n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	}
	s.MaxAppend(100) // a server may take less
	if _, err := l.Append(limited(t), storetest.New(t, "c", 0, 1)); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("a server that takes less: got %v, want %v", err, domain.ErrTooLarge)
	}
}

// TestTrap9LeakedConnections: a client that found the server unavailable forgets
// its connection without closing it.
func TestTrap9LeakedConnections(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	for i := range 20 {
		s.Unavailable(20)
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() { record(t, l, fmt.Sprint("a-", i, "-", n), 1) })
		}
		wg.Wait()
	}
	if s.Refused() == 0 {
		t.Error("nothing was refused: this tested nothing")
	}
	s.Unavailable(0)
	if err := s.WaitConnections(limited(t), 1); err != nil {
		t.Error(err)
	}
	record(t, l, "b", 1)
}

// TestTrap10Prints: the library prints to the console.
func TestTrap10Prints(t *testing.T) {
	var printed bytes.Buffer
	before := log.Writer()
	log.SetOutput(&printed)
	t.Cleanup(func() { log.SetOutput(before) })
	for _, c := range []string{"esdb://localhost:2113?tsl=false", "esdb://localhost:2113?keepAliveInterval=5"} {
		if _, err := Open(soon(t), c); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", c, err)
		}
	}
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 1)
	s.DropSubscriptions()
	s.Unavailable(5)
	record(t, l, "b", 1)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err := l.Head(soon(t))
	wantUnreached(t, "Head", err)
	if err := errors.Join(s.Start(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if printed.Len() > 0 {
		t.Errorf("printed:\n%s", &printed)
	}
}
