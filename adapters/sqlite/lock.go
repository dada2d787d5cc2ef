package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// ErrInUse says that the file is open for writing already, in another process or
// in this one. The text around it names the process.
var ErrInUse = errors.New("the file is in use")

// lock is the right to write to a file. It is an operating system's lock on a
// file beside it, so it ends with the process, however that ends. It is not on
// the file itself: SQLite's own locks there belong to the process, and closing
// any other descriptor of the file would drop them.
type lock struct{ held *flock.Flock }

// acquire takes the lock or says at once who has it.
func acquire(path string) (lock, error) {
	name := path + ".lock"
	l := lock{flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))}
	ok, err := l.held.TryLock()
	if err != nil {
		return lock{}, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return lock{}, fmt.Errorf("open %s: %w: %s writes to it; stop that, or only read here", path, ErrInUse, holder(name))
	}
	// Telling who has the lock is a courtesy: on a full disk it may fail.
	_ = os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600)
	return l, nil
}

// holder names the process that the lock file names.
func holder(name string) string {
	text, err := os.ReadFile(name)
	pid := strings.TrimSpace(string(text))
	switch {
	case err != nil || pid == "":
		return "another process"
	case pid == strconv.Itoa(os.Getpid()):
		return "this process (" + pid + ")"
	}
	return "process " + pid
}

// release gives the lock up. The file stays: to remove it would let two
// processes hold locks on two files of one name.
func (l lock) release() error { return l.held.Close() }

// realPath is the one name of a file, whatever links lead to it, so that all who
// write to it meet at one lock.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if info, missing := os.Stat(abs); missing == nil {
		switch {
		case !info.Mode().IsRegular():
			return "", errors.New("not a file")
		case names(info) > 1:
			return "", errors.New("the file has a second name (a hard link), under which somebody could write to it unseen: remove one")
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		return real, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	return filepath.Join(dir, filepath.Base(abs)), err
}
