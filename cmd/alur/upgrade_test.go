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

// oldLog makes a log as the first Alur wrote them, of so many events.
func oldLog(t *testing.T, path string, bodies ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do := func(query string, args ...any) {
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	do(`CREATE TABLE event (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, id BLOB NOT NULL,
		type TEXT NOT NULL, schema INTEGER NOT NULL, recorded INTEGER NOT NULL, envelope BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (stream, version)) STRICT`)
	do(`PRAGMA application_id = 1097626994`)
	do(`PRAGMA user_version = 1`)
	for i, body := range bodies {
		name := "ActionTaken"
		if i == 0 {
			name = "RequestSubmitted"
		}
		do(`INSERT INTO event VALUES (?1, 'request-1', ?1, randomblob(16), ?3, 1, 1764000000123456,
			CAST('{"tenant":"11.71","service":"permit","actor":{"id":"h-1","role":"head","capacity":"officer"},"workflow":{"id":"permit","version":3},"command":"01a206c6-7880-74bf-99aa-61d2ffa53428","correlation":"01a206c6-7880-74bf-99aa-61d2ffa53428","occurred":"2026-11-23T05:00:00Z"}' AS BLOB),
			CAST(?2 AS BLOB))`, i+1, body, name)
	}
}

const oldSubmission = `{"request":"01a206c6-7880-74bf-99aa-61d2ffa53428","reference":"7K3M-Q9XT-2WPN","state":"new","public":"received"}`

const oldAction = `{"action":"refuse","from":"checked","to":"refused","public":"rejected","outcome":"rejected","reason":"late"}`

func TestUpgradeMakesALogOfNow(t *testing.T) {
	dir := t.TempDir()
	oldLog(t, filepath.Join(dir, "old.db"), oldSubmission, oldAction, oldAction)
	if out := must(t, dir, "", "log", "upgrade", "old.db"); !strings.HasPrefix(out, "3 events") {
		t.Errorf("%s", out)
	}
	if v := report(t, must(t, dir, "", "log", "verify", "--json")); v.Events != 3 || v.Faults != 0 {
		t.Errorf("%+v", v)
	}
	if _, errs, code := verb(t, dir, "", "log", "upgrade", "old.db"); code != exitFailed || !strings.Contains(errs, "not empty") {
		t.Errorf("into a log that has events: exit code %d\n%s", code, errs)
	}
}

// What cannot be read makes no log, and what cannot be understood is no success.
func TestUpgradeOfWhatIsNoOldLog(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "text.db"), []byte("not a database, but long enough to be read as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"none.db", "text.db"} {
		if _, errs, code := verb(t, dir, "", "log", "upgrade", name); code != exitFailed {
			t.Errorf("%s: exit code %d\n%s", name, code, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, defaultDB)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty log was made: %v", err)
	}
	oldLog(t, filepath.Join(dir, "old.db"), oldSubmission, `{"action":`, oldAction)
	if out, errs, code := verb(t, dir, "", "log", "upgrade", "old.db"); code == 0 {
		t.Errorf("a body that does not decode: %s%s", out, errs)
	}
}
