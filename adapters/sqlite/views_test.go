package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/projections"
)

func openViews(t testing.TB, path string) sqlite.Views {
	t.Helper()
	v, err := sqlite.OpenViews(t.Context(), path)
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

// pragmas of each of some connections at once: a pool must not hand out one that
// was set up otherwise.
func wantPragma(t *testing.T, db *sql.DB, connections int, pragma, want string) {
	t.Helper()
	for range connections {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var got string
		if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
}

func TestViewsAreWrittenByOneConnectionAndReadByOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "views?#%41.db")
	v := openViews(t, path)
	tx, err := v.Writer.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `CREATE TABLE list (n INTEGER); INSERT INTO list VALUES (7)`); err != nil {
		t.Fatal(err)
	}
	waiting, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := v.Writer.Begin(waiting); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("two write at once: %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`INSERT INTO list VALUES (8)`, `DELETE FROM list`, `DROP TABLE list`, `CREATE TABLE other (n INTEGER)`, `VACUUM`} {
		if _, err := v.Reader.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("a reader may %s", statement)
		}
	}
	var n int
	if err := v.Reader.QueryRowContext(t.Context(), `SELECT sum(n) FROM list`).Scan(&n); err != nil || n != 7 {
		t.Errorf("read %d, %v", n, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestViewsAreDurable(t *testing.T) {
	v := openViews(t, filepath.Join(t.TempDir(), "views.db"))
	for pragma, want := range map[string]projections.Value{
		"synchronous": {Int: 2, Kind: projections.Int}, "journal_mode": {Text: "wal", Kind: projections.Text},
	} {
		tx, err := v.Writer.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Query(t.Context(), "PRAGMA "+pragma, nil, func(v []projections.Value) error {
			if v[0] != want {
				t.Errorf("%s is %+v", pragma, v[0])
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		tx.Rollback()
	}
	t.Run("readers", func(t *testing.T) { wantPragma(t, v.Reader, 4, "query_only", "1") })
}
