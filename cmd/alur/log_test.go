package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alur-id/alur/domain"
)

// imports is how many events the log has that is tested: that of the publication, and of
// 20 cases 6 steps each, the submission, and what their term came to.
const imports = 1 + 20*(6+1) + 68

// logOf makes a database of some imported cases.
func logOf(t *testing.T, dir string) {
	t.Helper()
	writeLog(t, filepath.Join(dir, "log.xes"), 20, 6)
	draft := must(t, dir, "", "workflow", "discover", "log.xes")
	if err := os.WriteFile(filepath.Join(dir, "draft.yaml"), []byte(draft), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "", "import", "xes", "log.xes", "--workflow", "draft.yaml", "--tenant", "11.71")
}

func report(t *testing.T, out string) verified {
	t.Helper()
	var v verified
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return v
}

// Whoever can write to the file can change it; verify tells each place, and what
// to think of it.
func TestVerifyFindsEveryFault(t *testing.T) {
	dir := t.TempDir()
	logOf(t, dir)
	whole := report(t, must(t, dir, "", "log", "verify", "--json"))
	if whole.Faults != 0 || whole.Events != imports {
		t.Fatalf("%+v", whole)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "alur.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{
		`DROP TRIGGER event_is_never_changed`, `DROP TRIGGER event_is_never_removed`,
		`UPDATE event SET data = CAST(replace(CAST(data AS TEXT), '"action":"', '"action":"not-') AS BLOB) WHERE position = 17`,
		`DELETE FROM event WHERE position = 30`,
		`UPDATE event SET id = (SELECT id FROM event WHERE position = 41) WHERE position = 40`,
		`UPDATE event SET type = 'Rumour' WHERE position = 50`,
		`UPDATE event SET meta = CAST('{' AS BLOB) WHERE position = 60`,
		`DELETE FROM event WHERE position > ` + strconv.Itoa(imports-1),
	} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	out, _, code := verb(t, dir, "", "log", "verify", "--json")
	v := report(t, out)
	if code != exitFault {
		t.Errorf("exit code %d, want %d", code, exitFault)
	}
	// An event follows from the one before it, so a change is told at the next one.
	for _, want := range []struct {
		kind     domain.FaultKind
		position domain.Position
	}{
		{domain.FaultChain, 18},
		{domain.FaultGap, 31},
		{domain.FaultVersion, 31},
		{domain.FaultChain, 31},
		{domain.FaultDouble, 41},
		{domain.FaultUnreadable, 50},
		{domain.FaultUnreadable, 60},
	} {
		if !slices.ContainsFunc(v.List, func(f domain.Fault) bool { return f.Kind == want.kind && f.Position == want.position }) {
			t.Errorf("%s at position %d was not found", want.kind, want.position)
		}
	}
	if v.Digest == whole.Digest {
		t.Error("a log that was cut short has the digest of the whole one")
	}
	text, _, code := verb(t, dir, "", "log", "verify")
	if code != exitFault || strings.Count(text, "position ") < v.Faults {
		t.Errorf("exit code %d, and not %d faults in\n%s", code, v.Faults, text)
	}
	// A backup has no name before it is verified, and is not overwritten.
	for range 2 {
		if _, errs, _ := verb(t, dir, "", "log", "backup", "b.db"); !strings.Contains(errs, "b.db.unfinished") {
			t.Errorf("backup:\n%s", errs)
		}
		_, named := os.Stat(filepath.Join(dir, "b.db"))
		_, left := os.Stat(filepath.Join(dir, "b.db.unfinished"))
		if !errors.Is(named, fs.ErrNotExist) || left != nil {
			t.Errorf("backup of a log with faults: %v, %v", named, left)
		}
	}
	// Nothing is copied from a log that has faults.
	if _, errs, code := verb(t, dir, "", "log", "copy", "--from", "alur.db", "--to", "copy.db"); code != exitFault || !strings.Contains(errs, "nothing was copied") {
		t.Errorf("copy: exit code %d\n%s", code, errs)
	}
}

// A page that is broken is a fault like another: what can be read is checked all
// the same, and what stands where no reader looks is told of.
func TestVerifyGoesOnBehindDamage(t *testing.T) {
	dir := t.TempDir()
	logOf(t, dir)
	path := filepath.Join(dir, "alur.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		`DROP TRIGGER event_is_never_changed`, `DROP TRIGGER event_is_never_removed`,
		`UPDATE event SET id = x'00' WHERE position = 20`, `PRAGMA ignore_check_constraints = ON`,
		`INSERT INTO event SELECT -1, stream, version + 1000, id, type, schema, meta, data FROM event WHERE position = 1`,
		`PRAGMA wal_checkpoint(TRUNCATE)`,
	} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	v := damageReport(t, dir)
	if !slices.ContainsFunc(v.List, func(f domain.Fault) bool { return strings.Contains(f.Detail, "below 1") }) {
		t.Errorf("the row below 1 was not found: %+v", v.List)
	}
	if len(v.List) < 3 || v.Events != imports-1 {
		t.Errorf("%+v", v)
	}
	breakPage(t, path, "case-15")
	v = damageReport(t, dir)
	if v.Events >= imports-1 || v.Events < 50 || v.Last != imports {
		t.Errorf("with a broken page: %d events, the last at %d", v.Events, v.Last)
	}
	breakPage(t, path, "CREATE TABLE event") // where everything begins
	if out, errs, code := verb(t, dir, "", "log", "verify"); code != exitFault || !strings.Contains(out, "damage: ") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// damageReport verifies a log of which it expects that it is damaged.
func damageReport(t *testing.T, dir string) verified {
	t.Helper()
	out, errs, code := verb(t, dir, "", "log", "verify", "--json")
	if code != exitFault {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	v := report(t, out)
	if !slices.ContainsFunc(v.List, func(f domain.Fault) bool { return f.Kind == domain.FaultDamage && f.Position == 19 }) {
		t.Errorf("the broken row was not found: %+v", v.List)
	}
	return v
}

// breakPage writes rubbish over the page of a database in which a text first stands.
func breakPage(t *testing.T, path, text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	at := bytes.Index(b, []byte(text)) / page * page
	if at < 0 {
		t.Fatalf("%q stands nowhere", text)
	}
	for i := range page {
		if at+i >= 100 { // not over the header of the file
			b[at+i] = 0xEE
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBackupRestoreAndCopyAreTheLog(t *testing.T) {
	dir := t.TempDir()
	logOf(t, dir)
	whole := report(t, must(t, dir, "", "log", "verify", "--json"))
	must(t, dir, "", "log", "backup", "backup.db")
	if _, errs, code := verb(t, dir, "", "log", "backup", "backup.db"); code != exitFailed || !strings.Contains(errs, "exists") {
		t.Errorf("over another backup: exit code %d\n%s", code, errs)
	}
	must(t, dir, "", "log", "restore", "backup.db", "--db", "restored.db")
	must(t, dir, "", "log", "copy", "--from", "restored.db", "--to", "copy.db")
	must(t, dir, "", "log", "copy", "--from", "restored.db", "--to", "copy.db") // again: nothing doubles
	for _, db := range []string{"backup.db", "restored.db", "copy.db"} {
		if v := report(t, must(t, dir, "", "log", "verify", "--json", "--db", db)); v.Digest != whole.Digest || v.Events != whole.Events {
			t.Errorf("%s: %+v, want %+v", db, v, whole)
		}
	}
	if a, b := must(t, dir, "", "request", "list", "--json"), must(t, dir, "", "request", "list", "--json", "--db", "restored.db"); a != b {
		t.Error("the restored log shows other requests")
	}
	// A store that holds something else stays as it is.
	other := t.TempDir()
	logOf(t, other)
	before := must(t, other, "", "log", "verify", "--json")
	if _, errs, code := verb(t, other, "", "log", "restore", filepath.Join(dir, "backup.db")); code != exitFailed || !strings.Contains(errs, "something else") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if after := must(t, other, "", "log", "verify", "--json"); after != before {
		t.Error("the other log changed")
	}
	if out := must(t, dir, "", "log", "stat"); !strings.Contains(out, "streams: request") {
		t.Errorf("stat\n%s", out)
	}
}
