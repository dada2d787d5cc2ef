package bus

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// A message was given up by one channel (a wrong address, corrected since), and waits by
// another. The applicant then wants the first alone: it is tried there once more.
func TestWhatIsMovedToWhereItWasGivenUpIsSent(t *testing.T) {
	onBoth(t, Lane{AtOnce: 4, Pauses: UsualPauses()}, func(t *testing.T, b *laneBench) {
		b.answer = func(Sending) error { return &domain.Undelivered{Text: "no such address", Lasting: true} }
		b.of(t, "request-a", 1)
		b.rounds(t)
		given := b.left(t)
		if len(given) != 1 || given[0].State != SendingFailed {
			t.Fatalf("%+v", given)
		}
		b.answer = func(Sending) error { return nil }
		waits := given[0] // the same message, by another channel
		waits.Lane, waits.ID = "whatsapp", uuid.New()
		place := Sending{Lane: given[0].Lane, ID: given[0].ID}
		if err := b.store.MoveNow(t.Context(), waits, place); err != nil || len(b.rounds(t)) != 0 {
			t.Fatalf("what is gone was moved: %v", err)
		}
		err := b.store.tx(t.Context(), func(tx *sql.Tx) error {
			return b.store.Queue(t.Context(), tx, domain.Recorded{Stream: waits.Stream, Version: waits.Version, Position: waits.Position}, waits.Lane, waits.ID)
		})
		if err := errors.Join(err, b.store.MoveNow(t.Context(), waits, place)); err != nil {
			t.Fatal(err)
		}
		b.clock = b.clock.Add(time.Hour)
		if tried := b.rounds(t); len(tried) != 1 {
			t.Errorf("tried %v; left %+v", tried, b.left(t))
		}
	})
}

// What is being sent is not moved: it would be told by both.
func TestWhatIsUnderWayDoesNotWait(t *testing.T) {
	onBoth(t, Lane{AtOnce: 4, Pauses: UsualPauses()}, func(t *testing.T, b *laneBench) {
		b.of(t, "request-a", 1)
		b.of(t, "request-a", 2)
		waits := func() int {
			t.Helper()
			list, err := b.store.Waiting(t.Context(), b.left(t)[0].Lane, "request-a")
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		under := b.left(t)[0]
		end := b.store.begin(under)
		if n := waits(); n != 1 {
			t.Errorf("%d wait while one is sent", n)
		}
		end()
		if n := waits(); n != 2 {
			t.Errorf("%d wait then", n)
		}
		b.answer = func(x Sending) error {
			if list, err := b.store.Waiting(t.Context(), x.Lane, x.Stream); err != nil || slices.ContainsFunc(list, func(y Sending) bool { return y.ID == x.ID }) {
				t.Errorf("it waits while it is sent: %v, %v", list, err)
			}
			return nil
		}
		if tried := b.rounds(t); len(tried) != 2 {
			t.Errorf("tried %v", tried)
		}
	})
}
