package erasure

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Held is which requests and mandates hold data sealed under some keys, as the log says up
// to a position. It reads the log itself, all of it: a key is destroyed for ever, and a
// view may be behind, or another's.
type Held struct {
	Requests map[uuid.UUID][]uuid.UUID // by key, in the order of the log
	Mandates map[uuid.UUID][]uuid.UUID // those that the person gave
	upTo     domain.Position
}

// HeldUnder reads what is sealed under keys.
func HeldUnder(ctx context.Context, log domain.EventLog, keys []uuid.UUID) (Held, error) {
	h := Held{Requests: map[uuid.UUID][]uuid.UUID{}, Mandates: map[uuid.UUID][]uuid.UUID{}}
	for _, k := range keys {
		h.Requests[k], h.Mandates[k] = nil, nil
	}
	return h, h.readOn(ctx, log)
}

// readOn reads what was recorded since.
func (h *Held) readOn(ctx context.Context, log domain.EventLog) error {
	for e, err := range log.ReadAll(ctx, h.upTo) {
		if err != nil {
			return err
		}
		h.upTo = e.Position
		kind, id, _ := strings.Cut(e.Stream, "-")
		holds := h.Requests
		if kind == "mandate" {
			holds = h.Mandates
		} else if kind != "request" {
			continue
		}
		r, err := domain.Decode(e)
		if err != nil {
			return err
		}
		if r.Box == nil {
			continue
		}
		list, asked := holds[r.Box.Key]
		of, err := uuid.Parse(id)
		if asked && err == nil && !slices.Contains(list, of) {
			holds[r.Box.Key] = append(list, of)
		}
	}
	return nil
}
