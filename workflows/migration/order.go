package migration

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// order records that requests are to be moved, or finds that it was recorded and is not
// carried out yet: the same map, ground and approver by the same hand is the same order,
// whoever was interrupted in it and however many carry it out.
func (m *Migrator) order(ctx context.Context, x *Migration, waiting []Forecast) (o domain.Recorded, resumed bool, err error) {
	d := x.To.Definition
	stream, body := x.stream(), x.ordered()
	ours := false // it was recorded just now, and by this run
	const attempts = 8
	for range attempts {
		before, tip, err := m.lastOrder(ctx, x)
		if err != nil {
			return domain.Recorded{}, false, err
		}
		if before.Version > 0 && x.unfinished(before, waiting) {
			return before, !ours, nil
		}
		now := m.Now()
		id := domain.CommandID(now, "order a migration", stream, body.Hash, strconv.Itoa(int(tip.Version)))
		event := domain.Event{Envelope: domain.Envelope{
			ID: domain.EventID(id, 0), Tenant: x.Tenant, Service: d.ID, Office: d.Office, Actor: x.Actor, Workflow: x.To.Ref(),
			Command: id, Correlation: id, Occurred: now.UTC(),
		}, Body: body}
		a, _, err := domain.Enter(stream, tip, now, []domain.Event{event})
		if err != nil {
			return domain.Recorded{}, false, err
		}
		var conflict *domain.ConflictError
		recorded, err := m.Log.Append(ctx, a)
		if err != nil && !errors.As(err, &conflict) {
			return domain.Recorded{}, false, fmt.Errorf("order the migration: %w", err)
		}
		ours = err == nil && !recorded.Repeated
		// What is in the log now is what counts, whoever wrote it.
	}
	return domain.Recorded{}, false, fmt.Errorf("order the migration: %s keeps changing", stream)
}

func (x *Migration) stream() string {
	return domain.MigrationStream(x.Tenant, x.To.Definition.ID, x.From.Ref().Version, x.To.Ref().Version)
}

// ordered is the migration as it is recorded.
func (x *Migration) ordered() domain.MigrationOrdered {
	return domain.MigrationOrdered{
		From: x.From.Ref().Version, To: x.To.Ref().Version, Source: x.Map.Source, Hash: x.Map.Plan.Map,
		Ground: x.Ground, Approver: x.Approver, Except: x.Map.Except, Only: x.Map.Only,
	}
}

// lastOrder is the last time that the very same was ordered; its version is 0 for never.
func (m *Migrator) lastOrder(ctx context.Context, x *Migration) (domain.Recorded, domain.Tip, error) {
	var last domain.Recorded
	var tip domain.Tip
	stream, body := x.stream(), x.ordered()
	for entry, err := range m.Log.ReadStream(ctx, stream, 0) {
		var e domain.Recorded
		if err == nil {
			e, err = domain.Decode(entry)
		}
		if err != nil {
			return domain.Recorded{}, tip, fmt.Errorf("read %s: %w", stream, err)
		}
		tip = entry.Tip()
		if b, ok := e.Body.(domain.MigrationOrdered); ok && e.Actor == x.Actor && b.Hash == body.Hash && b.Ground == body.Ground && b.Approver == body.Approver {
			last = e
		}
	}
	return last, tip, nil
}

// unfinished reports whether some of those who are to be moved wait for an order. None do
// who came under the former version after it; and where one was moved by it and has come
// back, it is over.
func (x *Migration) unfinished(order domain.Recorded, waiting []Forecast) bool {
	wait := false
	for _, f := range waiting {
		if movedBy(order, f.Foreseen.Before) {
			return false
		}
		wait = wait || f.Foreseen.Before.UnderAt(order.Position) == x.From.Ref()
	}
	return wait
}

// movedBy reports whether an order has moved a request, wherever it is now.
func movedBy(order domain.Recorded, r domain.Request) bool {
	_, moved := r.Answer(moveID(order, r.ID))
	return moved
}

// moveID is the command by which an order moves a request: the same each time.
func moveID(order domain.Recorded, request uuid.UUID) uuid.UUID {
	return domain.CommandID(order.Occurred, "migrate", order.Command.String(), request.String())
}

// earlier counts the running requests that an order has moved, but for those that were
// moved now.
func (m *Migrator) earlier(ctx context.Context, x *Migration, order domain.Recorded, done *Done) error {
	list, err := m.Running(ctx, x.Tenant, x.To.Definition.ID, x.To.Ref().Version)
	if err != nil {
		return err
	}
	for _, r := range list {
		is, err := m.Engine.Load(ctx, r.Request)
		if err != nil {
			return err
		}
		if movedBy(order, is) && !done.moved[r.Request] {
			done.Before++
		}
	}
	return nil
}
