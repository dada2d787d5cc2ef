package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// wantFiles checks which files are in a folder.
func wantFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestBackupWhileAppendsGoOn(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "alur.db"))
	said := &lineBuffer{}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for client := range 3 {
		c := &appender{log: log, out: said, stream: fmt.Sprint("s-", client), events: 20}
		wg.Go(func() {
			for ctx.Err() == nil {
				c.attempt()
			}
		})
	}
	for round := range 5 {
		if err := log.Wait(t.Context(), domain.Position(1500*(round+1))); err != nil {
			t.Fatal(err)
		}
		before := said.lines() // all this was acknowledged
		path := filepath.Join(t.TempDir(), "copy.db")
		if err := log.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if len(said.lines()) == len(before) {
			t.Error("appends waited for the backup")
		}
		var kept acknowledged
		for _, line := range before {
			kept.add(t, strings.TrimPrefix(line, "ack "))
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		copied := open(t, path) // a log of its own
		kept.want(t, copied)
		add(t, copied, storetest.New(t, "another", 0, 1))
	}
}

// lineBuffer keeps what is written to it, line by line.
type lineBuffer struct {
	mu  sync.Mutex
	all []string
}

func (b *lineBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, strings.TrimSpace(string(line)))
	return len(line), nil
}

func (b *lineBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.all)
}

func TestBackupRefusesAFileThatExists(t *testing.T) {
	dir := t.TempDir()
	log := open(t, filepath.Join(t.TempDir(), "alur.db"))
	add(t, log, storetest.New(t, "s", 0, 1))
	file, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nothing"), dangling); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dangling} {
		err := log.Backup(t.Context(), path)
		if !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %v", err, os.ErrExist)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file is %q, %v", text, err)
	}
	wantFiles(t, dir, "file", "link")
	if err := log.Backup(t.Context(), filepath.Join(dir, "no", "where")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	dir, whole, seen := t.TempDir(), filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "seen")
	log := open(t, filepath.Join(t.TempDir(), "alur.db"))
	for i := range 20 {
		add(t, log, storetest.New(t, fmt.Sprint("s-", i), 0, 1000))
	}
	before, cancel := context.WithCancel(t.Context())
	cancel()
	// Ended when the copy has begun: as soon as there is an unfinished file. A
	// second name for it shows how far it came.
	during, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for during.Err() == nil {
			found, _ := filepath.Glob(filepath.Join(dir, ".during.unfinished*"))
			if len(found) > 0 && os.Link(found[0], seen) == nil {
				cancel()
			}
		}
	}()
	for name, ctx := range map[string]context.Context{"before": before, "during": during} {
		if err := log.Backup(ctx, filepath.Join(dir, name)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
	}
	wantFiles(t, dir)
	if err := log.Backup(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	if got, want := size(t, seen), size(t, whole); got >= want {
		t.Errorf("%d bytes were copied, as if the context had not ended", got)
	}
}

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A name must not lead to a file that is not on the disk, nor be lost itself.
func TestBackupIsDurableWhenItGetsItsName(t *testing.T) {
	needStrace(t)
	c, _, to := backingUp(t)
	disk := breakDisk(t, c, nil, "fsync:delay_exit=0", "linkat:delay_exit=0")
	c.tell(t, "go")
	c.expect(t, "backup: <nil>")
	disk.mend(t)
	calls := disk.calls(t)
	copied, named, kept := -1, -1, -1
	for i, call := range calls {
		switch {
		case strings.Contains(call, "fsync(") && strings.Contains(call, ".unfinished"):
			copied = i
		case strings.Contains(call, "linkat("):
			named = i
		case strings.Contains(call, "fsync(") && strings.Contains(call, "<"+filepath.Dir(to)+">"):
			kept = i
		}
	}
	if copied < 0 || named < copied || kept < named {
		t.Errorf("the copy is durable at %d, named at %d, its name is durable at %d of the calls\n%s", copied, named, kept, strings.Join(calls, "\n"))
	}
}

func TestBackupOfALogThatIsOnlyRead(t *testing.T) {
	path, to := filepath.Join(t.TempDir(), "alur.db"), filepath.Join(t.TempDir(), "copy.db")
	log := open(t, path)
	add(t, log, storetest.New(t, "s", 0, 3))
	reader, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	add(t, log, storetest.New(t, "t", 0, 2))
	if err := reader.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	copied := open(t, to)
	wantHead(t, copied, 5)
	storetest.Verify(t, features, copied)
}

// backupOnCommand opens a log for reading, says "ready", and at each line of input
// backs it up and says what came of it.
func backupOnCommand(args []string, out io.Writer) error {
	log, err := sqlite.OpenReadOnly(context.Background(), args[0])
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintln(out, "ready")
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		fmt.Fprintln(out, "backup:", log.Backup(context.Background(), args[1]))
	}
	return nil
}

// backingUp starts a child that backs a log of 500 events up to a file in a folder
// of its own.
func backingUp(t *testing.T) (c child, from, to string) {
	t.Helper()
	from, to = filepath.Join(t.TempDir(), "alur.db"), filepath.Join(t.TempDir(), "copy.db")
	add(t, open(t, from), storetest.New(t, "s", 0, 500))
	c = start(t, "backup", from, to)
	c.expect(t, "ready")
	return c, from, to
}

func TestKilledBackupLeavesNoFileOfItsName(t *testing.T) {
	needStrace(t)
	for name, call := range map[string]string{
		"when the copy is half written": "pwrite64:signal=SIGKILL:when=20",
		"when it is made durable":       "fsync:signal=SIGKILL",
		"when it gets its name":         "linkat:signal=SIGKILL",
	} {
		t.Run(name, func(t *testing.T) {
			c, from, to := backingUp(t)
			breakDisk(t, c, nil, call)
			c.tell(t, "go")
			if got := c.line(); got != "" {
				t.Fatalf("a child that died says %q", got)
			}
			_ = c.Wait()
			if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("there is a file of the name: %v", err)
			}
			// What it left does not hinder the next.
			reader, err := sqlite.OpenReadOnly(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			if err := reader.Backup(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			wantHead(t, open(t, to), 500)
		})
	}
}

func TestBackupOnAFailingDiskLeavesNoFile(t *testing.T) {
	needStrace(t)
	for name, bad := range map[string]struct {
		folder bool // only calls on the folder fail
		faults []string
	}{
		"a write":           {false, []string{"pwrite64:error=EIO:when=20+"}},
		"a full disk":       {false, []string{"pwrite64:error=ENOSPC:when=20+"}},
		"an fsync":          {false, []string{"fsync:error=EIO"}},
		"an fsync of names": {true, []string{"fsync:error=EIO"}},
		"the naming":        {false, []string{"linkat:error=EIO"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, to := backingUp(t)
			var files []string
			if bad.folder {
				files = []string{filepath.Dir(to)}
			}
			disk := breakDisk(t, c, files, bad.faults...)
			c.tell(t, "go")
			if got := c.line(); !strings.Contains(got, to) || strings.HasSuffix(got, "<nil>") {
				t.Errorf("told %q", got)
			}
			disk.wantHit(t)
			wantFiles(t, filepath.Dir(to))
			disk.mend(t)
			c.tell(t, "go")
			c.expect(t, "backup: <nil>")
			wantHead(t, open(t, to), 500)
		})
	}
}

// Where a file cannot be linked it is renamed.
func TestBackupWithoutLinks(t *testing.T) {
	needStrace(t)
	for _, refusal := range []string{"EPERM", "EOPNOTSUPP", "ENOSYS"} {
		c, _, to := backingUp(t)
		disk := breakDisk(t, c, nil, "linkat:error="+refusal)
		c.tell(t, "go")
		c.expect(t, "backup: <nil>")
		disk.wantHit(t)
		wantFiles(t, filepath.Dir(to), "copy.db")
		wantHead(t, open(t, to), 500)
	}
}

// A name that somebody took in the meantime is left to them.
func TestPublishReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, err := range []error{os.WriteFile(from, []byte("new"), 0o600), os.WriteFile(to, []byte("old"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sqlite.Publish(from, to); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	wantFiles(t, dir, "from", "to")
	if err := errors.Join(os.Remove(to), sqlite.Publish(from, to)); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "to")
	if b, err := os.ReadFile(to); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
}
