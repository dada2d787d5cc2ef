package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// Secret implements [domain.KeyStore].
func (s *KeyStore) Secret(ctx context.Context, name string, offer []byte) ([]byte, error) {
	var value []byte
	read := func(ctx context.Context) error {
		err := s.db.QueryRowContext(ctx, `SELECT value FROM alur_keys.secret WHERE name = $1`, name).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			value, err = nil, nil
		}
		return err
	}
	if err := s.ask(ctx, "read secret "+name, read); err != nil {
		return nil, err
	}
	if value != nil {
		return value, nil
	}
	if offer == nil {
		return nil, fmt.Errorf("secret %s: %w", name, domain.ErrNotFound)
	}
	doing := "store secret " + name
	if err := s.writable(doing); err != nil {
		return nil, err
	}
	err := s.ask(ctx, doing, func(ctx context.Context) error {
		if _, err := s.db.ExecContext(ctx, `INSERT INTO alur_keys.secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, offer); err != nil {
			return err
		}
		return read(ctx)
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// ReplaceSecret implements [domain.KeyStore]. The old secret goes as destroyed keys
// do.
func (s *KeyStore) ReplaceSecret(ctx context.Context, name string, old, replacement []byte) (bool, error) {
	n, err := s.erase(ctx, "replace secret "+name, "secret", `UPDATE alur_keys.secret SET value = $1 WHERE name = $2 AND value = $3`, replacement, name, old)
	return n > 0, err
}
