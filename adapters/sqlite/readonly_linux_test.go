package sqlite_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
)

// nobody is a user to whom permissions apply.
const nobody = 65534

// restrict takes from this process what a test wants it to do without.
func restrict(to, dir string) error {
	switch {
	case to == "nobody" && os.Geteuid() == 0:
		return errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody))
	case to == "read-only disk":
		return errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND, ""), unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
	}
	return nil
}

// publicDir is a folder that others can enter.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	chmod(t, 0o755, dir, filepath.Dir(dir))
	t.Cleanup(func() { chmod(t, 0o755, dir) }) // so that it can be removed
	return dir
}

func chmod(t *testing.T, mode os.FileMode, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// wantRefused checks that a log could not be opened for writing, with an error that
// says which and why.
func wantRefused(t *testing.T, c child, path, why string) {
	t.Helper()
	if got := c.line(); !strings.HasPrefix(got, "write:") || !strings.Contains(got, path) || !strings.Contains(got, why) {
		t.Errorf("opening for writing says %q, want %q and %q in it", got, path, why)
	}
}

func TestFileWithoutPermissionToWriteIsRead(t *testing.T) {
	for name, locked := range map[string]bool{"and a file to lock": true, "and none to lock": false} {
		t.Run(name, func(t *testing.T) {
			dir := publicDir(t)
			path := filepath.Join(dir, "alur.db")
			log := open(t, path)
			add(t, log, storetest.New(t, "s", 0, 3))
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if !locked {
				if err := os.Remove(path + ".lock"); err != nil {
					t.Fatal(err)
				}
			}
			chmod(t, 0o444, path)
			chmod(t, 0o555, dir)
			c := start(t, "read", path, "nobody", dir)
			if locked && os.Geteuid() != 0 {
				c.line() // an owner may lock
			} else {
				wantRefused(t, c, path, "permission denied")
			}
			c.expect(t, "read: <nil>")
			c.tell(t, "read")
			c.expect(t, "events 3 head 3 <nil> <nil>")
			// As soon as somebody writes, what is read as it lies would be wrong.
			chmod(t, 0o600, path)
			chmod(t, 0o755, dir)
			add(t, open(t, path), storetest.New(t, "t", 0, 1))
			c.tell(t, "read")
			if got := c.line(); !strings.HasPrefix(got, "events 0 head 0") || strings.Count(got, "open it again") != 2 {
				t.Errorf("beside a writer: %q", got)
			}
		})
	}
}

func TestLogOnAReadOnlyDiskIsRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can mount a disk that can only be read")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "alur.db")
	log := open(t, path)
	add(t, log, storetest.New(t, "s", 0, 3))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	c := startAs(t, func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} }, "read", path, "read-only disk", dir)
	wantRefused(t, c, path, "read-only file system")
	c.expect(t, "read: <nil>")
	c.tell(t, "read")
	c.expect(t, "events 3 head 3 <nil> <nil>")
}

// A writer that was killed left events beside the file. They are not passed over.
func TestLastEventsThatCannotBeReadAreMissed(t *testing.T) {
	dir := publicDir(t)
	path := filepath.Join(dir, "alur.db")
	writer := appending(t, path, 1, 1)
	var kept acknowledged
	attempt(t, writer, &kept, 3)
	writer.kill(t)
	chmod(t, 0o444, path, path+"-wal")
	if err := os.Remove(path + "-shm"); err != nil {
		t.Fatal(err)
	}
	chmod(t, 0o555, dir)
	c := start(t, "read", path, "nobody", dir)
	c.line() // of writing
	if got := c.line(); !strings.HasPrefix(got, "read: open "+path) || !strings.Contains(got, "alur.db-wal") {
		t.Errorf("opening for reading says %q", got)
	}
	chmod(t, 0o600, path, path+"-wal")
	chmod(t, 0o755, dir)
	reader, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	kept.want(t, reader)
}
