package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// kept is the last event that the server was heard to have.
type kept struct {
	position domain.Position
	id       uuid.UUID
}

var selectAt = statement{"at", `SELECT id FROM alur_log.event WHERE position = $1`}

// see remembers what was acknowledged of a group.
func (k *kept) see(g []request) {
	for _, r := range g {
		for n, o := range r.outcomes {
			if o.err == nil && !o.again && o.done.Position > k.position {
				entries := r.parts[n].append().Entries
				k.position, k.id = o.done.Position, entries[len(entries)-1].ID
			}
		}
	}
}

// check asks a server that was just connected to whether it has the event. One that
// does not is a standby that became the primary too early, or was restored from a
// backup. Callers were told of what it lost, and go by it: to append there as if
// nothing had been would hide that.
func (k *kept) check(ctx context.Context, c *conn) error {
	if k.position == 0 {
		return nil
	}
	rows, err := c.run(ctx, selectAt, int8Of(int64(k.position)))
	if err != nil {
		return err
	}
	var id uuid.UUID // none, if there is no such row
	var broken error
	for rows.NextRow() {
		id, broken = idOf(rows.Values()[0])
	}
	if _, err := rows.Close(); err != nil {
		return err
	}
	if broken == nil && id != k.id {
		return fmt.Errorf("%w: the server no longer has the event at position %d that it had committed: another took its place, or an earlier state was restored", domain.ErrStopped, k.position)
	}
	return broken
}
