package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/sample"
)

// during has clients do something again and again until the time is up, each one
// after the answer to the one before.
func (b *bench) during(ctx context.Context, clients int, do func(ctx context.Context, client, turn int) error) (took, error) {
	end := time.Now().Add(time.Duration(b.seconds * float64(time.Second)))
	return b.while(ctx, clients, func(_, _ int, now time.Time) bool { return !now.After(end) }, do)
}

// while has clients do something as long as they may, each one after the answer to the
// one before.
func (b *bench) while(ctx context.Context, clients int, may func(client, turn int, now time.Time) bool, do func(ctx context.Context, client, turn int) error) (took, error) {
	each, errs := make([][]time.Duration, clients), make([]error, clients)
	began := time.Now()
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for turn := 0; errs[client] == nil; turn++ {
				asked := time.Now()
				if !may(client, turn, asked) {
					return
				}
				errs[client] = do(ctx, client, turn)
				each[client] = append(each[client], time.Since(asked))
			}
		})
	}
	wg.Wait()
	t := took{elapsed: time.Since(began), each: slices.Concat(each...)}
	slices.Sort(t.each)
	return t, errors.Join(errs...)
}

func (b *bench) runFsync(ctx context.Context) error {
	dir := b.dir
	if !isPostgres(b.stores.db) {
		dir = filepath.Dir(b.stores.db)
	}
	f, err := os.CreateTemp(dir, ".bench-fsync-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	page := make([]byte, 4096)
	t, err := b.during(ctx, 1, func(context.Context, int, int) error {
		_, err := f.Write(page)
		return errors.Join(err, f.Sync())
	})
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	b.fsync = float64(len(t.each)) / t.elapsed.Seconds()
	return b.print(measured{Run: "fsync", Clients: 1, Unit: "syncs", Count: len(t.each)}, t)
}

// life is one request of the sample licence, from its submission to its issue.
var life = []struct {
	action domain.ActionID
	role   domain.RoleID
}{
	{"", "applicant"},
	{"accept", "front-office"},
	{"recommend", "health-office"},
	{"assign-number", "licensing"},
	{"sign", "head"},
	{"issue", "licensing"},
}

func (b *bench) runDecide(ctx context.Context) error {
	for _, clients := range b.clients {
		requests := make([]uuid.UUID, clients)
		step := func(ctx context.Context, client, turn int) (err error) {
			requests[client], err = b.step(ctx, requests[client], turn)
			return err
		}
		many := func(client, turn int, _ time.Time) bool { return turn*clients+client < b.commands }
		var t took
		var err error
		if b.commands > 0 {
			t, err = b.while(ctx, clients, many, step)
		} else {
			t, err = b.during(ctx, clients, step)
		}
		if err != nil {
			return err
		}
		m := measured{Run: "decide", Clients: clients, Unit: "commands", Count: len(t.each), Bytes: b.size}
		rate := float64(len(t.each)) / t.elapsed.Seconds()
		if bare := b.bares[clients]; bare > 0 {
			m.ToBare = rate / bare
		}
		if appends := b.appends[clients]; appends > 0 {
			m.ToAppend = rate / appends
		}
		if err := b.print(m, t); err != nil {
			return err
		}
	}
	return nil
}

// publishSample publishes the definition that figures are taken with. It stays the
// same when the catalogue changes.
func (h *house) publishSample(ctx context.Context) error {
	return h.publish(ctx, "sample", sample.Licence)
}

func (h *house) publish(ctx context.Context, name string, source []byte) error {
	d, err := workflows.Read(name, source)
	if err != nil {
		return err
	}
	_, err = h.library.Publish(ctx, workflows.Publication{
		Tenant: sample.Tenant, Source: source, Definition: d, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "alur", Role: "bench", Capacity: domain.CapacitySystem}, Why: "figures are taken with it",
		Program: programVersion(), Trial: "no office uses it",
	})
	return err
}

// step is the next command of a request, or the first of another. Every command
// brings personal data, each request that of another person.
func (b *bench) step(ctx context.Context, request uuid.UUID, turn int) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	s := life[turn%len(life)]
	h := domain.Header{ID: id, Actor: domain.Actor{ID: "bench-" + string(s.role), Role: s.role, Capacity: domain.CapacityOfficer}}
	if s.action != "" {
		_, err := b.engine.Act(ctx, request, domain.Act{Header: h, Action: s.action, Remark: "Berkas diperiksa; lengkap dan sesuai."})
		return request, err
	}
	h.Actor.Capacity = domain.CapacitySelf
	a, err := b.engine.Submit(ctx, domain.Submit{
		Header: h, Tenant: "11.71", Service: "sip-dokter", Facts: domain.Facts{"kind": "new", "practice_place": 1.0},
		Identity: domain.Identity(fmt.Sprintf("nib:%013d", id.ClockSequence()<<16|int(id.Time())&0xffff)),
		Form:     domain.Personal{"name": "Cut Rekaan", "phone": "0800-000-0000", "address": "Jalan yang tidak ada nomor 0, Banda Aceh"},
	})
	return a.Request.ID, err
}

// measureSize plays a few lives, for the mean size of their events.
func (b *bench) measureSize(ctx context.Context) error {
	request := uuid.Nil
	for turn := range 10 * len(life) {
		var err error
		if request, err = b.step(ctx, request, turn); err != nil {
			return err
		}
	}
	n, size := 0, 0
	for e, err := range b.log.ReadAll(ctx, 0) {
		if err != nil {
			return err
		}
		if domain.StreamKind(e.Stream) == "request" {
			n, size = n+1, size+len(e.Meta)+len(e.Data)
		}
	}
	b.size = size / max(n, 1)
	return nil
}

// bareStore is rows that are nothing else.
type bareStore interface {
	Append(ctx context.Context, stream string, data []byte) error
	io.Closer
}

func (b *bench) openBare(ctx context.Context) (bareStore, error) {
	if isPostgres(b.stores.db) {
		return b.stores.openPostgresBare(ctx)
	}
	return sqlite.OpenBare(ctx, filepath.Join(filepath.Dir(b.stores.db), ".bench-bare.db"))
}

func (b *bench) runBare(ctx context.Context) error {
	if b.stores.log != "" {
		return nil // the server has nothing below an event
	}
	store, err := b.openBare(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	row := make([]byte, b.size)
	for _, clients := range b.clients {
		t, err := b.during(ctx, clients, func(ctx context.Context, _, _ int) error {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			return store.Append(ctx, "request-"+id.String(), row)
		})
		if err != nil {
			return err
		}
		b.bares[clients] = float64(len(t.each)) / t.elapsed.Seconds()
		if err := b.print(measured{Run: "bare", Clients: clients, Unit: "rows", Count: len(t.each), Bytes: len(row)}, t); err != nil {
			return err
		}
	}
	return nil
}

// stream is a stream that one client appends to.
type stream struct {
	name string
	tip  domain.Tip
}

// extend appends n events to a stream, or to a new one when it is long.
func (b *bench) extend(ctx context.Context, s *stream, n int) error {
	const long = 20
	if s.name == "" || int(s.tip.Version) >= long {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		*s = stream{name: "bench-" + id.String()}
	}
	command, err := uuid.NewV7()
	if err != nil {
		return err
	}
	events := make([]domain.Event, n)
	for i := range events {
		events[i] = domain.Event{
			Envelope: domain.Envelope{
				ID: domain.EventID(command, i), Tenant: "11.71", Service: "bench", Office: "bench",
				Actor:    domain.Actor{ID: "bench-1", Role: "front-office", Capacity: domain.CapacityOfficer},
				Workflow: domain.WorkflowRef{ID: "bench", Version: 1}, Command: command, Correlation: command, Occurred: time.Now(),
				Box: &domain.Box{Sealed: make([]byte, max(b.size-650, 0)*3/4)}, // 650: what is beside it
			},
			Body: domain.ActionTaken{Action: "accept", From: "submitted", To: "health-check", Public: domain.StatusInProcess},
		}
	}
	a, tip, err := domain.Enter(s.name, s.tip, time.Now(), events)
	if err != nil {
		return err
	}
	s.tip = tip
	_, err = b.log.Append(ctx, a)
	return err
}

func (b *bench) runAppend(ctx context.Context) error {
	for _, clients := range b.clients {
		for _, n := range b.batch {
			streams := make([]stream, clients)
			t, err := b.during(ctx, clients, func(ctx context.Context, client, _ int) error { return b.extend(ctx, &streams[client], n) })
			if err != nil {
				return err
			}
			if n == 1 {
				b.appends[clients] = float64(len(t.each)) / t.elapsed.Seconds()
			}
			if err := b.print(measured{Run: "append", Clients: clients, Batch: n, Unit: "events", Count: n * len(t.each), Bytes: b.size}, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// runTail times from the recording of an event to its being seen.
func (b *bench) runTail(ctx context.Context) error {
	clients := slices.Max(b.clients)
	at, err := b.log.Head(ctx)
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	seen := make(chan []time.Duration, 1)
	go func() { seen <- b.seeAll(following, at) }()
	streams := make([]stream, clients)
	t, err := b.during(ctx, clients, func(ctx context.Context, client, _ int) error { return b.extend(ctx, &streams[client], 1) })
	if err != nil {
		return err
	}
	stop()
	t.each = <-seen
	slices.Sort(t.each)
	return b.print(measured{Run: "tail", Clients: clients, Unit: "events", Count: len(t.each)}, t)
}

// seeAll follows the log until the context ends.
func (b *bench) seeAll(ctx context.Context, at domain.Position) (each []time.Duration) {
	for b.log.Wait(ctx, at) == nil {
		for e, err := range domain.Events(b.log.ReadAll(ctx, at)) {
			if err != nil {
				break
			}
			each, at = append(each, time.Since(e.At)), e.Position
		}
	}
	return each
}

func (b *bench) runFollow(ctx context.Context) error {
	began, n := time.Now(), 0
	for _, err := range domain.Events(b.log.ReadAll(ctx, 0)) {
		if err != nil {
			return err
		}
		n++
	}
	return b.print(measured{Run: "follow", Clients: 1, Unit: "events", Count: n}, took{elapsed: time.Since(began)})
}

func (b *bench) runLoad(ctx context.Context) error {
	var requests []uuid.UUID
	for e, err := range domain.Events(b.log.ReadAll(ctx, 0)) {
		if err != nil {
			return err
		}
		if s, ok := e.Body.(domain.RequestSubmitted); ok {
			requests = append(requests, s.Request)
		}
	}
	if len(requests) == 0 {
		return errors.New("there are no requests: it goes with the run decide")
	}
	for _, clients := range b.clients {
		// An engine that remembers nothing yet, and no request twice.
		engine := workflows.NewEngine(b.log, b.library, workflows.EngineConfig{Now: time.Now, Random: randomBits})
		var mu sync.Mutex
		left := slices.Clone(requests)
		t, err := b.during(ctx, clients, func(ctx context.Context, _, _ int) error {
			mu.Lock()
			if len(left) == 0 {
				engine, left = workflows.NewEngine(b.log, b.library, workflows.EngineConfig{Now: time.Now, Random: randomBits}), slices.Clone(requests)
			}
			one, from := left[0], engine
			left = left[1:]
			mu.Unlock()
			_, err := from.Load(ctx, one)
			return err
		})
		if err != nil {
			return err
		}
		if err := b.print(measured{Run: "load", Clients: clients, Unit: "requests", Count: len(t.each)}, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) runRebuild(ctx context.Context) error {
	n := 0
	for _, err := range b.log.ReadAll(ctx, 0) {
		if err != nil {
			return err
		}
		n++
	}
	for _, x := range []struct {
		run string
		do  func() error
	}{
		{"rebuild", func() error { return b.views.CatchUp(ctx) }},
		{"rebuild: beside", func() error { return b.views.Rebuild(ctx) }},
		{"rebuild: verify", func() error { _, err := b.views.Verify(ctx); return err }},
	} {
		began := time.Now()
		if err := x.do(); err != nil {
			return err
		}
		if err := b.print(measured{Run: x.run, Clients: 1, Unit: "events", Count: n}, took{elapsed: time.Since(began)}); err != nil {
			return err
		}
	}
	return nil
}
