package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// What is done to one stream, for the checker: an append names the version it
// expects, a read tells which events it saw.
type (
	operation struct {
		read     bool
		expected domain.Version
		id       uuid.UUID
	}
	outcome struct {
		known  bool // the caller was told
		done   bool // an append was recorded
		actual domain.Version
		ids    string // a read: the ids in order
	}
	history struct {
		version domain.Version
		ids     string
	}
)

// stream is what a stream must look like from outside: as if each operation had
// happened at one moment between its call and its return.
var stream = porcupine.NondeterministicModel{
	Init: func() []any { return []any{history{}} },
	Step: func(state, input, output any) []any {
		s, in, out := state.(history), input.(operation), output.(outcome)
		if in.read {
			if out.known && out.ids != s.ids {
				return nil
			}
			return []any{s}
		}
		taken := history{s.version + 1, s.ids + in.id.String()}
		switch {
		case !out.known && s.version == in.expected:
			return []any{s, taken}
		case !out.known:
			return []any{s}
		case out.done && s.version == in.expected:
			return []any{taken}
		case !out.done && s.version != in.expected && out.actual == s.version:
			return []any{s}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
}

// Histories records what concurrent clients do and are told, to be checked.
type Histories struct {
	mu      sync.Mutex
	streams map[string][]porcupine.Operation
	began   time.Time
}

// NewHistories returns an empty record.
func NewHistories() *Histories {
	return &Histories{streams: map[string][]porcupine.Operation{}, began: time.Now()}
}

func (h *Histories) record(stream string, client int, call int64, in operation, out outcome) {
	back := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[stream] = append(h.streams[stream], porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: back})
}

func (h *Histories) now() int64 { return int64(time.Since(h.began)) }

// Client appends to and reads some streams at random until the context ends. An
// append whose outcome it does not learn is in the history as such; the client
// goes on with what it reads.
func (h *Histories) Client(ctx context.Context, t testing.TB, log domain.EventLog, client, streams, operations int) {
	for range operations {
		if ctx.Err() != nil {
			return
		}
		name := fmt.Sprint("stream-", rand.IntN(streams))
		call := h.now()
		var ids string
		var tip domain.Tip
		var err error
		for e, readErr := range log.ReadStream(ctx, name, 0) {
			if err = readErr; err != nil {
				break
			}
			ids += e.ID.String()
			tip = e.Tip()
		}
		h.record(name, client, call, operation{read: true}, outcome{known: err == nil, ids: ids})
		if err != nil {
			continue
		}
		a, _ := Entered(t, name, tip, Events(1))
		in := operation{expected: a.Expected, id: a.Entries[0].ID}
		call = h.now()
		_, err = log.Append(ctx, a)
		var conflict *domain.ConflictError
		switch {
		case errors.As(err, &conflict):
			h.record(name, client, call, in, outcome{known: true, actual: conflict.Actual})
		default:
			h.record(name, client, call, in, outcome{known: err == nil, done: err == nil})
		}
	}
}

// Check fails the test if the histories of any stream cannot be those of a log.
// An operation whose outcome nobody learned may have taken effect at any later
// time.
func (h *Histories) Check(t testing.TB) {
	t.Helper()
	for name, operations := range h.streams {
		end := h.now()
		for i, o := range operations {
			if !o.Output.(outcome).known {
				operations[i].Return = end
			}
		}
		if got := porcupine.CheckOperationsTimeout(stream.ToModel(), operations, time.Minute); got != porcupine.Ok {
			t.Errorf("%s: %d operations are %s", name, len(operations), map[porcupine.CheckResult]string{porcupine.Illegal: "not linearizable", porcupine.Unknown: "too many to check"}[got])
		}
	}
}

func linearizable(t *testing.T, log Log) {
	h := NewHistories()
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() { h.Client(t.Context(), t, log, client, 3, 25) })
	}
	wg.Wait()
	h.Check(t)
}
