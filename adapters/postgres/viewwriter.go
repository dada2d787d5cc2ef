package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/alur-id/alur/projections"
)

// ViewWriter writes views to a schema. It implements [projections.Store].
type ViewWriter struct {
	db  *sql.DB
	dsn string
}

// Begin implements [projections.Store].
func (w *ViewWriter) Begin(ctx context.Context) (projections.Tx, error) {
	return beginView(ctx, w.db, nil)
}

// Query implements [projections.Store].
func (w *ViewWriter) Query(ctx context.Context, statement string, args []any, row func([]projections.Value) error) error {
	rows, err := w.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	return each(rows, row)
}

// Close closes the connections.
func (w *ViewWriter) Close() error { return w.db.Close() }

// viewTx is a transaction on a connection of its own.
type viewTx struct {
	conn *sql.Conn
	tx   *sql.Tx
}

func beginView(ctx context.Context, db *sql.DB, options *sql.TxOptions) (*viewTx, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, options)
	if err != nil {
		_ = conn.Close() // it goes back to the others
		return nil, err
	}
	return &viewTx{conn, tx}, nil
}

// Exec implements [projections.Tx].
func (x *viewTx) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	done, err := x.tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// Query implements [projections.Tx].
func (x *viewTx) Query(ctx context.Context, statement string, args []any, row func([]projections.Value) error) error {
	rows, err := x.tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	return each(rows, row)
}

func each(rows *sql.Rows, row func([]projections.Value) error) error {
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, scanned, into := make([]projections.Value, len(names)), make([]any, len(names)), make([]any, len(names))
	for i := range into {
		into[i] = &scanned[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range scanned {
			switch v := v.(type) {
			case nil:
				values[i] = projections.Value{}
			case string:
				values[i] = projections.Value{Text: v, Kind: projections.Text}
			case int64:
				values[i] = projections.Value{Int: v, Kind: projections.Int}
			default:
				return fmt.Errorf("the column %s of a view is a %T", names[i], v)
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Commit implements [projections.Tx].
func (x *viewTx) Commit(context.Context) error {
	err := x.tx.Commit()
	_ = x.conn.Close() // it goes back to the others
	return err
}

// Rollback implements [projections.Tx].
func (x *viewTx) Rollback() {
	_ = x.tx.Rollback() // what is not committed is gone in any case
	_ = x.conn.Close()
}

// Read implements [projections.Tx].
func (x *viewTx) Read(ctx context.Context, s *projections.Shape, keys []projections.Key, row func([]projections.Value) error) error {
	columns := make([][]string, s.Group)
	for _, key := range keys {
		for i := range columns {
			columns[i] = append(columns[i], key[i])
		}
	}
	args := make([]any, s.Group)
	for i := range args {
		args[i] = columns[i]
	}
	named := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		named[i] = "t." + c
	}
	return x.Query(ctx, `SELECT `+strings.Join(named, ", ")+` FROM `+given(s, s.Group)+` JOIN `+s.Table+` AS t ON `+matching(s, s.Group), args, row)
}

// given is the keys of a statement, each column of them an array, as a table.
func given(s *projections.Shape, n int) string {
	arrays, names := make([]string, n), make([]string, n)
	for i := range n {
		kind := "bigint"
		if s.Texts[i] {
			kind = "text"
		}
		arrays[i], names[i] = "$"+strconv.Itoa(i+1)+"::"+kind+"[]", "k"+strconv.Itoa(i)
	}
	return `unnest(` + strings.Join(arrays, ", ") + `) AS k(` + strings.Join(names, ", ") + `)`
}

func matching(s *projections.Shape, n int) string {
	all := make([]string, n)
	for i := range n {
		all[i] = "t." + s.Columns[i] + " = k.k" + strconv.Itoa(i)
	}
	return strings.Join(all, " AND ")
}

// Delete implements [projections.Tx].
func (x *viewTx) Delete(ctx context.Context, s *projections.Shape, keys []projections.Value) error {
	return x.remove(ctx, s, keys, s.Key)
}

// remove deletes the rows whose keys stand at the beginning of every n values.
func (x *viewTx) remove(ctx context.Context, s *projections.Shape, values []projections.Value, n int) error {
	args := make([]any, s.Key)
	for i := range args {
		if s.Texts[i] {
			column := make([]string, 0, len(values)/n)
			for at := i; at < len(values); at += n {
				column = append(column, values[at].Text)
			}
			args[i] = column
			continue
		}
		column := make([]int64, 0, len(values)/n)
		for at := i; at < len(values); at += n {
			column = append(column, values[at].Int)
		}
		args[i] = column
	}
	_, err := x.Exec(ctx, `DELETE FROM `+s.Table+` AS t USING `+given(s, s.Key)+` WHERE `+matching(s, s.Key), args...)
	return err
}

// Replace implements [projections.Tx]. To delete rows and copy others into their place
// takes half of what it takes to update them.
func (x *viewTx) Replace(ctx context.Context, s *projections.Shape, rows []projections.Value) error {
	if err := x.remove(ctx, s, rows, len(s.Columns)); err != nil {
		return err
	}
	return x.Insert(ctx, s, rows)
}

// Insert implements [projections.Tx], by COPY.
func (x *viewTx) Insert(ctx context.Context, s *projections.Shape, rows []projections.Value) error {
	text := copied(rows, len(s.Columns))
	return x.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, bytes.NewReader(text),
			`COPY `+s.Table+` (`+strings.Join(s.Columns, ", ")+`) FROM STDIN`)
		return err
	})
}

// copied is rows as COPY takes them.
func copied(values []projections.Value, n int) []byte {
	text := make([]byte, 0, 16*len(values))
	for i, v := range values {
		switch v.Kind {
		case projections.Text:
			text = appendCopied(text, v.Text)
		case projections.Int:
			text = strconv.AppendInt(text, v.Int, 10)
		default:
			text = append(text, `\N`...)
		}
		if (i+1)%n == 0 {
			text = append(text, '\n')
		} else {
			text = append(text, '\t')
		}
	}
	return text
}

func appendCopied(to []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\':
			to = append(to, `\\`...)
		case '\n':
			to = append(to, `\n`...)
		case '\r':
			to = append(to, `\r`...)
		case '\t':
			to = append(to, `\t`...)
		default:
			to = append(to, c)
		}
	}
	return to
}
