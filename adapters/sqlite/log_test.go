package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

func open(t *testing.T, path string) *sqlite.Log {
	t.Helper()
	log, err := sqlite.Open(t.Context(), path, storetest.Now)
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
	storetest.Run(t, func(t *testing.T) domain.EventLog {
		// A path with everything that a URL would misread.
		return open(t, filepath.Join(t.TempDir(), "a log?#%41.db"))
	})
}

func TestTwoProcessesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	a, b := open(t, path), open(t, path)
	first := storetest.Events(1)
	if _, err := a.Append(t.Context(), domain.Append{Stream: "s", Events: first}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Append(t.Context(), domain.Append{Stream: "s", Expected: 1, Events: storetest.Events(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Append(t.Context(), domain.Append{Stream: "s", Expected: 1, Events: storetest.Events(1)}); err == nil {
		t.Error("the other process's append was not seen")
	}
	if err := a.Wait(t.Context(), 1); err != nil {
		t.Error(err)
	}
	storetest.Verify(t, a)
}

func TestReopenedLogHasEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log, err := sqlite.Open(t.Context(), path, storetest.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), domain.Append{Stream: "s", Events: storetest.Events(3)}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), domain.Append{Stream: "s", Events: storetest.Events(3)}); err == nil {
		t.Error("a closed log took an append")
	}
	again := open(t, path)
	if head, err := again.Head(t.Context()); err != nil || head != 3 {
		t.Errorf("head %d, %v; want 3", head, err)
	}
}

func TestOneConflictDoesNotFailItsNeighbours(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "alur.db"))
	_, errs, err := log.AppendBatch(t.Context(), []domain.Append{
		{Stream: "a", Events: storetest.Events(2)},
		{Stream: "a", Events: storetest.Events(1)},
		{Stream: "b", Events: storetest.Events(1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("errors %v; want only the second", errs)
	}
	if head, err := log.Head(t.Context()); err != nil || head != 3 {
		t.Errorf("head %d, %v; want 3", head, err)
	}
	storetest.Verify(t, log)
}

func TestEventsAreNeverChangedOrRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log := open(t, path)
	if _, err := log.Append(t.Context(), domain.Append{Stream: "s", Events: storetest.Events(1)}); err != nil {
		t.Fatal(err)
	}
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

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE recipes (name TEXT)`); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	open(t, newer)
	db2, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	defer db2.Close()
	if _, err := db2.ExecContext(t.Context(), `PRAGMA user_version = 99`); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		text:                                   "not a database",
		foreign:                                "not an Alur log",
		newer:                                  "newer Alur",
		filepath.Join(dir, "no", "where", "x"): "open",
	} {
		log, err := sqlite.Open(t.Context(), path, storetest.Now)
		if err == nil {
			log.Close()
			t.Errorf("%s was opened", path)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q in it", path, err, want)
		}
	}
}
