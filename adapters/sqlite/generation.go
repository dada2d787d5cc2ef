package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/projections"
)

// viewScratch is files beside that of the views, one for each generation: they can be
// written at the same time.
type viewScratch struct {
	views *ViewWriter
	lock  lock
}

// swapPatience is how long a generation waits for its turn to write to what is read,
// where another process writes to it all the time.
const swapPatience = time.Minute

// next is between the name of the file of the views and that of a view.
const next = ".next-"

// Scratch implements [projections.Store].
func (w *ViewWriter) Scratch(context.Context) (projections.Scratch, error) {
	held, err := acquire(w.path + ".next")
	if errors.Is(err, ErrInUse) {
		return nil, projections.ErrBuilding
	}
	if err != nil {
		return nil, err
	}
	s := &viewScratch{w, held}
	if err := s.clear(""); err != nil { // of one that died
		return nil, errors.Join(err, held.release())
	}
	return s, nil
}

// clear removes the files of a generation, or of all.
func (s *viewScratch) clear(view string) error {
	entries, err := os.ReadDir(filepath.Dir(s.views.path))
	if err != nil {
		return err
	}
	for _, e := range entries {
		of, ok := strings.CutPrefix(e.Name(), filepath.Base(s.views.path)+next)
		if !ok || view != "" && strings.TrimSuffix(of, "-journal") != view {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(s.views.path), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close implements [projections.Scratch].
func (s *viewScratch) Close() error { return errors.Join(s.clear(""), s.lock.release()) }

// viewGeneration is a file that a view is built in.
type viewGeneration struct {
	scratch    *viewScratch
	view, path string
	turn       chan *sqlite.Conn
}

// Generation implements [projections.Scratch].
func (s *viewScratch) Generation(_ context.Context, view string) (projections.Generation, error) {
	g := &viewGeneration{scratch: s, view: view, path: s.views.path + next + view, turn: make(chan *sqlite.Conn, 1)}
	if err := s.clear(view); err != nil {
		return nil, err
	}
	if err := createPrivate(g.path); err != nil {
		return nil, err
	}
	conn, err := g.open()
	if err != nil {
		return nil, err
	}
	g.turn <- conn
	return g, nil
}

// open opens the file. It is thrown away when anything happens to it, so nothing waits
// for the disk.
func (g *viewGeneration) open() (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(g.path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", g.path, err)
	}
	conn.SetBusyTimeout(swapPatience)
	for _, pragma := range []string{"journal_mode = MEMORY", "synchronous = OFF", "cache_size = -16384"} {
		if err := query(conn, "PRAGMA "+pragma, nil, func([]projections.Value) error { return nil }); err != nil {
			return nil, closeAfter(fmt.Errorf("open %s: %w", g.path, err), conn)
		}
	}
	return conn, nil
}

// Begin implements [projections.Generation].
func (g *viewGeneration) Begin(ctx context.Context) (projections.Tx, error) {
	conn, err := taken(ctx, g.turn)
	if err != nil {
		return nil, err
	}
	return begin(ctx, conn, "BEGIN IMMEDIATE", func() { g.turn <- conn })
}

// Hold implements [projections.Generation]. Both files are locked, the one that is read
// as durable as ever. Who else writes to it in this process waits for its turn.
func (g *viewGeneration) Hold(ctx context.Context) (projections.Tx, error) {
	live, err := taken(ctx, g.scratch.views.turn)
	if err != nil {
		return nil, err
	}
	conn, err := taken(ctx, g.turn)
	if err != nil {
		g.scratch.views.turn <- live
		return nil, err
	}
	detach := func() {
		if stmt, err := conn.Prepare("DETACH live"); err == nil {
			_ = run(stmt) // it ends with the connection, too
		}
		g.turn <- conn
		g.scratch.views.turn <- live
	}
	if err := g.attach(conn, "PRAGMA live.synchronous = FULL"); err != nil {
		detach()
		return nil, err
	}
	return begin(ctx, conn, "BEGIN IMMEDIATE", detach)
}

func (g *viewGeneration) attach(conn *sqlite.Conn, more string) error {
	if err := query(conn, "ATTACH $1 AS live", []any{g.scratch.views.path}, func([]projections.Value) error { return nil }); err != nil {
		return err
	}
	return query(conn, more, nil, func([]projections.Value) error { return nil })
}

// Snapshot implements [projections.Generation].
func (g *viewGeneration) Snapshot(ctx context.Context) (projections.Tx, error) {
	conn, err := g.open()
	if err != nil {
		return nil, err
	}
	if err := g.attach(conn, "PRAGMA query_only = 1"); err != nil {
		return nil, closeAfter(err, conn)
	}
	x, err := begin(ctx, conn, "BEGIN", func() { _ = conn.Close() }) // nothing was written
	if err != nil {
		return nil, err
	}
	if _, err := x.Exec(ctx, "SELECT count(*) FROM live.sqlite_schema"); err != nil { // from now on it reads the file as it is now
		x.Rollback()
		return nil, err
	}
	return x, nil
}

// Columns implements [projections.Generation].
func (g *viewGeneration) Columns(ctx context.Context, tx projections.Tx, table string) (columns []string, key int, err error) {
	err = tx.Query(ctx, `SELECT name, pk FROM pragma_table_info($1) ORDER BY cid`, []any{table}, func(v []projections.Value) error {
		columns = append(columns, v[0].Text)
		if v[1].Int > 0 {
			key++
		}
		return nil
	})
	return columns, key, err
}

// Live implements [projections.Generation].
func (g *viewGeneration) Live() string { return "live." }

// Swap implements [projections.Generation]. The table is copied; with the same indexes
// on both sides, SQLite copies their pages as they are.
func (g *viewGeneration) Swap(ctx context.Context, tx projections.Tx, table string) error {
	statements := []string{"DROP TABLE IF EXISTS live." + table}
	err := tx.Query(ctx, `SELECT type, sql FROM main.sqlite_schema WHERE tbl_name = $1 AND sql IS NOT NULL ORDER BY type DESC, rowid`, []any{table}, func(v []projections.Value) error {
		made := v[1].Text
		for _, start := range []string{"CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX "} {
			if rest, ok := strings.CutPrefix(made, start); ok {
				statements = append(statements, start+"live."+rest)
				return nil
			}
		}
		return fmt.Errorf("a view has a %s, which cannot be put beside it", v[0].Text)
	})
	if err != nil {
		return err
	}
	for _, statement := range append(statements, "INSERT INTO live."+table+" SELECT * FROM main."+table) {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [projections.Generation].
func (g *viewGeneration) Close() error {
	conn, open := <-g.turn
	if !open {
		return nil
	}
	close(g.turn)
	return errors.Join(conn.Close(), g.scratch.clear(g.view))
}
