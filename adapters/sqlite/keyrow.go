package sqlite

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

const keyColumns = `id, subject, class, state, kek, wrapped, created, erasure, ended`

func keyOf(stmt *sqlite.Stmt) (domain.StoredKey, error) {
	k := domain.StoredKey{
		Subject: domain.SubjectID(stmt.ColumnText(1)), Class: domain.RetentionClass(stmt.ColumnText(2)),
		State: domain.KeyState(stmt.ColumnText(3)), KEK: stmt.ColumnText(4),
		Created: time.UnixMicro(stmt.ColumnInt64(6)).UTC(),
	}
	if stmt.ColumnLen(5) > 0 {
		k.Wrapped = columnBytes(stmt, 5)
	}
	if !stmt.ColumnIsNull(8) {
		k.Ended = time.UnixMicro(stmt.ColumnInt64(8)).UTC()
	}
	var err error
	if k.ID, err = uuid.FromBytes(columnBytes(stmt, 0)); err != nil {
		return domain.StoredKey{}, fmt.Errorf("id of a key: %w", err)
	}
	if stmt.ColumnIsNull(7) {
		return k, nil
	}
	if k.Erasure, err = uuid.FromBytes(columnBytes(stmt, 7)); err != nil {
		return domain.StoredKey{}, fmt.Errorf("key %s: erasure: %w", k.ID, err)
	}
	return k, nil
}

// columnBytes copies a column that is not NULL.
func columnBytes(stmt *sqlite.Stmt, column int) []byte {
	b := make([]byte, stmt.ColumnLen(column))
	stmt.ColumnBytes(column, b)
	return b
}

// oneKey returns the zero key when there is none.
func oneKey(conn *sqlite.Conn, query string, bind func(*sqlite.Stmt)) (domain.StoredKey, error) {
	keys, err := allKeys(conn, query, bind)
	if err != nil || len(keys) == 0 {
		return domain.StoredKey{}, err
	}
	return keys[0], nil
}

func allKeys(conn *sqlite.Conn, query string, bind func(*sqlite.Stmt)) ([]domain.StoredKey, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	bind(stmt)
	var keys []domain.StoredKey
	for {
		ok, err := stmt.Step()
		if err != nil || !ok {
			return keys, err
		}
		k, err := keyOf(stmt)
		if err != nil {
			_ = stmt.Reset() // the row is what is wrong
			return keys, err
		}
		keys = append(keys, k)
	}
}
