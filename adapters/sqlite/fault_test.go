package sqlite_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alur-id/alur/adapters/sqlite"
)

// appending starts a child that appends on command; see [appendOnCommand].
func appending(t testing.TB, path string, clients, events int) child {
	t.Helper()
	c := start(t, "append", path, fmt.Sprint(clients), fmt.Sprint(events))
	c.expect(t, "ready")
	return c
}

// attempt has the clients of a child try some appends each, and returns what
// failed.
func attempt(t testing.TB, c child, kept *acknowledged, appends int) []string {
	t.Helper()
	before := len(kept.failures)
	c.tell(t, fmt.Sprint(appends))
	if !kept.listen(t, c) {
		t.Fatalf("the child ended: %s", c.lines.Text())
	}
	return kept.failures[before:]
}

// A checkpoint is due after a few appends of this many events.
const bigAppend = 300

// A failing disk, and how much is appended to it at once. The files are named by
// what follows the path of the log.
type badDisk struct {
	files  []string
	faults []string
	events int
}

func (d badDisk) breaks(t testing.TB, c child, path string) *faultyDisk {
	t.Helper()
	var files []string
	for _, suffix := range d.files {
		files = append(files, path+suffix)
	}
	return breakDisk(t, c, files, d.faults...)
}

// failing are disks after which nothing on them can be trusted.
var failing = map[string]badDisk{
	"a write":                            {[]string{"-wal"}, []string{"pwrite64:error=EIO"}, 1},
	"a later write of a large append":    {[]string{"-wal"}, []string{"pwrite64:error=EIO:when=40+"}, bigAppend},
	"an fsync":                           {[]string{"-wal"}, []string{"fsync:error=EIO", "fdatasync:error=EIO"}, 1},
	"one fsync and no other":             {[]string{"-wal"}, []string{"fsync:error=EIO:when=1", "fdatasync:error=EIO:when=1"}, 1},
	"an fsync that finds no space":       {[]string{"-wal"}, []string{"fsync:error=ENOSPC", "fdatasync:error=ENOSPC"}, 1},
	"a write, for it can only be read":   {[]string{"-wal"}, []string{"pwrite64:error=EROFS"}, 1},
	"a write of a checkpoint":            {[]string{""}, []string{"pwrite64:error=EIO"}, bigAppend},
	"an fsync of a checkpoint":           {[]string{""}, []string{"fsync:error=EIO", "fdatasync:error=EIO"}, bigAppend},
	"a read for a checkpoint":            {[]string{"-wal"}, []string{"pread64:error=EIO"}, bigAppend},
	"every write, fsync and cut at once": {[]string{"", "-wal"}, []string{"pwrite64:error=EIO", "fsync:error=EIO", "fdatasync:error=EIO", "ftruncate:error=EIO"}, 1},
}

func TestFailingDiskStopsTheLog(t *testing.T) {
	needStrace(t)
	for _, name := range slices.Sorted(maps.Keys(failing)) {
		for _, end := range []string{"closed", "closed on the failing disk", "killed"} {
			t.Run(name+" fails, it is "+end, func(t *testing.T) { failingDisk(t, failing[name], end) })
		}
	}
}

func failingDisk(t *testing.T, bad badDisk, end string) {
	path := filepath.Join(t.TempDir(), "alur.db")
	var kept acknowledged
	log := appending(t, path, 2, bad.events)
	if failed := attempt(t, log, &kept, 2); len(failed) > 0 {
		t.Fatal(failed)
	}
	disk := bad.breaks(t, log, path)
	attempt(t, log, &kept, 8)
	disk.wantHit(t)
	if end != "closed on the failing disk" {
		disk.mend(t)
	}
	// A disk that works again does not make it go on.
	if later := attempt(t, log, &kept, 2); len(later) != 4 {
		t.Errorf("%d of 4 later appends were refused", len(later))
	}
	for _, f := range kept.failures {
		if !strings.HasPrefix(f, "stopped ") || !strings.Contains(f, path) || !strings.Contains(f, "look to the disk") {
			t.Errorf("the caller is told %q", f)
		}
	}
	if end == "killed" {
		log.kill(t)
	} else {
		finish(t, log)
	}
	kept.want(t, open(t, path))
}

// finish ends a child's input, and waits until it is gone.
func finish(t testing.TB, c child) {
	t.Helper()
	if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	for c.lines.Scan() {
		t.Log(c.lines.Text())
	}
	_ = c.Wait() // some end with an error of Close
}

func TestFullDiskIsSurvived(t *testing.T) {
	needStrace(t)
	for name, c := range map[string]struct {
		badDisk
		refused bool
	}{
		"at the first write":                   {badDisk{[]string{"-wal"}, []string{"pwrite64:error=ENOSPC"}, 1}, true},
		"in the middle of a large append":      {badDisk{[]string{"-wal"}, []string{"pwrite64:error=ENOSPC:when=40+"}, bigAppend}, true},
		"on the way from log to file":          {badDisk{[]string{""}, []string{"pwrite64:error=ENOSPC"}, bigAppend}, false},
		"now and then":                         {badDisk{[]string{"", "-wal"}, []string{"pwrite64:error=ENOSPC:when=7+50"}, bigAppend}, true},
		"for the log and what it moves to":     {badDisk{[]string{"", "-wal"}, []string{"pwrite64:error=ENOSPC"}, bigAppend}, true},
		"for all files, memory shared by them": {badDisk{[]string{"", "-wal", "-shm"}, []string{"pwrite64:error=ENOSPC", "ftruncate:error=ENOSPC", "fallocate:error=ENOSPC"}, 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "alur.db")
			var kept acknowledged
			log := appending(t, path, 2, c.events)
			attempt(t, log, &kept, 2)
			disk := c.breaks(t, log, path)
			failed := attempt(t, log, &kept, 8)
			disk.wantHit(t)
			if (len(failed) > 0) != c.refused {
				t.Errorf("refused: %v, %d times; want %v", len(failed) > 0, len(failed), c.refused)
			}
			for _, f := range failed {
				if !strings.HasPrefix(f, "unavailable ") || !strings.Contains(f, "disk is full") {
					t.Errorf("the caller is told %q", f)
				}
			}
			// While it lasts, the log can be read.
			reader, err := sqlite.OpenReadOnly(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			kept.want(t, reader)
			disk.mend(t)
			if failed := attempt(t, log, &kept, 3); len(failed) > 0 {
				t.Errorf("when there is space again: %v", failed)
			}
			finish(t, log)
			kept.want(t, open(t, path))
		})
	}
}

// Nobody may be told that an event is kept because it is found in a file: it may
// be there only in the memory of the operating system, and not on the disk, when
// the process that wrote it died too early, or when it was told that the disk
// failed. So what is found is written once more before a log is opened.
func TestWhatWasFoundIsMadeDurable(t *testing.T) {
	needStrace(t)
	for name, faults := range map[string][]string{
		"write": {"pwrite64:error=EIO"},
		"fsync": {"fsync:error=EIO", "fdatasync:error=EIO"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "alur.db")
			dying := appending(t, path, 1, 1)
			breakDisk(t, dying, []string{path + "-wal"}, "fsync:signal=SIGKILL", "fdatasync:signal=SIGKILL")
			dying.tell(t, "1")
			if got := dying.line(); got != "" {
				t.Fatalf("a child that died says %q", got)
			}
			_ = dying.Wait()
			next := start(t, "look", path)
			next.expect(t, "ready")
			disk := breakDisk(t, next, []string{path + "-wal"}, faults...)
			next.tell(t, "open")
			if got := next.line(); !strings.HasPrefix(got, "error: open "+path) {
				t.Errorf("opening on a disk that fails says %q", got)
			}
			disk.wantHit(t)
			_ = next.Wait()
			wantHead(t, open(t, path), 1)
		})
	}
}
