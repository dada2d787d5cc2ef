package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
)

// OpenReadOnly opens a log for reading, while another process writes to it or
// while none does. It follows what is appended; Append returns
// [domain.ErrReadOnly].
//
// A file that cannot be written, in a folder that cannot be written, is read as
// it is, which is right as long as nobody writes to it. As soon as somebody does,
// reading fails and says so.
func OpenReadOnly(ctx context.Context, path string) (*Log, error) {
	real, readers, err := openReadOnly(ctx, path, logKind)
	if err != nil {
		return nil, err
	}
	return &Log{path: real, readers: readers}, nil
}

// openReadOnly returns the real name of a file of some kind and connections that
// read it.
func openReadOnly(ctx context.Context, path string, k kind) (string, *pool, error) {
	real, err := realPath(path)
	if err == nil {
		_, err = os.Stat(real)
	}
	if err != nil {
		return "", nil, fmt.Errorf("open %s: %w", path, err)
	}
	readers := newPool(func() (*sqlite.Conn, error) { return openReader(real) })
	if frozen(real) {
		readers.open = func() (*sqlite.Conn, error) { return openFrozen(real) }
		readers.check = func() error { return stillFrozen(real) }
	}
	err = readers.use(ctx, func(conn *sqlite.Conn) error {
		empty, err := k.identify(conn)
		if empty {
			return fmt.Errorf("an empty file, %w %s", ErrNotThis, k.name)
		}
		return err
	})
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("open %s: %w", path, explained(real, damaged(err))), readers.close())
	}
	return real, readers, nil
}

// frozen reports whether a file can only be read, and whole without a write-ahead
// log. SQLite needs to write beside any other file that it reads.
func frozen(path string) bool {
	return !writable(path) && !writable(filepath.Dir(path)) && !exists(path+"-wal")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openFrozen opens a file without locks.
func openFrozen(path string) (*sqlite.Conn, error) {
	return sqlite.OpenConn((&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "immutable=1"}).String(), sqlite.OpenReadOnly, sqlite.OpenURI)
}

// stillFrozen fails as soon as somebody opened the file for writing.
func stillFrozen(path string) error {
	if exists(path + "-wal") {
		return errors.New("somebody began to write to the log, which was opened here as one that does not change: open it again")
	}
	return nil
}

// explained says what to do about a file that cannot be read as it stands.
func explained(path string, err error) error {
	if exists(path+"-wal") && !writable(filepath.Dir(path)) {
		return fmt.Errorf("%w: the last events are in %s, and reading them needs a folder that can be written: open the log once as its owner, or copy both files to one folder of yours", err, filepath.Base(path)+"-wal")
	}
	return err
}
