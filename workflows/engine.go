package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
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
	vault   Vault
	working Almanac
	cache   *lru.Cache[uuid.UUID, loaded]
	observe func() func(Outcome)
}

// cacheSize is how many folded requests an engine remembers. One takes about a
// kilobyte and 200 bytes for each of its events.
const cacheSize = 8192

// EngineConfig is what an engine needs besides the log and the library.
type EngineConfig struct {
	// Now is the clock that dates commands which do not say when they happened.
	Now func() time.Time
	// Random is a cryptographic source of 64 bits, for references.
	Random func() uint64
	// Taken tells whether a reference is in use. It may be nil: two of ten
	// million requests then share one with a chance of 0.4 %.
	Taken func(context.Context, domain.Reference) (bool, error)
	// Vault seals personal data. It may be nil: commands that bring any are then
	// refused.
	Vault Vault
	// Calendars are those that terms are run by. They may be nil: then each tenant has
	// the one that is shipped, in its zone.
	Calendars Almanac
	// Observe is called as a command of somebody else than the system begins, and what it
	// returns with what became of it. It may be nil.
	Observe func() func(Outcome)
}

// Outcome is what became of a command. Nothing in it is personal; an error is, at most,
// for the log of the server.
type Outcome struct {
	Service  string // empty where there is none of that name, or no such request
	Repeated bool
	Err      error
}

// Almanac gives the working calendar of a tenant.
type Almanac interface {
	// Known is the calendar as it was when the log was last looked at. It is asked for
	// with every command.
	Known(context.Context, domain.TenantCode) (*calendar.Calendar, error)
	// Latest looks at the log.
	Latest(context.Context, domain.TenantCode) (*calendar.Calendar, error)
	// KnownAt is the calendar as it was known at a moment, by when its decrees were
	// recorded. It looks at the log.
	KnownAt(context.Context, domain.TenantCode, time.Time) (*calendar.Calendar, error)
}

// NewEngine returns an engine over a log.
func NewEngine(log domain.EventLog, library *Library, c EngineConfig) *Engine {
	cache, _ := lru.New[uuid.UUID, loaded](cacheSize) // fails only for a size below one
	working := c.Calendars
	if working == nil {
		working = shipped{}
	}
	return &Engine{log: log, library: library, now: func() time.Time { return c.Now().Truncate(part) }, random: c.Random, taken: c.Taken, vault: c.Vault, working: working, cache: cache, observe: c.Observe}
}

// Answer is what a command led to: the request as it then was, and the position
// of its event. Repeated says that the command was part of the request before,
// and that this is the first answer again.
type Answer struct {
	Request  domain.Request
	Position domain.Position
	Repeated bool
}

// Submit begins a request under the version of its service's workflow that is in
// force when it arrives, by the engine's clock: nobody chooses the rules by a date.
// Errors: [*domain.Refusal].
func (e *Engine) Submit(ctx context.Context, c domain.Submit) (Answer, error) {
	if err := identified(c); err != nil {
		return Answer{}, err
	}
	if c.Reference == "" {
		ref, err := e.newReference(ctx)
		if err != nil {
			return Answer{}, err
		}
		c.Reference = ref
	}
	request, dated := domain.RequestID(c.ID), domain.At(c, e.now())
	// A command that nobody sent before begins a request that nobody needs to look
	// for: if it is there after all, the append finds it.
	at, _ := e.cache.Get(request)
	return e.execute(ctx, request, at, true, dated, func(r domain.Request) (*Workflow, error) {
		if r.Exists() {
			return e.library.Version(ctx, r.Tenant, r.Under(c.ID))
		}
		w, err := e.library.InForce(ctx, c.Tenant, c.Service, e.now())
		if errors.Is(err, domain.ErrNotFound) {
			return nil, domain.NewRefusal(domain.RuleService,
				fmt.Sprintf("tenant %s has no service %q", c.Tenant, c.Service), "check the service code; its workflow must be published for this tenant")
		}
		return w, err
	})
}

// Act takes a command on a request, any but a submission, under the workflow version
// the request is under. Errors: [*domain.Refusal];
// [*domain.ConflictError] when the command named a version and the request is at
// another.
func (e *Engine) Act(ctx context.Context, request uuid.UUID, c domain.Command) (Answer, error) {
	if err := identified(c); err != nil {
		return Answer{}, err
	}
	c = domain.At(c, e.now())
	at, remembered := e.cache.Get(request)
	return e.execute(ctx, request, at, remembered, c, func(r domain.Request) (*Workflow, error) {
		if !r.Exists() {
			return nil, domain.NewRefusal(domain.RuleNotSubmitted, "there is no such request", "submit it first")
		}
		return e.library.Version(ctx, r.Tenant, r.Under(c.Head().ID))
	})
}

// loaded is a request as it was folded, and where its stream then stood.
type loaded struct {
	request domain.Request
	tip     domain.Tip
}

// execute decides and appends, and begins anew when somebody else appended
// first. A command that named the version it saw is then refused by Decide; one
// that did not is judged by the request as it has become. What is remembered or
// supposed of a request may be out of date, so nothing is refused before it was
// read again.
func (e *Engine) execute(ctx context.Context, request uuid.UUID, at loaded, supposed bool, c domain.Command, rules func(domain.Request) (*Workflow, error)) (answer Answer, err error) {
	if e.observe != nil && c.Head().Actor != domain.System() {
		observed, of, service := e.observe(), rules, ""
		rules = func(r domain.Request) (*Workflow, error) {
			w, err := of(r)
			if err == nil {
				service = w.Definition.ID
			}
			return w, err
		}
		defer func() { observed(Outcome{service, answer.Repeated, err}) }()
	}
	fired := 0 // moments that had come
	var overtaken error
	var passed domain.Waking
	for ctx.Err() == nil { // each time round, somebody else got something done
		if !supposed {
			var err error
			if at, err = e.read(ctx, request, at); err != nil {
				return Answer{}, err
			}
		}
		if id, due, ok := at.request.Overdue(c.Head().Occurred); ok && !waitsFor(c, id, due) {
			if overtaken != nil && id == passed.Term && due.Equal(passed.At) {
				return Answer{}, overtaken // it waits for the moment still
			}
			passed = domain.Waking{Term: id, At: due}
			fired++
			_, err := e.Expire(ctx, request, id, due)
			if overtaken = err; err != nil && !isRefusal(err, domain.RuleTerm) || fired > domain.MaxFollowing {
				return Answer{}, errors.Join(err, tooOften(fired, id))
			}
			supposed = false // a refusal may say that a sweeper was faster
			continue
		}
		answer, again, err := e.attempt(ctx, request, at, c, rules)
		recorded := answer.Position > 0
		if err == nil && !again {
			return answer, nil
		}
		if err != nil && (recorded || !supposed) {
			return Answer{}, err
		}
		supposed = false
	}
	return Answer{}, ctx.Err()
}

// attempt decides and appends once. Again says that the log has moved on.
func (e *Engine) attempt(ctx context.Context, request uuid.UUID, at loaded, c domain.Command, rules func(domain.Request) (*Workflow, error)) (answer Answer, again bool, err error) {
	w, err := rules(at.request)
	if err != nil {
		return Answer{}, false, err
	}
	if w, err = e.timed(ctx, w, at.request, c); err != nil {
		return Answer{}, false, err
	}
	if err := e.covered(ctx, request, at.request, c); err != nil {
		return Answer{}, false, err
	}
	events, err := domain.Decide(at.request, c, w)
	if err != nil {
		return Answer{}, false, err
	}
	if len(events) == 0 {
		first, _ := at.request.Answer(c.Head().ID)
		if err := e.sameSealed(ctx, request, at.request.First(c.Head().ID), c); err != nil {
			return Answer{}, false, err
		}
		r, err := e.loadUntil(ctx, request, first.Version)
		return Answer{Request: r, Position: first.Position, Repeated: true}, false, err
	}
	if err := e.seal(ctx, w, at.request, c, at.tip, events); err != nil {
		return Answer{}, false, err
	}
	a, tip, err := domain.Enter(domain.RequestStream(request), at.tip, e.now(), events)
	if err != nil {
		return Answer{}, false, err
	}
	done, err := e.log.Append(ctx, a)
	var conflict *domain.ConflictError
	switch {
	case err == nil && done.Repeated:
		// Another command with this id came first. Whether it was the same one,
		// Decide can tell when it has read it.
		return Answer{}, true, nil
	case err == nil:
		r := evolve(at.request, events, done.Position)
		e.cache.Add(request, loaded{r, tip})
		return Answer{Request: r, Position: done.Position}, false, e.alive(ctx, events)
	case errors.As(err, &conflict):
		return Answer{}, true, nil
	}
	e.cache.Remove(request)
	return Answer{}, false, fmt.Errorf("append to request %s: %w", request, err)
}

// evolve folds events that were just recorded; last is the position of the last.
// Only that one is known, and only that one is ever answered with.
func evolve(r domain.Request, events []domain.Event, last domain.Position) domain.Request {
	for _, ev := range events {
		r = domain.Evolve(r, domain.Recorded{Event: ev, Version: r.Version + 1, Position: last})
	}
	return r
}

// Load folds a request's events as the log has them now. A request that does not
// exist is the zero value.
func (e *Engine) Load(ctx context.Context, request uuid.UUID) (domain.Request, error) {
	at, _ := e.cache.Get(request)
	at, err := e.read(ctx, request, at)
	return at.request, err
}

// read folds what was recorded of a request since it was last read.
func (e *Engine) read(ctx context.Context, request uuid.UUID, from loaded) (loaded, error) {
	at := from
	var last domain.Entry
	for entry, err := range e.log.ReadStream(ctx, domain.RequestStream(request), from.tip.Version) {
		var ev domain.Recorded
		if err == nil {
			ev, err = domain.Decode(entry)
		}
		if err != nil {
			return loaded{}, fmt.Errorf("load request %s: %w", request, err)
		}
		at.request, last = domain.Evolve(at.request, ev), entry
	}
	if last.Version == 0 {
		return at, nil
	}
	at.tip = last.Tip()
	e.cache.Add(request, at)
	return at, nil
}

func (e *Engine) loadUntil(ctx context.Context, request uuid.UUID, last domain.Version) (domain.Request, error) {
	var r domain.Request
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return domain.Request{}, fmt.Errorf("load request %s: %w", request, err)
		}
		if ev.Version > last {
			break
		}
		r = domain.Evolve(r, ev)
	}
	return r, nil
}

func identified(c domain.Command) error {
	if c.Head().ID == uuid.Nil {
		return errors.New("command without an id")
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

// isRefusal tells a refusal under a rule from other errors.
func isRefusal(err error, rule domain.Rule) bool {
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && refusal.Rule == rule
}
