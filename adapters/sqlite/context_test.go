package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// While a tool holds the file, an append waits for it, but not its caller longer
// than he likes. What he gave up may be recorded nevertheless.
func TestAppendThatWaitsEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log := open(t, path)
	first, tip := storetest.Entered(t, "s", domain.Tip{}, storetest.Events(1))
	add(t, log, first)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tool, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	if _, err := tool.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	second, _ := storetest.Entered(t, "s", tip, storetest.Events(1))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	ended := make(chan error)
	for range 3 { // the first is at the writer, the others are in line
		go func() {
			_, err := log.Append(ctx, second)
			ended <- err
		}()
	}
	for range 3 {
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
	}
	wantHead(t, log, 1)
	if _, err := tool.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	add(t, log, second) // for the first time or again
	wantHead(t, log, 2)
	storetest.Verify(t, features, log)
}

// An opening that was refused holds neither lock nor connection.
func TestOpeningEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlite.Open(ctx, filepath.Join(dir, "alur.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: got %v, want %v", err, context.Canceled)
	}
	if _, err := sqlite.OpenKeys(ctx, filepath.Join(dir, "keys.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenKeys: got %v, want %v", err, context.Canceled)
	}
	if _, err := sqlite.OpenViews(ctx, filepath.Join(dir, "views.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenViews: got %v, want %v", err, context.Canceled)
	}
	add(t, open(t, filepath.Join(dir, "alur.db")), storetest.New(t, "s", 0, 1))
	putKey(t, openKeys(t, filepath.Join(dir, "keys.db")), storetest.Key("s-1", "permit"))
	openViews(t, filepath.Join(dir, "views.db"))
	if _, err := sqlite.OpenReadOnly(ctx, filepath.Join(dir, "alur.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenReadOnly: got %v, want %v", err, context.Canceled)
	}
}

func TestRefusedOpeningReleasesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "foreign.db")
	execute(t, path, `CREATE TABLE recipes (name TEXT)`)
	for range 2 {
		_, logErr := sqlite.Open(t.Context(), path)
		_, keysErr := sqlite.OpenKeys(t.Context(), path)
		for name, err := range map[string]error{"Open": logErr, "OpenKeys": keysErr} {
			if err == nil || errors.Is(err, sqlite.ErrInUse) {
				t.Errorf("%s: got %v, want a foreign file", name, err)
			}
		}
	}
}
