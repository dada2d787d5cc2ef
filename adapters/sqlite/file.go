package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// kind is what a SQLite file is for. The id and the version of its tables stand
// in the header of the file.
type kind struct {
	name    string // with its article
	id      int32
	version int
	schema  string
}

// ErrNotThis says that a file is something else than what it was opened as.
var ErrNotThis = errors.New("not")

// busyTimeout is how long the writer waits for a lock that somebody else's SQLite
// tool holds on the file.
const busyTimeout = 10 * time.Second

// openWriter opens a file for writing and creates its tables if it is new. The
// caller holds the lock of the file. A file that is something else is refused
// before anything in it changes.
func openWriter(ctx context.Context, path string, k kind, pragmas ...string) (*sqlite.Conn, error) {
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	conn.SetBusyTimeout(busyTimeout)
	conn.SetInterrupt(ctx.Done())
	empty, err := k.identify(conn)
	if err == nil {
		err = makeDurable(conn, pragmas)
	}
	if err == nil {
		err = renew(path, conn)
	}
	if err == nil && empty {
		err = k.create(conn)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path)) // SQLite overlooks a failure to keep the name of its log
	}
	conn.SetInterrupt(nil)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, closeAfter(fmt.Errorf("open %s: %w", path, damaged(err)), conn)
	}
	return conn, nil
}

// createPrivate creates a file that only its owner may read: events and keys are
// nobody else's. SQLite gives the files beside it the same permissions. A file
// that exists is not touched, not even opened.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return errors.Unwrap(err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// identify tells whether the file is new, or says why it is not of this kind.
func (k kind) identify(conn *sqlite.Conn) (empty bool, err error) {
	var id, version, tables int64
	for query, to := range map[string]*int64{
		`PRAGMA application_id`: &id, `PRAGMA user_version`: &version, `SELECT count(*) FROM sqlite_schema`: &tables,
	} {
		if *to, err = number(conn, query); err != nil {
			return false, err
		}
	}
	switch {
	case tables == 0 && id == 0:
		return true, nil
	case id != int64(k.id):
		return false, fmt.Errorf("a SQLite file, but %w %s", ErrNotThis, k.name)
	case version > int64(k.version):
		return false, fmt.Errorf("written by a newer Alur (format %d; this program knows %d)", version, k.version)
	case version < int64(k.version):
		return false, fmt.Errorf("written by an older Alur (format %d; this program knows %d): alur log upgrade makes a new log of it", version, k.version)
	}
	return false, nil
}

func (k kind) create(conn *sqlite.Conn) error {
	return sqlitex.ExecuteScript(conn, k.schema+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", k.id, k.version), nil)
}

// makeDurable makes a commit mean that it is on the disk, and reads back that it
// does: some builds of SQLite default to less. Checkpoints are the writer's own
// doing, because SQLite hides the errors of those it does by itself.
func makeDurable(conn *sqlite.Conn, pragmas []string) error {
	for _, pragma := range append([]string{"journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0"}, pragmas...) {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+pragma, nil); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	mode, err := sqlitex.ResultText(conn.Prep(`SELECT journal_mode FROM pragma_journal_mode`))
	if err != nil {
		return err
	}
	synchronous, err := number(conn, `PRAGMA synchronous`)
	if err != nil {
		return err
	}
	const full = 2
	if mode != "wal" || synchronous < full {
		return fmt.Errorf("SQLite runs with journal_mode=%s and synchronous=%d; it must be wal and %d", mode, synchronous, full)
	}
	return nil
}

// number is the one number that a query returns.
func number(conn *sqlite.Conn, query string) (int64, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(stmt)
}
