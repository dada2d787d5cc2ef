package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/projections"
)

// viewScratch is a schema beside that of the views.
type viewScratch struct {
	lock   *sql.Conn // holds the advisory lock, which ends with the connection
	db     *sql.DB   // names are those of the schema
	schema string
}

// Schemas that a generation is built in have names of their own: one that lost its lock
// must not meet the tables of another.
const scratchPrefix = viewSchema + "_next_"

// scratchSession is what the connections of a scratch are told. It is thrown away when
// anything happens to it, so nothing waits for the disk; indexes may take long.
var scratchSession = map[string]string{"statement_timeout": "0", "synchronous_commit": "off"}

// scratchLock is the key of the advisory lock: "alurnext" in ASCII.
const scratchLock = 0x616c75726e657874

// Scratch implements [projections.Store].
func (w *ViewWriter) Scratch(ctx context.Context) (projections.Scratch, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	s := &viewScratch{schema: scratchPrefix + fmt.Sprintf("%x", id[:8])}
	if s.lock, err = w.db.Conn(ctx); err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	config, _, err := configured(w.dsn, forScratch, viewWriting, scratchSession, map[string]string{"search_path": s.schema})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.db = database(config, 16, 0)
	return s, nil
}

func (s *viewScratch) begin(ctx context.Context) error {
	var free, may bool
	if err := s.lock.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(scratchLock)).Scan(&free); err != nil {
		return err
	}
	if !free {
		return projections.ErrBuilding
	}
	if err := s.clear(ctx); err != nil { // of one that died
		return err
	}
	if err := s.lock.QueryRowContext(ctx, `SELECT has_database_privilege(current_database(), 'CREATE')`).Scan(&may); err != nil {
		return err
	}
	if !may {
		return fmt.Errorf("%w: it takes the right to create a schema in the database", projections.ErrNoScratch)
	}
	_, err := s.lock.ExecContext(ctx, `CREATE SCHEMA `+s.schema)
	return err
}

// clear drops every schema that views were built in.
func (s *viewScratch) clear(ctx context.Context) error {
	rows, err := s.lock.QueryContext(ctx, `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)`, scratchPrefix)
	if err != nil {
		return err
	}
	var names []string
	err = each(rows, func(v []projections.Value) error { names = append(names, v[0].Text); return nil })
	for _, name := range names {
		if err == nil {
			_, err = s.lock.ExecContext(ctx, `DROP SCHEMA `+pgx.Identifier{name}.Sanitize()+` CASCADE`)
		}
	}
	return err
}

func (s *viewScratch) unlock() error {
	// The lock is the connection's: it must not go back to the others with it.
	ctx, cancel := context.WithTimeout(context.Background(), viewSilence)
	defer cancel()
	_, err := s.lock.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`)
	return errors.Join(err, s.lock.Close())
}

// Close implements [projections.Scratch].
func (s *viewScratch) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), viewSilence)
	defer cancel()
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	_, dropped := s.lock.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+s.schema+` CASCADE`)
	return errors.Join(err, dropped, s.unlock())
}

// viewGeneration is tables in the schema of the scratch.
type viewGeneration struct{ db *sql.DB }

// Generation implements [projections.Scratch].
func (s *viewScratch) Generation(context.Context, string) (projections.Generation, error) {
	return &viewGeneration{s.db}, nil
}

// Begin implements [projections.Generation].
func (g *viewGeneration) Begin(ctx context.Context) (projections.Tx, error) {
	return beginView(ctx, g.db, nil)
}

// Hold implements [projections.Generation]. What is written to what is read is as
// durable as ever.
func (g *viewGeneration) Hold(ctx context.Context) (projections.Tx, error) {
	x, err := beginView(ctx, g.db, nil)
	if err != nil {
		return nil, err
	}
	if _, err := x.Exec(ctx, `SET LOCAL synchronous_commit = on`); err != nil {
		x.Rollback()
		return nil, err
	}
	return x, nil
}

// Snapshot implements [projections.Generation].
func (g *viewGeneration) Snapshot(ctx context.Context) (projections.Tx, error) {
	x, err := beginView(ctx, g.db, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	// Whole tables are read, other than when rows are folded.
	for _, statement := range []string{`SET LOCAL enable_seqscan = on`, `SET LOCAL enable_mergejoin = on`, `SELECT 1`} {
		if _, err := x.Exec(ctx, statement); err != nil {
			x.Rollback()
			return nil, err
		}
	}
	return x, nil
}

// Columns implements [projections.Generation].
func (*viewGeneration) Columns(ctx context.Context, tx projections.Tx, table string) (columns []string, key int, err error) {
	err = tx.Query(ctx, `SELECT attname::text, COALESCE(attnum = ANY (indkey), false)::int::bigint FROM pg_attribute
		LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
		WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, []any{table}, func(v []projections.Value) error {
		columns = append(columns, v[0].Text)
		key += int(v[1].Int)
		return nil
	})
	return columns, key, err
}

// Live implements [projections.Generation].
func (*viewGeneration) Live() string { return viewSchema + "." }

// Swap implements [projections.Generation]. What is known of the table to plan by comes
// with it.
func (*viewGeneration) Swap(ctx context.Context, tx projections.Tx, table string) error {
	for _, statement := range []string{
		`ANALYZE ` + table, `DROP TABLE IF EXISTS ` + viewSchema + `.` + table, `ALTER TABLE ` + table + ` SET SCHEMA ` + viewSchema,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [projections.Generation]. The schema goes with the scratch.
func (*viewGeneration) Close() error { return nil }
