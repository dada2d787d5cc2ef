package workflows

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Told is what the applicant is told of a step beside where it led: what it rests on when
// it followed by itself, and what the office did that applicants else do themselves. It
// holds nobody's name and no remark.
type Told struct {
	Office   bool          // the office withdrew the request, or corrected it
	Changed  []ToldFact    // by that correction
	Opinions []ToldOpinion // reviews that came out against the request and led there
	System   *System       // whose answer led there
	Rule     Text          // by which it followed, where neither opinion nor answer led there, or what the definition says of its condition
}

// ToldFact is a fact that is another one now; nil is none.
type ToldFact struct {
	Fact     *Fact
	Was, Now any
}

// ToldOpinion is a refused review.
type ToldOpinion struct {
	Review *Review
	By     Text // the role that gives it
	Reason domain.ReasonCode
	Title  Text // of the reason
}

// Told tells of steps of a request, by the version of their events; most have nothing
// beside. It reads the log, which says all that a step rested on. The error is that of
// the log, or of a version of the workflow that cannot be had.
func (e *Engine) Told(ctx context.Context, request uuid.UUID) (map[domain.Version]Told, error) {
	told := map[domain.Version]Told{}
	var r domain.Request
	var command uuid.UUID
	var led []ToldOpinion // by what the command of the last event led to
	var changed []ToldFact
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return nil, err
		}
		if ev.Command != command {
			command, led, changed = ev.Command, nil, nil
		}
		office := ev.Actor.Capacity == domain.CapacityOfficer || ev.Actor.Capacity == domain.CapacitySystem
		switch b := ev.Body.(type) {
		case domain.RequestCorrected:
			w, err := e.library.Version(ctx, r.Tenant, ev.Workflow)
			if err != nil {
				return nil, err
			}
			changed = w.Definition.changes(r.Facts, b.Facts)
		case domain.ActionTaken:
			var one Told
			switch {
			case b.Kind == domain.ActionAuto:
				w, err := e.library.Version(ctx, r.Tenant, ev.Workflow)
				if err != nil {
					return nil, err
				}
				one = w.ledBy(&r, b)
				led = append(led, one.Opinions...)
				if one.Opinions = led; !against(b) {
					one = Told{}
				}
			case office && b.Kind == domain.ActionCorrect:
				one = Told{Office: true, Changed: changed}
			case office && (b.Kind == domain.ActionWithdraw || b.Outcome == domain.OutcomeWithdrawn):
				one.Office = true
			}
			if one.tells() {
				told[ev.Version] = one
			}
		}
		r = domain.Evolve(r, ev)
	}
	return told, nil
}

// against reports whether a step is one whose reason an applicant has to know: it ends the
// request otherwise than with an approval, or sends it back.
func against(b domain.ActionTaken) bool {
	return b.Outcome != "" && b.Outcome != domain.OutcomeApproved || b.Public == domain.StatusNeedsCorrection
}

func (t Told) tells() bool {
	return t.Office || len(t.Opinions) > 0 || t.System != nil || !t.Rule.IsZero()
}

// MayTell reports whether something may be told of a step that led to a state by an
// action: it saves those who ask from reading the log.
func (w *Workflow) MayTell(action domain.ActionID, to domain.StateID) bool {
	return slices.ContainsFunc(w.Definition.Transitions, func(t Transition) bool {
		return t.Action == action && t.To == to &&
			(t.Automatic || t.Kind == domain.ActionCorrect || t.Kind == domain.ActionWithdraw || w.states[to].Outcome == domain.OutcomeWithdrawn)
	})
}

// ledBy is what an automatic step of a request rested on: the first transition that could
// be taken as the request then stood.
func (w *Workflow) ledBy(r *domain.Request, b domain.ActionTaken) Told {
	var one Told
	s := w.states[b.From]
	if s == nil {
		return one
	}
	e, t, err := w.onward(r, s)
	if err != nil || e == nil || e.Action != b.Action || e.To != b.To {
		return one // another version of this program went another way
	}
	if t.Needs.Reviews.Result == domain.OpinionRefused {
		for _, id := range t.Needs.Reviews.Join.Reviews {
			if x := r.Dossier.Reviews[id]; x.Opinion == domain.OpinionRefused {
				one.Opinions = append(one.Opinions, w.Definition.toldOpinion(id, x.Reason))
			}
		}
	}
	if t.Needs.Answer != nil {
		one.System = w.Definition.system(t.Needs.Answer.System)
	}
	one.Rule = e.rule.Because
	if len(one.Opinions) == 0 && one.System == nil {
		one.Rule = cmp.Or(one.Rule, w.actions[b.Action].Title)
	}
	return one
}

func (d *Definition) toldOpinion(id domain.ReviewID, reason domain.ReasonCode) ToldOpinion {
	o := ToldOpinion{Review: d.review(id), Reason: reason, Title: Text{string(reason), string(reason)}}
	for _, x := range d.Roles {
		if x.ID == o.Review.Role {
			o.By = x.Title
		}
	}
	if title := d.ReasonTitle(reason); !title.IsZero() {
		o.Title = title
	}
	return o
}

// changes are the facts that differ, in the order of the definition.
func (d *Definition) changes(was, now domain.Facts) []ToldFact {
	names := maps.Clone(was)
	if names == nil {
		names = domain.Facts{}
	}
	maps.Copy(names, now)
	var list []ToldFact
	for i := range d.Facts {
		id := d.Facts[i].ID
		if _, there := names[id]; there && was[id] != now[id] {
			list = append(list, ToldFact{&d.Facts[i], was[id], now[id]})
		}
	}
	return list
}
