package projections

import (
	"cmp"
	"context"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// QueueProjection keeps one row for each time that work was offered which is given out:
// when it became ready, when and how it was taken, and when the request went on. A queue
// is what is ready and not taken of one state of a service at an office. Where a
// migration changes which queue that is, or its rule, the row ends there, and another
// goes on with what it had: so each row tells of one queue by the name that it had then.
type QueueProjection struct {
	// Task is how the work of a state is given out by a version that was published, as
	// [InboxProjection.Owner] is whose it is; false where it is not given out.
	Task func(domain.TenantCode, domain.WorkflowRef, domain.StateID) (domain.TaskRule, bool, error)
}

var _ Projection = QueueProjection{}

// Name implements [Projection].
func (QueueProjection) Name() string { return "queue" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC.
func (QueueProjection) Schema() string {
	return `
CREATE TABLE queue (
	request TEXT   NOT NULL,
	version BIGINT NOT NULL, -- of the event that put it there
	tenant  TEXT   NOT NULL,
	service TEXT   NOT NULL,
	office  TEXT   NOT NULL,
	state   TEXT   NOT NULL,
	role    TEXT   NOT NULL,
	rule    TEXT   NOT NULL, -- of allocation; empty where a version has none: it is in no queue
	ready   BIGINT NOT NULL, -- since when it waits, in this queue or one before
	came    BIGINT NOT NULL, -- to this queue
	taken   BIGINT, -- from this queue
	how     TEXT   NOT NULL, -- a Taking, here or before; empty: nobody has it
	reason  TEXT   NOT NULL, -- of whoever gave it to somebody past the rule
	gone    BIGINT, -- when the request went on, or to the queue of the next row
	moved   BIGINT NOT NULL, -- 1: there is a next row
	PRIMARY KEY (request, version)
);
CREATE INDEX queue_waiting ON queue (tenant, service, office, state, ready, request, version) WHERE how = '' AND gone IS NULL AND rule <> '';
CREATE INDEX queue_passed ON queue (tenant, service, office, state, ready, request, version, taken) WHERE taken IS NOT NULL AND version > 0;
CREATE INDEX queue_taken ON queue (tenant, taken) WHERE taken IS NOT NULL;
CREATE INDEX queue_gone ON queue (tenant, gone) WHERE gone IS NOT NULL;
`
}

// Taking is how work left its queue.
type Taking string

// The ways. Only what is picked and allocated goes by the rule of the queue.
const (
	TakenPicked     Taking = "picked"     // an officer took it
	TakenAllocated  Taking = "allocated"  // it was given out by the rule
	TakenReassigned Taking = "reassigned" // somebody gave it to an officer by name
)

type queueRow struct {
	Request string
	Version domain.Version
	Tenant  domain.TenantCode
	Service string
	Office  string
	State   domain.StateID
	Role    domain.RoleID
	Rule    string
	Ready   Micros
	Came    Micros
	Taken   Micros
	How     Taking
	Reason  domain.ReasonCode
	Gone    Micros
	Moved   bool
}

// Apply implements [Projection].
func (p QueueProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	table := &Table[queueRow]{Name: "queue", Key: 2, Group: 1, Concerns: concernsQueue, Fold: p.fold}
	return table.Apply(ctx, tx, events)
}

func concernsQueue(c *Concerned, e domain.Recorded) {
	switch e.Body.(type) {
	case domain.TaskReady, domain.TaskPicked, domain.TaskAllocated, domain.TaskReassigned:
		OfRequest(c, e)
	default:
		if _, moves := domain.MoveOf(e.Body); moves {
			OfRequest(c, e)
		}
	}
}

func (p QueueProjection) fold(rows *Rows[queueRow], e domain.Recorded) error {
	key := Key{RequestOf(e.Stream)}
	if key == (Key{}) {
		return nil
	}
	switch b := e.Body.(type) {
	case domain.TaskReady:
		goOn(rows, key, e) // only one task of a request is offered at a time
		rows.Add(queueRow{
			Request: key[0], Version: e.Version, Tenant: e.Tenant, Service: e.Service, Office: e.Office,
			State: b.State, Role: b.Role, Rule: b.Rule, Ready: MicrosOf(e.Occurred), Came: MicrosOf(e.Occurred),
		})
	case domain.TaskPicked:
		take(rows, key, e, TakenPicked, "")
	case domain.TaskAllocated:
		take(rows, key, e, TakenAllocated, "")
	case domain.TaskReassigned:
		take(rows, key, e, TakenReassigned, b.Reason)
	case domain.RequestMigrated:
		if b.Came {
			goOn(rows, key, e)
			break
		}
		return p.carry(rows, key, e, b)
	default:
		if m, moves := domain.MoveOf(e.Body); moves && (m.From != m.To || m.Outcome != "") {
			goOn(rows, key, e)
		}
	}
	return nil
}

// carry has a request wait by another version where it stood: in the queue that the
// version has there, behind whom it stood behind.
func (p QueueProjection) carry(rows *Rows[queueRow], key Key, e domain.Recorded, b domain.RequestMigrated) error {
	for row := range rows.All(key) {
		if row.Gone != 0 {
			continue
		}
		task, given := domain.TaskRule{Role: cmp.Or(b.Mapping.Roles[row.Role], row.Role), Rule: row.Rule}, true
		if p.Task != nil {
			var err error
			if task, given, err = p.Task(e.Tenant, domain.WorkflowRef{ID: e.Workflow.ID, Version: b.ToVersion}, b.To); err != nil {
				return fmt.Errorf("how the work of state %q is given out: %w", b.To, err)
			}
		}
		next := *row
		next.Office, next.State, next.Rule = e.Office, b.To, task.Rule
		if given {
			next.Role = task.Role
		}
		if next == *row {
			continue
		}
		next.Version, next.Came, next.Taken = e.Version, MicrosOf(e.Occurred), 0
		row.Gone, row.Moved = next.Came, true
		rows.Add(next)
	}
	return nil
}

// take says how work was taken; that it was given on later is not the queue's business.
func take(rows *Rows[queueRow], key Key, e domain.Recorded, how Taking, reason domain.ReasonCode) {
	for row := range rows.All(key) {
		if row.Gone == 0 && row.How == "" {
			row.Taken, row.How, row.Reason = MicrosOf(e.Occurred), how, reason
		}
	}
}

func goOn(rows *Rows[queueRow], key Key, e domain.Recorded) {
	for row := range rows.All(key) {
		if row.Gone == 0 {
			row.Gone = MicrosOf(e.Occurred)
		}
	}
}
