package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Mandate is a mandate as the log has it now. The error is [domain.ErrNotFound] for none.
func (e *Engine) Mandate(ctx context.Context, id uuid.UUID) (domain.Mandate, error) {
	m, err := e.mandate(ctx, id)
	if err == nil && !m.Exists() {
		err = fmt.Errorf("mandate %s: %w", id, domain.ErrNotFound)
	}
	return m.Mandate, err
}

// mandateRead is a mandate and what else its stream says.
type mandateRead struct {
	domain.Mandate
	first domain.Recorded // which holds, sealed, who gave it
	tip   domain.Tip
}

func (e *Engine) mandate(ctx context.Context, id uuid.UUID) (m mandateRead, err error) {
	for entry, err := range e.log.ReadStream(ctx, domain.MandateStream(id), 0) {
		var ev domain.Recorded
		if err == nil {
			ev, err = domain.Decode(entry)
		}
		if err != nil {
			return m, fmt.Errorf("load mandate %s: %w", id, err)
		}
		if m.Mandate = domain.EvolveMandate(m.Mandate, ev); ev.Version == 1 {
			m.first = ev
		}
		m.tip = entry.Tip()
	}
	return m, nil
}

// Grant records a mandate, for services that its tenant has. It is whoever records it who
// has seen that the principal gave it: a signed paper, or the principal themselves.
// Errors: [*domain.Refusal].
func (e *Engine) Grant(ctx context.Context, c domain.GrantMandate) (domain.Mandate, error) {
	if err := identified(c); err != nil {
		return domain.Mandate{}, err
	}
	if e.vault == nil {
		return domain.Mandate{}, domain.NewRefusal(domain.RulePersonalData, "personal data cannot be sealed here", "record the mandate where it can be")
	}
	c.Services = slices.Clone(c.Services)
	for _, s := range c.Services {
		if _, err := e.library.Versions(ctx, c.Tenant, s); errors.Is(err, domain.ErrNotFound) {
			return domain.Mandate{}, domain.NewRefusal(domain.RuleService, fmt.Sprintf("tenant %s has no service %q", c.Tenant, s), "check the service code")
		} else if err != nil {
			return domain.Mandate{}, err
		}
	}
	c.Occurred = e.now()
	return e.changeMandate(ctx, domain.MandateID(c.ID), c)
}

// EndMandate ends a mandate: nothing more is recorded under it. What is being decided at
// the same moment may still be. Errors: [*domain.Refusal].
func (e *Engine) EndMandate(ctx context.Context, id uuid.UUID, c domain.EndMandate) (domain.Mandate, error) {
	if err := identified(c); err != nil {
		return domain.Mandate{}, err
	}
	c.Occurred = e.now()
	return e.changeMandate(ctx, id, c)
}

// changeMandate decides and appends, and begins anew when somebody else was faster.
func (e *Engine) changeMandate(ctx context.Context, id uuid.UUID, c domain.Command) (domain.Mandate, error) {
	for ctx.Err() == nil {
		m, err := e.mandate(ctx, id)
		if err != nil {
			return domain.Mandate{}, err
		}
		events, err := domain.DecideMandate(m.Mandate, c)
		if err != nil {
			return domain.Mandate{}, err
		}
		if len(events) == 0 {
			return m.Mandate, e.sameGrant(ctx, m, c)
		}
		if err := e.sealPrincipal(ctx, id, c, &events[0]); err != nil {
			return domain.Mandate{}, err
		}
		a, _, err := domain.Enter(domain.MandateStream(id), m.tip, e.now(), events)
		if err != nil {
			return domain.Mandate{}, err
		}
		done, err := e.log.Append(ctx, a)
		var conflict *domain.ConflictError
		switch {
		case errors.As(err, &conflict) || err == nil && done.Repeated:
			continue
		case err != nil:
			return domain.Mandate{}, fmt.Errorf("append to mandate %s: %w", id, err)
		}
		return domain.EvolveMandate(m.Mandate, domain.Recorded{Event: events[0], Version: m.Version + 1, Position: done.Position}), e.alive(ctx, events)
	}
	return domain.Mandate{}, ctx.Err()
}

// principalField is what the identity of whoever gave a mandate, and of whoever asks, is
// called among what is sealed.
const principalField = "identity"

// sealPrincipal seals who gives a mandate, with the event that it is granted by.
func (e *Engine) sealPrincipal(ctx context.Context, id uuid.UUID, c domain.Command, ev *domain.Event) error {
	g, grants := c.(domain.GrantMandate)
	if !grants {
		return nil
	}
	principal, err := domain.ParseIdentity(string(g.Principal))
	if err != nil {
		return err
	}
	key, err := e.vault.Key(ctx, e.vault.Subject(string(principal)), domain.MandateClass)
	if err != nil {
		return fmt.Errorf("key for personal data: %w", err)
	}
	name, _ := ev.Body.Type()
	box, err := e.vault.Seal(ctx, key, domain.Place{Stream: domain.MandateStream(id), Version: 1, Type: name}, domain.Personal{principalField: string(principal)})
	if err != nil {
		return fmt.Errorf("seal who gives the mandate: %w", err)
	}
	ev.Box = &box
	return nil
}

// sameGrant refuses a grant that repeats another in all but who gives it.
func (e *Engine) sameGrant(ctx context.Context, m mandateRead, c domain.Command) error {
	g, grants := c.(domain.GrantMandate)
	if !grants {
		return nil
	}
	was, err := e.identityIn(ctx, m.first)
	if err != nil {
		return err
	}
	if is, err := domain.ParseIdentity(string(g.Principal)); err != nil || is != was {
		return domain.NewRefusal(domain.RuleCommandReused, "this command id was used for a mandate of somebody else", "use a new id for each command")
	}
	return nil
}

// covered refuses a command that is given under a mandate which does not cover it: not
// this actor's, not for this service, not in force, or given by somebody else than the
// applicant. One that is part of the request already was covered when it came.
func (e *Engine) covered(ctx context.Context, request uuid.UUID, r domain.Request, c domain.Command) error {
	h := c.Head()
	if _, again := r.Answer(h.ID); again || h.Actor.Mandate == uuid.Nil {
		return nil
	}
	m, err := e.mandate(ctx, h.Actor.Mandate)
	if err != nil {
		return err
	}
	tenant, service := r.Tenant, r.Service
	if s, ok := c.(domain.Submit); ok {
		tenant, service = s.Tenant, s.Service
	}
	if err := m.Covers(h.Actor, tenant, service, h.Occurred); err != nil {
		return err
	}
	if e.vault == nil {
		return domain.NewRefusal(domain.RulePersonalData, "personal data cannot be opened here, and so not who gave the mandate", "ask where it can be")
	}
	principal, err := e.identityIn(ctx, m.first)
	if err != nil {
		return err
	}
	applicant, err := e.applicant(ctx, request, c)
	if err != nil {
		return err
	}
	if applicant != principal {
		return domain.NewRefusal(domain.RuleMandate, "the mandate was not given by the applicant", "submit the request with the identity of whoever gave the mandate, or name theirs")
	}
	return nil
}

// applicant is who asks, as a submission says or said; empty where it did not.
func (e *Engine) applicant(ctx context.Context, request uuid.UUID, c domain.Command) (domain.Identity, error) {
	if s, ok := c.(domain.Submit); ok {
		if s.Identity == "" {
			return "", nil
		}
		return domain.ParseIdentity(string(s.Identity))
	}
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return "", fmt.Errorf("load request %s: %w", request, err)
		}
		return e.identityIn(ctx, ev)
	}
	return "", nil
}

// identityIn opens whose identity is sealed with an event; empty for nobody's.
func (e *Engine) identityIn(ctx context.Context, ev domain.Recorded) (domain.Identity, error) {
	if ev.Box == nil {
		return "", nil
	}
	p, err := e.vault.Open(ctx, *ev.Box, ev.Place())
	if errors.Is(err, domain.ErrErased) || errors.Is(err, domain.ErrNotFound) {
		return "", domain.NewRefusal(domain.RuleErased, "who it is was erased, or the key is lost: whether the mandate is theirs cannot be told", "have a mandate recorded anew")
	}
	if err != nil {
		return "", fmt.Errorf("open who gave the mandate: %w", err)
	}
	identity, _ := p[principalField].(string)
	return domain.Identity(identity), nil
}
