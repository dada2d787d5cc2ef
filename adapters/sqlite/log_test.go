package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

func TestMain(m *testing.M) {
	if os.Getenv(childTask) != "" {
		os.Exit(runChild())
	}
	goleak.VerifyTestMain(m)
}

var features = storetest.Features{Gapless: true}

func open(t testing.TB, path string) *sqlite.Log {
	t.Helper()
	log, err := sqlite.Open(t.Context(), path)
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

func add(t testing.TB, log *sqlite.Log, a domain.Append) {
	t.Helper()
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func wantHead(t testing.TB, log *sqlite.Log, want domain.Position) {
	t.Helper()
	if head, err := log.Head(t.Context()); err != nil || head != want {
		t.Errorf("head %d, %v; want %d", head, err, want)
	}
}

func TestContract(t *testing.T) {
	storetest.Run(t, features, func(t *testing.T) storetest.Log {
		// A path with everything that a URL would misread.
		return open(t, filepath.Join(t.TempDir(), "a log?#%41.db"))
	})
}

func TestGrouped(t *testing.T) {
	storetest.RunGrouped(t, open(t, filepath.Join(t.TempDir(), "alur.db")))
}

func TestReopenedLogHasEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log := open(t, path)
	first, tip := storetest.Entered(t, "s", domain.Tip{}, storetest.Events(3))
	add(t, log, first)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	wantHead(t, again, 3)
	more, _ := storetest.Entered(t, "s", tip, storetest.Events(1))
	add(t, again, more)
	if done, err := again.Append(t.Context(), first); err != nil || !done.Repeated || done.Position != 3 {
		t.Errorf("repeated after reopening: %+v, %v", done, err)
	}
	storetest.Verify(t, features, again)
}

func TestClosedLogSaysSo(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "alur.db"))
	waiting := make(chan error)
	go func() { waiting <- log.Wait(context.Background(), 7) }()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, appendErr := log.Append(t.Context(), storetest.New(t, "s", 0, 1))
	var readErr error
	for _, readErr = range log.ReadAll(t.Context(), 0) {
		continue
	}
	for name, err := range map[string]error{
		"Append": appendErr, "ReadAll": readErr, "Wait": <-waiting,
		"Backup": log.Backup(t.Context(), filepath.Join(t.TempDir(), "copy.db")),
	} {
		if !errors.Is(err, domain.ErrClosed) {
			t.Errorf("%s: got %v, want %v", name, err, domain.ErrClosed)
		}
	}
}

// A version that is remembered must be the one that was committed.
func TestRememberedVersionsSurviveTheBoundOfMemory(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "alur.db"))
	first, tip := storetest.Entered(t, "s", domain.Tip{}, storetest.Events(1))
	add(t, log, first)
	storm := make([]domain.Append, 0, 1000)
	for i := range 150_000 { // more streams than are remembered, none of which exists
		e := first.Entries[0]
		e.Stream, e.Version = fmt.Sprint("other-", i), 2
		storm = append(storm, domain.Append{Stream: e.Stream, Expected: 1, Entries: []domain.Entry{e}})
		if len(storm) < cap(storm) {
			continue
		}
		_, errs, err := log.AppendBatch(t.Context(), storm)
		if err != nil || slices.Contains(errs, nil) {
			t.Fatalf("appends to streams that do not exist: %v", err)
		}
		storm = storm[:0]
	}
	second, _ := storetest.Entered(t, "s", tip, storetest.Events(1))
	add(t, log, second)
	wantHead(t, log, 2)
	storetest.Verify(t, features, log)
}

func TestEventsAreNeverChangedOrRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log := open(t, path)
	add(t, log, storetest.New(t, "s", 0, 1))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{`DELETE FROM event`, `UPDATE event SET version = 9`} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("%s was allowed", statement)
		}
	}
}

// execute runs statements on a SQLite file.
func execute(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("text"), []byte(strings.Repeat("this is not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, file("foreign"), `CREATE TABLE recipes (name TEXT)`)
	before, err := os.ReadFile(file("foreign"))
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range map[string]string{"newer": "99", "older": "1"} {
		if err := open(t, file(name)).Close(); err != nil {
			t.Fatal(err)
		}
		execute(t, file(name), `PRAGMA user_version = `+version)
	}
	openers := map[string]func(context.Context, string) (*sqlite.Log, error){"Open": sqlite.Open, "OpenReadOnly": sqlite.OpenReadOnly}
	for path, want := range map[string]string{
		file("text"): "not SQLite", file("foreign"): "not an Alur log", file("newer"): "newer Alur",
		file("older"): "older Alur", filepath.Join(dir, "no", "where", "x"): "open",
	} {
		for name, opener := range openers {
			log, err := opener(t.Context(), path)
			if err == nil {
				log.Close()
				t.Errorf("%s: %s was opened", name, path)
				continue
			}
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s: %v; want %q in it", name, path, err, want)
			}
		}
	}
	after, err := os.ReadFile(file("foreign"))
	if err != nil || string(before) != string(after) {
		t.Errorf("a foreign file was changed: %v", err)
	}
}
