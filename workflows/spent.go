package workflows

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Spent is how long a request was with whom, by the clock on the wall: nights and
// holidays count. It is not what the law counts, which the terms say.
type Spent struct {
	Agency    time.Duration
	Applicant time.Duration
	Others    time.Duration // who is waited for, or what nobody can help
}

// Spent adds up how long a request was with whom until a moment, from when it was
// submitted. While a term of law stands still, its ground says with whom; else who has to
// act in the state. After an end, nobody has it. It reads the log. The error is that of
// the log, or of a version of the workflow that cannot be had.
func (e *Engine) Spent(ctx context.Context, request uuid.UUID, until time.Time) (Spent, error) {
	var spent Spent
	var with *time.Duration
	var w *Workflow
	var state domain.StateID
	var ground domain.StopGround
	var since time.Time
	pass := func(to time.Time) {
		if to.After(until) {
			to = until
		}
		if with != nil && to.After(since) {
			*with += to.Sub(since)
		}
		if to.After(since) {
			since = to
		}
	}
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return spent, err
		}
		m, moves := domain.MoveOf(ev.Body)
		ref := ev.Workflow
		switch b := ev.Body.(type) {
		case domain.RequestSubmitted:
			m.To, moves = b.State, true
		case domain.RequestMigrated:
			ref.Version = b.ToVersion
		case domain.TermSuspended:
			if !b.Term.Legal() {
				continue
			}
			ground = b.Ground
		case domain.TermResumed:
			if !b.Term.Legal() {
				continue
			}
			ground = ""
		default:
			if !moves {
				continue
			}
		}
		pass(ev.Occurred)
		if moves {
			if w, err = e.library.Version(ctx, ev.Tenant, ref); err != nil {
				return spent, err
			}
			state = m.To
		}
		with = spent.with(w, state, ground)
	}
	pass(until)
	return spent, nil
}

// with is to whom the time counts that a request stands in a state, while its terms of
// law stand still on a ground, or on none; to nobody in an end.
func (s *Spent) with(w *Workflow, id domain.StateID, ground domain.StopGround) *time.Duration {
	if w == nil {
		return nil
	}
	state, ok := w.State(id)
	switch {
	case !ok || state.Kind == KindEnd:
		return nil
	case ground == domain.StopApplicant, w.Definition.Applicants(&state):
		return &s.Applicant
	case ground == domain.StopOtherAgency, ground == domain.StopForceMajeure, state.Kind == KindWait:
		return &s.Others
	}
	return &s.Agency
}
