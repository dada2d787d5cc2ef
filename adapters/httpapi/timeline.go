package httpapi

import (
	"context"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

type timelineOutput struct {
	Body struct {
		Reference domain.Reference `json:"reference"`
		Steps     []step           `json:"steps" doc:"oldest first; never who did it"`
	}
}

// step is a line of the timeline, with what it rests on where nobody took it, and what the
// office did in the applicant's place.
type step struct {
	projections.Step
	ByOffice bool      `json:"by_office,omitempty" doc:"of a withdrawal or a correction: it was done by the office, and not by the applicant"`
	Changed  []changed `json:"changed,omitempty" doc:"by a correction of the office"`
	Opinions []opinion `json:"opinions,omitempty" doc:"the reviews against the request that led here"`
	System   *title    `json:"system,omitempty" doc:"whose answer led here"`
	Rule     *title    `json:"rule,omitempty" doc:"by which it followed"`
}

type changed struct {
	Fact  string `json:"fact"`
	Title title  `json:"title"`
	Was   any    `json:"was,omitempty"`
	Now   any    `json:"now,omitempty"`
}

type opinion struct {
	Review domain.ReviewID   `json:"review"`
	Title  title             `json:"title"`
	By     title             `json:"by" doc:"the role that gave it"`
	Reason domain.ReasonCode `json:"reason"`
	Why    title             `json:"reason_title"`
}

func (a *api) steps(ctx context.Context, in *requestInput) (*timelineOutput, error) {
	err := a.waitFor(ctx, in.Position, ofStatus, ofTimeline)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	r, err := a.named(ctx, in.Reference)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	steps, err := a.Timeline.Of(ctx, r.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	told, err := a.Engine.Told(ctx, r.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &timelineOutput{}
	out.Body.Reference, out.Body.Steps = r.Reference, []step{}
	for _, x := range steps {
		out.Body.Steps = append(out.Body.Steps, stepOf(x, told[x.Version]))
	}
	return out, nil
}

func stepOf(x projections.Step, told workflows.Told) step {
	one := step{Step: x, ByOffice: told.Office}
	for _, f := range told.Changed {
		one.Changed = append(one.Changed, changed{f.Fact.ID, titleOf(f.Fact.Title), f.Was, f.Now})
	}
	for _, o := range told.Opinions {
		one.Opinions = append(one.Opinions, opinion{o.Review.ID, titleOf(o.Review.Title), titleOf(o.By), o.Reason, titleOf(o.Title)})
	}
	if told.System != nil {
		t := titleOf(told.System.Title)
		one.System = &t
	}
	if !told.Rule.IsZero() {
		t := titleOf(told.Rule)
		one.Rule = &t
	}
	return one
}
