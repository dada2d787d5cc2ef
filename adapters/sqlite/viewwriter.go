package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/projections"
)

// ViewWriter writes views to a file, one transaction at a time. It implements
// [projections.Store].
type ViewWriter struct {
	path    string
	turn    chan *sqlite.Conn // whoever has the connection has the transaction
	readers *pool
}

func openViewWriter(ctx context.Context, path string) (*ViewWriter, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	conn.SetInterrupt(ctx.Done())
	// Nothing is lost if SQLite hides that a checkpoint failed: views are made of the log.
	if err := makeDurable(conn, []string{"wal_autocheckpoint = 1000", "cache_size = -16384"}); err != nil {
		return nil, closeAfter(interrupted(ctx, err), conn)
	}
	conn.SetInterrupt(nil)
	w := &ViewWriter{path: path, turn: make(chan *sqlite.Conn, 1), readers: newPool(func() (*sqlite.Conn, error) { return openReader(path) })}
	w.turn <- conn
	return w, nil
}

// Begin implements [projections.Store].
func (w *ViewWriter) Begin(ctx context.Context) (projections.Tx, error) {
	conn, err := taken(ctx, w.turn)
	if err != nil {
		return nil, err
	}
	return begin(ctx, conn, "BEGIN IMMEDIATE", func() { w.turn <- conn })
}

// taken takes a connection that is free.
func taken(ctx context.Context, turn chan *sqlite.Conn) (*sqlite.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case conn, open := <-turn:
		if !open {
			return nil, errors.New("the views are closed")
		}
		return conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Query implements [projections.Store].
func (w *ViewWriter) Query(ctx context.Context, statement string, args []any, row func([]projections.Value) error) error {
	return w.readers.use(ctx, func(conn *sqlite.Conn) error { return query(conn, statement, args, row) })
}

// Close waits for the transaction under way.
func (w *ViewWriter) Close() error {
	conn, open := <-w.turn
	if !open {
		return nil
	}
	close(w.turn)
	return errors.Join(w.readers.close(), conn.Close())
}

// viewTx is a transaction on a connection, which is given back when it ends.
type viewTx struct {
	conn *sqlite.Conn
	done func()
}

func begin(ctx context.Context, conn *sqlite.Conn, statement string, done func()) (*viewTx, error) {
	conn.SetInterrupt(ctx.Done())
	x := &viewTx{conn, done}
	if _, err := x.Exec(ctx, statement); err != nil {
		x.end()
		return nil, err
	}
	return x, nil
}

func (x *viewTx) end() {
	if x.conn == nil {
		return
	}
	x.conn.SetInterrupt(nil)
	if !x.conn.AutocommitEnabled() {
		if stmt, err := x.conn.Prepare("ROLLBACK"); err == nil {
			_ = run(stmt) // what it cannot undo is undone when the connection ends
		}
	}
	x.conn = nil
	x.done()
}

// Commit implements [projections.Tx].
func (x *viewTx) Commit(ctx context.Context) error {
	_, err := x.Exec(ctx, "COMMIT")
	x.end()
	return err
}

// Rollback implements [projections.Tx].
func (x *viewTx) Rollback() { x.end() }

// Exec implements [projections.Tx]. Several statements may stand in one without
// arguments.
func (x *viewTx) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	for strings.TrimSpace(statement) != "" {
		rest := ""
		if len(args) == 0 {
			stmt, trailing, err := x.conn.PrepareTransient(statement)
			if err != nil {
				return 0, interrupted(ctx, err)
			}
			rest = statement[len(statement)-trailing:]
			err = run(stmt)
			if err := errors.Join(err, stmt.Finalize()); err != nil {
				return 0, interrupted(ctx, err)
			}
		} else if err := query(x.conn, statement, args, func([]projections.Value) error { return nil }); err != nil {
			return 0, interrupted(ctx, err)
		}
		statement = rest
	}
	return int64(x.conn.Changes()), nil
}

// Query implements [projections.Tx].
func (x *viewTx) Query(ctx context.Context, statement string, args []any, row func([]projections.Value) error) error {
	return interrupted(ctx, query(x.conn, statement, args, row))
}

func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func query(conn *sqlite.Conn, statement string, args []any, row func([]projections.Value) error) (err error) {
	stmt, err := conn.Prepare(statement)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Reset(), stmt.ClearBindings()) }()
	for i, arg := range args {
		name := "$" + strconv.Itoa(i+1)
		switch arg := arg.(type) {
		case string:
			stmt.SetText(name, arg)
		case int64:
			stmt.SetInt64(name, arg)
		default:
			return fmt.Errorf("an argument is %T", arg)
		}
	}
	return step(stmt, row)
}

// step gives the rows of a result.
func step(stmt *sqlite.Stmt, row func([]projections.Value) error) error {
	values := make([]projections.Value, stmt.ColumnCount())
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		for i := range values {
			switch stmt.ColumnType(i) {
			case sqlite.TypeText:
				values[i] = projections.Value{Text: stmt.ColumnText(i), Kind: projections.Text}
			case sqlite.TypeInteger:
				values[i] = projections.Value{Int: stmt.ColumnInt64(i), Kind: projections.Int}
			case sqlite.TypeNull:
				values[i] = projections.Value{}
			default:
				values[i] = projections.Value{Text: fmt.Sprint(stmt.ColumnType(i)), Kind: projections.Foreign}
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
}

// Read implements [projections.Tx].
func (x *viewTx) Read(ctx context.Context, s *projections.Shape, keys []projections.Key, row func([]projections.Value) error) error {
	stmt, err := x.conn.Prepare(`SELECT ` + strings.Join(s.Columns, ", ") + ` FROM ` + s.Table + ` WHERE ` + equal(s.Columns[:s.Group]))
	if err != nil {
		return interrupted(ctx, err)
	}
	for _, key := range keys {
		for i := range s.Group {
			stmt.BindText(i+1, key[i])
		}
		if err := errors.Join(step(stmt, row), stmt.Reset()); err != nil {
			return interrupted(ctx, err)
		}
	}
	return nil
}

// Insert implements [projections.Tx].
func (x *viewTx) Insert(ctx context.Context, s *projections.Shape, rows []projections.Value) error {
	return x.each(ctx, insertInto(s), rows, len(s.Columns))
}

// Replace implements [projections.Tx].
func (x *viewTx) Replace(ctx context.Context, s *projections.Shape, rows []projections.Value) error {
	if s.Key == len(s.Columns) {
		return nil // it is there, and there is nothing else to it
	}
	set := make([]string, 0, len(s.Columns))
	for _, c := range s.Columns[s.Key:] {
		set = append(set, c+` = excluded.`+c)
	}
	return x.each(ctx, insertInto(s)+` ON CONFLICT (`+strings.Join(s.Columns[:s.Key], ", ")+`) DO UPDATE SET `+strings.Join(set, ", "), rows, len(s.Columns))
}

// Delete implements [projections.Tx].
func (x *viewTx) Delete(ctx context.Context, s *projections.Shape, keys []projections.Value) error {
	return x.each(ctx, `DELETE FROM `+s.Table+` WHERE `+equal(s.Columns[:s.Key]), keys, s.Key)
}

func insertInto(s *projections.Shape) string {
	return `INSERT INTO ` + s.Table + ` (` + strings.Join(s.Columns, ", ") + `) VALUES (?` + strings.Repeat(", ?", len(s.Columns)-1) + `)`
}

func equal(columns []string) string { return strings.Join(columns, ` = ? AND `) + ` = ?` }

// each runs a statement for every n values. A statement with the values of many rows
// would not be faster: there is nobody to send it to.
func (x *viewTx) each(ctx context.Context, statement string, values []projections.Value, n int) error {
	stmt, err := x.conn.Prepare(statement)
	if err != nil {
		return interrupted(ctx, err)
	}
	for ; len(values) > 0; values = values[n:] {
		for i, v := range values[:n] {
			switch v.Kind {
			case projections.Text:
				stmt.BindText(i+1, v.Text)
			case projections.Int:
				stmt.BindInt64(i+1, v.Int)
			default:
				stmt.BindNull(i + 1)
			}
		}
		if err := run(stmt); err != nil {
			return interrupted(ctx, err)
		}
	}
	return nil
}
