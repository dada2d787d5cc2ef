package bus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// laneBench is a lane whose clock and other system are the test's.
type laneBench struct {
	*laneRun
	clock  time.Time
	answer func(Sending) error

	mu     sync.Mutex // a lane may send several at once
	tried  []string
	gaveUp []error

	attempts []int // that GiveUp was told of
}

func newLaneBench(t *testing.T, l Lane, writer, reader *sql.DB) *laneBench {
	t.Helper()
	b := &laneBench{clock: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
	now := func() time.Time { return b.clock }
	store, err := OpenStore(t.Context(), writer, reader, now)
	if err != nil {
		t.Fatal(err)
	}
	l.Name = "sms"
	l.Send = func(_ context.Context, s Sending) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tried = append(b.tried, fmt.Sprint(s.Position))
		return b.answer(s)
	}
	l.GiveUp = func(_ context.Context, s Sending, err error) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.gaveUp = append(b.gaveUp, err)
		b.attempts = append(b.attempts, s.Attempts)
		return nil
	}
	b.laneRun = &laneRun{Lane: l, held: t.Context(), store: store, now: now, logger: slog.New(slog.DiscardHandler)}
	if err := store.openLane(t.Context(), l.Name); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *laneBench) queue(t *testing.T, positions ...domain.Position) {
	t.Helper()
	b.of(t, "request-1", positions...)
}

// of puts events of a stream into the lane.
func (b *laneBench) of(t *testing.T, stream string, positions ...domain.Position) {
	t.Helper()
	err := b.store.tx(t.Context(), func(tx *sql.Tx) error {
		for _, p := range positions {
			e := domain.Recorded{Stream: stream, Version: 1, Position: p}
			e.ID = uuid.NewSHA1(uuid.Nil, fmt.Append(nil, p))
			if err := b.store.Queue(t.Context(), tx, e, "sms", e.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rounds sends what is due until there is nothing more, and returns what was tried.
func (b *laneBench) rounds(t *testing.T) []string {
	t.Helper()
	b.tried = nil
	for more := true; more; {
		var err error
		if more, err = b.round(t.Context()); err != nil && !errors.Is(err, errDisabled) {
			t.Fatal(err)
		}
	}
	return b.tried
}

func (b *laneBench) left(t *testing.T) []Sending {
	t.Helper()
	list, err := b.store.Sendings(t.Context(), "", true, 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (b *laneBench) lane(t *testing.T) LaneState {
	t.Helper()
	list, err := b.store.LaneStates(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, l Lane, test func(*testing.T, *laneBench)) {
	t.Run("sqlite", func(t *testing.T) {
		o, err := sqlite.OpenOutbox(t.Context(), filepath.Join(t.TempDir(), "alur.outbox.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = o.Close() })
		test(t, newLaneBench(t, l, o.Writer, o.Reader))
	})
	t.Run("postgres", func(t *testing.T) {
		o, err := postgres.OpenOutbox(t.Context(), pgserver.Start(t).NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = o.Close() })
		test(t, newLaneBench(t, l, o.Writer, o.Reader))
	})
}

var errName = errors.New("no such user: cut.invented@example.test")

func TestWhatFailsIsTriedAgainAndGivenUpInTheEnd(t *testing.T) {
	pauses := []time.Duration{time.Minute, time.Hour}
	onBoth(t, Lane{Pauses: pauses}, func(t *testing.T, b *laneBench) {
		b.answer = func(s Sending) error {
			if s.Position == 2 {
				return errName
			}
			return nil
		}
		b.queue(t, 1, 2, 3, 2)
		step := func(later time.Duration, want ...string) {
			t.Helper()
			b.clock = b.clock.Add(later)
			if d := cmp.Diff(want, b.rounds(t)); d != "" {
				t.Errorf("after %s: (-want +got)\n%s", later, d)
			}
		}
		step(0, "1", "2", "3")
		step(59 * time.Second)
		step(8*time.Second, "2") // a minute and a tenth
		step(59 * time.Minute)
		step(8*time.Minute, "2")
		step(1000 * time.Hour)
		list := b.left(t)
		if len(list) != 1 || list[0].State != SendingFailed || list[0].Attempts != 3 || list[0].Reason != "an error of the kind *errors.errorString" {
			t.Errorf("left: %+v", list)
		}
		if len(b.gaveUp) != 1 || !errors.Is(b.gaveUp[0], errName) {
			t.Errorf("given up: %v", b.gaveUp)
		}
		b.answer = func(Sending) error { return nil }
		if n, err := b.store.RetrySending(t.Context(), "sms", uuid.Nil); n != 1 || err != nil {
			t.Error(n, err)
		}
		step(0, "2")
		if len(b.left(t)) != 0 {
			t.Errorf("left: %+v", b.left(t))
		}
		if _, err := b.store.RetrySending(t.Context(), "sms", uuid.New()); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("retry of what is not there: %v", err)
		}
	})
}

// What cannot be kept when all ends is told.
func TestAnOutcomeThatCannotBeKeptIsTold(t *testing.T) {
	onBoth(t, Lane{}, func(t *testing.T, b *laneBench) {
		var said strings.Builder
		b.logger = slog.New(slog.NewTextHandler(&said, nil))
		b.queue(t, 1)
		ctx, stop := context.WithCancel(t.Context())
		b.answer = func(Sending) error {
			stop()
			return b.store.writer.Close()
		}
		if _, err := b.round(ctx); err == nil || !strings.Contains(said.String(), "what became of a message could not be kept") {
			t.Errorf("%v:\n%s", err, &said)
		}
		if err := b.attempt(ctx, Sending{}); err != nil || len(b.tried) != 1 {
			t.Errorf("%v: %v were tried, the last when all had ended", err, b.tried)
		}
	})
}

func TestWhatNoAttemptHelpsIsGivenUpAtOnce(t *testing.T) {
	onBoth(t, Lane{Pauses: UsualPauses(), Disable: time.Nanosecond}, func(t *testing.T, b *laneBench) {
		b.answer = func(s Sending) error { return &domain.Undelivered{Text: "the address is none", Lasting: true} }
		b.queue(t, 1, 2)
		b.rounds(t)
		if s := b.lane(t); s.Failed != 2 || s.Waiting != 0 || s.Disabled {
			t.Errorf("the lane is %+v", s)
		}
		list := b.left(t)
		if err := b.store.Drop(t.Context(), "sms", list[0].ID); err != nil {
			t.Error(err)
		}
		if n := len(b.left(t)); n != 1 {
			t.Errorf("%d are left after one was left out", n)
		}
	})
}

func TestWhatIsPostponedIsNoAttempt(t *testing.T) {
	onBoth(t, Lane{}, func(t *testing.T, b *laneBench) {
		until := b.clock.Add(8 * time.Hour)
		b.answer = func(Sending) error {
			if b.clock.Before(until) {
				return &domain.Postponed{Until: until}
			}
			return nil
		}
		b.queue(t, 1)
		b.rounds(t)
		if list := b.left(t); len(list) != 1 || !list[0].Due.Equal(until) || list[0].Attempts != 0 || list[0].State != SendingWaiting {
			t.Errorf("left: %+v", list)
		}
		b.clock = until
		if got := b.rounds(t); len(got) != 1 || len(b.left(t)) != 0 {
			t.Errorf("tried %v, left %+v", got, b.left(t))
		}
	})
}

// A gateway that is gone is not called for everything that waits, and nothing is given up
// for it that was not tried.
func TestALaneRestsWhileTheOtherSystemIsGone(t *testing.T) {
	onBoth(t, Lane{Pauses: []time.Duration{time.Hour}, AtOnce: 4}, func(t *testing.T, b *laneBench) {
		b.answer = func(Sending) error { return &domain.Undelivered{Text: "no answer", Unreachable: true, Err: errName} }
		b.queue(t, 1, 2, 3, 4, 5, 6, 7, 8)
		once := func() int {
			b.tried = nil
			if _, err := b.round(t.Context()); err != nil {
				t.Fatal(err)
			}
			return len(b.tried)
		}
		if once() == 0 || b.pause == 0 {
			t.Error("the lane does not rest")
		}
		if n, pause := once(), b.pause; n != 1 || pause <= laneRest {
			t.Errorf("%d were tried while it rests for %s", n, pause)
		}
		b.answer = func(Sending) error { return nil }
		if n := once(); n != 1 || b.pause != 0 {
			t.Errorf("%d were tried as it came back; it rests for %s", n, b.pause)
		}
		b.clock = b.clock.Add(2 * time.Hour)
		b.rounds(t)
		if list := b.left(t); len(list) != 0 {
			t.Errorf("left: %+v", list)
		}
	})
}

func TestALaneThatOnlyFailsIsDisabledUntilSomebodyLooks(t *testing.T) {
	pauses := []time.Duration{24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour}
	onBoth(t, Lane{Pauses: pauses, Disable: 48 * time.Hour}, func(t *testing.T, b *laneBench) {
		b.answer = func(Sending) error { return errName }
		b.queue(t, 1)
		for range 3 {
			b.rounds(t)
			b.clock = b.clock.Add(27 * time.Hour)
		}
		s := b.lane(t)
		if !s.Disabled || s.Failing.IsZero() || s.Waiting != 1 {
			t.Errorf("the lane is %+v", s)
		}
		if got := b.rounds(t); got != nil {
			t.Errorf("tried %v in a disabled lane", got)
		}
		b.answer = func(Sending) error { return nil }
		if _, err := b.store.RetrySending(t.Context(), "sms", uuid.Nil); err != nil {
			t.Error(err)
		}
		if got, s := b.rounds(t), b.lane(t); len(got) != 1 || s.Disabled || !s.Failing.IsZero() {
			t.Errorf("tried %v, the lane is %+v", got, s)
		}
		b.answer = func(Sending) error { return &domain.Undelivered{Text: "gone", Gone: true} }
		b.queue(t, 2)
		b.rounds(t)
		if s := b.lane(t); !s.Disabled {
			t.Errorf("the lane of who wants nothing any more is %+v", s)
		}
	})
}

func TestReplayBringsWhatWasSent(t *testing.T) {
	onBoth(t, Lane{}, func(t *testing.T, b *laneBench) {
		b.answer = func(Sending) error { return nil }
		b.queue(t, 1, 2)
		b.rounds(t)
		e := domain.Recorded{Stream: "request-1", Version: 1, Position: 2}
		e.ID = uuid.NewSHA1(uuid.Nil, fmt.Append(nil, 2))
		if err := b.store.Replay(t.Context(), "sms", []domain.Recorded{e}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"2"}, b.rounds(t)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

// Somebody has a message tried again while an attempt hangs. What becomes of that attempt
// does not undo it: the message is tried from the beginning, and at once.
func TestAnOrderToTryAgainOutlivesTheAttemptThatHangs(t *testing.T) {
	for name, err := range map[string]error{"it fails": errName, "it is given up": &domain.Undelivered{Text: "no such number", Lasting: true}} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Lane{Pauses: []time.Duration{time.Hour, time.Hour}}, func(t *testing.T, b *laneBench) {
				b.answer = func(Sending) error {
					b.clock = b.clock.Add(time.Second)
					if n, err := b.store.RetrySending(t.Context(), "sms", uuid.Nil); n != 1 || err != nil {
						t.Error(n, err)
					}
					b.answer = func(Sending) error { return nil }
					return err
				}
				b.queue(t, 1)
				if d := cmp.Diff([]string{"1", "1"}, b.rounds(t)); d != "" {
					t.Errorf("tried (-want +got)\n%s, left %+v", d, b.left(t))
				}
			})
		})
	}
}

// Why a lane failed is told as long as it does, and no longer.
func TestALaneThatIsWellHasNoOldReason(t *testing.T) {
	pauses := []time.Duration{time.Hour, time.Hour}
	for name, mend := range map[string]func(*testing.T, *laneBench){
		"something was taken": func(t *testing.T, b *laneBench) {
			b.clock = b.clock.Add(2 * time.Hour)
			b.answer = func(Sending) error { return nil }
			b.rounds(t)
		},
		"somebody has it go on": func(t *testing.T, b *laneBench) {
			if _, err := b.store.RetrySending(t.Context(), "sms", uuid.Nil); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Lane{Pauses: pauses}, func(t *testing.T, b *laneBench) {
				b.answer = func(Sending) error { return errName }
				b.queue(t, 1)
				b.rounds(t)
				if s := b.lane(t); s.Failing.IsZero() || s.Reason == "" {
					t.Errorf("a lane that fails is %+v", s)
				}
				mend(t, b)
				if s := b.lane(t); !s.Failing.IsZero() || s.Reason != "" {
					t.Errorf("a lane that is well is %+v", s)
				}
			})
		})
	}
}
