package workflows

import (
	"errors"
	"slices"

	"github.com/alur-id/alur/domain"
)

// Next implements [domain.Workflow]. In the order in which it is looked for: reviews
// are asked for, fees assessed, work offered, notices given, and then the first
// automatic transition whose condition and needs are met is taken.
func (w *Workflow) Next(r domain.Request) (domain.Body, error) {
	s := w.states[r.State]
	if s == nil || s.quiet {
		return nil, nil
	}
	for _, step := range []func(*domain.Request, *stateRules) (domain.Body, error){
		w.askReview, w.assessFee, w.offerTask, w.giveNotice, w.moveOn,
	} {
		if body, err := step(&r, s); body != nil || err != nil {
			return body, w.unjudged(err)
		}
	}
	return nil, nil
}

// stateRules is what follows by itself in a state.
type stateRules struct {
	*State

	fees      []*Fee
	notices   []*Notice
	automatic []*edgeRule
	bars      []domain.ActionID // from work that is given out by rule
	quiet     bool              // nothing follows
}

func (w *Workflow) askReview(r *domain.Request, s *stateRules) (domain.Body, error) {
	if s.Kind != KindGather {
		return nil, nil
	}
	for _, id := range s.Reviews {
		asked, err := w.Definition.asked(id, vars{facts: r.Facts})
		if err != nil {
			return nil, err
		}
		was, ever := r.Dossier.Reviews[id]
		again := s.Join != nil && s.Join.Again == "all"
		switch {
		case !asked, ever && was.Asked > r.Dossier.Entered: // one left open before is asked anew, so that what it comes to is of now
			continue
		case ever && was.Opinion == domain.OpinionApproved && !again:
			continue
		}
		return domain.ReviewRequested{Review: id, Role: w.Definition.review(id).Role}, nil
	}
	return nil, nil
}

func (w *Workflow) assessFee(r *domain.Request, s *stateRules) (domain.Body, error) {
	for _, f := range s.fees {
		if was, done := r.Dossier.Fees[f.ID]; done && !was.Stale {
			continue
		}
		amount, err := f.assess(vars{facts: r.Facts})
		if err != nil {
			return nil, err
		}
		return domain.FeeAssessed{Fee: f.ID, Amount: amount}, nil
	}
	return nil, nil
}

func (w *Workflow) offerTask(r *domain.Request, s *stateRules) (domain.Body, error) {
	if s.Allocate == nil || r.Dossier.Ready > 0 || w.Rests(*r) {
		return nil, nil
	}
	return domain.TaskReady{State: s.ID, Role: s.Owner, Rule: s.Allocate.Rule}, nil
}

func (w *Workflow) giveNotice(r *domain.Request, s *stateRules) (domain.Body, error) {
	for _, n := range s.notices {
		if !slices.Contains(r.Dossier.Told, n.ID) {
			return domain.NoticeDue{Notice: n.ID, State: s.ID, To: n.To}, nil
		}
	}
	return nil, nil
}

func (w *Workflow) moveOn(r *domain.Request, s *stateRules) (domain.Body, error) {
	e, t, err := w.onward(r, s)
	if e == nil || err != nil {
		return nil, err
	}
	if err := w.fire(t); err != nil {
		return nil, err
	}
	return domain.ActionTaken{Action: t.Action, From: t.From, To: t.To, Public: t.Public, Outcome: t.Outcome, Kind: domain.ActionAuto}, nil
}

// onward is the automatic edge that a request goes along as it stands: the first whose
// condition and needs are met; nil where none is.
func (w *Workflow) onward(r *domain.Request, s *stateRules) (*edgeRule, domain.Transition, error) {
	for _, e := range s.automatic {
		t, err := w.lets(r, e)
		var refusal *domain.Refusal
		if err == nil {
			err = r.Lacks(t.Needs)
		}
		switch {
		case err == nil:
			return e, t, nil
		case errors.As(err, &refusal) && !isRefusal(err, domain.RuleCondition): // not yet
		default:
			return nil, t, err
		}
	}
	return nil, domain.Transition{}, nil
}
