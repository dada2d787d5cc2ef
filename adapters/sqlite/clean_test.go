package sqlite_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// fragment is how many bytes of a secret in a row count as a trace of it.
const fragment = 8

// traces counts the fragments of secrets in the files of a store.
func traces(t testing.TB, path string, secrets ...[]byte) int {
	t.Helper()
	searched := map[[fragment]byte]bool{}
	for _, s := range secrets {
		for i := 0; i+fragment <= len(s); i++ {
			searched[[fragment]byte(s[i:])] = true
		}
	}
	found := 0
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+fragment <= len(text); i++ {
			if searched[[fragment]byte(text[i:])] {
				found++
			}
		}
	}
	return found
}

// secretKey is a key of which no two bytes in a row are those of another.
func secretKey(class domain.RetentionClass) domain.StoredKey {
	k := storetest.Key("", class)
	subject := make([]byte, 32)
	_, _ = rand.Read(subject) // never fails
	k.Subject = domain.SubjectID(base64.RawURLEncoding.EncodeToString(subject))
	k.Wrapped = make([]byte, 60)
	_, _ = rand.Read(k.Wrapped)
	return k
}

// secretsOf are the bytes of keys that must be gone when they are.
func secretsOf(keys ...domain.StoredKey) [][]byte {
	var secrets [][]byte
	for _, k := range keys {
		secrets = append(secrets, k.Wrapped, []byte(k.Subject))
	}
	return secrets
}

// filled is a store in which so many keys came and went that rows were moved from
// page to page, and the keys that are in it.
func filled(t testing.TB, s *sqlite.KeyStore, n int) []domain.StoredKey {
	t.Helper()
	keys := make([]domain.StoredKey, n)
	var wg sync.WaitGroup
	const clients = 10
	for c := range clients {
		wg.Go(func() {
			for i := c; i < n; i += clients {
				keys[i] = secretKey(domain.RetentionClass(strings.Repeat("c", 1+mathrand.IntN(40))))
				// Version 7 ids grow: random ones fall between those that are there.
				keys[i].ID = uuid.New()
				putKey(t, s, keys[i])
			}
		})
	}
	wg.Wait()
	return keys
}

func mark(t testing.TB, s *sqlite.KeyStore, keys ...domain.StoredKey) uuid.UUID {
	t.Helper()
	erasure := uuid.New()
	ids := make([]uuid.UUID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	if n, err := s.Mark(t.Context(), erasure, ids); err != nil || n != len(keys) {
		t.Fatalf("marked %d of %d keys, %v", n, len(keys), err)
	}
	return erasure
}

func TestDestroyedKeysLeaveNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	for round := range 6 {
		all := filled(t, keys, 250)
		mathrand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		gone := all[:1+mathrand.IntN(10)]
		if traces(t, path, secretsOf(gone...)...) == 0 {
			t.Fatal("the test does not find what is there")
		}
		erasure := mark(t, keys, gone...)
		if n, err := keys.Destroy(t.Context(), erasure, storetest.Epoch); err != nil || n != len(gone) {
			t.Fatalf("destroyed %d of %d, %v", n, len(gone), err)
		}
		if n := traces(t, path, secretsOf(gone...)...); n > 0 {
			t.Errorf("round %d: %d traces of %d destroyed keys", round, n, len(gone))
		}
	}
}

// plant leaves bytes in an unused part of a file, as SQLite does when rows move
// from page to page.
func plant(t testing.TB, path string, bytes []byte) {
	t.Helper()
	before := traces(t, path, bytes)
	execute(t, path, `PRAGMA secure_delete = OFF`,
		fmt.Sprintf(`INSERT INTO secret VALUES ('planted', x'%x')`, bytes), `DELETE FROM secret WHERE name = 'planted'`)
	if traces(t, path, bytes) <= before {
		t.Fatal("nothing was left in the file")
	}
}

func TestCopiesOfDestroyedKeysAreRemoved(t *testing.T) {
	for name, part := range map[string]func(domain.StoredKey) []byte{
		"a whole key":     func(k domain.StoredKey) []byte { return k.Wrapped },
		"a whole subject": func(k domain.StoredKey) []byte { return []byte(k.Subject) },
		"some bytes":      func(k domain.StoredKey) []byte { return k.Wrapped[21 : 21+fragment] },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.db")
			gone, erasure := marked(t, path)
			plant(t, path, part(gone[1]))
			keys := openKeys(t, path)
			if _, err := keys.Destroy(t.Context(), erasure, storetest.Epoch); err != nil {
				t.Fatal(err)
			}
			if n := traces(t, path, secretsOf(gone...)...); n > 0 {
				t.Errorf("%d traces", n)
			}
		})
	}
}

// Erasures that meet in one transaction are cleaned up together.
func TestKeysDestroyedAtOnceLeaveNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	gone := filled(t, keys, 40)
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	plant(t, path, gone[mathrand.IntN(len(gone))].Wrapped)
	keys = openKeys(t, path)
	erasures := make([]uuid.UUID, len(gone))
	for i, k := range gone {
		erasures[i] = mark(t, keys, k)
	}
	var wg sync.WaitGroup
	for _, erasure := range erasures {
		wg.Go(func() {
			if n, err := keys.Destroy(t.Context(), erasure, storetest.Epoch); err != nil || n != 1 {
				t.Errorf("destroyed %d, %v", n, err)
			}
		})
	}
	wg.Wait()
	if n := traces(t, path, secretsOf(gone...)...); n > 0 {
		t.Errorf("%d traces", n)
	}
}

// How a key was wrapped before, nobody knows when it is destroyed.
func TestDestroyedKeyThatWasRewrappedLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	all := filled(t, keys, 100)
	k, wrapped := all[0], secretKey("c").Wrapped
	if done, err := keys.Rewrap(t.Context(), k.ID, k.KEK, "kek-2", wrapped); err != nil || !done {
		t.Fatalf("rewrapped: %v, %v", done, err)
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	plant(t, path, k.Wrapped)
	keys = openKeys(t, path)
	if _, err := keys.Destroy(t.Context(), mark(t, keys, k), storetest.Epoch); err != nil {
		t.Fatal(err)
	}
	if n := traces(t, path, k.Wrapped, wrapped, []byte(k.Subject)); n > 0 {
		t.Errorf("%d traces", n)
	}
}

func TestReplacedSecretLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	keys := openKeys(t, path)
	filled(t, keys, 100)
	old := secretKey("c").Wrapped
	if _, err := keys.Secret(t.Context(), "pepper", old); err != nil {
		t.Fatal(err)
	}
	if traces(t, path, old) == 0 {
		t.Fatal("the test does not find what is there")
	}
	if done, err := keys.ReplaceSecret(t.Context(), "pepper", old, secretKey("c").Wrapped); err != nil || !done {
		t.Fatalf("replaced: %v, %v", done, err)
	}
	if n := traces(t, path, old); n > 0 {
		t.Errorf("%d traces of the old secret", n)
	}
}

// destroyOnCommand opens a key store, says "ready", and at each line of input
// destroys the keys of an erasure and says how many, or how it failed.
func destroyOnCommand(args []string, out io.Writer) error {
	erasure, err := uuid.Parse(args[1])
	if err != nil {
		return err
	}
	keys, err := sqlite.OpenKeys(context.Background(), args[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		n, err := keys.Destroy(context.Background(), erasure, storetest.Epoch)
		if err != nil {
			fmt.Fprintln(out, errorKind(err), err)
			continue
		}
		fmt.Fprintln(out, "destroyed", n)
	}
	return keys.Close()
}

// marked makes a store in which keys are to be destroyed.
func marked(t testing.TB, path string) (gone []domain.StoredKey, erasure uuid.UUID) {
	t.Helper()
	keys := openKeys(t, path)
	gone = filled(t, keys, 300)[:5]
	erasure = mark(t, keys, gone...)
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	return gone, erasure
}

// A process that dies when the keys are destroyed, but copies of their bytes are
// not yet gone, leaves it to the next one.
func TestKilledBetweenDestroyingAndCleaning(t *testing.T) {
	needStrace(t)
	for name, c := range map[string]struct{ suffix, call string }{
		"before the file is written":            {"", "pwrite64:signal=SIGKILL"},
		"while the file is written":             {"", "pwrite64:signal=SIGKILL:when=3"},
		"before the write-ahead log is emptied": {"-wal", "ftruncate:signal=SIGKILL"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.db")
			gone, erasure := marked(t, path)
			dying := start(t, "destroy", path, erasure.String())
			dying.expect(t, "ready")
			breakDisk(t, dying, []string{path + c.suffix}, c.call)
			dying.tell(t, "destroy")
			if got := dying.line(); got != "" {
				t.Fatalf("a child that died says %q", got)
			}
			_ = dying.Wait()
			keys := openKeys(t, path)
			for _, k := range gone {
				if got, err := keys.Get(t.Context(), k.ID); err != nil || got.State != domain.KeyDestroyed {
					t.Errorf("key is %s, %v", got.State, err)
				}
			}
			if n := traces(t, path, secretsOf(gone...)...); n > 0 {
				t.Errorf("%d traces after the next opening", n)
			}
		})
	}
}

// Whoever is told that keys are destroyed may rely on it, and who is told that
// they may not be can finish it.
func TestCleaningThatFailsIsFinishedLater(t *testing.T) {
	needStrace(t)
	for name, c := range map[string]struct{ suffix, fault, want, again string }{
		"a full disk":  {"", "pwrite64:error=ENOSPC", "unavailable", "destroyed 0"},
		"a bad disk":   {"", "pwrite64:error=EIO", "stopped", "stopped"},
		"a failed cut": {"-wal", "ftruncate:error=EIO", "stopped", "stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.db")
			gone, erasure := marked(t, path)
			child := start(t, "destroy", path, erasure.String())
			child.expect(t, "ready")
			disk := breakDisk(t, child, []string{path + c.suffix}, c.fault)
			child.tell(t, "destroy")
			if got := child.line(); !strings.HasPrefix(got, c.want) {
				t.Errorf("told %q, want %q", got, c.want)
			}
			disk.wantHit(t)
			disk.mend(t)
			child.tell(t, "destroy")
			if got := child.line(); !strings.HasPrefix(got, c.again) {
				t.Errorf("told %q on a good disk, want %q", got, c.again)
			}
			if c.again == "stopped" {
				finish(t, child)
				openKeys(t, path)
			}
			if n := traces(t, path, secretsOf(gone...)...); n > 0 {
				t.Errorf("%d traces", n)
			}
		})
	}
}
