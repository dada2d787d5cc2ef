package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// Put implements [domain.KeyStore].
func (s *KeyStore) Put(ctx context.Context, k domain.StoredKey) (domain.StoredKey, error) {
	if k.Subject == "" || len(k.Wrapped) == 0 || k.State != domain.KeyLive {
		return domain.StoredKey{}, errors.New("put key: it is not live, or has no subject or no wrapped bytes")
	}
	var live domain.StoredKey
	err := s.change(ctx, "put key", &keyWork{run: func(conn *sqlite.Conn) error {
		if err := insertKey(conn, k); err != nil {
			return err
		}
		if conn.Changes() > 0 {
			live = k
			return nil
		}
		var err error
		live, err = findKey(conn, k.Subject, k.Class)
		return err
	}})
	if err != nil {
		return domain.StoredKey{}, err // the writer may be at work on live yet
	}
	if live.ID == uuid.Nil {
		return domain.StoredKey{}, fmt.Errorf("put key: there is a key %s already", k.ID)
	}
	return live, nil
}

// insertKey stores nothing when the subject has a live key in the class, or when
// the id is taken.
func insertKey(conn *sqlite.Conn, k domain.StoredKey) error {
	stmt, err := conn.Prepare(`INSERT INTO key (id, subject, class, state, kek, wrapped, created) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	stmt.BindBytes(1, k.ID[:])
	stmt.BindText(2, string(k.Subject))
	stmt.BindText(3, string(k.Class))
	stmt.BindText(4, string(k.State))
	stmt.BindText(5, k.KEK)
	stmt.BindBytes(6, k.Wrapped)
	stmt.BindInt64(7, k.Created.UnixMicro())
	return run(stmt)
}

// The pluses are explained in read.go.
const selectLive = `SELECT ` + keyColumns + ` FROM key WHERE subject = +? AND class = +? AND state = 'live'`

// findKey returns the zero key when there is none.
func findKey(conn *sqlite.Conn, subject domain.SubjectID, class domain.RetentionClass) (domain.StoredKey, error) {
	return oneKey(conn, selectLive, func(stmt *sqlite.Stmt) {
		stmt.BindText(1, string(subject))
		stmt.BindText(2, string(class))
	})
}

// Get implements [domain.KeyStore].
func (s *KeyStore) Get(ctx context.Context, id uuid.UUID) (domain.StoredKey, error) {
	return s.readOne(ctx, "get key", func(conn *sqlite.Conn) (domain.StoredKey, error) {
		return oneKey(conn, `SELECT `+keyColumns+` FROM key WHERE id = +?`, func(stmt *sqlite.Stmt) { stmt.BindBytes(1, id[:]) })
	})
}

// Find implements [domain.KeyStore].
func (s *KeyStore) Find(ctx context.Context, subject domain.SubjectID, class domain.RetentionClass) (domain.StoredKey, error) {
	return s.readOne(ctx, "find key", func(conn *sqlite.Conn) (domain.StoredKey, error) { return findKey(conn, subject, class) })
}

func (s *KeyStore) readOne(ctx context.Context, doing string, read func(*sqlite.Conn) (domain.StoredKey, error)) (domain.StoredKey, error) {
	var k domain.StoredKey
	err := s.readers.use(ctx, func(conn *sqlite.Conn) (err error) {
		k, err = read(conn)
		return err
	})
	if err == nil && k.ID == uuid.Nil {
		err = domain.ErrNotFound
	}
	if err != nil {
		return domain.StoredKey{}, fmt.Errorf("%s: %w", doing, damaged(err))
	}
	return k, nil
}

const keyPage = 500

// All implements [domain.KeyStore].
func (s *KeyStore) All(ctx context.Context, subject domain.SubjectID) iter.Seq2[domain.StoredKey, error] {
	return func(yield func(domain.StoredKey, error) bool) {
		for after := []byte{}; ; {
			var page []domain.StoredKey
			err := s.readers.use(ctx, func(conn *sqlite.Conn) (err error) {
				page, err = keysAfter(conn, subject, after)
				return err
			})
			if err != nil {
				yield(domain.StoredKey{}, fmt.Errorf("list keys: %w", err))
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
			after = bytes.Clone(page[len(page)-1].ID[:])
		}
	}
}

// selectOfSubject has a part for each index of subjects.
const (
	selectKeys      = `SELECT ` + keyColumns + ` FROM key WHERE id > ?1 ORDER BY id LIMIT ?2`
	selectOfSubject = `SELECT ` + keyColumns + ` FROM key WHERE subject = ?3 AND state = 'live' AND id > ?1
		UNION ALL SELECT ` + keyColumns + ` FROM key WHERE subject = ?3 AND subject <> '' AND state <> 'live' AND id > ?1
		ORDER BY id LIMIT ?2`
)

func keysAfter(conn *sqlite.Conn, subject domain.SubjectID, after []byte) ([]domain.StoredKey, error) {
	query := selectKeys
	if subject != "" {
		query = selectOfSubject
	}
	return allKeys(conn, query, func(stmt *sqlite.Stmt) {
		stmt.BindBytes(1, after)
		stmt.BindInt64(2, keyPage)
		if subject != "" {
			stmt.BindText(3, string(subject))
		}
	})
}

// Rewrap implements [domain.KeyStore].
func (s *KeyStore) Rewrap(ctx context.Context, id uuid.UUID, oldKEK, newKEK string, wrapped []byte) (bool, error) {
	var done bool
	err := s.change(ctx, "rewrap key", &keyWork{run: func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(`UPDATE key SET kek = ?, wrapped = ? WHERE id = ? AND kek = ? AND state <> 'destroyed'`)
		if err != nil {
			return err
		}
		stmt.BindText(1, newKEK)
		stmt.BindBytes(2, wrapped)
		stmt.BindBytes(3, id[:])
		stmt.BindText(4, oldKEK)
		if err := run(stmt); err != nil {
			return err
		}
		if done = conn.Changes() > 0; !done {
			return nil
		}
		return leave(conn, rewrapped)
	}})
	return err == nil && done, err
}

// Secret implements [domain.KeyStore].
func (s *KeyStore) Secret(ctx context.Context, name string, offer []byte) ([]byte, error) {
	var value []byte
	err := s.readers.use(ctx, func(conn *sqlite.Conn) (err error) {
		value, err = secret(conn, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, damaged(err))
	}
	if value != nil {
		return value, nil
	}
	if offer == nil {
		return nil, fmt.Errorf("secret %s: %w", name, domain.ErrNotFound)
	}
	offer = slices.Clone(offer)
	err = s.change(ctx, "store secret "+name, &keyWork{run: func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(`INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		stmt.BindText(1, name)
		stmt.BindBytes(2, offer)
		if err := run(stmt); err != nil {
			return err
		}
		value, err = secret(conn, name)
		return err
	}})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// secret is nil when there is none of that name.
func secret(conn *sqlite.Conn, name string) ([]byte, error) {
	stmt, err := conn.Prepare(`SELECT value FROM secret WHERE name = ?`)
	if err != nil {
		return nil, err
	}
	stmt.BindText(1, name)
	ok, err := stmt.Step()
	if err != nil || !ok {
		return nil, err
	}
	value := columnBytes(stmt, 0)
	return value, stmt.Reset()
}

// ReplaceSecret implements [domain.KeyStore]. No byte of the old secret is left.
func (s *KeyStore) ReplaceSecret(ctx context.Context, name string, old, replacement []byte) (bool, error) {
	old, replacement = slices.Clone(old), slices.Clone(replacement)
	var done bool
	work := &keyWork{}
	work.run = func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(`UPDATE secret SET value = ? WHERE name = ? AND value = ?`)
		if err != nil {
			return err
		}
		stmt.BindBytes(1, replacement)
		stmt.BindText(2, name)
		stmt.BindBytes(3, old)
		if err := run(stmt); err != nil {
			return err
		}
		if done = conn.Changes() > 0; !done {
			return nil
		}
		work.destroyed = [][]byte{old}
		return leave(conn, destroyed)
	}
	err := s.erase(ctx, "replace secret "+name, work)
	return err == nil && done, err
}
