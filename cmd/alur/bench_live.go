package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// lookAtHeap is how often the memory is looked at while views are kept.
const lookAtHeap = 100 * time.Millisecond

// runLive times from an answer to its being in every view, while commands come at a
// steady rate. A command that is late because the one before it took long follows at
// once, so the rate is kept if the store can keep it.
func (b *bench) runLive(ctx context.Context) error {
	if err := b.views.CatchUp(ctx); err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { b.views.Run(following) })
	var each []time.Duration
	var heap uint64
	var lagErr error
	running.Go(func() { each, lagErr = b.lags(following) })
	running.Go(func() { heap = mostHeap(following) })

	clients := slices.Max(b.clients)
	requests, began := make([]uuid.UUID, clients), time.Now()
	t, err := b.during(ctx, clients, func(ctx context.Context, client, turn int) error {
		slot := time.Duration(turn*clients+client) * time.Second / time.Duration(b.rate)
		select {
		case <-time.After(time.Until(began.Add(slot))):
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		requests[client], err = b.step(ctx, requests[client], turn)
		return err
	})
	stop()
	running.Wait()
	if err := errors.Join(err, lagErr); err != nil {
		return err
	}
	slices.Sort(each)
	m := measured{Run: "live", Clients: clients, Unit: "commands", Count: len(t.each), Heap: heap}
	return b.print(m, took{elapsed: t.elapsed, each: each})
}

// lags waits, again and again, for the newest event to be in every view, until the
// context ends. What waits then is not counted.
func (b *bench) lags(ctx context.Context) (each []time.Duration, err error) {
	var at domain.Position
	for b.log.Wait(ctx, at) == nil {
		asked := time.Now()
		if at, err = b.log.Head(ctx); err == nil {
			err = b.views.WaitFor(ctx, at)
		}
		switch {
		case ctx.Err() != nil:
			return each, nil
		case err != nil:
			return nil, err
		}
		each = append(each, time.Since(asked))
	}
	return each, nil
}

// mostHeap is the most memory that the program had in use until the context ends.
func mostHeap(ctx context.Context) (most uint64) {
	tick := time.NewTicker(lookAtHeap)
	defer tick.Stop()
	for {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		most = max(most, memory.HeapAlloc)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return most
		}
	}
}
