package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What names no store makes none, and a password in it is not repeated.
func TestNamesThatAreNoStore(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--db", "mysql://alur:hunter2@localhost/alur"},
		{"--db", "esdb://alur:hunter2@localhost"},
		{"--db", "POSTGRES://alur:hunter2@127.0.0.1:1/alur?connect_timeout=1&open_timeout=0"},
		{"--log", "postgres://alur:hunter2@localhost/alur"},
		{"--db", "folder"},
		{"--db", "mine.kek"},
		{"--db", "mine.db", "--kek", "./mine.db"},
	} {
		for _, verbs := range [][]string{{"log", "verify"}, {"keys", "list"}, {"keys", "rotate"}, {"subject", "export"}} {
			if verbs[0] != "subject" && verbs[1] != "rotate" && len(args) > 2 {
				continue // --kek is not theirs
			}
			out, errs, code := verb(t, dir, "nik:1", append(verbs, args...)...)
			if code == 0 || strings.Contains(out+errs, "hunter2") {
				t.Errorf("%v %v: exit code %d\n%s%s", verbs, args, code, out, errs)
			}
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("it left %v, %v", files, err)
	}
}
