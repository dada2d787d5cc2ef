// Package storetest is the contract of [domain.EventLog] as a test: every store
// runs it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Epoch is when the events of these tests are recorded.
var Epoch = time.Date(2026, 11, 23, 1, 2, 3, 456000, time.UTC)

// Features is what a store can do beside the contract, or cannot.
type Features struct {
	// Gapless says that positions run 1, 2, 3 without gaps.
	Gapless bool
	// MaxAppend is the size in bytes above which an append is refused with
	// [domain.ErrTooLarge]; 0 for a store without such a limit.
	MaxAppend int
}

// Log is a log that also takes many appends at once, as an import gives them.
type Log interface {
	domain.EventLog
	AppendBatch(ctx context.Context, appends []domain.Append) ([]domain.Appended, []error, error)
}

// Run runs the contract. Open returns an empty log and closes it when the test
// ends. Each test ends by verifying the store.
func Run(t *testing.T, features Features, open func(t *testing.T) Log) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Log)
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
		{"fails none of the neighbours of a conflict", neighbours},
		{"refuses an append that is made wrongly", malformed},
		{"ends with its context", contextEnds},
		{"stops reading when its reader does", stopsEarly},
		{"keeps every byte", everyByte},
		{"is linearizable", linearizable},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := open(t)
			c.test(t, log)
			Verify(t, features, log)
		})
	}
	t.Run("refuses an append above its limit", func(t *testing.T) {
		if features.MaxAppend == 0 {
			t.Skip("this store has no limit")
		}
		log := open(t)
		tooLarge(t, features, log)
		Verify(t, features, log)
	})
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

// Entered is the append that records n events of one command behind the tip of a
// stream, and the tip it then has.
func Entered(t testing.TB, stream string, tip domain.Tip, events []domain.Event) (domain.Append, domain.Tip) {
	t.Helper()
	a, next, err := domain.Enter(stream, tip, Epoch, events)
	if err != nil {
		t.Fatal(err)
	}
	return a, next
}

// New is an append of n events to a stream that is believed to be at a version.
// Its chain is right only for a new stream: where the log refuses it, or where
// the test verifies nothing, that does not matter.
func New(t testing.TB, stream string, expected domain.Version, n int) domain.Append {
	t.Helper()
	a, _ := Entered(t, stream, domain.Tip{Version: expected}, Events(n))
	return a
}

// Behind is an append of events behind whatever a stream holds now.
func Behind(t testing.TB, log domain.EventLog, stream string, events []domain.Event) domain.Append {
	t.Helper()
	var tip domain.Tip
	for _, e := range read(t, log.ReadStream(t.Context(), stream, 0)) {
		tip = e.Tip()
	}
	a, _ := Entered(t, stream, tip, events)
	return a
}

// Verify checks what must hold of any log: versions without gaps, each event
// chained to the one before, positions that grow, and streams that agree with
// the whole.
func Verify(t testing.TB, features Features, log domain.EventLog) {
	t.Helper()
	tips := map[string]domain.Tip{}
	last := domain.Position(0)
	for e, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatalf("verify: %v", err)
		}
		r, err := domain.Decode(e)
		if err != nil {
			t.Errorf("verify: %v", err)
			continue
		}
		if e.Position <= last || features.Gapless && e.Position != last+1 {
			t.Errorf("verify: position %d after %d", e.Position, last)
		}
		tip := tips[e.Stream]
		if e.Version != tip.Version+1 {
			t.Errorf("verify: %s has version %d after %d", e.Stream, e.Version, tip.Version)
		}
		if r.Prev != tip.Hash {
			t.Errorf("verify: %s version %d does not follow from the one before", e.Stream, e.Version)
		}
		last, tips[e.Stream] = e.Position, e.Tip()
	}
	for stream, tip := range tips {
		got := read(t, log.ReadStream(t.Context(), stream, 0))
		if len(got) == 0 || got[len(got)-1].Tip() != tip || len(got) != int(tip.Version) {
			t.Errorf("verify: %s by itself is not what it is in the whole", stream)
		}
	}
	if head, err := log.Head(t.Context()); err != nil || head < last || features.Gapless && head != last {
		t.Errorf("verify: head %d, %v; last position %d", head, err, last)
	}
}

func ordered(t *testing.T, log Log) {
	first, tip := Entered(t, "a", domain.Tip{}, Events(3))
	must(t, log, first)
	must(t, log, New(t, "b", 0, 2))
	third, _ := Entered(t, "a", tip, Events(1))
	done := must(t, log, third)
	if done.Version != 4 || done.Repeated {
		t.Errorf("answer %+v, want version 4", done)
	}
	got := read(t, log.ReadStream(t.Context(), "a", 0))
	want := slices.Concat(first.Entries, third.Entries)
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(domain.Entry{}, "Position")); d != "" {
		t.Fatalf("read back (-want +got)\n%s", d)
	}
	if got[3].Position != done.Position {
		t.Errorf("answered position %d, stored %d", done.Position, got[3].Position)
	}
	if rest := read(t, log.ReadStream(t.Context(), "a", 3)); len(rest) != 1 || rest[0].ID != third.Entries[0].ID {
		t.Errorf("after version 3: %d events", len(rest))
	}
	if rest := read(t, log.ReadStream(t.Context(), "a", 9)); len(rest) != 0 {
		t.Errorf("after version 9: %d events", len(rest))
	}
	all := read(t, log.ReadAll(t.Context(), 0))
	if len(all) != 6 {
		t.Fatalf("%d events in all, want 6", len(all))
	}
	if rest := read(t, log.ReadAll(t.Context(), all[3].Position)); len(rest) != 2 {
		t.Errorf("%d events after the fourth, want 2", len(rest))
	}
	if d := cmp.Diff(got, []domain.Entry{all[0], all[1], all[2], all[5]}); d != "" {
		t.Errorf("the stream by itself and in the whole\n%s", d)
	}
}

func everyByte(t *testing.T, log Log) {
	events := Events(4)
	events[1].Body = domain.WorkflowPublished{Source: "\x00\u2028 é 🙂 '\"\\ <&>\n\t\u007f", Hash: strings.Repeat("ab", 32), Why: strings.Repeat("x", 200_000)}
	events[2].Office = "kantor'; DROP TABLE event; --"
	events[3].Actor.ID = "%_$1?1"
	stream := "request-é'\"/\\%_-" + uuid.NewString()
	a, _ := Entered(t, stream, domain.Tip{}, events)
	must(t, log, a)
	got := read(t, log.ReadStream(t.Context(), stream, 0))
	if d := cmp.Diff(a.Entries, got, cmpopts.IgnoreFields(domain.Entry{}, "Position")); d != "" {
		t.Errorf("read back (-want +got)\n%s", d)
	}
}

func atomic(t *testing.T, log Log) {
	must(t, log, New(t, "a", 0, 2))
	_, err := log.Append(t.Context(), New(t, "a", 1, 5))
	wantConflict(t, err, 1, 2)
	if all := read(t, log.ReadAll(t.Context(), 0)); len(all) != 2 {
		t.Errorf("%d events, want 2", len(all))
	}
}

func conflicts(t *testing.T, log Log) {
	must(t, log, New(t, "a", 0, 1))
	_, err := log.Append(t.Context(), New(t, "a", 0, 1))
	wantConflict(t, err, 0, 1)
	_, err = log.Append(t.Context(), New(t, "a", 7, 1))
	wantConflict(t, err, 7, 1)
	_, err = log.Append(t.Context(), New(t, "new", 1, 1))
	wantConflict(t, err, 1, 0)
}

func repeats(t *testing.T, log Log) {
	a, tip := Entered(t, "a", domain.Tip{}, Events(2))
	first := must(t, log, a)
	second, _ := Entered(t, "a", tip, Events(1))
	must(t, log, second)
	first.Repeated = true
	if again := must(t, log, a); again != first {
		t.Errorf("answer %+v, first %+v", again, first)
	}
	// Recorded later by somebody who decided the same: the ids are what counts.
	later, _, err := domain.Enter("a", domain.Tip{}, Epoch.Add(time.Hour), decoded(t, a))
	if err != nil {
		t.Fatal(err)
	}
	if again := must(t, log, later); again != first {
		t.Errorf("answer %+v, first %+v", again, first)
	}
	if got := read(t, log.ReadStream(t.Context(), "a", 0)); len(got) != 3 {
		t.Errorf("%d events, want 3", len(got))
	}
}

func decoded(t *testing.T, a domain.Append) []domain.Event {
	t.Helper()
	events := make([]domain.Event, len(a.Entries))
	for i, e := range a.Entries {
		r, err := domain.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		events[i] = r.Event
	}
	return events
}

func repeatsElsewhere(t *testing.T, log Log) {
	events := Events(2)
	a, _ := Entered(t, "a", domain.Tip{}, events)
	must(t, log, a)
	longer, _ := Entered(t, "a", domain.Tip{}, slices.Concat(events, Events(1)))
	_, err := log.Append(t.Context(), longer)
	wantConflict(t, err, 0, 2)
	shifted, _ := Entered(t, "a", domain.Tip{}, slices.Concat(Events(1), events[:1]))
	_, err = log.Append(t.Context(), shifted)
	wantConflict(t, err, 0, 2)
}

func oneWins(t *testing.T, log Log) {
	first, tip := Entered(t, "a", domain.Tip{}, Events(1))
	must(t, log, first)
	const writers = 20
	start := make(chan struct{})
	errs := make(chan error, writers)
	for range writers {
		a, _ := Entered(t, "a", tip, Events(1))
		go func() {
			<-start
			_, err := log.Append(context.Background(), a)
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
func followed(t *testing.T, log Log) {
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			var tip domain.Tip
			for range each {
				var a domain.Append
				a, tip = Entered(t, fmt.Sprint("s", w), tip, Events(2))
				if _, err := log.Append(context.Background(), a); err != nil {
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

func wakes(t *testing.T, log Log) {
	first, tip := Entered(t, "a", domain.Tip{}, Events(1))
	must(t, log, first)
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
	second, _ := Entered(t, "a", tip, Events(1))
	must(t, log, second)
	if err := <-woken; err != nil {
		t.Error(err)
	}
}

func waitEnds(t *testing.T, log Log) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- log.Wait(ctx, 0) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func contextEnds(t *testing.T, log Log) {
	must(t, log, New(t, "a", 0, 3))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, New(t, "b", 0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Append: got %v, want context.Canceled", err)
	}
	if _, err := log.Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Head: got %v, want context.Canceled", err)
	}
	for name, events := range map[string]iter.Seq2[domain.Entry, error]{
		"ReadStream": log.ReadStream(ctx, "a", 0), "ReadAll": log.ReadAll(ctx, 0),
	} {
		var last error
		for _, err := range events {
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", name, last)
		}
	}
}

func stopsEarly(t *testing.T, log Log) {
	must(t, log, New(t, "a", 0, 10))
	for range 50 { // a reader that leaves its place must not hold anything
		for e, err := range log.ReadAll(t.Context(), 0) {
			if err != nil || e.Version != 1 {
				t.Fatalf("version %d, %v", e.Version, err)
			}
			break
		}
		for e, err := range log.ReadStream(t.Context(), "a", 4) {
			if err != nil || e.Version != 5 {
				t.Fatalf("version %d, %v", e.Version, err)
			}
			break
		}
	}
	must(t, log, New(t, "b", 0, 1))
}

func manyPages(t *testing.T, log Log) {
	const n = 2500
	var tip domain.Tip
	for range 5 { // no more at once than any store takes
		var a domain.Append
		a, tip = Entered(t, "a", tip, Events(n/5))
		must(t, log, a)
	}
	if got := read(t, log.ReadStream(t.Context(), "a", 0)); len(got) != n {
		t.Errorf("%d events of the stream, want %d", len(got), n)
	}
	if got := read(t, log.ReadAll(t.Context(), 0)); len(got) != n {
		t.Errorf("%d events in all, want %d", len(got), n)
	}
}

func rereads(t *testing.T, log Log) {
	done := must(t, log, New(t, "a", 0, 3))
	all := read(t, log.ReadAll(t.Context(), 0))
	for name, events := range map[string]iter.Seq2[domain.Entry, error]{
		"stream": log.ReadStream(t.Context(), "a", 1), "all": log.ReadAll(t.Context(), all[0].Position),
	} {
		if first, again := read(t, events), read(t, events); len(first) != 2 || len(again) != 2 || first[1].Position != done.Position {
			t.Errorf("%s: %d events, then %d; want 2 and 2", name, len(first), len(again))
		}
	}
}

func missing(t *testing.T, log Log) {
	if got := read(t, log.ReadStream(t.Context(), "nothing", 0)); len(got) != 0 {
		t.Errorf("%d events, want none", len(got))
	}
}

func neighbours(t *testing.T, log Log) {
	a, tip := Entered(t, "a", domain.Tip{}, Events(2))
	more, _ := Entered(t, "a", tip, Events(3))
	answers, errs, err := log.AppendBatch(t.Context(), []domain.Append{a, New(t, "a", 0, 1), New(t, "b", 0, 1), a, more, New(t, "c", 4, 1)})
	if err != nil {
		t.Fatal(err)
	}
	wantConflict(t, errs[1], 0, 2)
	wantConflict(t, errs[5], 4, 0)
	for i, repeated := range map[int]bool{0: false, 2: false, 3: true, 4: false} {
		if errs[i] != nil || answers[i].Repeated != repeated {
			t.Errorf("append %d: %+v, %v", i, answers[i], errs[i])
		}
	}
	if got := read(t, log.ReadAll(t.Context(), 0)); len(got) != 6 {
		t.Errorf("%d events, want 6", len(got))
	}
}

func malformed(t *testing.T, log Log) {
	good := New(t, "a", 0, 2)
	for name, a := range map[string]domain.Append{
		"no stream":           {Entries: good.Entries},
		"no entries":          {Stream: "a"},
		"another stream":      {Stream: "b", Entries: good.Entries},
		"another version":     {Stream: "a", Expected: 1, Entries: good.Entries},
		"a version below all": {Stream: "a", Expected: -1, Entries: good.Entries},
	} {
		if _, err := log.Append(t.Context(), a); err == nil {
			t.Errorf("%s was appended", name)
		}
	}
	if got := read(t, log.ReadAll(t.Context(), 0)); len(got) != 0 {
		t.Errorf("%d events, want none", len(got))
	}
}

func tooLarge(t *testing.T, features Features, log Log) {
	events := Events(1)
	events[0].Body = domain.WorkflowPublished{Source: strings.Repeat("x", features.MaxAppend)}
	a, _ := Entered(t, "a", domain.Tip{}, events)
	if _, err := log.Append(t.Context(), a); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, domain.ErrTooLarge)
	}
	events[0].Body = domain.WorkflowPublished{Source: strings.Repeat("x", features.MaxAppend-2000)}
	a, _ = Entered(t, "a", domain.Tip{}, events)
	must(t, log, a)
}

func must(t *testing.T, log domain.EventLog, a domain.Append) domain.Appended {
	t.Helper()
	done, err := log.Append(t.Context(), a)
	if err != nil {
		t.Fatalf("append to %s: %v", a.Stream, err)
	}
	return done
}

func read(t testing.TB, events iter.Seq2[domain.Entry, error]) []domain.Entry {
	t.Helper()
	var out []domain.Entry
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
