package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/sample"
)

// makeTerms has a request of the timed licence submitted and declared complete at each
// of some times, by the engine, from many clients: each has two terms that are open.
func (b *bench) makeTerms(ctx context.Context, at []time.Time) (took, error) {
	if err := b.publish(ctx, "timed", sample.Timed); err != nil {
		return took{}, err
	}
	const clients = 64
	errs, began := make([]error, clients), time.Now()
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for i := client; i < len(at) && errs[client] == nil; i += clients {
				errs[client] = b.completeAt(ctx, at[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return took{}, err
		}
	}
	return took{elapsed: time.Since(began)}, nil
}

func (b *bench) completeAt(ctx context.Context, at time.Time) error {
	header := func(role domain.RoleID, capacity domain.Capacity) domain.Header {
		return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "bench-" + string(role), Role: role, Capacity: capacity}, Occurred: at}
	}
	a, err := b.engine.Submit(ctx, domain.Submit{Header: header("applicant", domain.CapacitySelf), Tenant: sample.Tenant, Service: "timed"})
	if err != nil {
		return err
	}
	_, err = b.engine.Act(ctx, a.Request.ID, domain.Act{Header: header("clerk", domain.CapacityOfficer), Action: "accept"})
	return err
}

// runTerms sweeps open terms: when none has come, when those of a hundredth of the
// requests have, and when all have. The requests are of the past, and the clock of the
// sweeper is put to where they are.
func (b *bench) runTerms(ctx context.Context) error {
	today := time.Now().Truncate(time.Hour)
	early, late := today.AddDate(0, 0, -90), today.AddDate(0, 0, -40)
	at := make([]time.Time, b.openTerms/2)
	for i := range at {
		at[i] = late.Add(time.Duration(i%240) * time.Hour / 2) // of five days
		if i%100 == 0 {
			at[i] = early.Add(time.Duration(i/100%240) * time.Hour / 2)
		}
	}
	t, err := b.makeTerms(ctx, at)
	if err != nil {
		return err
	}
	if err := b.print(measured{Run: "terms: made", Clients: 64, Unit: "commands", Count: 2 * len(at)}, t); err != nil {
		return err
	}
	if err := b.views.CatchUp(ctx); err != nil {
		return err
	}
	for _, x := range []struct {
		due string
		now time.Time
	}{{"none", early}, {"none, again", early}, {"1 %", today.AddDate(0, 0, -60)}, {"all", today}} {
		if err := b.sweepAt(ctx, x.due, x.now); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) sweepAt(ctx context.Context, due string, now time.Time) error {
	before, err := b.log.Head(ctx)
	if err != nil {
		return err
	}
	sweeper := b.sweeper(slog.New(slog.DiscardHandler))
	sweeper.Now = func() time.Time { return now }
	began := time.Now()
	done, err := sweeper.Sweep(ctx)
	t := took{elapsed: time.Since(began)}
	if err != nil || done.Failed > 0 {
		return fmt.Errorf("swept %+v: %w", done, err)
	}
	after, err := b.log.Head(ctx)
	if err != nil {
		return err
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	m := measured{
		Run: "terms: sweep, due: " + due, Clients: 1, Unit: "events", Count: int(after - before), Terms: b.openTerms, Moments: done.Fired, Heap: memory.HeapAlloc,
	}
	if err := b.print(m, t); err != nil {
		return err
	}
	return b.views.CatchUp(ctx)
}
