package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
)

// rounds is how often a process is killed; a soak takes more.
func rounds(t testing.TB, usual int) int {
	t.Helper()
	text := os.Getenv("ALUR_SOAK_ROUNDS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("ALUR_SOAK_ROUNDS: %v", err)
	}
	return n
}

// follower follows a log from another process, as a view does: it remembers one
// position.
type follower struct {
	seen  []uuid.UUID
	after domain.Position
	err   error
	ended chan struct{}
}

// follow follows a log until the context ends.
func follow(ctx context.Context, log domain.EventLog) *follower {
	f := &follower{ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		for f.err == nil {
			if f.err = log.Wait(ctx, f.after); f.err == nil {
				f.err = f.read(ctx, log)
			}
		}
	}()
	return f
}

func (f *follower) read(ctx context.Context, log domain.EventLog) error {
	for e, err := range log.ReadAll(ctx, f.after) {
		if err != nil {
			return err
		}
		if e.Position <= f.after {
			return fmt.Errorf("position %d after %d", e.Position, f.after)
		}
		f.seen, f.after = append(f.seen, e.ID), e.Position
	}
	return nil
}

// want checks that what was followed is what is in the log.
func (f *follower) want(t testing.TB, log domain.EventLog) {
	t.Helper()
	i := 0
	for e, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(f.seen) || f.seen[i] != e.ID {
			t.Fatalf("the follower saw %d events; event %d of the log is not what it saw there", len(f.seen), i+1)
		}
		i++
	}
	if i != len(f.seen) {
		t.Errorf("the follower saw %d events, the log has %d", len(f.seen), i)
	}
}

func TestKilledWriterLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, stop := context.WithCancel(t.Context())
	followed := follow(ctx, reader)
	defer func() { <-followed.ended }()
	defer stop()
	var kept acknowledged
	for round := range rounds(t, 8) {
		// Of small appends many meet in one transaction; large ones have checkpoints.
		events := []int{1, 3, 40}[round%3]
		writer := appending(t, path, 8, events)
		writer.tell(t, "0")
		time.AfterFunc(rand.N(150*time.Millisecond), func() { _ = writer.Process.Kill() })
		if kept.listen(t, writer) {
			t.Fatal("the child ended by itself")
		}
		_ = writer.Wait()
		if len(kept.failures) > 0 {
			t.Fatal(kept.failures)
		}
		log, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		kept.want(t, log)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-followed.ended
	if !errors.Is(followed.err, context.Canceled) {
		t.Fatalf("the follower ended: %v", followed.err)
	}
	t.Logf("%d acknowledged appends; the follower saw %d events on its way", len(kept.events), len(followed.seen))
	if len(kept.events) == 0 || len(followed.seen) == 0 {
		t.Error("nothing happened: the test tests nothing")
	}
	if err := followed.read(t.Context(), reader); err != nil { // what it had yet to read
		t.Fatal(err)
	}
	followed.want(t, reader)
}
