package postgres_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var features = storetest.Features{Gapless: true}

func open(t testing.TB, dsn string) *postgres.Log {
	t.Helper()
	log, err := postgres.OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

func TestContract(t *testing.T) {
	storetest.Run(t, features, func(t *testing.T) storetest.Log {
		return open(t, pgserver.Start(t).NewDatabase(t))
	})
}

func TestGrouped(t *testing.T) {
	storetest.RunGrouped(t, open(t, pgserver.Start(t).NewDatabase(t)))
}

// What PostgreSQL cannot take is the fault of one append, not of those beside it.
func TestNeighboursOfWhatIsRefused(t *testing.T) {
	log := open(t, pgserver.Start(t).NewDatabase(t))
	long := make([]byte, 0, 1<<16) // too long for an index, and nothing repeats
	for len(long) < 1<<15 {
		long = append(long, uuid.NewString()...)
	}
	bad := map[string]bool{"a\x00b": true, "\xff": true, string(long): true}
	streams := slices.Collect(maps.Keys(bad))
	for i := range 40 {
		streams = append(streams, fmt.Sprint("s-", i))
	}
	var wg sync.WaitGroup
	for _, stream := range streams {
		a := storetest.New(t, stream, 0, 2)
		wg.Go(func() {
			if _, err := log.Append(t.Context(), a); (err != nil) != bad[stream] {
				t.Errorf("%.10q: %v", stream, err)
			}
		})
	}
	wg.Wait()
	wantHead(t, log, 80)
	storetest.Verify(t, features, log)
}

// A page is as large as its events are, so that memory has a bound.
func TestLargeEventsAreReadInSmallPages(t *testing.T) {
	log := open(t, pgserver.Start(t).NewDatabase(t))
	var tip domain.Tip
	for range 12 {
		events := storetest.Events(2)
		events[1].Body = domain.WorkflowPublished{Source: strings.Repeat("x", 3<<20), Hash: strings.Repeat("ab", 32), Why: "w"}
		var a domain.Append
		a, tip = storetest.Entered(t, "s", tip, events)
		add(t, log, a)
	}
	storetest.Verify(t, features, log)
}

// Many appends of one stream are few transactions, and each still stands for
// itself.
func TestBatchThatContinuesItself(t *testing.T) {
	log := open(t, pgserver.Start(t).NewDatabase(t))
	var batch []domain.Append
	var tip domain.Tip
	for range 3000 {
		var a domain.Append
		a, tip = storetest.Entered(t, "s", tip, storetest.Events(1))
		batch = append(batch, a)
	}
	add(t, log, batch[0])
	add(t, log, batch[1])
	answers, errs, err := log.AppendBatch(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, done := range answers {
		want := domain.Appended{Version: domain.Version(i + 1), Position: domain.Position(i + 1), Repeated: i < 2}
		if errs[i] != nil || done != want {
			t.Fatalf("append %d: %+v, %v; want %+v", i, done, errs[i], want)
		}
	}
	storetest.Verify(t, features, log)
}

func TestLargeAppend(t *testing.T) {
	log := open(t, pgserver.Start(t).NewDatabase(t))
	events := storetest.Events(1)
	events[0].Body = domain.WorkflowPublished{Source: strings.Repeat("x", 16<<20)}
	a, _ := storetest.Entered(t, "s", domain.Tip{}, events)
	add(t, log, a)
	a.Entries[0].Data = make([]byte, 257<<20)
	if _, err := log.Append(t.Context(), a); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, domain.ErrTooLarge)
	}
	storetest.Verify(t, features, log)
}
