package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

func openKeys(t testing.TB, dsn string) *postgres.KeyStore {
	t.Helper()
	s, err := postgres.OpenKeys(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestKeysContract(t *testing.T) {
	storetest.RunKeys(t, func(t *testing.T) domain.KeyStore { return openKeys(t, pgserver.Start(t).NewDatabase(t)) })
}

// mark puts a key into the store and marks it.
func mark(t testing.TB, s *postgres.KeyStore, k domain.StoredKey) uuid.UUID {
	t.Helper()
	if _, err := s.Put(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	erasure := uuid.Must(uuid.NewV7())
	if n, err := s.Mark(t.Context(), erasure, []uuid.UUID{k.ID}); err != nil || n != 1 {
		t.Fatalf("marked %d, %v", n, err)
	}
	return erasure
}

// filesWith are the server's files that hold some bytes, but for the write-ahead
// log, of which the store promises nothing.
func filesWith(t *testing.T, server *pgserver.Server, secret []byte) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(server.Data(), func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.Name() == "pg_wal" {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return nil // files come and go
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, secret) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDestroyedBytesAreInNoFile(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	s := openKeys(t, dsn)
	k := storetest.Key("subject-of-whom-nothing-is-left", "permit")
	k.Wrapped = []byte(strings.Repeat("wrapped-bytes-", 4))
	other := storetest.Key("subject-who-stays", "permit")
	if _, err := s.Put(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret(t.Context(), "pepper", []byte("the-pepper-of-old")); err != nil {
		t.Fatal(err)
	}
	erasure := mark(t, s, k)
	execute(t, dsn, `ANALYZE`, `CHECKPOINT`)
	secrets := [][]byte{k.Wrapped, []byte(k.Subject), []byte("the-pepper-of-old")}
	for _, secret := range secrets {
		if filesWith(t, server, secret) == nil {
			t.Errorf("%q is in no file: the test looks in the wrong place", secret)
		}
	}
	// Somebody who still sees everything as it was.
	old := begin(t, dsn, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1`)
	if n, err := s.Destroy(t.Context(), erasure, storetest.Epoch); err != nil || n != 1 {
		t.Fatalf("destroyed %d, %v", n, err)
	}
	if done, err := s.ReplaceSecret(t.Context(), "pepper", []byte("the-pepper-of-old"), []byte("new")); err != nil || !done {
		t.Fatalf("replaced: %v, %v", done, err)
	}
	old()
	execute(t, dsn, `CHECKPOINT`)
	for _, secret := range secrets {
		if found := filesWith(t, server, secret); found != nil {
			t.Errorf("%q is still in %v", secret, found)
		}
	}
	if got, err := s.Find(t.Context(), other.Subject, other.Class); err != nil || got.ID != other.ID {
		t.Errorf("the other key: %v, %v", got.ID, err)
	}
}

// A backup that began before keys were destroyed, as pg_dump makes it, has the other
// keys, and nothing of those.
func TestOldSnapshotsSeeTheKeysThatStay(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	s := openKeys(t, dsn)
	gone := storetest.Key("subject-who-goes", "permit")
	erasure := mark(t, s, gone)
	stay := storetest.Key("subject-who-stays", "permit")
	if _, err := s.Put(t.Context(), stay); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret(t.Context(), "pepper", []byte("old")); err != nil {
		t.Fatal(err)
	}
	c := dial(t, dsn)
	if _, err := c.Exec(t.Context(), `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1`); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Destroy(t.Context(), erasure, storetest.Epoch); err != nil || n != 1 {
		t.Fatalf("destroyed %d, %v", n, err)
	}
	if done, err := s.ReplaceSecret(t.Context(), "pepper", []byte("old"), []byte("new")); err != nil || !done {
		t.Fatalf("replaced: %v, %v", done, err)
	}
	var wrapped, secret []byte
	if err := c.QueryRow(t.Context(), `SELECT wrapped FROM alur_keys.key WHERE id = $1`, stay.ID).Scan(&wrapped); err != nil || !bytes.Equal(wrapped, stay.Wrapped) {
		t.Errorf("the key that stays: %x, %v; want %x", wrapped, err, stay.Wrapped)
	}
	if err := c.QueryRow(t.Context(), `SELECT wrapped FROM alur_keys.key WHERE id = $1`, gone.ID).Scan(&wrapped); err != nil || len(wrapped) > 0 {
		t.Errorf("the key that is gone: %x, %v", wrapped, err)
	}
	if err := c.QueryRow(t.Context(), `SELECT value FROM alur_keys.secret`).Scan(&secret); err != nil || string(secret) != "new" {
		t.Errorf("the secret: %q, %v", secret, err)
	}
}

// Tables are rewritten piece by piece.
func TestManyKeysAreRewritten(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	s := openKeys(t, dsn)
	erasure := mark(t, s, storetest.Key("subject-who-goes", "permit"))
	const many = 25_001
	execute(t, dsn, fmt.Sprintf(`INSERT INTO alur_keys.key (id, subject, class, state, kek, wrapped, created)
		SELECT gen_random_uuid(), E'a\\b\tc ' || n, 'permit', 'live', 'kek-1', decode(md5(n::text), 'hex'), n FROM generate_series(1, %d) n`, many))
	digest := func() (sum string) {
		const query = `SELECT count(*) || ' ' || md5(string_agg(k::text, '' ORDER BY id)) FROM alur_keys.key k WHERE state = 'live'`
		if err := dial(t, dsn).QueryRow(t.Context(), query).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	before := digest()
	if n, err := s.Destroy(t.Context(), erasure, storetest.Epoch); err != nil || n != 1 {
		t.Fatalf("destroyed %d, %v", n, err)
	}
	if after := digest(); after != before || !strings.HasPrefix(after, fmt.Sprint(many, " ")) {
		t.Errorf("keys were %s, are %s", before, after)
	}
}

// A store that could not be cleaned when its keys were destroyed is, when it is
// opened.
func TestOpeningFinishesTheCleaning(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	s := openKeys(t, dsn)
	k := storetest.Key("subject-who-nearly-stayed", "permit")
	erasure := mark(t, s, k)
	execute(t, dsn, `UPDATE alur_keys.key SET state = 'destroyed', subject = '', wrapped = '', ended = 1 WHERE erasure = '`+erasure.String()+`'`,
		`INSERT INTO alur_keys.leftover VALUES ('key')`, `CHECKPOINT`)
	if filesWith(t, server, []byte(k.Subject)) == nil {
		t.Fatal("the subject is gone before it should be")
	}
	openKeys(t, dsn)
	execute(t, dsn, `CHECKPOINT`)
	if found := filesWith(t, server, []byte(k.Subject)); found != nil {
		t.Errorf("the subject is still in %v", found)
	}
}

func TestUnmarkLeavesAKeyWhosePlaceIsTaken(t *testing.T) {
	s := openKeys(t, pgserver.Start(t).NewDatabase(t))
	k := storetest.Key("s-1", "permit")
	erasure := mark(t, s, k)
	next, err := s.Put(t.Context(), storetest.Key("s-1", "permit"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Unmark(t.Context(), erasure); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uuid.UUID]domain.KeyState{k.ID: domain.KeyErasing, next.ID: domain.KeyLive} {
		if got, err := s.Get(t.Context(), id); err != nil || got.State != want {
			t.Errorf("%s is %s, %v; want %s", id, got.State, err, want)
		}
	}
}

func TestKeysReadOnly(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	if _, err := postgres.OpenKeysReadOnly(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("an empty database: %v", err)
	}
	k := storetest.Key("s-1", "permit")
	if _, err := openKeys(t, dsn).Put(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.OpenKeysReadOnly(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), k.ID); err != nil || got.Subject != "s-1" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, putErr := s.Put(t.Context(), storetest.Key("s-2", "permit"))
	_, markErr := s.Mark(t.Context(), uuid.Must(uuid.NewV7()), nil)
	_, destroyErr := s.Destroy(t.Context(), uuid.Must(uuid.NewV7()), time.Time{})
	_, secretErr := s.Secret(t.Context(), "pepper", []byte("x"))
	for name, err := range map[string]error{"Put": putErr, "Mark": markErr, "Destroy": destroyErr, "Secret": secretErr} {
		if !errors.Is(err, domain.ErrReadOnly) {
			t.Errorf("%s: got %v, want %v", name, err, domain.ErrReadOnly)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), k.ID); !errors.Is(err, domain.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}
