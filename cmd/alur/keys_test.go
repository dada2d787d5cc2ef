package main

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// removeAll removes the files of a folder that match, of which there must be some.
func removeAll(t *testing.T, dir, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// A key store that is gone is told of: by verify, and by serve, which makes no
// other one in its place unless it is told to.
func TestALostKeyStoreIsToldAndNotReplaced(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, withSample(t, filepath.Join(dir, "alur.db")))
	if _, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission); err != nil {
		t.Fatal(err)
	}
	s.stop(t)

	kek := filepath.Join(dir, "alur.db.kek")
	aside := filepath.Join(dir, "aside.kek")
	if err := os.Rename(kek, aside); err != nil {
		t.Fatal(err)
	}
	if out := must(t, dir, "", "log", "verify"); !strings.Contains(out, keysOnly) {
		t.Errorf("without a key-encryption key:\n%s", out)
	}
	if err := os.Rename(aside, kek); err != nil {
		t.Fatal(err)
	}

	removeAll(t, dir, "alur.keys.db*")
	out, errs, code := verb(t, dir, "", "log", "verify")
	if code != exitFault || !strings.Contains(out, "no erasure says so") || !strings.Contains(errs, "no key store alur.keys.db") {
		t.Errorf("verify: exit code %d\n%s%s", code, out, errs)
	}
	must(t, dir, "", "log", "verify", "--no-keys")
	_, errs, code = verb(t, dir, "", "serve", "--listen", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(errs, "its keys are not in alur.keys.db") {
		t.Errorf("serve: exit code %d\n%s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "alur.keys.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("another key store was made")
	}
	_, errs, code = verb(t, dir, "", "subject", "erase", "--ground", "court_order", "--note", "decision 4", "--by", "o-9")
	if code != exitFailed || !strings.Contains(errs, "its keys are not in") {
		t.Errorf("erase: exit code %d\n%s", code, errs)
	}
	s = startServer(t, filepath.Join(dir, "alur.db"), "--new-keys")
	if _, err := post(s.url+"/api/v1/requests", "k2", sealedSubmission); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	startServer(t, filepath.Join(dir, "alur.db")).stop(t) // it has keys of the log now
}

// Two databases in one folder have keys of their own, and a rotation leaves the
// file behind a link, and who may read it, as they were.
func TestRotationLeavesTheFileItsPlaceAndItsReaders(t *testing.T) {
	dir := t.TempDir()
	if a, b := (stores{db: "alur.db"}).kekPath(), (stores{db: "alur.sqlite"}).kekPath(); a == b {
		t.Errorf("two databases share %s", a)
	}
	startServer(t, filepath.Join(dir, "alur.db")).stop(t)
	link, real := filepath.Join(dir, "alur.db.kek"), filepath.Join(dir, "secret", "ring")
	for _, err := range []error{os.Mkdir(filepath.Dir(real), 0o700), os.Rename(link, real), os.Symlink(real, link), os.Chmod(real, 0o640)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	must(t, dir, "", "keys", "rotate")
	if to, err := os.Readlink(link); err != nil || to != real {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	info, err := os.Stat(real)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if now, err := os.ReadFile(real); err != nil || string(now) == string(old) {
		t.Errorf("nothing was rotated: %v", err)
	}
	if err := os.WriteFile(real, old, 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, code := verb(t, dir, "nik:1", "subject", "export")
	if code != exitFailed || !strings.Contains(errs, "FILE.retired") {
		t.Errorf("with the old key: exit code %d\n%s", code, errs)
	}
}

// Retired keys may be the only copies: what cannot be read is not written over.
func TestRotationLosesNoRetiredKey(t *testing.T) {
	dir := t.TempDir()
	startServer(t, filepath.Join(dir, "alur.db")).stop(t)
	must(t, dir, "", "keys", "rotate")
	retired := filepath.Join(dir, "alur.db.kek.retired")
	first, err := os.ReadFile(retired)
	if err != nil {
		t.Fatal(err)
	}
	must(t, dir, "", "keys", "rotate")
	both, err := os.ReadFile(retired)
	if err != nil || !strings.Contains(string(both), strings.TrimSpace(string(first[strings.LastIndex(strings.TrimSpace(string(first)), "\n")+1:]))) {
		t.Errorf("the second rotation lost what the first retired: %v", err)
	}
	noted := append(both, "a note without a sign before it\n"...)
	if err := os.WriteFile(retired, noted, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := verb(t, dir, "", "keys", "rotate"); code != exitFailed || !strings.Contains(errs, "only copies") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if now, err := os.ReadFile(retired); err != nil || string(now) != string(noted) {
		t.Errorf("it was written over: %v", err)
	}
	if err := os.WriteFile(retired, both, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "", "keys", "rotate") // what was cut off is repeated
}

// The key store of another database is told from the one that belongs to the log.
func TestAnotherKeyStoreIsNotTaken(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, other} {
		s := startServer(t, withSample(t, filepath.Join(d, "alur.db")))
		if _, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission); err != nil {
			t.Fatal(err)
		}
		s.stop(t)
	}
	removeAll(t, dir, "alur.keys.db*")
	for _, name := range []string{"alur.keys.db", "alur.db.kek"} {
		b, err := os.ReadFile(filepath.Join(other, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, errs, code := verb(t, dir, "", "serve", "--listen", "127.0.0.1:0"); code != exitFailed || !strings.Contains(errs, "its keys are not in alur.keys.db") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

// What is wrong with the key store is a fault like another, and does not keep the
// log from being read to its end.
func TestVerifyTellsADamagedKeyStore(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, withSample(t, filepath.Join(dir, "alur.db")))
	if _, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	for _, damage := range []string{`UPDATE key SET wrapped = randomblob(length(wrapped))`, `DELETE FROM secret`, `DROP TABLE key`} {
		db, err := sql.Open("sqlite", filepath.Join(dir, "alur.keys.db"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), damage)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		out, errs, code := verb(t, dir, "", "log", "verify", "--json")
		if code != exitFault {
			t.Errorf("%s: exit code %d\n%s%s", damage, code, out, errs)
			continue
		}
		if v := report(t, out); v.Faults != 1 || v.Events < 2 {
			t.Errorf("%s: %+v", damage, v)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "alur.keys.db"), []byte(strings.Repeat("rubbish ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, code := verb(t, dir, "", "log", "verify"); code != exitFault {
		t.Errorf("rubbish: exit code %d\n%s%s", code, out, errs)
	}
}

// A second name of a file is a way around the lock.
func TestAFileWithTwoNamesIsRefused(t *testing.T) {
	dir := t.TempDir()
	startServer(t, filepath.Join(dir, "alur.db")).stop(t)
	if err := os.Link(filepath.Join(dir, "alur.db"), filepath.Join(dir, "b.db")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("THIS FILE SYSTEM HAS NO LINKS: not tested: %v", err)
	}
	if _, errs, code := verb(t, dir, "", "serve", "--db", "b.db", "--listen", "127.0.0.1:0"); code != exitFailed || !strings.Contains(errs, "second name") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

// Two rotations of one file do not write over each other's new key.
func TestTwoRotationsAtOnce(t *testing.T) {
	dir := t.TempDir()
	startServer(t, filepath.Join(dir, "alur.db")).stop(t)
	held, err := lockRing(filepath.Join(dir, "alur.db.kek"))
	if err != nil {
		t.Fatal(err)
	}
	if _, errs, code := verb(t, dir, "", "keys", "rotate"); code != exitFailed || !strings.Contains(errs, "by another process") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "", "keys", "rotate")
}

// A name that another database had is not taken while a part of that one lies there.
func TestABackupIsNotReadTogetherWithWhatLiesThere(t *testing.T) {
	dir := t.TempDir()
	logOf(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "old.db-wal"), []byte("of another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := verb(t, dir, "", "log", "backup", "old.db"); code != exitFailed || !strings.Contains(errs, "old.db-wal belongs to another database") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

// Whichever page of the key store is broken, verifying reads the whole log and says
// that something is.
func TestVerifyTellsEachBrokenPageOfTheKeyStore(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, withSample(t, filepath.Join(dir, "alur.db")))
	if _, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	path := filepath.Join(dir, "alur.keys.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for n := 1; n*page < len(whole); n++ { // the first is the header, without which it is no database
		broken := append([]byte{}, whole...)
		clear(broken[n*page : min((n+1)*page, len(broken))])
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, code := verb(t, dir, "", "log", "verify", "--json")
		if code != exitFault {
			t.Errorf("page %d of %d: exit code %d\n%s%s", n+1, len(whole)/page, code, out, errs)
			continue
		}
		if v := report(t, out); v.Events < 2 {
			t.Errorf("page %d: only %d events were read", n+1, v.Events)
		}
	}
}
