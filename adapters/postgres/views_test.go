package postgres_test

import (
	"context"
	"database/sql"
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
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

func openViews(t testing.TB, dsn string) postgres.Views {
	t.Helper()
	v, err := postgres.OpenViews(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func newViews(t testing.TB, log domain.EventLog, store projections.Store) *projections.Views {
	t.Helper()
	v, err := projections.NewViews(t.Context(), log, store, slog.New(slog.DiscardHandler),
		projections.StatusProjection{}, projections.TimelineProjection{}, projections.TermsProjection{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var dataKey = uuid.MustParse("01939d0b-64c8-7000-8000-000000000001")

// play records n requests of several steps each, which interleave, and an erasure.
func play(t testing.TB, log domain.EventLog, n int) {
	t.Helper()
	tips := make([]domain.Tip, n)
	for step := range 4 {
		for i := range n {
			if i%3 < step-1 {
				continue // not all get as far
			}
			events := storetest.Events(1)
			request := uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i))
			if step == 0 {
				events[0].Body = domain.RequestSubmitted{
					Request: request, Reference: domain.NewReference(uint64(i) << 20), State: "submitted", Public: domain.StatusReceived,
				}
				key := dataKey
				key[15] = byte(i)
				events[0].Box = &domain.Box{Key: key, Sealed: []byte("sealed")}
			}
			if step == 0 && i%2 == 0 {
				b := events[0].Body.(domain.RequestSubmitted)
				b.Imported = &domain.Imported{Case: fmt.Sprint("case 'é' ", i), Due: storetest.Epoch, Ended: storetest.Epoch.Add(time.Second)}
				events[0].Body = b
			}
			var a domain.Append
			a, tips[i] = storetest.Entered(t, domain.RequestStream(request), tips[i], events)
			if _, err := log.Append(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	events := storetest.Events(1)
	events[0].Body = domain.SubjectErased{Keys: []domain.ErasedKey{{ID: dataKey, Class: "permit"}}, Ground: domain.GroundCourtOrder, Note: "on file"}
	a, _ := storetest.Entered(t, domain.ErasureStream(uuid.Must(uuid.NewV7())), domain.Tip{}, events)
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func dump(t testing.TB, db *sql.DB) []string {
	t.Helper()
	var rows []string
	for _, query := range []string{
		`SELECT * FROM status ORDER BY began`, `SELECT * FROM timeline ORDER BY request, version`, `SELECT * FROM term ORDER BY request, term`,
		`SELECT * FROM checkpoint ORDER BY projection`,
	} {
		rows = append(rows, query)
		rows = append(rows, storetest.Rows(t, db, query)...)
	}
	return rows
}

// The same statements make the same rows on either database.
func TestViewsAreThoseOfSQLite(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log := open(t, dsn)
	play(t, log, 12)
	there, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	here := openViews(t, dsn)
	for _, store := range []projections.Store{there.Writer, here.Writer} {
		if err := newViews(t, log, store).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := dump(t, there.Reader)
	if d := cmp.Diff(want, dump(t, here.Reader)); d != "" {
		t.Errorf("(-SQLite +PostgreSQL)\n%s", d)
	}
	if len(want) < 50 {
		t.Errorf("only %d rows to compare", len(want))
	}
	// Another process finds the views as they are, and goes on.
	play2 := newViews(t, log, openViews(t, dsn).Writer)
	if err := play2.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, dump(t, here.Reader)); d != "" {
		t.Errorf("opened again (-SQLite +PostgreSQL)\n%s", d)
	}
}

func TestReadersOfViews(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log := open(t, dsn)
	play(t, log, 6)
	views := openViews(t, dsn)
	runner := newViews(t, log, views.Writer)
	if err := runner.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := projections.NewStatusView(views.Reader)
	all, err := status.List(t.Context(), projections.Filter{})
	if err != nil || len(all) != 6 {
		t.Fatalf("%d requests, %v", len(all), err)
	}
	page, err := status.List(t.Context(), projections.Filter{Tenant: "11.71", Service: "sip-dokter", State: all[1].State, Public: all[1].Public, After: all[0].Reference, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all[1:2], page); d != "" {
		t.Errorf("a page (-want +got)\n%s", d)
	}
	one, err := status.ByReference(t.Context(), all[2].Reference)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all[2], one); d != "" {
		t.Errorf("by reference (-want +got)\n%s", d)
	}
	steps, err := projections.NewTimelineView(views.Reader).Of(t.Context(), one.Request)
	if err != nil || len(steps) != int(one.Version) {
		t.Errorf("%d steps, %v; want %d", len(steps), err, one.Version)
	}
	if _, err := views.Reader.ExecContext(t.Context(), `DELETE FROM status`); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a reader wrote: %v", err)
	}
}

// Processes that start at once and keep the same views do not fold an event twice,
// and none of them fails.
func TestRunnersShareTheViews(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log := open(t, dsn)
	const runners = 3
	var wg sync.WaitGroup
	faults := make([]error, runners)
	ready := make(chan struct{})
	for i := range runners {
		wg.Go(func() {
			v, err := postgres.OpenViews(t.Context(), dsn)
			if err != nil {
				faults[i] = err
				return
			}
			defer v.Close()
			r, err := projections.NewViews(t.Context(), log, v.Writer, slog.New(slog.DiscardHandler), projections.StatusProjection{}, projections.TimelineProjection{}, projections.TermsProjection{})
			if err != nil {
				faults[i] = err
				return
			}
			for more := true; more; {
				select {
				case <-ready:
					more = false
				default:
				}
				if err := r.CatchUp(context.Background()); err != nil {
					faults[i] = err
					return
				}
			}
		})
	}
	play(t, log, 40)
	close(ready)
	wg.Wait()
	for i, err := range faults {
		if err != nil {
			t.Errorf("runner %d: %v", i, err)
		}
	}
	shared := dump(t, openViews(t, dsn).Reader)
	alone := openViews(t, pgserver.Start(t).NewDatabase(t))
	if err := newViews(t, log, alone.Writer).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(dump(t, alone.Reader), shared); d != "" {
		t.Errorf("(-alone +shared)\n%s", d)
	}
}
