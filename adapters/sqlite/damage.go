package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/alur-id/alur/domain"
)

// damaged marks what SQLite says of a file that is not what was written.
func damaged(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt:
		return fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	case sqlite.ResultNotADB:
		return fmt.Errorf("%w SQLite, so no database of Alur", ErrNotThis)
	default:
		return err
	}
}

// Damage looks for what reading events does not show: pages that are broken, an
// index that does not fit its table, rows where no reader looks. It returns the
// first hundred things found.
func (l *Log) Damage(ctx context.Context) ([]string, error) {
	var found []string
	err := l.readers.use(ctx, func(conn *sqlite.Conn) error {
		var err error
		if found, err = integrity(conn); err != nil {
			return err
		}
		n, err := number(conn, `SELECT count(*) FROM event WHERE position < 1`)
		if n > 0 {
			found = append(found, fmt.Sprintf("%d rows stand at positions below 1, where no event does", n))
		}
		return err
	})
	if err != nil {
		return found, fmt.Errorf("look for damage in %s: %w", l.path, damaged(err))
	}
	return found, nil
}

// Damage looks for pages of the key store that are broken, and for an index that does
// not fit its table. It returns the first hundred things found.
func (s *KeyStore) Damage(ctx context.Context) ([]string, error) {
	var found []string
	err := s.readers.use(ctx, func(conn *sqlite.Conn) (err error) {
		found, err = integrity(conn)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("look for damage in %s: %w", s.path, damaged(err))
	}
	return found, nil
}

// integrity is what SQLite itself finds wrong.
func integrity(conn *sqlite.Conn) ([]string, error) {
	var found []string
	err := sqlitex.ExecuteTransient(conn, `PRAGMA integrity_check(100)`, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		if text := stmt.ColumnText(0); text != "ok" {
			found = append(found, text)
		}
		return nil
	}})
	return found, err
}
