package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alur-id/alur/domain"
)

// Backup writes a copy of the log to a new file, while appends go on. The copy
// holds everything that was acknowledged before the call, and is durable and
// whole under its name when Backup returns nil; until then there is no file of
// that name. An existing file is refused.
func (l *Log) Backup(ctx context.Context, path string) error {
	if err := l.backup(ctx, path); err != nil {
		return fmt.Errorf("back %s up to %s: %w", l.path, path, err)
	}
	return nil
}

func (l *Log) backup(ctx context.Context, path string) error {
	select {
	case <-l.readers.closing:
		return domain.ErrClosed
	default:
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(os.ErrExist, err)
	}
	if err := bare(path); err != nil {
		return err
	}
	// For its owner only, like the log. A name that begins with a dot is what a
	// backup that was killed leaves behind.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".unfinished-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return err
	}
	if err := l.copyTo(ctx, f.Name()); err != nil {
		return err
	}
	if err := syncFile(f.Name()); err != nil {
		return err
	}
	return Publish(f.Name(), path)
}

// bare fails where files of another database lie that had this name: SQLite would
// take them for a part of this one.
func bare(path string) error {
	for _, suffix := range []string{"-wal", "-journal", "-shm"} {
		if exists(path + suffix) {
			return fmt.Errorf("%s belongs to another database that had this name: remove it", path+suffix)
		}
	}
	return nil
}

// Publish gives a closed file another name in its folder, durably. A file that has
// that name is never replaced: the error is then [os.ErrExist].
func Publish(from, to string) error {
	if err := bare(to); err != nil {
		return err
	}
	if err := link(from, to); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	if err := os.Remove(from); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil // without links it was renamed
}

// copyTo writes what one moment of the log holds into an empty file. It has a
// connection of its own: a copy takes long, and readers should not wait for it.
func (l *Log) copyTo(ctx context.Context, path string) error {
	conn, err := l.readers.open()
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	stmt, err := conn.Prepare(`VACUUM INTO ?`)
	if err == nil {
		stmt.BindText(1, path)
		err = run(stmt)
	}
	conn.SetInterrupt(nil)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return closeAfter(err, conn)
}

// link gives a file a second name. A link, unlike a rename, fails when somebody
// made a file of that name in between; a file system without links says that it has
// none, or that nobody may make one.
func link(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrPermission) {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(os.ErrExist, err)
	}
	return os.Rename(from, to)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
