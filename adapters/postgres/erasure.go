package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Mark implements [domain.KeyStore].
func (s *KeyStore) Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return s.change(ctx, "mark keys", `UPDATE alur_keys.key SET state = 'erasing', erasure = $1 WHERE id = ANY($2::uuid[]) AND state = 'live'`, erasure, texts)
}

// unmark leaves a key as it is whose place is taken, also when it is taken while
// the statement runs: then the statement fails, and is repeated.
const unmark = `UPDATE alur_keys.key k SET state = 'live', erasure = NULL WHERE erasure = $1 AND state = 'erasing'
	AND NOT EXISTS (SELECT FROM alur_keys.key o WHERE o.subject = k.subject AND o.class = k.class AND o.state = 'live')
	AND NOT EXISTS (SELECT FROM alur_keys.key o WHERE o.subject = k.subject AND o.class = k.class AND o.state = 'erasing' AND o.erasure = k.erasure AND o.id < k.id)`

// Unmark implements [domain.KeyStore].
func (s *KeyStore) Unmark(ctx context.Context, erasure uuid.UUID) error {
	const doing = "unmark keys"
	if err := s.writable(doing); err != nil {
		return err
	}
	return s.ask(ctx, doing, func(ctx context.Context) error {
		_, err := s.db.ExecContext(ctx, unmark, erasure)
		if isUniqueViolation(err) {
			_, err = s.db.ExecContext(ctx, unmark, erasure)
		}
		return err
	})
}

// Destroy implements [domain.KeyStore], within what is said of [KeyStore]. It
// rewrites the table: it takes the longer the more keys there are, and nobody else
// uses the table meanwhile. When it fails after the keys are gone but before the
// last copies of their bytes are, repeating it finishes that, as does opening the
// store anew.
func (s *KeyStore) Destroy(ctx context.Context, erasure uuid.UUID, ended time.Time) (int, error) {
	return s.erase(ctx, "destroy keys", "key", `UPDATE alur_keys.key SET state = 'destroyed', subject = '', wrapped = '', ended = $1
		WHERE erasure = $2 AND state = 'erasing'`, ended.UnixMicro(), erasure)
}

// erase runs a statement that overwrites rows of a table, and then has the table
// cleaned of what they were. It returns how many rows those are.
func (s *KeyStore) erase(ctx context.Context, doing, table, statement string, arguments ...any) (int, error) {
	if err := s.writable(doing); err != nil {
		return 0, err
	}
	var n int64
	err := s.once(ctx, doing, lastPatience, func(ctx context.Context) error {
		return s.inTransaction(ctx, func(tx *sql.Tx) error {
			done, err := tx.ExecContext(ctx, statement, arguments...)
			if err != nil {
				return err
			}
			if n, err = done.RowsAffected(); err != nil || n == 0 {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO alur_keys.leftover (name) VALUES ($1) ON CONFLICT DO NOTHING`, table)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	if err := s.clean(ctx); err != nil {
		return 0, fmt.Errorf("%s: remove the last copies of their bytes: %w", doing, err)
	}
	return int(n), nil
}

func (s *KeyStore) inTransaction(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}
