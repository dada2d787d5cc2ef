package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// renew makes durable what was found in the write-ahead log when the file was
// opened. SQLite takes it for committed, but it may be in the memory of the
// operating system alone: the process before this one died between its write and
// its fsync, or was told that the fsync failed, after which the system holds the
// pages for written. An append that is found there would be answered as recorded,
// and what is written behind it would be lost with it when the power fails. So
// the log is written once more, over itself, and an fsync that covers that is
// waited for.
func renew(path string, conn *sqlite.Conn) error {
	// With the right to write, nobody empties the log or removes it meanwhile.
	if err := sqlitex.ExecuteTransient(conn, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	err := rewrite(path + "-wal")
	if err != nil {
		err = fmt.Errorf("make durable what was written last: %w", err)
	}
	return errors.Join(err, sqlitex.ExecuteTransient(conn, "ROLLBACK", nil))
}

// rewrite writes a file over itself and makes it durable.
func rewrite(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := f.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return errors.Join(err, f.Close())
		}
		if n == 0 && at == 0 {
			return f.Close() // it is new
		}
		if _, err := f.WriteAt(buf[:n], at); err != nil {
			return errors.Join(err, f.Close())
		}
		if at += int64(n); err == io.EOF {
			return errors.Join(f.Sync(), f.Close())
		}
	}
}
