package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// A file that an earlier build made has the index that held every key of a subject
// until it is opened for writing; its keys are found before that and after it, by
// an index and in order, whatever their states.
func TestKeysOfASubjectAreFoundInFilesOfEarlierBuilds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	s := openedKeys(t, path)
	erasure := uuid.Must(uuid.NewV7())
	var want []uuid.UUID
	for n := range 6 {
		k := storetest.Key("s-1", domain.RetentionClass([]string{"a", "b"}[n%2]))
		if _, err := s.Put(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		want = append(want, k.ID)
		if n < 4 { // each takes the place of one that is being erased
			if marked, err := s.Mark(t.Context(), erasure, []uuid.UUID{k.ID}); err != nil || marked != 1 {
				t.Fatalf("marked %d, %v", marked, err)
			}
		}
	}
	if _, err := s.Put(t.Context(), storetest.Key("s-2", "a")); err != nil {
		t.Fatal(err)
	}
	asBefore(t, s.writer.conn)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenKeysReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, reader, want)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	s = openedKeys(t, path)
	wantKeys(t, s, want)
	plan := ""
	err = sqlitex.ExecuteTransient(s.writer.conn, "EXPLAIN QUERY PLAN "+selectOfSubject, &sqlitex.ExecOptions{Args: []any{[]byte{}, keyPage, "s-1"}, ResultFunc: func(stmt *sqlite.Stmt) error {
		plan += stmt.GetText("detail") + "\n"
		return nil
	}})
	if err != nil || strings.Contains(plan, "SCAN") || !strings.Contains(plan, "one_live_key") || !strings.Contains(plan, "ended_keys_of_subject") {
		t.Errorf("%v\n%s", err, plan)
	}
	if n, err := number(s.writer.conn, `SELECT count(*) FROM sqlite_schema WHERE name = 'keys_of_subject'`); err != nil || n != 0 {
		t.Errorf("%d indexes of earlier builds, %v", n, err)
	}
	if n, err := s.Destroy(t.Context(), erasure, time.Now()); err != nil || n != 4 {
		t.Errorf("destroyed %d, %v", n, err)
	}
	wantKeys(t, s, want[4:])
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// asBefore puts the index of earlier builds in the place of that of now.
func asBefore(t *testing.T, conn *sqlite.Conn) {
	t.Helper()
	err := sqlitex.ExecuteScript(conn, `DROP INDEX ended_keys_of_subject;
		CREATE INDEX keys_of_subject ON key (subject, id) WHERE subject <> ''`, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func openedKeys(t *testing.T, path string) *KeyStore {
	t.Helper()
	s, err := OpenKeys(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantKeys(t *testing.T, s *KeyStore, want []uuid.UUID) {
	t.Helper()
	n := 0
	for k, err := range s.All(t.Context(), "s-1") {
		if err != nil {
			t.Fatal(err)
		}
		if n >= len(want) || k.ID != want[n] {
			t.Errorf("key %d is %s", n, k.ID)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d keys, want %d", n, len(want))
	}
}
