package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// patience is how long a read waits for a position it was asked to include.
const patience = 5 * time.Second

type requestInput struct {
	Reference string `path:"reference" doc:"the reference, or the id that an integration event names"`
	Position  int64  `query:"position" minimum:"0" doc:"wait, a few seconds at most, until this position is included"`
}

type title struct {
	ID string `json:"id"`
	EN string `json:"en"`
}

func titleOf(t workflows.Text) title { return title{ID: t.ID, EN: t.EN} }

// possible is an action that can be taken now.
type possible struct {
	Action  domain.ActionID     `json:"action"`
	Title   title               `json:"title"`
	Roles   []domain.RoleID     `json:"roles"`
	Reasons []domain.ReasonCode `json:"reasons,omitempty" doc:"when there are any, one must be given"`
	Records []string            `json:"records,omitempty" doc:"facts that have to come with it"`
	Blocked *blocked            `json:"blocked,omitempty" doc:"why it would be refused now, whoever takes it; left out when nothing stands against it but who takes it"`
}

// blocked is what stands against an action as the request is.
type blocked struct {
	Rule   domain.Rule `json:"rule" doc:"the code of the problem that the action would be answered with"`
	Detail string      `json:"detail"`
	Remedy string      `json:"remedy,omitempty" doc:"what would satisfy the rule"`

	Because *title `json:"because,omitempty" doc:"what the workflow says of the condition, in words for the public"`
}

// wanted is a document that the applicant has to hand in.
type wanted struct {
	Document domain.DocumentID `json:"document"`
	Title    title             `json:"title"`
	Formats  []string          `json:"formats" doc:"any of these"`
	MaxSize  string            `json:"max_size" example:"5 MB"`
	Refused  bool              `json:"refused" doc:"the one that was handed in was sent back"`
	Reason   domain.ReasonCode `json:"reason,omitempty" doc:"why it was sent back"`
}

type requestOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		Reference domain.Reference    `json:"reference"`
		Tenant    domain.TenantCode   `json:"tenant"`
		Service   string              `json:"service"`
		Workflow  domain.WorkflowRef  `json:"workflow"`
		State     domain.StateID      `json:"state"`
		Title     title               `json:"state_title"`
		Public    domain.PublicStatus `json:"public_status"`
		Outcome   domain.Outcome      `json:"outcome,omitempty"`
		Facts     map[string]any      `json:"facts,omitempty"`
		Submitted time.Time           `json:"submitted"`
		Changed   time.Time           `json:"changed"`
		Ended     time.Time           `json:"ended,omitzero" doc:"of a case that was imported: by its record, while nothing was done with it here"`
		Version   domain.Version      `json:"version"`
		Dossier   workflows.Gathered  `json:"dossier" doc:"what the request has gathered"`
		Terms     []workflows.Clocked `json:"terms" doc:"how much time there is, and for what; those of law first"`
		Halted    domain.StopGround   `json:"halted,omitempty" doc:"the ground on which somebody ordered all terms to stand still"`
		Actions   []possible          `json:"actions" doc:"what leads on from here, and by whom; with what stands against it now"`
		Wanted    []wanted            `json:"wanted" doc:"the documents that the applicant has to hand in now: missing, or sent back"`
		Stalled   string              `json:"stalled,omitempty" doc:"why what should follow by itself does not: a condition of the workflow cannot be judged"`
		Bill      billShown           `json:"bill" doc:"what has to be paid, and what was"`
		Next      *title              `json:"next,omitempty" doc:"what happens next, in words for the applicant"`
		MustAct   bool                `json:"must_act" doc:"it is the applicant who has to act"`
		Holder    *title              `json:"holder,omitempty" doc:"the role that has to act otherwise, in words, or the roles whose opinions it waits for; never a person"`
		Reviewers []title             `json:"reviewers,omitempty" doc:"the roles whose opinions are waited for, in words"`
		Spent     spent               `json:"spent"`
	}
}

type listInput struct {
	Tenant   string `query:"tenant"`
	Service  string `query:"service"`
	State    string `query:"state"`
	Public   string `query:"public_status"`
	After    string `query:"after" doc:"the last reference of the page before"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Position int64  `query:"position" minimum:"0" doc:"wait, a few seconds at most, until this position is included"`
}

type listOutput struct {
	Body struct {
		Requests []projections.Status `json:"requests"`
	}
}

func (a *api) registerReads(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "get-request", Method: http.MethodGet, Path: "/api/v1/requests/{reference}",
		Summary: "Where a request stands and what may be done", Errors: []int{http.StatusNotFound},
	}, a.request)
	huma.Register(h, huma.Operation{
		OperationID: "get-timeline", Method: http.MethodGet, Path: "/api/v1/requests/{reference}/timeline",
		Summary: "What happened to a request, as its applicant may see it", Errors: []int{http.StatusNotFound},
	}, a.steps)
	huma.Register(h, huma.Operation{
		OperationID: "list-requests", Method: http.MethodGet, Path: "/api/v1/requests",
		Summary: "Requests in the order they were submitted",
	}, a.list)
}

func (a *api) request(ctx context.Context, in *requestInput) (*requestOutput, error) {
	r, w, err := a.load(ctx, in)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	var refusal *domain.Refusal
	out := &requestOutput{ETag: etag(r.Version)}
	b := &out.Body
	b.Reference, b.Tenant, b.Service, b.Workflow = r.Reference, r.Tenant, r.Service, r.Workflow
	b.State, b.Public, b.Outcome, b.Facts = r.State, r.Public, r.Outcome, r.Facts
	b.Submitted, b.Changed, b.Ended, b.Version = r.Submitted, r.Changed, r.EndedByRecord(), r.Version
	if s, ok := w.State(r.State); ok {
		b.Title = titleOf(s.Title)
	}
	b.Dossier = workflows.Gather(r.Dossier, w.Definition)
	b.Terms, b.Halted = workflows.Clock(r, w.Definition), r.Halt
	if _, err := w.Next(r); errors.As(err, &refusal) {
		b.Stalled = refusal.Error()
	}
	b.Bill = billOf(w.Bill(r.Dossier))
	b.Actions = []possible{}
	for _, id := range w.Leaving(r.State) {
		t, err := w.Fire(r, id)
		if errors.As(err, &refusal) {
			continue // not for this request
		}
		if err != nil {
			return nil, a.fault(ctx, err, false)
		}
		action, _ := w.Action(id)
		one := possible{Action: id, Title: titleOf(action.Title), Roles: t.Roles, Reasons: t.Reasons, Records: t.Records}
		if err := domain.Against(r, t, w, time.Now()); errors.As(err, &refusal) {
			one.Blocked = &blocked{refusal.Rule, refusal.Detail, refusal.Remedy, becauseOf(refusal)}
		} else if err != nil {
			return nil, a.fault(ctx, err, false)
		}
		b.Actions = append(b.Actions, one)
	}
	if err := a.hold(ctx, r, w, out); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	b.Wanted = []wanted{}
	for _, x := range w.Wanted(r) {
		b.Wanted = append(b.Wanted, wanted{x.Document.ID, titleOf(x.Document.Title), x.Document.Formats, x.Document.MaxSize, x.Refused, x.Reason})
	}
	return out, nil
}

// spent is how long a request was with whom, in seconds by the clock on the wall.
type spent struct {
	Agency    int64 `json:"agency_seconds"`
	Applicant int64 `json:"applicant_seconds"`
	Others    int64 `json:"others_seconds" doc:"who was waited for, or what nobody can help"`
}

// hold says who has a request now, and who had it how long.
func (a *api) hold(ctx context.Context, r domain.Request, w *workflows.Workflow, out *requestOutput) error {
	b := &out.Body
	s, ok := w.State(r.State)
	if ok && !s.Next.IsZero() && !w.Rests(r) {
		t := titleOf(s.Next)
		b.Next = &t
	}
	b.MustAct = ok && w.Applying(r)
	if role := w.Holder(r); !role.IsZero() && !w.Definition.Applicants(&s) {
		t := titleOf(role)
		b.Holder = &t
	}
	for _, role := range w.Reviewers(r) {
		b.Reviewers = append(b.Reviewers, titleOf(role))
	}
	took, err := a.Engine.Spent(ctx, r.ID, time.Now())
	b.Spent = spent{int64(took.Agency.Seconds()), int64(took.Applicant.Seconds()), int64(took.Others.Seconds())}
	return err
}

func (a *api) load(ctx context.Context, in *requestInput) (domain.Request, *workflows.Workflow, error) {
	if err := a.waitFor(ctx, in.Position, ofStatus); err != nil {
		return domain.Request{}, nil, err
	}
	r, err := a.named(ctx, in.Reference)
	if err != nil {
		return domain.Request{}, nil, err
	}
	w, err := a.Library.Version(ctx, r.Tenant, r.Workflow)
	return r, w, err
}

// named is the request that a caller names: by its reference, or by its id, which is
// what integration events say. The public pages take no id.
func (a *api) named(ctx context.Context, name string) (domain.Request, error) {
	id, err := uuid.Parse(name)
	if err != nil || len(name) != len(id.String()) {
		s, err := a.Finder.Find(ctx, name)
		if err != nil {
			return domain.Request{}, err
		}
		id = s.Request
	}
	r, err := a.Engine.Load(ctx, id)
	if err == nil && r.Version == 0 {
		err = domain.ErrNotFound
	}
	return r, err
}

func (a *api) list(ctx context.Context, in *listInput) (*listOutput, error) {
	if err := a.waitFor(ctx, in.Position, ofStatus, ofTerms); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	f := projections.Filter{
		Tenant: domain.TenantCode(in.Tenant), Service: in.Service, State: domain.StateID(in.State),
		Public: domain.PublicStatus(in.Public), Limit: in.Limit,
	}
	if in.After != "" {
		s, err := a.Finder.Find(ctx, in.After)
		if err != nil {
			return nil, a.fault(ctx, err, false)
		}
		f.After = s.Reference
	}
	list, err := a.Status.List(ctx, f)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &listOutput{}
	out.Body.Requests = list
	return out, nil
}

// The views that reads are answered from.
var (
	ofStatus   = projections.StatusProjection{}.Name()
	ofTimeline = projections.TimelineProjection{}.Name()
	ofTerms    = projections.TermsProjection{}.Name()
)

// waitFor waits until the views that are read include a position. One that the log does
// not have yet is not waited for.
func (a *api) waitFor(ctx context.Context, position int64, views ...string) error {
	if position == 0 {
		return nil
	}
	head, err := a.Log.Head(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.Views.WaitFor(ctx, min(domain.Position(position), head), views...)
}
