package migration

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/alur-id/alur/domain"
)

// order records that requests are to be moved, or finds that it was recorded: the same
// map, ground and approver by the same hand is the same order, whoever was interrupted
// in it and however many carry it out.
func (m *Migrator) order(ctx context.Context, x *Migration) (domain.Recorded, error) {
	d := x.To.Definition
	from, to := x.From.Ref().Version, x.To.Ref().Version
	stream := domain.MigrationStream(x.Tenant, d.ID, from, to)
	body := domain.MigrationOrdered{
		From: from, To: to, Source: x.Map.Source, Hash: x.Map.Plan.Map, Ground: x.Ground, Approver: x.Approver, Except: x.Map.Except, Only: x.Map.Only,
	}
	const attempts = 8
	for range attempts {
		before, tip, err := m.ordered(ctx, stream, body, x.Actor)
		if before.Version > 0 || err != nil {
			return before, err
		}
		now := m.Now()
		id := domain.CommandID(now, "order a migration", stream, body.Hash, strconv.Itoa(int(tip.Version)))
		event := domain.Event{Envelope: domain.Envelope{
			ID: domain.EventID(id, 0), Tenant: x.Tenant, Service: d.ID, Office: d.Office, Actor: x.Actor, Workflow: x.To.Ref(),
			Command: id, Correlation: id, Occurred: now.UTC(),
		}, Body: body}
		a, _, err := domain.Enter(stream, tip, now, []domain.Event{event})
		if err != nil {
			return domain.Recorded{}, err
		}
		var conflict *domain.ConflictError
		if _, err := m.Log.Append(ctx, a); err != nil && !errors.As(err, &conflict) {
			return domain.Recorded{}, fmt.Errorf("order the migration: %w", err)
		}
		// What is in the log now is what counts, whoever wrote it.
	}
	return domain.Recorded{}, fmt.Errorf("order the migration: %s keeps changing", stream)
}

// ordered is the event of an order that was recorded before; its version is 0 for none.
func (m *Migrator) ordered(ctx context.Context, stream string, body domain.MigrationOrdered, by domain.Actor) (domain.Recorded, domain.Tip, error) {
	var tip domain.Tip
	for entry, err := range m.Log.ReadStream(ctx, stream, 0) {
		var e domain.Recorded
		if err == nil {
			e, err = domain.Decode(entry)
		}
		if err != nil {
			return domain.Recorded{}, tip, fmt.Errorf("read %s: %w", stream, err)
		}
		tip = entry.Tip()
		if b, ok := e.Body.(domain.MigrationOrdered); ok && e.Actor == by && b.Hash == body.Hash && b.Ground == body.Ground && b.Approver == body.Approver {
			return e, tip, nil
		}
	}
	return domain.Recorded{}, tip, nil
}
