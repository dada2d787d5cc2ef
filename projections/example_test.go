package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// EffortProjection keeps one row for each open request: in which state it is, and how
// often anybody acted on it. A request that has ended has none.
type EffortProjection struct{}

func (EffortProjection) Name() string { return "effort" }

func (EffortProjection) Schema() string {
	return `
CREATE TABLE effort (
	request   TEXT   PRIMARY KEY,
	service   TEXT   NOT NULL,
	state     TEXT   NOT NULL,
	acts      BIGINT NOT NULL,
	last_acts BIGINT -- none yet
);
CREATE INDEX effort_state ON effort (service, state);`
}

// effortRow is a row: its fields are the columns.
type effortRow struct {
	Request  string
	Service  string
	State    domain.StateID
	Acts     int
	LastActs projections.Micros
}

var effortTable = &projections.Table[effortRow]{
	Name: "effort", Key: 1, Group: 1, Concerns: projections.OfRequest,
	Fold: func(rows *projections.Rows[effortRow], e domain.Recorded) error {
		key := projections.Key{projections.RequestOf(e.Stream)}
		switch b := e.Body.(type) {
		case domain.RequestSubmitted:
			rows.Add(effortRow{Request: key[0], Service: e.Service, State: b.State})
		case domain.ActionTaken:
			row := rows.One(key)
			if row == nil { // it was not submitted to this log, or has ended
				return nil
			}
			row.State, row.Acts, row.LastActs = b.To, row.Acts+1, projections.MicrosOf(e.Occurred)
			if b.Outcome != "" {
				rows.Remove(key, row)
			}
		}
		return nil
	},
}

// Apply implements [projections.Projection].
func (EffortProjection) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	return effortTable.Apply(ctx, tx, events)
}

func ExampleTable() {
	ctx, log := context.Background(), memory.New()
	request := uuid.MustParse("0193459c-7a00-7000-8000-000000000001")
	tip := domain.Tip{}
	for i, body := range []domain.Body{
		domain.RequestSubmitted{Request: request, Reference: domain.NewReference(1), State: "submitted", Public: domain.StatusReceived},
		domain.ActionTaken{Action: "accept", From: "submitted", To: "check", Public: domain.StatusInProcess},
		domain.ActionTaken{Action: "recommend", From: "check", To: "sign", Public: domain.StatusInProcess},
	} {
		id := domain.CommandID(now, "example", fmt.Sprint(i))
		event := domain.Event{Envelope: domain.Envelope{
			ID: domain.EventID(id, 0), Tenant: "11.71", Service: "permit", Actor: domain.Actor{ID: "o", Role: "clerk", Capacity: domain.CapacityOfficer},
			Workflow: domain.WorkflowRef{ID: "permit", Version: 1}, Command: id, Correlation: id, Occurred: now,
		}, Body: body}
		entered, next, err := domain.Enter(domain.RequestStream(request), tip, now, []domain.Event{event})
		if err != nil {
			panic(err)
		}
		if _, err := log.Append(ctx, entered); err != nil {
			panic(err)
		}
		tip = next
	}

	dir, err := os.MkdirTemp("", "views-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.OpenViews(ctx, filepath.Join(dir, "views.db"))
	if err != nil {
		panic(err)
	}
	defer db.Close()
	views, err := projections.NewViews(ctx, log, db.Writer, slog.New(slog.DiscardHandler), EffortProjection{})
	if err != nil {
		panic(err)
	}
	if err := views.CatchUp(ctx); err != nil {
		panic(err)
	}
	row, err := effortTable.Scan(db.Reader.QueryRowContext(ctx, `SELECT `+effortTable.Columns()+` FROM effort WHERE state = $1`, "sign"))
	fmt.Println(row.Service, row.State, row.Acts, row.LastActs.Time(), err)
	// Output: permit sign 2 2026-11-23 05:00:00 +0000 UTC <nil>
}
