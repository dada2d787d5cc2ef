package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// needed are the settings without which a commit that PostgreSQL reports may be
// lost, and the values that are good. Stronger than on, synchronous_commit waits
// for a standby to have applied it.
var needed = map[string][]string{
	"fsync":              {"on"},
	"full_page_writes":   {"on"},
	"synchronous_commit": {"on", "remote_apply"},
	"data_sync_retry":    {"off"}, // after a failed fsync only recovery tells what is on the disk
	"server_encoding":    {"UTF8"},
}

// durable says which settings are not as they must be.
func durable(settings map[string]string) error {
	var wrong []string
	for name, good := range needed {
		if !slices.Contains(good, settings[name]) {
			wrong = append(wrong, fmt.Sprintf("%s is %q and must be %s", name, settings[name], strings.Join(good, " or ")))
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%w: %s", errUnsafe, strings.Join(wrong, "; "))
}

// demandDurable turns synchronous_commit on for those who turned it off, who may
// be the database's or the role's owner, and reads the settings back.
const demandDurable = `SELECT set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false);
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
	current_setting('data_sync_retry'), current_setting('server_encoding')`

// heard fails unless the server heard what the connection was told when it began. A
// pooler that knows few settings drops the others, and those that connections are
// lent to for a transaction forget what is listened for, too.
func heard(ctx context.Context, c *pgconn.PgConn) error {
	row, err := texts(ctx, c, `SELECT current_setting('lock_timeout')`)
	if err == nil && row[0] != session["lock_timeout"] {
		err = errPooled
	}
	return err
}

// makeDurable makes a commit on the connection mean that it is kept, or fails.
func makeDurable(ctx context.Context, c *pgconn.PgConn) error {
	if err := heard(ctx, c); err != nil {
		return err
	}
	row, err := texts(ctx, c, demandDurable)
	if err != nil {
		return err
	}
	return durable(map[string]string{
		"fsync": row[0], "full_page_writes": row[1], "synchronous_commit": row[2], "data_sync_retry": row[3], "server_encoding": row[4],
	})
}
