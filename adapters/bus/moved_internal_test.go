package bus

import (
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
		if err := b.store.MoveNow(t.Context(), waits, Sending{Lane: given[0].Lane, ID: given[0].ID}); err != nil {
			t.Fatal(err)
		}
		b.clock = b.clock.Add(time.Hour)
		if tried := b.rounds(t); len(tried) != 1 {
			t.Errorf("tried %v; left %+v", tried, b.left(t))
		}
	})
}
