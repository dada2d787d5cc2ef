package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed migrations
var migrations embed.FS

// migration is one step from an empty schema to the one that this program knows.
// Steps are added, never changed: a database says by their hashes which it took.
type migration struct{ name, text, hash string }

// steps are the migrations of a schema in their order; their names begin with
// their number.
func steps(files fs.FS, folder string) ([]migration, error) {
	names, err := fs.Glob(files, path.Join(folder, "*.sql"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	all := make([]migration, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all[i] = migration{path.Base(name), string(text), hex.EncodeToString(sum[:])}
	}
	return all, nil
}

// schema is a part of a database that belongs to Alur.
type schema struct {
	name   string
	what   string // with its article
	folder string
	lock   string // the key of the advisory lock under which it is migrated
}

var (
	logSchema = schema{name: "alur_log", what: "an Alur log", folder: "migrations/log", lock: "7019266884218484"}
	keySchema = schema{name: "alur_keys", what: "a key store of Alur", folder: "migrations/keys", lock: "7019266884218485"}
)

// query is what a connection or a transaction can do.
type query interface {
	Exec(ctx context.Context, statement string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, statement string, arguments ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, statement string, arguments ...any) pgx.Row
}

// taken are the hashes of the migrations that a database took, none for one
// without the schema.
func (s schema) taken(ctx context.Context, q query) ([]string, error) {
	// Not to_regclass, which after a wait for a lock may answer from before it.
	var exists bool
	if err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration')`, s.name).Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := q.Query(ctx, `SELECT hash FROM `+s.name+`.migration ORDER BY number`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// missing are the steps that a database has yet to take. It fails for a database
// that took others than this program knows.
func (s schema) missing(taken []string, known []migration) ([]migration, error) {
	for i, hash := range taken[:min(len(taken), len(known))] {
		if hash != known[i].hash {
			return nil, fmt.Errorf("not %s that this program knows: its migration %d is not %s", s.what, i+1, known[i].name)
		}
	}
	if len(taken) > len(known) {
		return nil, fmt.Errorf("written by a newer Alur (format %d; this program knows %d)", len(taken), len(known))
	}
	return known[len(taken):], nil
}

// migrate brings a schema to what this program knows, in one transaction, and
// creates it where there is none. Of several that do it at once, one does.
func (s schema) migrate(ctx context.Context, config *pgx.ConnConfig, files fs.FS) error {
	known, err := steps(files, s.folder)
	if err != nil {
		return err
	}
	return with(ctx, config, func(c *pgx.Conn) error {
		taken, err := s.taken(ctx, c)
		if err != nil {
			return err
		}
		// The common case needs neither a lock nor the right to create anything.
		if left, err := s.missing(taken, known); err != nil || len(left) == 0 {
			return err
		}
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error { return s.advance(ctx, tx, known) })
	})
}

func (s schema) advance(ctx context.Context, tx query, known []migration) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(`+s.lock+`)`); err != nil {
		return err
	}
	taken, err := s.taken(ctx, tx)
	if err != nil {
		return err
	}
	left, err := s.missing(taken, known)
	if err != nil {
		return err
	}
	if len(taken) == 0 {
		_, err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+s.name+`;
			CREATE TABLE `+s.name+`.migration (number bigint PRIMARY KEY, name text NOT NULL, hash text NOT NULL, at timestamptz NOT NULL DEFAULT now())`)
		if err != nil {
			return err
		}
	}
	for i, m := range left {
		if _, err := tx.Exec(ctx, m.text); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO `+s.name+`.migration (number, name, hash) VALUES ($1, $2, $3)`, len(taken)+i+1, m.name, m.hash); err != nil {
			return err
		}
	}
	return nil
}

// missingError says that a schema is not there. It is fs.ErrNotExist.
type missingError struct{ what string }

func (e missingError) Error() string        { return "the database does not hold " + e.what }
func (e missingError) Is(target error) bool { return target == fs.ErrNotExist }

// check fails unless the schema is there and as this program knows it.
func (s schema) check(ctx context.Context, config *pgx.ConnConfig, files fs.FS) error {
	known, err := steps(files, s.folder)
	if err != nil {
		return err
	}
	return with(ctx, config, func(c *pgx.Conn) error {
		taken, err := s.taken(ctx, c)
		if err != nil {
			return err
		}
		left, err := s.missing(taken, known)
		switch {
		case err != nil:
			return err
		case len(taken) == 0:
			return missingError{s.what}
		case len(left) > 0:
			return fmt.Errorf("written by an older Alur (format %d; this program knows %d): open it for writing once", len(taken), len(known))
		}
		return nil
	})
}

// with runs some work on a connection of its own.
func with(ctx context.Context, config *pgx.ConnConfig, work func(*pgx.Conn) error) error {
	config = config.Copy()
	guard(&config.Config)
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return work(c)
}
