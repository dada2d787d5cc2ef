package workflows

import (
	"context"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
)

// mentioned is what the events of a command say that may have to be told.
type mentioned struct {
	before   *domain.Request // as the command found it
	notices  []domain.NoticeDue
	reminded []domain.TermReminded
	reason   domain.ReasonCode
	refused  []domain.DocumentID
	terms    []domain.TermEvent // what is public of terms of law, and all of others
	migrated *domain.Basis
	ordered  bool // that the terms stand still, or go on
}

func (s *mentioned) note(body domain.Body) {
	switch b := body.(type) {
	case domain.NoticeDue:
		s.notices = append(s.notices, b)
	case domain.ActionTaken:
		s.because(b.Reason)
	case domain.SuspensionOrdered:
		s.because(b.Reason)
		s.ordered = true
	case domain.SuspensionLifted:
		s.ordered = true
	case domain.DocumentRefused:
		s.refused = append(s.refused, b.Document)
	case domain.RequestMigrated:
		s.migrated = &b.Ground
	case domain.TermReminded:
		s.reminded = append(s.reminded, b)
	case domain.TermExtended:
		s.because(b.Reason)
		s.terms = append(s.terms, b)
	case domain.TermCarried:
		if b.Budget != b.WasBudget {
			s.terms = append(s.terms, b)
		}
	case domain.TermRecomputed:
		if !b.Was.Equal(b.Due) { // else it is only more certain, or less
			s.terms = append(s.terms, b)
		}
	case domain.TermEnded, domain.TermEscalated: // the status tells the one; the other is the office's
	case domain.TermEvent:
		s.terms = append(s.terms, b)
	}
}

func (s *mentioned) because(r domain.ReasonCode) {
	if r != "" {
		s.reason = r
	}
}

// Timed is what became of the time that there is: for a decision, or for the applicant.
type Timed struct {
	Title   Text              // of the term; of one that does not apply any more, by the version that had it
	Own     bool              // it is the applicant's
	Stopped domain.StopGround // it stands still; empty where it runs or is over
	Due     time.Time         // the last moment that is in time
	Unsure  bool              // holidays that are not decreed yet may move that
	Over    bool              // it has passed, and nothing was decided by it
	Dropped bool              // it does not apply any more
}

// changed finds what the applicant has to do now, and what became of their time.
func (t *Telling) changed(ctx context.Context, l *Library, s mentioned) error {
	w, r := t.Workflow, t.Request
	former := w
	if s.before.Exists() {
		var err error
		if former, err = l.Version(ctx, r.Tenant, s.before.Workflow); err != nil {
			return err
		}
		had := former.tasks(*s.before)
		t.Acts = slices.ContainsFunc(w.tasks(r), func(x string) bool { return !slices.Contains(had, x) })
	}
	for _, x := range w.Wanted(r) {
		if x.Refused && slices.Contains(s.refused, x.Document.ID) {
			t.SentBack = append(t.SentBack, x)
		}
	}
	if r.Outcome != "" {
		return nil // it is over, and the status says how
	}
	state, _ := w.State(r.State)
	told := map[domain.TermID]bool{}
	for _, b := range slices.Backward(s.terms) {
		id := b.TermID()
		own := id == domain.StateTerm(r.State) && w.Definition.Applicants(&state)
		if told[id] || !id.Legal() && !own {
			continue
		}
		told[id] = true
		if x, ok := timed(r.Terms[id], b, s.ordered); ok {
			x.Own = own
			title := w.Definition.termTitle(id)
			if title == nil {
				title = former.Definition.termTitle(id)
			}
			if title != nil {
				x.Title = *title
				t.Timed = append(t.Timed, x)
			}
		}
	}
	slices.Reverse(t.Timed)
	return nil
}

// timed is what a term came to by the last that was recorded of it. That one which has run
// out stands still or goes on is told where somebody ordered it, and else nothing new.
func timed(term domain.Term, last domain.TermEvent, ordered bool) (Timed, bool) {
	switch b := last.(type) {
	case domain.TermDropped:
		return Timed{Dropped: true}, true
	case domain.TermExpired:
		return Timed{Due: b.Due, Over: true}, true
	}
	switch {
	case !term.Open():
		return Timed{}, false
	case !term.Expired.IsZero() && !ordered:
		return Timed{}, false
	case !term.Expired.IsZero() && term.Stopped() == "":
		return Timed{Due: term.Expired, Over: true}, true
	case term.Stopped() != "":
		return Timed{Stopped: term.Stopped()}, true
	}
	return Timed{Due: term.Due, Unsure: term.Unsure}, !term.Due.IsZero()
}
