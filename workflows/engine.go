package workflows

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Engine takes commands: it loads the request, decides, and appends. It is safe
// for concurrent use; the versions of the streams keep commands apart, not a
// lock.
type Engine struct {
	log     domain.EventLog
	library *Library
	now     func() time.Time
	random  func() uint64
	taken   func(context.Context, domain.Reference) (bool, error)
}

// EngineConfig is what an engine needs besides the log and the library.
type EngineConfig struct {
	// Now is the clock that dates commands which do not say when they happened.
	Now func() time.Time
	// Random is a cryptographic source of 64 bits, for references.
	Random func() uint64
	// Taken tells whether a reference is in use. It may be nil: two of ten
	// million requests then share one with a chance of 0.4 %.
	Taken func(context.Context, domain.Reference) (bool, error)
}

// NewEngine returns an engine over a log.
func NewEngine(log domain.EventLog, library *Library, c EngineConfig) *Engine {
	return &Engine{log: log, library: library, now: c.Now, random: c.Random, taken: c.Taken}
}

// Answer is what a command led to: the request as it then was, and the position
// of its event. Repeated says that the command was part of the request before,
// and that this is the first answer again.
type Answer struct {
	Request  domain.Request
	Position domain.Position
	Repeated bool
}

// Submit begins a request under the newest version of its service's workflow.
// Errors: [*domain.Refusal].
func (e *Engine) Submit(ctx context.Context, c domain.Submit) (Answer, error) {
	if err := e.complete(&c.Header); err != nil {
		return Answer{}, err
	}
	if c.Reference == "" {
		ref, err := e.newReference(ctx)
		if err != nil {
			return Answer{}, err
		}
		c.Reference = ref
	}
	return e.execute(ctx, domain.RequestID(c.ID), c, func(r domain.Request) (domain.Workflow, error) {
		if r.Exists() {
			return e.library.Version(ctx, r.Tenant, r.Workflow)
		}
		w, err := e.library.Latest(ctx, c.Tenant, c.Service)
		if errors.Is(err, domain.ErrNotFound) {
			return nil, domain.NewRefusal(domain.RuleService,
				fmt.Sprintf("tenant %s has no service %q", c.Tenant, c.Service), "check the service code; its workflow must be published for this tenant")
		}
		return w, err
	})
}

// Act takes an action on a request, under the workflow version the request was
// submitted under. Errors: [*domain.Refusal]; [*domain.ConflictError] when the
// command named a version and the request is at another.
func (e *Engine) Act(ctx context.Context, request uuid.UUID, c domain.Act) (Answer, error) {
	if err := e.complete(&c.Header); err != nil {
		return Answer{}, err
	}
	return e.execute(ctx, request, c, func(r domain.Request) (domain.Workflow, error) {
		if !r.Exists() {
			return nil, domain.NewRefusal(domain.RuleNotSubmitted, "there is no such request", "submit it first")
		}
		return e.library.Version(ctx, r.Tenant, r.Workflow)
	})
}

// execute decides and appends, and begins anew when somebody else appended
// first. A command that named the version it saw is then refused by Decide; one
// that did not is judged by the request as it has become.
func (e *Engine) execute(ctx context.Context, request uuid.UUID, c domain.Command, rules func(domain.Request) (domain.Workflow, error)) (Answer, error) {
	for ctx.Err() == nil { // each time round, somebody else got something done
		r, tip, err := e.loadUntil(ctx, request, math.MaxInt)
		if err != nil {
			return Answer{}, err
		}
		w, err := rules(r)
		if err != nil {
			return Answer{}, err
		}
		events, err := domain.Decide(r, c, w)
		if err != nil {
			return Answer{}, err
		}
		if len(events) == 0 {
			first, _ := r.Answer(c.Head().ID)
			r, _, err := e.loadUntil(ctx, request, first.Version)
			return Answer{Request: r, Position: first.Position, Repeated: true}, err
		}
		a, _, err := domain.Enter(domain.RequestStream(request), tip, e.now(), events)
		if err != nil {
			return Answer{}, err
		}
		done, err := e.log.Append(ctx, a)
		var conflict *domain.ConflictError
		switch {
		case err == nil && done.Repeated:
			// Another command with this id came first. Whether it was the same one,
			// Decide can tell now.
		case err == nil:
			return Answer{Request: evolve(r, events), Position: done.Position}, nil
		case !errors.As(err, &conflict):
			return Answer{}, fmt.Errorf("append to request %s: %w", request, err)
		}
	}
	return Answer{}, ctx.Err()
}

// evolve folds events that were just decided, before a log has placed them.
func evolve(r domain.Request, events []domain.Event) domain.Request {
	for _, ev := range events {
		r = domain.Evolve(r, domain.Recorded{Event: ev, Version: r.Version + 1})
	}
	return r
}

// Load folds a request's events. A request that does not exist is the zero
// value.
func (e *Engine) Load(ctx context.Context, request uuid.UUID) (domain.Request, error) {
	r, _, err := e.loadUntil(ctx, request, math.MaxInt)
	return r, err
}

func (e *Engine) loadUntil(ctx context.Context, request uuid.UUID, last domain.Version) (domain.Request, domain.Tip, error) {
	var r domain.Request
	var end domain.Entry
	for entry, err := range e.log.ReadStream(ctx, domain.RequestStream(request), 0) {
		if err == nil && entry.Version > last {
			break
		}
		var ev domain.Recorded
		if err == nil {
			ev, err = domain.Decode(entry)
		}
		if err != nil {
			return domain.Request{}, domain.Tip{}, fmt.Errorf("load request %s: %w", request, err)
		}
		r, end = domain.Evolve(r, ev), entry
	}
	if !r.Exists() {
		return r, domain.Tip{}, nil
	}
	return r, end.Tip(), nil
}

func (e *Engine) complete(h *domain.Header) error {
	if h.ID == uuid.Nil {
		return errors.New("command without an id")
	}
	if h.Occurred.IsZero() {
		h.Occurred = e.now()
	}
	return nil
}

func (e *Engine) newReference(ctx context.Context) (domain.Reference, error) {
	for {
		ref := domain.NewReference(e.random())
		if e.taken == nil {
			return ref, nil
		}
		taken, err := e.taken(ctx, ref)
		if err != nil {
			return "", fmt.Errorf("draw a reference: %w", err)
		}
		if !taken {
			return ref, nil
		}
	}
}
