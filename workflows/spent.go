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
	Others    time.Duration // who is waited for (opinions too), or what nobody can help
}

// Spent adds up how long a request was with whom until a moment, from when it was
// submitted, by [domain.Hands]: statistics count what is decided by the same rule. After an
// end, nobody has it; an imported case that is told by its record has its end there. It reads the log. The error is that of the log, or of a version of the
// workflow that cannot be had.
func (e *Engine) Spent(ctx context.Context, request uuid.UUID, until time.Time) (Spent, error) {
	var spent Spent
	var with *time.Duration
	var r domain.Request
	var since time.Time
	pass := func(to time.Time) {
		if to.After(until) {
			to = until
		}
		counted := to
		if ended := r.EndedByRecord(); !ended.IsZero() && ended.Before(to) {
			counted = ended
		}
		if with != nil && counted.After(since) {
			*with += counted.Sub(since)
		}
		if to.After(since) {
			since = to
		}
	}
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return spent, err
		}
		pass(ev.Occurred)
		if r = domain.Evolve(r, ev); !r.Exists() {
			continue
		}
		w, err := e.library.Version(ctx, r.Tenant, r.Workflow)
		if err != nil {
			return spent, err
		}
		with = spent.with(w, r)
	}
	pass(until)
	return spent, nil
}

// with is to whom the time counts from where a request has come to; to nobody in an end,
// unless a record says when the end is.
func (s *Spent) with(w *Workflow, r domain.Request) *time.Duration {
	state, ok := w.State(r.State)
	if !ok || state.Kind == KindEnd && r.EndedByRecord().IsZero() {
		return nil
	}
	hands := domain.Hands{Acts: domain.ActsIn(w.Definition.actsIn(&state), r.Public), Halt: r.Halt, Reviews: len(w.Reviewers(r)) > 0}
	for _, id := range r.TermIDs() {
		if t := r.Terms[id]; id.Legal() && t.Open() && t.Stopped() != "" {
			hands.Stops = append(hands.Stops, t.Stopped())
		}
	}
	switch hands.Holder() {
	case domain.HeldByAgency:
		return &s.Agency
	case domain.HeldByApplicant:
		return &s.Applicant
	default:
		return &s.Others
	}
}
