package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Notices is how the applicant of a request wants to be told, and what became of the
// messages so far; the zero value where nothing was recorded.
func (e *Engine) Notices(ctx context.Context, request uuid.UUID) (domain.Notices, error) {
	s, err := e.noticed(ctx, request)
	return s.notices, err
}

// noticed is the stream of what the applicant of a request was told.
type noticed struct {
	notices  domain.Notices
	tip      domain.Tip
	commands []uuid.UUID
}

func (e *Engine) noticed(ctx context.Context, request uuid.UUID) (noticed, error) {
	var s noticed
	for entry, err := range e.log.ReadStream(ctx, domain.NoticeStream(request), 0) {
		if err != nil {
			return s, fmt.Errorf("load notices of request %s: %w", request, err)
		}
		ev, err := domain.Decode(entry)
		if err != nil {
			return s, err
		}
		s.notices, s.tip, s.commands = domain.EvolveNotices(s.notices, ev), entry.Tip(), append(s.commands, ev.Command)
	}
	return s, nil
}

// Prefer records how an applicant wants to be told. Only the applicant says so, at a
// counter too: who acts for somebody else does not decide by what that person learns of
// it. Errors: [*domain.Refusal].
func (e *Engine) Prefer(ctx context.Context, request uuid.UUID, h domain.Header, p domain.NoticesPreferred) error {
	r, err := e.Load(ctx, request)
	if err != nil {
		return err
	}
	if !r.Exists() {
		return domain.NewRefusal(domain.RuleNotSubmitted, "there is no such request", "submit it first")
	}
	w, err := e.library.Version(ctx, r.Tenant, r.Workflow)
	if err != nil {
		return err
	}
	if err := errors.Join(identified(domain.Pick{Header: h}), h.Actor.Check(), p.Check()); err != nil {
		return err
	}
	if !w.Definition.IsApplicant(h.Actor.Role) {
		return domain.NewRefusal(domain.RuleRole, fmt.Sprintf("role %q does not ask for this service", h.Actor.Role), "possible for "+domain.Listed(w.Definition.Submit))
	}
	if c := h.Actor.Capacity; c != domain.CapacitySelf && c != domain.CapacityCounter {
		return domain.NewRefusal(domain.RuleCapacity, fmt.Sprintf("capacity %q does not say how the applicant is told", c), "possible as self, or at a counter with the applicant")
	}
	if h.Correlation == uuid.Nil {
		h.Correlation = h.ID
	}
	return e.notice(ctx, domain.Envelope{Tenant: r.Tenant, Service: r.Service, Office: w.Office(), Actor: h.Actor, Workflow: r.Workflow, Correlation: h.Correlation}, r, nil, func(s noticed) (uuid.UUID, int, domain.Body) {
		if slices.Contains(s.commands, h.ID) {
			return h.ID, 0, nil
		}
		return h.ID, 0, p
	})
}

// RecordMessage records what became of a message, once: what was sent stays sent, and
// what was given up is recorded again only when it was sent after all. The personal data
// (to whom, and what it said) is sealed under the key of the request, and left out where
// that was destroyed.
func (e *Engine) RecordMessage(ctx context.Context, t Telling, o domain.MessageOutcome, personal domain.Personal) error {
	envelope := t.First.Envelope
	envelope.Actor, envelope.Box, envelope.Workflow = domain.System(), nil, t.Request.Workflow
	return e.notice(ctx, envelope, t.Request, personal, func(s noticed) (uuid.UUID, int, domain.Body) {
		was, known := s.notices.Outcome(o.ID)
		switch {
		case known && (was.Fault == "" || o.Fault != ""):
			return o.ID, 0, nil
		case o.Fault != "":
			return o.ID, 0, domain.ApplicantNotNotified{Message: o.Message, Fault: o.Fault}
		}
		return o.ID, 1, domain.ApplicantNotified{Message: o.Message}
	})
}

// notice appends what propose says of the stream as it is; a nil body is nothing. It asks
// again when somebody else was faster.
func (e *Engine) notice(ctx context.Context, envelope domain.Envelope, r domain.Request, personal domain.Personal, propose func(noticed) (command uuid.UUID, index int, b domain.Body)) error {
	stream := domain.NoticeStream(r.ID)
	for ctx.Err() == nil {
		s, err := e.noticed(ctx, r.ID)
		if err != nil {
			return err
		}
		command, index, body := propose(s)
		if body == nil {
			return nil
		}
		ev := domain.Event{Envelope: envelope, Body: body}
		ev.ID, ev.Command, ev.Occurred = domain.EventID(command, index), command, e.now()
		if err := e.sealNotice(ctx, r, &ev, domain.Place{Stream: stream, Version: s.tip.Version + 1}, personal); err != nil {
			return err
		}
		a, _, err := domain.Enter(stream, s.tip, e.now(), []domain.Event{ev})
		if err != nil {
			return err
		}
		_, err = e.log.Append(ctx, a)
		var conflict *domain.ConflictError
		if !errors.As(err, &conflict) {
			return err
		}
	}
	return ctx.Err()
}

// sealNotice seals what is personal in a message. Its key may have been destroyed while
// the message was under way: what became of it is recorded all the same.
func (e *Engine) sealNotice(ctx context.Context, r domain.Request, ev *domain.Event, at domain.Place, personal domain.Personal) error {
	if personal == nil || e.vault == nil || r.Key == uuid.Nil {
		return nil
	}
	at.Type, _ = ev.Body.Type()
	box, err := e.vault.Seal(ctx, r.Key, at, personal)
	if errors.Is(err, domain.ErrErased) || errors.Is(err, domain.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("seal a message: %w", err)
	}
	ev.Box = &box
	return nil
}
