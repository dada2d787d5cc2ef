package projections_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// everyDatabase runs a test on each kind of database. Open makes an empty one, and
// further handles on it, as other processes have them.
func everyDatabase(t *testing.T, test func(t *testing.T, open func() func() database)) {
	t.Run("SQLite", func(t *testing.T) {
		dir, n := t.TempDir(), 0
		test(t, func() func() database {
			n++
			path := filepath.Join(dir, fmt.Sprint(n, ".db"))
			return func() database {
				v, err := sqlite.OpenViews(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = v.Close() })
				return database{v.Writer, v.Reader}
			}
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		server := pgserver.Start(t)
		test(t, func() func() database {
			dsn := server.NewDatabase(t)
			return func() database {
				v, err := postgres.OpenViews(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = v.Close() })
				return database{v.Writer, v.Reader}
			}
		})
	})
}

// change writes to the tables of the views, which only the runner should do.
func change(t testing.TB, store projections.Store, statement string) {
	t.Helper()
	tx, err := store.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if n, err := tx.Exec(t.Context(), statement); err != nil || n == 0 {
		t.Fatalf("%s: %d, %v", statement, n, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// told is a log of n requests whose events interleave.
func told(t testing.TB, n, events int) *memory.Log {
	log := newLog()
	var all []*played
	for i := range n {
		all = append(all, newPlayed(i))
	}
	for i := range events {
		all[(i*i+i/3)%n].next(t, log)
	}
	return log
}

func nothingDiffers(t testing.TB, views *projections.Views) {
	t.Helper()
	found, err := views.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if len(f.Differences) > 0 {
			t.Errorf("%+v", f)
		}
	}
}

// Whatever is done with views, by whichever of two processes: in the end the rows are
// those of a rebuild from zero.
func TestWhateverIsDoneWithViews(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			if n++; strings.HasSuffix(t.Name(), "PostgreSQL") && n%10 > 0 {
				return // it takes long
			}
			node := open()
			log := newLog()
			one := node()
			two := node()
			runners := []*projections.Views{newViews(t, log, one.writer), newViews(t, log, two.writer)}
			requests := []*played{newPlayed(1), newPlayed(2), newPlayed(3)}
			for range rapid.IntRange(1, 30).Draw(r, "steps") {
				i := rapid.IntRange(0, 1).Draw(r, "process")
				name := rapid.SampledFrom([]string{"status", "timeline", "term"}).Draw(r, "view")
				var err error
				switch rapid.IntRange(0, 9).Draw(r, "what") {
				case 0, 1:
					var paused *projections.PausedError
					if err = runners[i].CatchUp(t.Context()); errors.As(err, &paused) {
						err = nil
					}
				case 2: // the process ends; another begins
					runners[i] = newViews(t, log, one.writer)
				case 3:
					err = runners[i].Pause(t.Context(), name, true)
				case 4:
					err = runners[i].Pause(t.Context(), name, false)
				case 5:
					err = runners[i].Rebuild(t.Context(), name)
				case 6:
					_, err = runners[i].Verify(t.Context(), name)
				default:
					requests[rapid.IntRange(0, 2).Draw(r, "request")].next(t, log)
				}
				if err != nil {
					r.Fatal(err)
				}
			}
			for _, name := range runners[0].Names() {
				if err := runners[0].Pause(t.Context(), name, false); err != nil {
					r.Fatal(err)
				}
			}
			if err := runners[1].CatchUp(t.Context()); err != nil {
				r.Fatal(err)
			}
			nothingDiffers(t, runners[0])
			straight := open()()
			if err := newViews(t, log, straight.writer).CatchUp(t.Context()); err != nil {
				r.Fatal(err)
			}
			if d := diff.Diff(dump(t, straight.reader, true), dump(t, one.reader, true)); d != "" {
				r.Fatalf("(-straight +views)\n%s", d)
			}
		})
	})
}

// counted counts what is read of a log.
type counted struct {
	*memory.Log
	read atomic.Int64
}

func (c *counted) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		for e, err := range c.Log.ReadAll(ctx, after) {
			c.read.Add(1)
			if !yield(e, err) {
				return
			}
		}
	}
}

// Views that are at the same place share what is read: one reader of the log for all.
func TestTheLogIsReadOnceForAllViews(t *testing.T) {
	const events = 30_000
	log := &counted{Log: told(t, 500, events)}
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer)
	for _, x := range []struct {
		name string
		work func() error
	}{ // in this order: after a rebuild there is nothing to catch up with
		{"catching up", func() error { return views.CatchUp(t.Context()) }},
		{"rebuilding", func() error { return views.Rebuild(t.Context()) }},
	} {
		log.read.Store(0)
		if err := x.work(); err != nil {
			t.Fatal(err)
		}
		if n := log.read.Load(); n < events || n > 2*events {
			t.Errorf("%s: of %d events %d were read", x.name, events, n)
		}
	}
}

// Rows that the log does not say are named by their keys, and nothing else is.
func TestVerifyNamesRowsThatWereTamperedWith(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log := told(t, 4, 20)
		db := open()()
		views := newViews(t, log, db.writer)
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothingDiffers(t, views)
		one, two := newPlayed(0).request().String(), newPlayed(1).request().String()
		change(t, db.writer, `UPDATE status SET state = 'issued', public = 'approved' WHERE request = '`+one+`'`)
		change(t, db.writer, `DELETE FROM timeline WHERE request = '`+two+`' AND version = 1`)
		change(t, db.writer, `UPDATE timeline SET due = 1 WHERE request = '`+one+`' AND version = 1`)
		change(t, db.writer, `INSERT INTO status SELECT 'invented', reference, tenant, service, workflow_version, state, public, outcome, submitted, changed, version, source_case, due, ended, began FROM status WHERE request = '`+two+`'`)
		found, err := views.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all []projections.Difference
		for _, f := range found {
			if f.Position != 20 || f.More {
				t.Errorf("%+v", f)
			}
			all = append(all, f.Differences...)
		}
		want := []projections.Difference{
			{View: "status", Kind: projections.RowDiffers, Key: map[string]string{"request": one}, Columns: []string{"state", "public"}},
			{View: "status", Kind: projections.RowExtra, Key: map[string]string{"request": "invented"}},
			{View: "timeline", Kind: projections.RowDiffers, Key: map[string]string{"request": one, "version": "1"}, Columns: []string{"due"}},
			{View: "timeline", Kind: projections.RowMissing, Key: map[string]string{"request": two, "version": "1"}},
		}
		byKey := cmpopts.SortSlices(func(a, b projections.Difference) bool { return cmp.Less(fmt.Sprint(a), fmt.Sprint(b)) })
		if d := diff.Diff(want, all, byKey); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if err := views.Rebuild(t.Context(), "status", "timeline"); err != nil {
			t.Fatal(err)
		}
		nothingDiffers(t, views)
	})
}

// What no view writes is a row that differs, and not the end of the comparison; what cannot
// be compared at all hides nothing of the others.
func TestVerifyNamesWhatNoViewWrites(t *testing.T) {
	log, db := told(t, 4, 20), openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, db.Writer)
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	one := newPlayed(0).request().String()
	change(t, db.Writer, `UPDATE status SET state = x'00ff', submitted = 1.5 WHERE request = '`+one+`'`)
	want := []projections.Difference{{View: "status", Kind: projections.RowDiffers, Key: map[string]string{"request": one}, Columns: []string{"state", "submitted"}}}
	of := func(list []projections.Verified) (all []projections.Difference) {
		for _, f := range list {
			all = append(all, f.Differences...)
		}
		return all
	}
	found, err := views.Verify(t.Context())
	if d := diff.Diff(want, of(found)); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	change(t, db.Writer, `ALTER TABLE timeline RENAME COLUMN due TO dew`)
	found, err = views.Verify(t.Context())
	if d := diff.Diff(want, of(found)); d != "" || err == nil || !strings.Contains(err.Error(), "timeline") {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// Views are built anew again and again while requests are acted on and read: whoever
// reads sees every row at every moment, and none is missing in the end.
func TestRebuildUnderLiveWrites(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log := told(t, 20, 300)
		node := open()
		live, beside := node(), node()
		views := newViews(t, log, live.writer)
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		count := func(ctx context.Context) (n int, err error) {
			err = live.reader.QueryRowContext(ctx, `SELECT count(*) FROM status`).Scan(&n)
			return n, err
		}
		requests, err := count(t.Context())
		if err != nil || requests < 2 {
			t.Fatal(requests, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { views.Run(ctx) })
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				newPlayed(100+i).next(t, log)
				time.Sleep(time.Millisecond) // so that the log does not outrun everybody
			}
		})
		for range 3 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if n, err := count(ctx); ctx.Err() == nil && (err != nil || n < requests) {
						t.Errorf("%d rows, %v", n, err)
						return
					}
				}
			})
		}
		other := newViews(t, log, beside.writer)
		for range 5 {
			if err := other.Rebuild(t.Context()); err != nil {
				t.Error(err)
			}
			nothingDiffers(t, other)
		}
		stop()
		wg.Wait()
		if err := other.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothingDiffers(t, other)
	})
}

// doubled adds a row under a key that is there, which only the database can tell.
type doubled struct{ at domain.Position }

func (doubled) Name() string   { return "doubled" }
func (doubled) Schema() string { return `CREATE TABLE doubled (position BIGINT PRIMARY KEY)` }
func (p doubled) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	table := projections.Table[poisonRow]{Name: "doubled", Key: 1, Fold: func(rows *projections.Rows[poisonRow], e domain.Recorded) error {
		if e.Position == p.at {
			rows.Add(poisonRow{1})
		} else {
			rows.Add(poisonRow{e.Position})
		}
		return nil
	}}
	return table.Apply(ctx, tx, events)
}

// An event that the database will not have is found among many.
func TestAnEventThatTheDatabaseRefusesIsFound(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log := told(t, 3, 200)
		for _, at := range []domain.Position{2, 57, 200} {
			db := open()()
			views := newViews(t, log, db.writer, doubled{at}, projections.StatusProjection{})
			var stopped *projections.StoppedError
			if err := views.CatchUp(t.Context()); !errors.As(err, &stopped) || stopped.At.Position != at || stopped.View != "doubled" {
				t.Errorf("at %d: %v", at, err)
			}
			lags, err := views.Lags(t.Context())
			if err != nil || lags[0].Position != at-1 || lags[1].Position != 200 {
				t.Errorf("at %d: %+v, %v", at, lags, err)
			}
			if err := views.Rebuild(t.Context(), "doubled"); err != nil { // it gets as far as the one that is read
				t.Errorf("at %d: %v", at, err)
			}
			// One that got over the event is not replaced by one that does not.
			able := newViews(t, log, db.writer, doubled{at: -1})
			if err := able.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := newViews(t, log, db.writer, doubled{at}).Rebuild(t.Context()); !errors.As(err, &stopped) {
				t.Errorf("at %d: %v", at, err)
			}
			if rows := storetest.Rows(t, db.reader, `SELECT count(*) FROM doubled`); rows[0] != "[200]" {
				t.Errorf("at %d: %v", at, rows)
			}
		}
	})
}

func TestAPausedViewStandsStill(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log := told(t, 3, 10)
		node := open()
		here, there := node(), node()
		views, other := newViews(t, log, here.writer), newViews(t, log, there.writer)
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := other.Pause(t.Context(), "status", true); err != nil {
			t.Fatal(err)
		}
		last := newPlayed(50).next(t, log)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ran := make(chan struct{})
		go func() { defer close(ran); views.Run(ctx) }()
		if err := other.WaitFor(t.Context(), last.Position, "timeline", "term"); err != nil { // the other process does
			t.Fatal(err)
		}
		var paused *projections.PausedError
		if err := other.WaitFor(t.Context(), last.Position); !errors.As(err, &paused) || paused.View != "status" || paused.Position != 10 {
			t.Errorf("waited for a view that is paused: %v", err)
		}
		if err := other.CatchUp(t.Context()); !errors.As(err, &paused) {
			t.Errorf("%v", err)
		}
		lags, err := other.Lags(t.Context())
		if err != nil || !lags[0].Paused || lags[0].Position != 10 || lags[0].Events != 1 || lags[0].Fault != "" || lags[1].Paused {
			t.Errorf("%+v, %v", lags, err)
		}
		if err := other.Pause(t.Context(), "status", false); err != nil {
			t.Fatal(err)
		}
		if err := other.WaitFor(t.Context(), last.Position); err != nil {
			t.Fatal(err)
		}
		stop()
		<-ran
		var unknown *projections.UnknownError
		if err := other.Pause(t.Context(), "nothing", true); !errors.As(err, &unknown) {
			t.Errorf("%v", err)
		}
	})
}

// renewed is the view of services, as another version of the program has it.
type renewed struct{ projections.ServiceProjection }

func (renewed) Schema() string {
	return projections.StatusProjection{}.Schema() + "\n-- of another version"
}
func (renewed) Name() string { return "status" }
func (renewed) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	return projections.StatusProjection{}.Apply(ctx, tx, events)
}

// cramped has no room beside what is read.
type cramped struct{ projections.Store }

func (cramped) Scratch(context.Context) (projections.Scratch, error) {
	return nil, projections.ErrNoScratch
}

// When the program has another version of a view, its old rows are read until the new
// ones are there.
func TestAnotherVersionOfAViewIsBuiltBeside(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		for _, room := range []bool{true, false} {
			log := told(t, 3, 20)
			db := open()()
			old := newViews(t, log, db.writer, projections.StatusProjection{})
			if err := old.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			store := db.writer
			if !room {
				store = cramped{store}
			}
			views := newViews(t, log, store, renewed{})
			count := func() string { return storetest.Rows(t, db.reader, `SELECT count(*) FROM status`)[0] }
			if n := count(); n != "[3]" {
				t.Errorf("while it is of another version there are %s rows", n)
			}
			if lags, err := views.Lags(t.Context()); err != nil || !lags[0].Anew {
				t.Errorf("%+v, %v", lags, err)
			}
			short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			if err := views.WaitFor(short, 20); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("rows of another version were waited for: %v", err)
			}
			cancel()
			if err := views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(); n != "[3]" {
				t.Errorf("%s rows", n)
			}
			if lags, err := views.Lags(t.Context()); err != nil || lags[0].Anew || lags[0].Position != 20 {
				t.Errorf("%+v, %v", lags, err)
			}
			nothingDiffers(t, newViews(t, log, db.writer, renewed{}))
			// A program of before that still runs leaves the table alone.
			newPlayed(70).next(t, log)
			if err := old.CatchUp(t.Context()); err == nil {
				t.Error("the old program goes on")
			}
			if lags, err := views.Lags(t.Context()); err != nil || lags[0].Anew || lags[0].Position != 20 {
				t.Errorf("%+v, %v", lags, err)
			}
		}
	})
}

// severed is a database whose connection is gone when the time of whoever asks is up, as
// drivers say it that are interrupted while they read.
type severed struct{ projections.Store }

func (s severed) Query(ctx context.Context, statement string, args []any, row func([]projections.Value) error) error {
	if _, ends := ctx.Deadline(); !ends {
		return s.Store.Query(ctx, statement, args, row)
	}
	<-ctx.Done()
	return errors.New("use of closed network connection")
}

// Whoever waits until their time is up is told so, whatever the database was asked then.
func TestWhoWaitsTooLongIsToldSo(t *testing.T) {
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, told(t, 1, 2), severed{file.Writer})
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := views.WaitFor(short, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("told %v", err)
	}
}

// A table of checkpoints from before there were pauses is completed.
func TestCheckpointsOfBefore(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log := told(t, 3, 20)
		db := open()()
		if err := newViews(t, log, db.writer).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := dump(t, db.reader, true)
		for _, column := range []string{"paused", "fault_position", "fault_event", "fault_type"} {
			tx, err := db.writer.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), `ALTER TABLE checkpoint DROP COLUMN `+column); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		views := newViews(t, &counted{Log: log}, db.writer)
		lags, err := views.Lags(t.Context())
		if err != nil || lags[0].Position != 20 {
			t.Errorf("%+v, %v", lags, err)
		}
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := diff.Diff(want, dump(t, db.reader, true)); d != "" {
			t.Errorf("(-before +after)\n%s", d)
		}
	})
}

// Of two processes that share the leases each view is run by one, and by the other when
// that is gone.
func TestEachViewIsRunByOneProcess(t *testing.T) {
	log := told(t, 3, 20)
	path := filepath.Join(t.TempDir(), "views.db")
	leases := memory.NewLeases(time.Now)
	type process struct {
		views *projections.Views
		stop  context.CancelFunc
		ended chan struct{}
	}
	start := func(name string) process {
		p := process{views: newViews(t, log, openFile(t, path).Writer), ended: make(chan struct{})}
		p.views.Share(leases, name)
		var ctx context.Context
		ctx, p.stop = context.WithCancel(t.Context())
		go func() { defer close(p.ended); p.views.Run(ctx) }()
		return p
	}
	here := func(p process) (n int) {
		lags, err := p.views.Lags(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lags {
			if l.Here {
				n++
			}
		}
		return n
	}
	one := start("one")
	for n, err := range poll(t, func() (int, error) { return here(one), nil }) {
		if err != nil || n == len(one.views.Names()) {
			break
		}
	}
	two := start("two")
	last := newPlayed(9).next(t, log)
	if err := two.views.WaitFor(t.Context(), last.Position); err != nil { // one's own write, folded by the other
		t.Fatal(err)
	}
	if n := here(two); n != 0 {
		t.Errorf("%d views are run twice", n)
	}
	one.stop()
	<-one.ended
	last = newPlayed(10).next(t, log)
	if err := two.views.WaitFor(t.Context(), last.Position); err != nil {
		t.Fatal(err)
	}
	if n := here(two); n != len(two.views.Names()) {
		t.Errorf("%d views were taken over", n)
	}
	two.stop()
	<-two.ended
	nothingDiffers(t, two.views)
}

// Only one process builds at a time, and says so.
func TestOneProcessBuildsAtATime(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log := told(t, 3, 20)
		node := open()
		one, two := node(), node()
		scratch, err := one.writer.Scratch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		views := newViews(t, log, two.writer)
		if err := views.Rebuild(t.Context()); !errors.Is(err, projections.ErrBuilding) {
			t.Errorf("%v", err)
		}
		if err := scratch.Close(); err != nil {
			t.Fatal(err)
		}
		if err := views.Rebuild(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// between does something while a log is being read.
type between struct {
	*memory.Log
	done atomic.Bool
	do   func()
}

func (b *between) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		for e, err := range b.Log.ReadAll(ctx, after) {
			if !yield(e, err) {
				return
			}
		}
		if b.done.CompareAndSwap(false, true) { // what is done may read the log, too
			b.do()
		}
	}
}

// What was read before another process folded it is not folded again, though it is known
// by then where the view is.
func TestWhatAnotherProcessFoldedMeanwhileIsNotFoldedAgain(t *testing.T) {
	log := told(t, 3, 20)
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	var views *projections.Views
	slow := &between{Log: log, do: func() {
		if err := newViews(t, log, file.Writer, EffortProjection{}).CatchUp(t.Context()); err != nil {
			t.Error(err)
		}
		if err := views.WaitFor(t.Context(), 20); err != nil { // which sees where the view is now
			t.Error(err)
		}
	}}
	views = newViews(t, slow, file.Writer, EffortProjection{})
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingDiffers(t, newViews(t, log, file.Writer, EffortProjection{}))
}
