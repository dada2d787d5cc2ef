package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What must be found nowhere but in the answers of those who may see it. The
// identity is that of nobody: no day is the 99th.
var secrets = []string{"1171019999990001", "Cut Rekaan", "0800-111-2222", "Jalan Tanpa Nomor", "dipanggil lewat telepon"}

const sealedSubmission = `{"tenant":"11.71","service":"sip-dokter","facts":{"kind":"new"},"identity":"nik:1171019999990001",
	"form":{"name":"Cut Rekaan","phone":"0800-111-2222","address":{"street":"Jalan Tanpa Nomor"}},
	"actor":{"id":"p-1","role":"applicant","capacity":"self"}}`

const sealedAction = `{"action":"accept","remark":"dipanggil lewat telepon","actor":{"id":"o-1","role":"front-office","capacity":"officer"}}`

// verb runs the program and returns what it printed and its exit code.
func verb(t *testing.T, dir, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := child(t, args...)
	c.Dir, c.Stdin = dir, strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// must runs a verb that has to succeed.
func must(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	out, errs, code := verb(t, dir, stdin, args...)
	if code != 0 {
		t.Fatalf("alur %v: exit code %d\n%s%s", args, code, out, errs)
	}
	return out
}

// nothingPlain looks for personal data in every byte of every file of a folder.
func nothingPlain(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	looked, clear := 0, false // that what is in the clear is found shows that it is looked for in the right place
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file of SQLite's that comes and goes
		}
		for _, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("%s holds %q in plain", filepath.Base(path), s)
			}
		}
		looked++
		clear = clear || bytes.Contains(b, []byte("health-check"))
		return err
	})
	if err != nil || looked < 5 || !clear {
		t.Fatalf("looked into %d files, found what is in the clear: %t, %v", looked, clear, err)
	}
}

// Personal data from the form to its erasure: it is found by those who have the
// keys, in no file in plain, and after its erasure nowhere, while every state
// stays what it was.
func TestPersonalDataFromFormToErasure(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "alur.db")
	s := startServer(t, withSample(t, db))
	first, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := post(s.url+"/api/v1/requests/"+first.Reference+"/actions", "k2", sealedAction); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"/lacak/" + first.Reference, "/api/v1/requests/" + first.Reference} {
		text := get(t, s.url+page)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q", page, secret)
			}
		}
	}
	// Beside the process that writes: the write-ahead logs are full now.
	nothingPlain(t, dir, secrets...)
	must(t, dir, "", "log", "backup", "backup.db")
	// What an officer remarked is not for the person; that it is there is told.
	if given := must(t, dir, "nik: 1171 0199 9999 0001\n", "subject", "export"); strings.Contains(given, "dipanggil") || strings.Count(given, `"remark_withheld": true`) != 1 {
		t.Errorf("the export tells what an officer remarked, or not that he did:\n%s", given)
	}
	held := must(t, dir, "nik: 1171 0199 9999 0001\n", "subject", "export", "--remarks")
	for _, secret := range secrets {
		if !strings.Contains(held, secret) {
			t.Errorf("the export does not hold %q", secret)
		}
	}
	must(t, dir, "", "log", "verify")
	s.kill(t) // what a kill leaves behind is looked at too
	nothingPlain(t, dir, secrets...)

	if _, errs, code := verb(t, dir, "nik:1171019999990001", "subject", "erase", "--ground", "subject_request", "--note", "letter 3", "--by", "o-9"); code != exitFailed || !strings.Contains(errs, "is open: what it rests on must be kept") {
		t.Errorf("an open request: exit code %d\n%s", code, errs)
	}
	before := must(t, dir, "", "request", "list", "--json")
	must(t, dir, "", "keys", "rotate")
	must(t, dir, "nik:1171019999990001", "subject", "erase", "--ground", "court_order", "--note", "decision 4", "--by", "o-9")
	if _, errs, code := verb(t, dir, "nik:1171019999990001", "subject", "export"); code != exitFailed || !strings.Contains(errs, "nothing is held") {
		t.Errorf("export after erasure: exit code %d\n%s", code, errs)
	}
	must(t, dir, "", "log", "verify")
	nothingPlain(t, dir, secrets...)

	// All keys gone, views too: replay and rebuild say what they said before.
	replay := must(t, dir, "", "replay", first.Reference, "--json")
	for _, pattern := range []string{"alur.keys.*", "alur.db.kek*", "alur.views.*"} {
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
	if d := cmp.Diff(before, must(t, dir, "", "request", "list", "--json")); d != "" {
		t.Errorf("the rebuilt view (-before +after)\n%s", d)
	}
	if d := cmp.Diff(replay, must(t, dir, "", "replay", first.Reference, "--json")); d != "" {
		t.Errorf("the replay (-before +after)\n%s", d)
	}
	must(t, dir, "", "log", "verify")
}

// Without its key-encryption key a store of keys is not opened under another one.
func TestALostKeyEncryptionKeyIsToldAndNotReplaced(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, withSample(t, filepath.Join(dir, "alur.db")))
	if _, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	kek := filepath.Join(dir, "alur.db.kek")
	ring, err := os.ReadFile(kek)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(kek); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file is %v, %v; want it to be its owner's", info.Mode(), err)
	}
	if err := os.Remove(kek); err != nil {
		t.Fatal(err)
	}
	_, errs, code := verb(t, dir, "", "serve", "--listen", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(errs, "alur.db.kek is gone") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if _, err := os.Stat(kek); !errors.Is(err, fs.ErrNotExist) {
		t.Error("another key-encryption key was made")
	}
	// From the environment it opens too; another key does not open it.
	t.Setenv(kekVariable, string(ring))
	if out := must(t, dir, "nik:1171019999990001", "subject", "export"); !strings.Contains(out, "Cut Rekaan") {
		t.Error("the key of the environment opens nothing")
	}
	other := filepath.Join(dir, "other.kek")
	must(t, dir, "", "keys", "new", "--kek", other)
	if _, errs, code := verb(t, dir, "nik:1171019999990001", "subject", "export", "--kek", other); code != exitFailed || !strings.Contains(errs, "not at hand") {
		t.Errorf("another key: exit code %d\n%s", code, errs)
	}
}

// A key that is gone without an erasure is a fault, and so is sealed data that was
// changed. Each is told, and the exit code is 3.
func TestVerifyFindsWhatIsWrongWithSealedData(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, withSample(t, filepath.Join(dir, "alur.db")))
	if _, err := post(s.url+"/api/v1/requests", "k1", sealedSubmission); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	// The erasure is in a log that was put back to the time before it.
	must(t, dir, "", "log", "backup", "before.db")
	must(t, dir, "nik:1171019999990001", "subject", "erase", "--ground", "court_order", "--note", "decision 4", "--by", "o-9")
	for _, name := range []string{"alur.db", "alur.db-wal", "alur.db-shm"} {
		_ = os.Remove(filepath.Join(dir, name)) // the last two may not be there
	}
	must(t, dir, "", "log", "restore", "before.db")
	out, _, code := verb(t, dir, "", "log", "verify", "--json")
	var v verified
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if code != exitFault || v.Faults != 1 || len(v.List) != 1 || v.List[0].Kind != "key" {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
