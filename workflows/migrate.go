package workflows

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Migrate moves a running request to another version of its workflow. Errors:
// [*domain.Refusal]; what has come of its terms by then is recorded all the same.
func (e *Engine) Migrate(ctx context.Context, request uuid.UUID, c domain.Migrate) (Answer, error) {
	if err := identified(c); err != nil {
		return Answer{}, err
	}
	at, _ := e.cache.Get(request)
	at, err := e.read(ctx, request, at)
	if err == nil {
		c.Former, err = e.former(ctx, at.request, c.From)
	}
	if err != nil {
		return Answer{}, err
	}
	return e.execute(ctx, request, at, true, domain.At(c, e.now()), func(r domain.Request) (*Workflow, error) {
		if !r.Exists() {
			return nil, domain.NewRefusal(domain.RuleNotSubmitted, "there is no such request", "submit it first")
		}
		return e.library.Version(ctx, r.Tenant, domain.WorkflowRef{ID: r.Workflow.ID, Version: c.To})
	})
}

// former is the version of its workflow that a request is moved from; nil for one that
// there is not, which no request is under.
func (e *Engine) former(ctx context.Context, r domain.Request, version int) (domain.Workflow, error) {
	w, err := e.library.Version(ctx, r.Tenant, domain.WorkflowRef{ID: r.Workflow.ID, Version: version})
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return w, nil
}

// Foreseen is what a migration would make of a request.
type Foreseen struct {
	Before, After domain.Request
	Events        []domain.Event // that would be recorded; first what has come of its terms by now
	Refused       *domain.Refusal
}

// Foresee is what [Engine.Migrate] would do with the same command, as it decides it.
// Nothing is recorded.
func (e *Engine) Foresee(ctx context.Context, request uuid.UUID, c domain.Migrate) (Foreseen, error) {
	at, _ := e.cache.Get(request)
	at, err := e.read(ctx, request, at)
	if err != nil {
		return Foreseen{}, err
	}
	c, _ = domain.At(c, e.now()).(domain.Migrate)
	var f Foreseen
	r := at.request
	for fired := 0; ; fired++ {
		id, due, ok := r.Overdue(c.Occurred)
		if !ok {
			break
		}
		if err := tooOften(fired, id); err != nil {
			return Foreseen{}, err
		}
		if r, err = e.foresee(ctx, &f, r, expiry(r, request, id, due), r.Workflow); err != nil || f.Refused != nil {
			f.Before, f.After = r, r
			return f, err
		}
	}
	f.Before, f.After = r, r
	if r.Outcome != "" {
		return f, nil // it has ended, and stays
	}
	if c.Former, err = e.former(ctx, r, c.From); err != nil {
		return Foreseen{}, err
	}
	f.After, err = e.foresee(ctx, &f, r, c, domain.WorkflowRef{ID: r.Workflow.ID, Version: c.To})
	return f, err
}

// foresee adds what a command would lead to.
func (e *Engine) foresee(ctx context.Context, f *Foreseen, r domain.Request, c domain.Command, under domain.WorkflowRef) (domain.Request, error) {
	w, err := e.library.Version(ctx, r.Tenant, under)
	if err != nil {
		return r, err
	}
	if w, err = e.timed(ctx, w, r, c); err != nil {
		return r, err
	}
	events, err := domain.Decide(r, c, w)
	if err != nil {
		return r, refusedIn(err, &f.Refused)
	}
	f.Events = append(f.Events, events...)
	return evolve(r, events, 0), nil
}

// refusedIn takes a refusal out of an error; any other stays one.
func refusedIn(err error, into **domain.Refusal) error {
	if errors.As(err, into) {
		return nil
	}
	return err
}

// Required lists the documents that a request with these facts must have. The error is
// a [*domain.Refusal] when a condition cannot be judged.
func (w *Workflow) Required(facts domain.Facts) ([]domain.DocumentID, error) {
	list, err := w.Definition.required(vars{facts: facts})
	return list, w.unjudged(err)
}
