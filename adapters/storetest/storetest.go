// Package storetest is the contract of [domain.EventLog] as a test: every store
// runs it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Epoch is the time by which a store under test dates what it records.
var Epoch = time.Date(2026, 11, 23, 1, 2, 3, 456000, time.UTC)

// Now is the clock to give to a store under test.
func Now() time.Time { return Epoch }

// Run runs the contract. Open returns an empty log and closes it when the test
// ends.
func Run(t *testing.T, open func(t *testing.T) domain.EventLog) {
	for _, c := range []struct {
		name string
		test func(*testing.T, domain.EventLog)
	}{
		{"returns what was appended, in order", ordered},
		{"keeps all of an append or none", atomic},
		{"refuses a version that has passed", conflicts},
		{"answers a repeated append as the first time", repeats},
		{"refuses the same ids at other versions", repeatsElsewhere},
		{"lets exactly one of many writers win", oneWins},
		{"shows a follower every event once and in order", followed},
		{"wakes a waiting reader", wakes},
		{"ends a wait with its context", waitEnds},
		{"reads many pages", manyPages},
		{"gives sequences that can be read again", rereads},
		{"yields nothing for a stream that does not exist", missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := open(t)
			c.test(t, log)
			Verify(t, log)
		})
	}
}

// Events makes n events of one command.
func Events(n int) []domain.Event {
	command := uuid.Must(uuid.NewV7())
	events := make([]domain.Event, n)
	for i := range events {
		events[i] = domain.Event{
			Envelope: domain.Envelope{
				ID: domain.EventID(command, i), Tenant: "11.71", Service: "sip-dokter", Office: "dpmptsp",
				Actor:    domain.Actor{ID: "officer-7", Role: "front-office", Capacity: domain.CapacityOfficer},
				Workflow: domain.WorkflowRef{ID: "sip-dokter", Version: 3}, Command: command, Correlation: command,
				Occurred: Epoch.Add(-time.Hour),
			},
			Body: domain.ActionTaken{Action: "accept", From: "submitted", To: "checked", Public: domain.StatusInProcess},
		}
	}
	return events
}

// Verify checks what must hold of any log: versions without gaps, positions that
// grow, and streams that agree with the whole.
func Verify(t *testing.T, log domain.EventLog) {
	t.Helper()
	versions := map[string]domain.Version{}
	last := domain.Position(0)
	for e, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatalf("verify: %v", err)
		}
		if e.Position <= last {
			t.Errorf("verify: position %d after %d", e.Position, last)
		}
		if e.Version != versions[e.Stream]+1 {
			t.Errorf("verify: %s has version %d after %d", e.Stream, e.Version, versions[e.Stream])
		}
		last, versions[e.Stream] = e.Position, e.Version
	}
	for stream, want := range versions {
		if got := read(t, log.ReadStream(t.Context(), stream, 0)); len(got) != int(want) {
			t.Errorf("verify: %s has %d events by itself and %d in the whole", stream, len(got), want)
		}
	}
	if head, err := log.Head(t.Context()); err != nil || head != last {
		t.Errorf("verify: head %d, %v; last position %d", head, err, last)
	}
}

func ordered(t *testing.T, log domain.EventLog) {
	first, second := Events(3), Events(2)
	must(t, log, domain.Append{Stream: "a", Events: first})
	must(t, log, domain.Append{Stream: "b", Events: second})
	third := Events(1)
	done := must(t, log, domain.Append{Stream: "a", Expected: 3, Events: third})
	if done.Version != 4 {
		t.Errorf("version %d, want 4", done.Version)
	}
	got := read(t, log.ReadStream(t.Context(), "a", 0))
	want := append(append([]domain.Event{}, first...), third...)
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i, e := range got {
		if d := cmp.Diff(want[i], e.Event); d != "" {
			t.Errorf("event %d (-want +got)\n%s", i, d)
		}
		if e.Stream != "a" || e.Version != domain.Version(i+1) || !e.At.Equal(Epoch) {
			t.Errorf("event %d is %s/%d recorded %s", i, e.Stream, e.Version, e.At)
		}
	}
	if got[3].Position != done.Position {
		t.Errorf("answered position %d, stored %d", done.Position, got[3].Position)
	}
	if rest := read(t, log.ReadStream(t.Context(), "a", 3)); len(rest) != 1 || rest[0].ID != third[0].ID {
		t.Errorf("after version 3: %d events", len(rest))
	}
	all := read(t, log.ReadAll(t.Context(), 0))
	if len(all) != 6 {
		t.Fatalf("%d events in all, want 6", len(all))
	}
	if rest := read(t, log.ReadAll(t.Context(), all[3].Position)); len(rest) != 2 {
		t.Errorf("%d events after the fourth, want 2", len(rest))
	}
}

func atomic(t *testing.T, log domain.EventLog) {
	must(t, log, domain.Append{Stream: "a", Events: Events(2)})
	_, err := log.Append(t.Context(), domain.Append{Stream: "a", Expected: 1, Events: Events(5)})
	wantConflict(t, err, 1, 2)
	if all := read(t, log.ReadAll(t.Context(), 0)); len(all) != 2 {
		t.Errorf("%d events, want 2", len(all))
	}
}

func conflicts(t *testing.T, log domain.EventLog) {
	must(t, log, domain.Append{Stream: "a", Events: Events(1)})
	_, err := log.Append(t.Context(), domain.Append{Stream: "a", Events: Events(1)})
	wantConflict(t, err, 0, 1)
	_, err = log.Append(t.Context(), domain.Append{Stream: "a", Expected: 7, Events: Events(1)})
	wantConflict(t, err, 7, 1)
	_, err = log.Append(t.Context(), domain.Append{Stream: "new", Expected: 1, Events: Events(1)})
	wantConflict(t, err, 1, 0)
}

func repeats(t *testing.T, log domain.EventLog) {
	a := domain.Append{Stream: "a", Events: Events(2)}
	first := must(t, log, a)
	must(t, log, domain.Append{Stream: "a", Expected: 2, Events: Events(1)})
	first.Repeated = true
	if again := must(t, log, a); again != first {
		t.Errorf("answer %+v, first %+v", again, first)
	}
	if got := read(t, log.ReadStream(t.Context(), "a", 0)); len(got) != 3 {
		t.Errorf("%d events, want 3", len(got))
	}
}

func repeatsElsewhere(t *testing.T, log domain.EventLog) {
	a := domain.Append{Stream: "a", Events: Events(2)}
	must(t, log, a)
	longer := domain.Append{Stream: "a", Events: append(append([]domain.Event{}, a.Events...), Events(1)...)}
	_, err := log.Append(t.Context(), longer)
	wantConflict(t, err, 0, 2)
}

func oneWins(t *testing.T, log domain.EventLog) {
	must(t, log, domain.Append{Stream: "a", Events: Events(1)})
	const writers = 20
	start := make(chan struct{})
	errs := make(chan error, writers)
	for range writers {
		go func() {
			<-start
			_, err := log.Append(context.Background(), domain.Append{Stream: "a", Expected: 1, Events: Events(1)})
			errs <- err
		}()
	}
	close(start)
	won := 0
	for range writers {
		err := <-errs
		if err == nil {
			won++
			continue
		}
		wantConflict(t, err, 1, 2)
	}
	if won != 1 {
		t.Errorf("%d writers won, want 1", won)
	}
}

// followed reads the tail while writers append, as a view does.
func followed(t *testing.T, log domain.EventLog) {
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := log.Append(context.Background(), domain.Append{Stream: fmt.Sprint("s", w), Expected: domain.Version(i * 2), Events: Events(2)}); err != nil {
					t.Errorf("append: %v", err)
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := map[uuid.UUID]bool{}
	after := domain.Position(0)
	for len(seen) < writers*each*2 {
		if err := log.Wait(ctx, after); err != nil {
			t.Fatalf("after %d events: %v", len(seen), err)
		}
		for e, err := range log.ReadAll(ctx, after) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Position <= after || seen[e.ID] {
				t.Fatalf("position %d after %d, seen before: %v", e.Position, after, seen[e.ID])
			}
			after, seen[e.ID] = e.Position, true
		}
	}
	wg.Wait()
}

func wakes(t *testing.T, log domain.EventLog) {
	must(t, log, domain.Append{Stream: "a", Events: Events(1)})
	if err := log.Wait(t.Context(), 0); err != nil {
		t.Errorf("an event is there, but Wait says %v", err)
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	woken := make(chan error)
	go func() { woken <- log.Wait(ctx, head) }()
	must(t, log, domain.Append{Stream: "a", Expected: 1, Events: Events(1)})
	if err := <-woken; err != nil {
		t.Error(err)
	}
}

func waitEnds(t *testing.T, log domain.EventLog) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Wait(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func manyPages(t *testing.T, log domain.EventLog) {
	const n = 2500
	must(t, log, domain.Append{Stream: "a", Events: Events(n)})
	if got := read(t, log.ReadStream(t.Context(), "a", 0)); len(got) != n {
		t.Errorf("%d events of the stream, want %d", len(got), n)
	}
	if got := read(t, log.ReadAll(t.Context(), 0)); len(got) != n {
		t.Errorf("%d events in all, want %d", len(got), n)
	}
}

func rereads(t *testing.T, log domain.EventLog) {
	must(t, log, domain.Append{Stream: "a", Events: Events(3)})
	for name, events := range map[string]iter.Seq2[domain.Recorded, error]{
		"stream": log.ReadStream(t.Context(), "a", 1), "all": log.ReadAll(t.Context(), 1),
	} {
		if first, again := read(t, events), read(t, events); len(first) != 2 || len(again) != 2 {
			t.Errorf("%s: %d events, then %d; want 2 and 2", name, len(first), len(again))
		}
	}
}

func missing(t *testing.T, log domain.EventLog) {
	if got := read(t, log.ReadStream(t.Context(), "nothing", 0)); len(got) != 0 {
		t.Errorf("%d events, want none", len(got))
	}
}

func must(t *testing.T, log domain.EventLog, a domain.Append) domain.Appended {
	t.Helper()
	done, err := log.Append(t.Context(), a)
	if err != nil {
		t.Fatalf("append to %s: %v", a.Stream, err)
	}
	return done
}

func read(t *testing.T, events iter.Seq2[domain.Recorded, error]) []domain.Recorded {
	t.Helper()
	var out []domain.Recorded
	for e, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func wantConflict(t *testing.T, err error, expected, actual domain.Version) {
	t.Helper()
	var c *domain.ConflictError
	if !errors.As(err, &c) {
		t.Errorf("got %v, want a conflict", err)
		return
	}
	if c.Expected != expected || c.Actual != actual {
		t.Errorf("conflict says expected %d, actual %d; want %d and %d", c.Expected, c.Actual, expected, actual)
	}
}
