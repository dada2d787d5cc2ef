package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

func openKeys(t testing.TB, path string) *sqlite.KeyStore {
	t.Helper()
	keys, err := sqlite.OpenKeys(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return keys
}

func putKey(t testing.TB, s domain.KeyStore, k domain.StoredKey) {
	t.Helper()
	got, err := s.Put(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != k.ID {
		t.Fatalf("got key %s for %s", got.ID, k.ID)
	}
}

// listed are the keys of a store, or of a subject.
func listed(t testing.TB, s domain.KeyStore, subject domain.SubjectID) []domain.StoredKey {
	t.Helper()
	var keys []domain.StoredKey
	for k, err := range s.All(t.Context(), subject) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

func TestKeyStoreContract(t *testing.T) {
	storetest.RunKeys(t, func(t *testing.T) domain.KeyStore {
		return openKeys(t, filepath.Join(t.TempDir(), "keys?#%41.db"))
	})
}

func TestReopenedKeyStoreHasEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	live, marked, gone := storetest.Key("s-1", "permit"), storetest.Key("s-2", "permit"), storetest.Key("s-3", "permit")
	erasure, other := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for _, k := range []domain.StoredKey{live, marked, gone} {
		putKey(t, keys, k)
	}
	if _, err := keys.Mark(t.Context(), erasure, []uuid.UUID{gone.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Destroy(t.Context(), erasure, storetest.Epoch.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Mark(t.Context(), other, []uuid.UUID{marked.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Secret(t.Context(), "pepper", []byte("salt")); err != nil {
		t.Fatal(err)
	}
	want := listed(t, keys, "")
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	again := openKeys(t, path)
	if d := cmp.Diff(want, listed(t, again, "")); d != "" || len(want) != 3 {
		t.Errorf("%d keys, reopened (-want +got)\n%s", len(want), d)
	}
	if got, err := again.Secret(t.Context(), "pepper", nil); err != nil || string(got) != "salt" {
		t.Errorf("secret %q, %v", got, err)
	}
	if n, err := again.Destroy(t.Context(), other, storetest.Epoch); err != nil || n != 1 {
		t.Errorf("destroyed %d, %v; want the key that was marked before", n, err)
	}
}

func TestOneOpeningWritesKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	_, err := sqlite.OpenKeys(t.Context(), path)
	wantInUse(t, err, os.Getpid())
	putKey(t, keys, storetest.Key("s-1", "permit"))
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("as a log: %v", err)
	}
}

func TestKeysAreReadBesideTheirWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	if _, err := sqlite.OpenKeysReadOnly(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v, want %v", err, os.ErrNotExist)
	}
	keys := openKeys(t, path)
	reader, err := sqlite.OpenKeysReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	k := storetest.Key("s-1", "permit")
	putKey(t, keys, k)
	if d := cmp.Diff([]domain.StoredKey{k}, listed(t, reader, "")); d != "" {
		t.Errorf("read beside the writer (-want +got)\n%s", d)
	}
	_, putErr := reader.Put(t.Context(), storetest.Key("s-2", "permit"))
	_, markErr := reader.Mark(t.Context(), uuid.Must(uuid.NewV7()), []uuid.UUID{k.ID})
	_, destroyErr := reader.Destroy(t.Context(), uuid.Must(uuid.NewV7()), storetest.Epoch)
	_, rewrapErr := reader.Rewrap(t.Context(), k.ID, k.KEK, "kek-2", k.Wrapped)
	_, secretErr := reader.Secret(t.Context(), "pepper", []byte("salt"))
	_, replaceErr := reader.ReplaceSecret(t.Context(), "pepper", []byte("salt"), []byte("pepper"))
	for name, err := range map[string]error{
		"Put": putErr, "Mark": markErr, "Unmark": reader.Unmark(t.Context(), uuid.Must(uuid.NewV7())), "Destroy": destroyErr,
		"Rewrap": rewrapErr, "Secret": secretErr, "ReplaceSecret": replaceErr,
	} {
		if !errors.Is(err, domain.ErrReadOnly) {
			t.Errorf("%s: got %v, want %v", name, err, domain.ErrReadOnly)
		}
	}
}

func TestClosedKeyStoreSaysSo(t *testing.T) {
	keys := openKeys(t, filepath.Join(t.TempDir(), "keys.db"))
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	_, putErr := keys.Put(t.Context(), storetest.Key("s-1", "permit"))
	_, findErr := keys.Find(t.Context(), "s-1", "permit")
	for name, err := range map[string]error{"Put": putErr, "Find": findErr} {
		if !errors.Is(err, domain.ErrClosed) {
			t.Errorf("%s: got %v, want %v", name, err, domain.ErrClosed)
		}
	}
}

// leaving is a context that may end at any moment of a call, or after it.
func leaving(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), rand.N(5*time.Millisecond))
	t.Cleanup(cancel)
	return ctx
}

// Callers that go away do not disturb the writer, which may be at work for them
// yet, nor do they get what it is about to write. The race detector sees the rest.
func TestKeyCallersThatGoAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for i := range 50 {
				k := storetest.Key(domain.SubjectID(fmt.Sprint("s-", client, "-", i)), "permit")
				got, putErr := keys.Put(leaving(t), k)
				if putErr != nil && got.ID != uuid.Nil {
					t.Errorf("Put: %s, %v", got.ID, putErr)
				}
				if _, err := keys.Get(t.Context(), k.ID); putErr == nil && err != nil {
					t.Errorf("a key that was put: %v", err)
				}
				name := fmt.Sprint("pepper-", client, "-", i)
				_, rewrapErr := keys.Rewrap(leaving(t), k.ID, "kek-1", "kek-2", k.Wrapped)
				_, secretErr := keys.Secret(leaving(t), name, []byte("old secret"))
				_, replaceErr := keys.ReplaceSecret(leaving(t), name, []byte("old secret"), []byte("new secret"))
				for name, err := range map[string]error{"Put": putErr, "Rewrap": rewrapErr, "Secret": secretErr, "ReplaceSecret": replaceErr} {
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		})
	}
	wg.Wait()
}
