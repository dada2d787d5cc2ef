package projections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// checkpoint is how far a view is, and why it goes no further: what every node and the
// command line are told. It moves in the transaction of the rows.
type checkpoint struct {
	projection string
	shape      string // of the text of the schema that the table was made by
	position   domain.Position
	event      string // the id of the event there
	paused     bool
	fault      *Event // that it cannot fold
}

// Event names an event without telling what is in it.
type Event struct {
	Position domain.Position `json:"position"`
	ID       string          `json:"id"`
	Type     string          `json:"type"`
}

func eventOf(e domain.Recorded) Event {
	name, _ := e.Body.Type()
	return Event{Position: e.Position, ID: e.ID.String(), Type: name}
}

// The columns that came later are added to a table that is there.
const createCheckpoint = `CREATE TABLE IF NOT EXISTS checkpoint (
	projection TEXT PRIMARY KEY, shape TEXT NOT NULL, position BIGINT NOT NULL, event TEXT NOT NULL,
	paused BIGINT NOT NULL DEFAULT 0, fault_position BIGINT, fault_event TEXT, fault_type TEXT)`

var addedToCheckpoint = []string{"paused BIGINT NOT NULL DEFAULT 0", "fault_position BIGINT", "fault_event TEXT", "fault_type TEXT"}

// prepareCheckpoint tries twice: of several processes that create the table at once,
// PostgreSQL fails all but one, which then find it.
func prepareCheckpoint(ctx context.Context, store Store) error {
	var err error
	for range 2 {
		if err = execute(ctx, store, createCheckpoint); err != nil {
			continue
		}
		if _, err = checkpoints(ctx, store); err == nil {
			return nil
		}
		for _, column := range addedToCheckpoint {
			err = errors.Join(err, execute(ctx, store, `ALTER TABLE checkpoint ADD COLUMN `+column))
		}
	}
	if _, again := checkpoints(ctx, store); again == nil {
		return nil
	}
	return err
}

// execute runs a statement in a transaction of its own.
func execute(ctx context.Context, store Store, statement string, args ...any) error {
	tx, err := store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(ctx, statement, args...); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

const checkpointColumns = `projection, shape, position, event, paused, fault_position, fault_event, fault_type`

// checkpoints are those of all views, as they are committed.
func checkpoints(ctx context.Context, store Store) (map[string]checkpoint, error) {
	all := map[string]checkpoint{}
	err := store.Query(ctx, `SELECT `+checkpointColumns+` FROM checkpoint`, nil, func(v []Value) error {
		c := checkpointOf(v)
		all[c.projection] = c
		return nil
	})
	return all, err
}

func checkpointOf(v []Value) checkpoint {
	c := checkpoint{projection: v[0].Text, shape: v[1].Text, position: domain.Position(v[2].Int), event: v[3].Text, paused: v[4].Int != 0}
	if v[5].Kind != Null {
		c.fault = &Event{Position: domain.Position(v[5].Int), ID: v[6].Text, Type: v[7].Text}
	}
	return c
}

// lockCheckpoint reads a checkpoint by changing it, which locks the row on PostgreSQL
// and the file on SQLite: until the transaction ends, nobody else moves it.
func lockCheckpoint(ctx context.Context, tx Tx, table, projection string) (c checkpoint, err error) {
	err = tx.Query(ctx, `UPDATE `+table+` SET position = position WHERE projection = $1 RETURNING `+checkpointColumns, []any{projection}, func(v []Value) error {
		c = checkpointOf(v)
		return nil
	})
	if err == nil && c.projection == "" {
		err = fmt.Errorf("the view %s has no checkpoint", projection)
	}
	return c, err
}

var errMoved = errors.New("another runner moved the checkpoint")

// move moves a checkpoint that was seen somewhere, in the transaction of the rows. What
// could not be folded before was, or is not there any more.
func (c checkpoint) move(ctx context.Context, tx Tx, table string, to domain.Position, event string) error {
	moved, err := tx.Exec(ctx, `UPDATE `+table+` SET position = $1, event = $2, fault_position = NULL, fault_event = NULL, fault_type = NULL
		WHERE projection = $3 AND position = $4`, int64(to), event, c.projection, int64(c.position))
	if err == nil && moved != 1 {
		err = errMoved
	}
	return err
}

// shapeOf is by what it is known that a table was made by a schema.
func shapeOf(p Projection) string {
	sum := sha256.Sum256([]byte(p.Schema()))
	return hex.EncodeToString(sum[:8])
}
