package projections

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// sqlTx writes a row with each statement.
type sqlTx struct{ tx *sql.Tx }

// Read implements [Tx].
func (x sqlTx) Read(ctx context.Context, s *Shape, keys []Key, row func([]Value) error) error {
	stmt, err := x.tx.PrepareContext(ctx, `SELECT `+strings.Join(s.Columns, ", ")+` FROM `+s.Table+` WHERE `+conditions(s.Columns[:s.Group], 1))
	if err != nil {
		return err
	}
	defer stmt.Close()
	values, into := make([]Value, len(s.Columns)), make([]any, len(s.Columns))
	for i := range into {
		into[i] = new(any)
	}
	for _, key := range keys {
		args := make([]any, s.Group)
		for i := range args {
			args[i] = key[i]
		}
		if err := readRows(ctx, stmt, args, into, values, row); err != nil {
			return err
		}
	}
	return nil
}

func readRows(ctx context.Context, stmt *sql.Stmt, args, into []any, values []Value, row func([]Value) error) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range into {
			switch v := (*v.(*any)).(type) {
			case string:
				values[i] = Value{Text: v, Kind: Text}
			case int64:
				values[i] = Value{Int: v, Kind: Int}
			default:
				values[i] = Value{}
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Insert implements [Tx].
func (x sqlTx) Insert(ctx context.Context, s *Shape, rows []Value) error {
	return x.each(ctx, `INSERT INTO `+s.Table+` (`+strings.Join(s.Columns, ", ")+`) VALUES (`+placeholders(len(s.Columns))+`)`, rows, len(s.Columns))
}

// Replace implements [Tx].
func (x sqlTx) Replace(ctx context.Context, s *Shape, rows []Value) error {
	var set []string
	for _, c := range s.Columns[s.Key:] {
		set = append(set, c+` = excluded.`+c)
	}
	return x.each(ctx, `INSERT INTO `+s.Table+` (`+strings.Join(s.Columns, ", ")+`) VALUES (`+placeholders(len(s.Columns))+`)
		ON CONFLICT (`+strings.Join(s.Columns[:s.Key], ", ")+`) DO UPDATE SET `+strings.Join(set, ", "), rows, len(s.Columns))
}

// Delete implements [Tx].
func (x sqlTx) Delete(ctx context.Context, s *Shape, keys []Value) error {
	return x.each(ctx, `DELETE FROM `+s.Table+` WHERE `+conditions(s.Columns[:s.Key], 1), keys, s.Key)
}

func (x sqlTx) each(ctx context.Context, text string, values []Value, n int) error {
	stmt, err := x.tx.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, n)
	for ; len(values) > 0; values = values[n:] {
		for i := range args {
			args[i] = values[i].Any()
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func conditions(columns []string, from int) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c + ` = $` + strconv.Itoa(from+i)
	}
	return strings.Join(all, ` AND `)
}
