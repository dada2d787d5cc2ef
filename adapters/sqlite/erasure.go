package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// Mark implements [domain.KeyStore].
func (s *KeyStore) Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error) {
	ids = slices.Clone(ids)
	marked := 0
	err := s.change(ctx, "mark keys", &keyWork{run: func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(`UPDATE key SET state = 'erasing', erasure = ? WHERE id = ? AND state = 'live'`)
		if err != nil {
			return err
		}
		marked = 0
		for _, id := range ids {
			stmt.BindBytes(1, erasure[:])
			stmt.BindBytes(2, id[:])
			if err := run(stmt); err != nil {
				return err
			}
			marked += conn.Changes()
		}
		return nil
	}})
	if err != nil {
		return 0, err
	}
	return marked, nil
}

// Unmark implements [domain.KeyStore].
func (s *KeyStore) Unmark(ctx context.Context, erasure uuid.UUID) error {
	return s.change(ctx, "unmark keys", &keyWork{run: func(conn *sqlite.Conn) error {
		// Or ignore: a key whose place is taken stays as it is.
		stmt, err := conn.Prepare(`UPDATE OR IGNORE key SET state = 'live', erasure = NULL WHERE erasure = ? AND state = 'erasing'`)
		if err != nil {
			return err
		}
		stmt.BindBytes(1, erasure[:])
		return run(stmt)
	}})
}

// Destroy implements [domain.KeyStore]. When it fails after the keys are gone but
// before the last copies of their bytes are, repeating it finishes that, as does
// opening the store anew.
func (s *KeyStore) Destroy(ctx context.Context, erasure uuid.UUID, ended time.Time) (int, error) {
	var gone []domain.StoredKey
	work := &keyWork{}
	work.run = func(conn *sqlite.Conn) (err error) {
		if gone, err = destroyKeys(conn, erasure, ended); err != nil {
			return err
		}
		work.destroyed, err = destroyedBytes(conn, gone)
		return err
	}
	if err := s.erase(ctx, "destroy keys", work); err != nil {
		return 0, err
	}
	return len(gone), nil
}

// destroyKeys returns the keys as they were.
func destroyKeys(conn *sqlite.Conn, erasure uuid.UUID, ended time.Time) ([]domain.StoredKey, error) {
	gone, err := allKeys(conn, `SELECT `+keyColumns+` FROM key WHERE erasure = ? AND state = 'erasing'`, func(stmt *sqlite.Stmt) { stmt.BindBytes(1, erasure[:]) })
	if err != nil || len(gone) == 0 {
		return nil, err
	}
	stmt, err := conn.Prepare(`UPDATE key SET state = 'destroyed', subject = '', wrapped = x'', ended = ? WHERE erasure = ? AND state = 'erasing'`)
	if err != nil {
		return nil, err
	}
	stmt.BindInt64(1, ended.UnixMicro())
	stmt.BindBytes(2, erasure[:])
	if err := run(stmt); err != nil {
		return nil, err
	}
	return gone, leave(conn, destroyed)
}

// destroyedBytes are what must not be found any more: the wrapped keys, and the
// subjects that have no other key.
func destroyedBytes(conn *sqlite.Conn, gone []domain.StoredKey) ([][]byte, error) {
	var secrets [][]byte
	for _, k := range gone {
		secrets = append(secrets, k.Wrapped)
		others, err := keysAfter(conn, k.Subject, nil)
		if err != nil {
			return nil, err
		}
		if len(others) == 0 {
			secrets = append(secrets, []byte(k.Subject))
		}
	}
	return secrets, nil
}
