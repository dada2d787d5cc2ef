package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/faultproxy"
	"github.com/alur-id/alur/domain"
)

// soakRounds names how many rounds of TestCrashes there are.
const soakRounds = "ALUR_SOAK_ROUNDS"

func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv(soakRounds)
	if text == "" {
		return 2
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", soakRounds, err)
	}
	return n
}

// TestCrashes: two processes write, read and follow while the server and the net
// between fail in every way this package knows, at random. No event that was
// acknowledged is lost, none is doubled, followers see each once and in order, and
// what the clients of a stream were told is linearizable.
func TestCrashes(t *testing.T) {
	for round := range rounds(t) {
		t.Run(fmt.Sprint("round ", round), crashes)
	}
}

func crashes(t *testing.T) {
	s := serve(t)
	faults := newFaults(t, s)
	set := idle()
	set.attempt, set.pulse, set.odd = 300*time.Millisecond, 20*time.Millisecond, 1_000_000
	var logs []*Log
	for _, p := range faults.proxies {
		logs = append(logs, opened(t, "esdb://"+p.Addr()+"?tls=false&gossipTimeout=1", set))
	}
	ctx := limited(t)
	histories := storetest.NewHistories()
	followers := make([]*follower, len(logs))
	written := make([][]uuid.UUID, 6)
	var working, following sync.WaitGroup
	following.Go(func() { faults.run(t) })
	for i, l := range logs {
		followers[i] = &follower{grown: make(chan int, 1)}
		following.Go(func() { followers[i].follow(ctx, t, l) })
	}
	for i := range written {
		working.Go(func() { written[i] = write(ctx, t, logs[i%len(logs)], fmt.Sprint("own-", i), faults.enough) })
	}
	for i := range 6 {
		l := logs[i%len(logs)]
		working.Go(func() {
			for range 12 { // more, and the checker takes too long
				histories.Client(ctx, t, impatient{l}, i, 4, 1)
				faults.pause(40 * time.Millisecond)
			}
		})
	}
	working.Wait()
	faults.end()
	all := ids(t, logs[0].ReadAll(ctx, 0))
	for _, f := range followers {
		f.await(ctx, t, len(all))
	}
	following.Wait()
	for i, f := range followers {
		if d := cmp.Diff(all, f.seen); d != "" {
			t.Errorf("what follower %d saw (-log +seen)\n%s", i, d)
		}
	}
	for i, mine := range written {
		if d := cmp.Diff(mine, ids(t, logs[0].ReadStream(ctx, fmt.Sprint("own-", i), 0))); d != "" {
			t.Errorf("stream of writer %d (-acknowledged +recorded)\n%s", i, d)
		}
	}
	if n := s.Clients(); n != len(all) {
		t.Errorf("%d events on the server, %d read", n, len(all))
	}
	histories.Check(t)
	storetest.Verify(t, storetest.Features{}, logs[1])
}

func ids(t *testing.T, entries iter.Seq2[domain.Entry, error]) (found []uuid.UUID) {
	t.Helper()
	for e, err := range entries {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, e.ID)
	}
	return found
}

// briefly is a context that often ends before a call is answered.
func briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 2*time.Millisecond+rand.N(100*time.Millisecond))
}

// write appends to a stream of its own until it is enough, each append again and
// again until it is acknowledged, and returns the ids.
func write(ctx context.Context, t *testing.T, l *Log, stream string, enough <-chan struct{}) (acknowledged []uuid.UUID) {
	var tip domain.Tip
	for {
		select {
		case <-enough:
			return acknowledged
		default:
		}
		a, next := storetest.Entered(t, stream, tip, storetest.Events(1+rand.IntN(3)))
		for {
			brief, cancel := briefly(ctx)
			_, err := l.Append(brief, a)
			cancel()
			if err == nil {
				break
			}
			if ctx.Err() != nil || !errors.Is(err, domain.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("append to %s: %v", stream, err)
				return acknowledged
			}
		}
		for _, e := range a.Entries {
			acknowledged = append(acknowledged, e.ID)
		}
		tip = next
	}
}

// impatient gives its calls up early.
type impatient struct{ domain.EventLog }

func (l impatient) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	ctx, cancel := briefly(ctx)
	defer cancel()
	return l.EventLog.Append(ctx, a)
}

// follower reads the log as a view does.
type follower struct {
	seen  []uuid.UUID
	grown chan int // how many are wanted
}

// follow reads until it has seen as many events as await says.
func (f *follower) follow(ctx context.Context, t *testing.T, l *Log) {
	after, wanted := domain.Position(0), -1
	for len(f.seen) != wanted {
		waiting, cancel := context.WithCancel(ctx)
		woken := make(chan error, 1)
		go func() { woken <- l.Wait(waiting, after) }()
		select {
		case wanted = <-f.grown:
			cancel()
			if err := <-woken; err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("follower: %v", err)
			}
			continue
		case err := <-woken:
			cancel()
			if err != nil {
				t.Errorf("follower: after %d of %d events: %v", len(f.seen), wanted, err)
				return
			}
		}
		for e, err := range l.ReadAll(ctx, after) {
			if err != nil {
				t.Errorf("follower: %v", err)
				return
			}
			if e.Position <= after {
				t.Errorf("follower: position %d after %d", e.Position, after)
			}
			after, f.seen = e.Position, append(f.seen, e.ID)
		}
	}
}

func (f *follower) await(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	select {
	case f.grown <- n:
	case <-ctx.Done():
		t.Error("the follower is gone")
	}
}

// faults throws one fault after the other.
type faults struct {
	server  *fakeserver.Server
	proxies []*faultproxy.Proxy
	enough  chan struct{} // closed when there have been enough
	ending  chan struct{}
	ended   chan struct{}
}

func newFaults(t *testing.T, s *fakeserver.Server) *faults {
	f := &faults{server: s, enough: make(chan struct{}), ending: make(chan struct{}), ended: make(chan struct{})}
	for range 2 {
		f.proxies = append(f.proxies, faultproxy.Start(t, "tcp", s.Address()))
	}
	return f
}

// end mends all.
func (f *faults) end() {
	close(f.ending)
	<-f.ended
}

func (f *faults) run(t *testing.T) {
	defer close(f.ended)
	kinds := f.kinds(t)
	for n := 1; !f.over(); n++ {
		kinds[rand.IntN(len(kinds))]()
		f.pause(40 * time.Millisecond) // some work gets done
		if n == 20 {
			close(f.enough)
		}
	}
}

func (f *faults) over() bool {
	select {
	case <-f.ending:
		return true
	default:
		return false
	}
}

// pause lets some time pass, less when it is over.
func (f *faults) pause(most time.Duration) {
	select {
	case <-f.ending:
	case <-time.After(rand.N(most)):
	}
}

// lasts is how long a fault lasts: seldom longer than an attempt.
func (f *faults) lasts() {
	most := 60 * time.Millisecond
	if rand.IntN(8) == 0 {
		most = 700 * time.Millisecond
	}
	f.pause(most)
}

func (f *faults) kinds(t *testing.T) []func() {
	s := f.server
	kinds := []func(){
		func() { f.stopAndStart(t) },
		func() { s.Hang(true); f.lasts(); s.Hang(false) },
		func() { s.Hang(true); f.lasts(); s.Abandon() },
		func() { s.Silence(true); s.DropSubscriptions(); f.lasts(); s.Silence(false) },
		s.DropSubscriptions,
		func() { s.Unavailable(1 + rand.IntN(20)); f.lasts(); s.Unavailable(0) },
		func() { s.Reject(codes.Unknown, 1+rand.IntN(5)); f.lasts(); s.Unavailable(0) },
		func() { s.LoseAnswers(1 + rand.IntN(10)); f.lasts(); s.LoseAnswers(0) },
	}
	for _, p := range f.proxies {
		kinds = append(kinds,
			p.Drop,
			func() { p.Freeze(true); f.lasts(); p.Freeze(false) },
			func() { p.Freeze(true); f.lasts(); p.Drop(); p.Freeze(false) },
			func() { p.Refuse(true); p.Drop(); f.lasts(); p.Refuse(false) },
		)
	}
	return kinds
}

// stopAndStart kills the server. Its port may be somebody's for a moment.
func (f *faults) stopAndStart(t *testing.T) {
	if err := f.server.Stop(); err != nil {
		t.Error(err)
	}
	f.lasts()
	ctx := limited(t)
	for err := f.server.Start(); err != nil; err = f.server.Start() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Error(err)
			return
		}
	}
}
