package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// cleaningPatience is how long the rewriting of a table may take.
const cleaningPatience = 30 * time.Minute

// rowsAtOnce is how many rows of a table that is rewritten are in memory.
const rowsAtOnce = 10_000

// clean rewrites the tables that may hold bytes of what was overwritten.
func (s *KeyStore) clean(ctx context.Context) error {
	for _, table := range []string{"key", "secret"} {
		err := s.once(ctx, "clean table "+table, cleaningPatience, func(ctx context.Context) error {
			var unclean bool
			if err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM alur_keys.leftover WHERE name = $1)`, table).Scan(&unclean); err != nil || !unclean {
				return err
			}
			c, err := connect(ctx, s.config)
			if err != nil {
				return err
			}
			defer c.part() // which takes back what is not committed
			return rewrite(ctx, c, table)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rewrite gives a table new files that hold its rows and nothing else. VACUUM FULL
// would do the same, but for rows that a transaction somewhere in the database may
// still see; those it takes along.
//
// Such a transaction sees the table as it is afterwards. It would see an empty one,
// and pg_dump would back that up, if the rows were not frozen, which only COPY can
// do; so they come here and go back, some at a time.
func rewrite(ctx context.Context, c *conn, table string) error {
	row, err := texts(ctx, c.PgConn, `BEGIN; SET LOCAL statement_timeout = 0;
		LOCK TABLE alur_keys.`+table+` IN ACCESS EXCLUSIVE MODE;
		CREATE TEMPORARY TABLE rewritten ON COMMIT DROP AS SELECT row_number() OVER () AS n, t AS kept FROM alur_keys.`+table+` t;
		CREATE INDEX ON rewritten (n);
		TRUNCATE alur_keys.`+table+`; -- new files
		SET LOCAL enable_seqscan = off;
		SELECT count(*) FROM rewritten`)
	if err != nil {
		return err
	}
	var rows bytes.Buffer
	for after, moved := 0, 0; fmt.Sprint(moved) != row[0]; after += rowsAtOnce {
		rows.Reset()
		read, err := c.CopyTo(ctx, &rows, fmt.Sprintf(`COPY (SELECT (kept).* FROM rewritten WHERE n > %d AND n <= %d) TO STDOUT`, after, after+rowsAtOnce))
		if err != nil {
			return err
		}
		written, err := c.CopyFrom(ctx, &rows, `COPY alur_keys.`+table+` FROM STDIN WITH (FREEZE)`)
		if err != nil {
			return err
		}
		if read.RowsAffected() == 0 || read.RowsAffected() != written.RowsAffected() {
			return fmt.Errorf("%w: %d of %d rows of table %s were rewritten", errDamaged, written.RowsAffected(), read.RowsAffected(), table)
		}
		moved += int(written.RowsAffected())
	}
	_, err = c.Exec(ctx, `DELETE FROM alur_keys.leftover WHERE name = '`+table+`'; COMMIT`).ReadAll()
	return err
}
