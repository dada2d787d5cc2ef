package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// impatient is a log whose appends and reads are given up at random moments.
type impatient struct {
	domain.EventLog
	left *atomic.Int32 // so often
}

func (l impatient) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if l.left.Load() > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rand.N(4*time.Millisecond))
		defer cancel()
	}
	done, err := l.EventLog.Append(ctx, a)
	if errors.Is(err, context.DeadlineExceeded) {
		l.left.Add(-1)
	}
	var conflict *domain.ConflictError
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &conflict) {
		panic(err)
	}
	return done, err
}

// elsewhere is a log that is read as another process reads it.
type elsewhere struct {
	domain.EventLog // is read
	writer          domain.EventLog
}

func (l elsewhere) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	return l.writer.Append(ctx, a)
}

// Clients with patience, without, and of another process's kind, which share
// nothing with the writer but the file, see one order of things.
func TestHistoriesOfClientsThatGoAwayAreLinearizable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log := open(t, path)
	reader, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	// Each answer that is not waited for doubles what has to be looked through; on a
	// busy machine all would be such.
	var left atomic.Int32
	left.Store(30)
	h := storetest.NewHistories()
	var wg sync.WaitGroup
	for client := range 9 {
		l := []domain.EventLog{log, impatient{log, &left}, elsewhere{reader, log}}[client%3]
		wg.Go(func() { h.Client(t.Context(), t, l, client, 3, 30) })
	}
	wg.Wait()
	h.Check(t)
	storetest.Verify(t, features, log)
}
