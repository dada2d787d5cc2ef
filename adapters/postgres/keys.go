package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

const keyColumns = `id, subject, class, state, kek, wrapped, created, erasure, ended`

// scanKey returns the zero key where there is none.
func scanKey(row interface{ Scan(...any) error }) (domain.StoredKey, error) {
	var k domain.StoredKey
	var created int64
	var erasure uuid.NullUUID
	var ended sql.NullInt64
	err := row.Scan(&k.ID, &k.Subject, &k.Class, &k.State, &k.KEK, &k.Wrapped, &created, &erasure, &ended)
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return domain.StoredKey{}, err
	}
	if len(k.Wrapped) == 0 {
		k.Wrapped = nil
	}
	k.Created, k.Erasure = time.UnixMicro(created).UTC(), erasure.UUID
	if ended.Valid {
		k.Ended = time.UnixMicro(ended.Int64).UTC()
	}
	return k, nil
}

const selectLive = `SELECT ` + keyColumns + ` FROM alur_keys.key WHERE subject = $1 AND class = $2 AND state = 'live'`

// Put implements [domain.KeyStore].
func (s *KeyStore) Put(ctx context.Context, k domain.StoredKey) (domain.StoredKey, error) {
	const doing = "put key"
	if k.Subject == "" || len(k.Wrapped) == 0 || k.State != domain.KeyLive {
		return domain.StoredKey{}, errors.New("put key: it is not live, or has no subject or no wrapped bytes")
	}
	if err := s.writable(doing); err != nil {
		return domain.StoredKey{}, err
	}
	for {
		var stored bool
		err := s.open(ctx, doing, func(ctx context.Context) (err error) {
			stored, err = s.add(ctx, k)
			return err
		})
		if err != nil || stored {
			return k, err
		}
		// The key that was in the way may have been erased since. Then there is
		// neither, and the place is free.
		var found domain.StoredKey
		err = s.ask(ctx, doing, func(ctx context.Context) error {
			found, err = scanKey(s.db.QueryRowContext(ctx, selectInTheWay, k.Subject, k.Class, k.ID))
			return err
		})
		switch {
		case err != nil:
			return domain.StoredKey{}, err
		case found.ID == uuid.Nil:
			continue
		case found.Subject == k.Subject && found.Class == k.Class && found.State == domain.KeyLive:
			return found, nil
		}
		return domain.StoredKey{}, fmt.Errorf("%s: there is a key %s already: %w", doing, k.ID, errTaken)
	}
}

// selectInTheWay finds the key that has the place of another, or else its id.
const selectInTheWay = `SELECT ` + keyColumns + ` FROM alur_keys.key
	WHERE subject = $1 AND class = $2 AND state = 'live' OR id = $3 ORDER BY id = $3, id LIMIT 1`

// Get implements [domain.KeyStore].
func (s *KeyStore) Get(ctx context.Context, id uuid.UUID) (domain.StoredKey, error) {
	return s.one(ctx, "get key", `SELECT `+keyColumns+` FROM alur_keys.key WHERE id = $1`, id)
}

// Find implements [domain.KeyStore].
func (s *KeyStore) Find(ctx context.Context, subject domain.SubjectID, class domain.RetentionClass) (domain.StoredKey, error) {
	return s.one(ctx, "find key", selectLive, subject, class)
}

func (s *KeyStore) one(ctx context.Context, doing, query string, arguments ...any) (domain.StoredKey, error) {
	var k domain.StoredKey
	err := s.ask(ctx, doing, func(ctx context.Context) (err error) {
		k, err = scanKey(s.db.QueryRowContext(ctx, query, arguments...))
		return err
	})
	if err == nil && k.ID == uuid.Nil {
		err = fmt.Errorf("%s: %w", doing, domain.ErrNotFound)
	}
	if err != nil {
		return domain.StoredKey{}, err
	}
	return k, nil
}

const keyPage = 500

// All implements [domain.KeyStore].
func (s *KeyStore) All(ctx context.Context, subject domain.SubjectID) iter.Seq2[domain.StoredKey, error] {
	return func(yield func(domain.StoredKey, error) bool) {
		for after := uuid.Nil; ; {
			var page []domain.StoredKey
			err := s.ask(ctx, "list keys", func(ctx context.Context) (err error) {
				page, err = s.keysAfter(ctx, subject, after)
				return err
			})
			if err != nil {
				yield(domain.StoredKey{}, err)
				return
			}
			for _, k := range page {
				if !yield(k, nil) {
					return
				}
			}
			if len(page) < keyPage {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}

func (s *KeyStore) keysAfter(ctx context.Context, subject domain.SubjectID, after uuid.UUID) ([]domain.StoredKey, error) {
	query, arguments := `SELECT `+keyColumns+` FROM alur_keys.key WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, keyPage}
	if subject != "" {
		query = `SELECT ` + keyColumns + ` FROM alur_keys.key WHERE subject = $3 AND subject <> '' AND id > $1 ORDER BY id LIMIT $2`
		arguments = append(arguments, subject)
	}
	rows, err := s.db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []domain.StoredKey
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, k)
	}
	return page, rows.Err()
}

// Rewrap implements [domain.KeyStore].
func (s *KeyStore) Rewrap(ctx context.Context, id uuid.UUID, oldKEK, newKEK string, wrapped []byte) (bool, error) {
	n, err := s.change(ctx, "rewrap key", `UPDATE alur_keys.key SET kek = $1, wrapped = $2 WHERE id = $3 AND kek = $4 AND state <> 'destroyed'`,
		newKEK, wrapped, id, oldKEK)
	return n > 0, err
}

// change runs one statement once and returns how many rows it changed.
func (s *KeyStore) change(ctx context.Context, doing, statement string, arguments ...any) (int, error) {
	if err := s.writable(doing); err != nil {
		return 0, err
	}
	var n int64
	err := s.once(ctx, doing, lastPatience, func(ctx context.Context) error {
		done, err := s.db.ExecContext(ctx, statement, arguments...)
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(n), nil
}
