package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// patient never gives an attempt up, so that only the context can.
func patient() settings {
	set := idle()
	set.attempt = time.Hour
	return set
}

// calls are all methods that ask the server, each with its last error.
func calls(t *testing.T, l *Log) map[string]func(context.Context) error {
	last := func(events iter.Seq2[domain.Entry, error]) (last error) {
		for _, err := range events {
			last = err
		}
		return last
	}
	return map[string]func(context.Context) error{
		"Append":     func(ctx context.Context) error { _, err := l.Append(ctx, storetest.New(t, "x", 0, 1)); return err },
		"Head":       func(ctx context.Context) error { _, err := l.Head(ctx); return err },
		"ReadStream": func(ctx context.Context) error { return last(l.ReadStream(ctx, "a", 0)) },
		"ReadAll":    func(ctx context.Context) error { return last(l.ReadAll(ctx, 0)) },
		"AppendBatch": func(ctx context.Context) error {
			_, _, err := l.AppendBatch(ctx, []domain.Append{storetest.New(t, "y", 0, 1), storetest.New(t, "z", 0, 1)})
			return err
		},
	}
}

func TestContextEndsWhileTheServerHangs(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), patient())
	record(t, l, "a", 1)
	s.Hang(true)
	defer s.Hang(false)
	for name, call := range calls(t, l) {
		wantUnreached(t, name, call(soon(t)))
	}
}

func TestContextEndsWhileTheServerIsAway(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 1)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(t, l) {
		wantUnreached(t, name, call(soon(t)))
	}
	_, err := Open(soon(t), s.ConnectionString())
	wantUnreached(t, "Open", err)
}

// TestContextEndsInAPause: before a call is made again there is a pause, and it may
// be long.
func TestContextEndsInAPause(t *testing.T) {
	s := serve(t)
	set := patient()
	set.backoff, set.patience = time.Hour, time.Hour
	l := opened(t, s.ConnectionString(), set)
	s.Unavailable(-1)
	for name, call := range calls(t, l) {
		wantUnreached(t, name, call(soon(t)))
	}
}

// TestHangingServerIsLeft: a call that is not answered in time is made again.
func TestHangingServerIsLeft(t *testing.T) {
	s := serve(t)
	set := idle()
	set.attempt = 100 * time.Millisecond
	l := opened(t, s.ConnectionString(), set)
	record(t, l, "a", 1)
	for name, call := range calls(t, l) {
		s.Hang(true)
		answered := make(chan error, 1)
		ctx := limited(t)
		go func() { answered <- call(ctx) }()
		if err := s.WaitHung(ctx, 1); err != nil {
			t.Fatal(err)
		}
		s.Abandon()
		if err := <-answered; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantEntries(t, l, 4)
}

func TestCloseUnderCalls(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), patient())
	record(t, l, "a", 1)
	s.Hang(true)
	defer s.Hang(false)
	var wg sync.WaitGroup
	all := calls(t, l)
	for name, call := range all {
		wg.Go(func() {
			// It is not known what became of an append that was sent.
			if err := call(context.Background()); !errors.Is(err, domain.ErrUnavailable) || errors.Is(err, domain.ErrClosed) {
				t.Errorf("%s: got %v, want %v", name, err, domain.ErrUnavailable)
			}
		})
	}
	if err := s.WaitHung(limited(t), len(all)+1); err != nil { // a batch of two
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	for name, call := range all {
		if err := call(context.Background()); !errors.Is(err, domain.ErrClosed) {
			t.Errorf("%s after Close: got %v, want %v", name, err, domain.ErrClosed)
		}
	}
}

// TestLostAnswers: an append whose answer was lost is sent again, and is not
// recorded again.
func TestLostAnswers(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	for n := range 5 {
		s.LoseAnswers(n)
		a := storetest.New(t, fmt.Sprint("a-", n), 0, 2)
		done, err := l.Append(limited(t), a)
		if err != nil || done.Version != 2 || done.Repeated {
			t.Errorf("%d answers lost: %+v, %v", n, done, err)
		}
		again, err := l.Append(limited(t), a)
		if want := (domain.Appended{Version: 2, Position: done.Position, Repeated: true}); err != nil || again != want {
			t.Errorf("again: %+v, %v; want %+v", again, err, want)
		}
	}
	wantEntries(t, l, 10)
	if n := s.Clients(); n != 10 {
		t.Errorf("%d events on the server, want 10", n)
	}
}

// TestLostAnswerOfAConflict: the one who lost is told so, whatever answers got
// lost.
func TestLostAnswerOfAConflict(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 2)
	s.LoseAnswers(2)
	var conflict *domain.ConflictError
	if _, err := l.Append(limited(t), storetest.New(t, "a", 0, 1)); !errors.As(err, &conflict) || conflict.Actual != 2 {
		t.Errorf("got %v, want a conflict with version 2", err)
	}
}

// TestRepeatedByAnother: the append of another process is known as such, by its
// bytes or by its place.
func TestRepeatedByAnother(t *testing.T) {
	s := serve(t)
	s.Silence(true) // so that the second has not heard of it
	one, two := opened(t, s.ConnectionString(), idle()), opened(t, s.ConnectionString(), idle())
	events := storetest.Events(2)
	a, _ := storetest.Entered(t, "a", domain.Tip{}, events)
	done, err := one.Append(limited(t), a)
	if err != nil {
		t.Fatal(err)
	}
	later, _, err := domain.Enter("a", domain.Tip{}, storetest.Epoch.Add(time.Second), events)
	if err != nil {
		t.Fatal(err)
	}
	done.Repeated = true
	if got, err := two.Append(limited(t), later); err != nil || got != done {
		t.Errorf("other bytes: %+v, %v; want %+v", got, err, done)
	}
	if got, err := two.Append(limited(t), a); err != nil || got != done {
		t.Errorf("the same bytes: %+v, %v; want %+v", got, err, done)
	}
}

// TestElection: while a leader is elected, servers answer with errors of several
// kinds.
func TestElection(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	for i, code := range []codes.Code{codes.Unknown, codes.Unavailable, codes.Aborted, codes.DeadlineExceeded, codes.Canceled, codes.Internal} {
		s.Reject(code, 3)
		record(t, l, fmt.Sprint("a-", i), 1)
		s.Reject(code, 0)
	}
	for _, code := range []codes.Code{codes.Unknown, codes.PermissionDenied} { // it is no election
		s.Reject(code, -1)
		if _, err := l.Head(limited(t)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s for ever: %v", code, err)
		}
		s.Reject(code, 0)
	}
}

func TestFollowerTellsTheLeader(t *testing.T) {
	leader := serve(t)
	follower, err := fakeserver.StartFollower(leader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := follower.Stop(); err != nil {
			t.Error(err)
		}
	})
	for i, c := range []string{follower.ConnectionString(), follower.GossipString()} {
		l := opened(t, c, idle())
		record(t, l, fmt.Sprint("a-", i), 1)
		wantEntries(t, l, 2*i+1)
		restart(t, leader, func() {})
		record(t, l, fmt.Sprint("b-", i), 1)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := errors.Join(leader.WaitConnections(limited(t), 0), follower.WaitConnections(limited(t), 0)); err != nil {
			t.Error(err)
		}
		leader.Write(fmt.Sprint("c-", i), "Done", "", "{}")
	}
	if leader.Clients() != 6 {
		t.Errorf("%d events", leader.Clients())
	}
}
