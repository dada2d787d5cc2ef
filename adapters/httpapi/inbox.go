package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// InboxQuery is which tasks are meant; it has a name for others because huma reads only
// the fields of such. Who asks is not looked at: until there is a
// log-in, whoever holds the token reads everybody's inbox, and has to see to it that an
// officer is shown their own.
type InboxQuery struct {
	Tenant    string    `query:"tenant" required:"true" example:"11.71"`
	Office    string    `query:"office"`
	Role      string    `query:"role"`
	Service   string    `query:"service"`
	State     string    `query:"state" doc:"the stage; wants a service"`
	DueBefore time.Time `query:"due_before" doc:"of which either due time comes before; sorted by due only"`
	Holder    string    `query:"holder" doc:"what this person has, by their pseudonym"`
	Free      bool      `query:"free" doc:"what nobody has"`
	Position  int64     `query:"position" minimum:"0" doc:"wait, a few seconds at most, until this position is included"`
}

func (in *InboxQuery) filter() projections.InboxFilter {
	return projections.InboxFilter{
		Tenant: domain.TenantCode(in.Tenant), Office: in.Office, Role: domain.RoleID(in.Role), Service: in.Service, State: domain.StateID(in.State),
		DueBefore: in.DueBefore, Holder: in.Holder, Free: in.Free,
	}
}

type inboxInput struct {
	InboxQuery
	Sort  string `query:"sort" enum:"due,since" default:"due" doc:"due: the earlier of both due times first, what has none last; since: what has waited longest first"`
	After string `query:"after" doc:"what the page before said is next; under the same filters and sort"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type inboxOutput struct{ Body projections.InboxPage }

type inboxCountOutput struct {
	Body struct {
		Tasks  int                      `json:"tasks"`
		Free   int                      `json:"free" doc:"that nobody has"`
		Late   int                      `json:"late" doc:"of which a due time has passed"`
		Awaits int                      `json:"awaits" doc:"in which opinions are waited for, that are tasks of others"`
		Places []projections.InboxCount `json:"places" doc:"the same by service, state, office and role"`
	}
}

type queuesInput struct {
	Tenant   string `query:"tenant" required:"true" example:"11.71"`
	Service  string `query:"service"`
	Office   string `query:"office"`
	State    string `query:"state" doc:"the stage"`
	Limit    int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"most requests of each queue"`
	Line     bool   `query:"line" doc:"tell also who waits; wants a service and a state"`
	Position int64  `query:"position" minimum:"0" doc:"wait, a few seconds at most, until this position is included"`
}

type queuesOutput struct {
	Body struct {
		Queues []queueShown `json:"queues" doc:"in which somebody waits, or that moved today"`
	}
}

type queueShown struct {
	projections.Queue
	Line []projections.Waiting `json:"line,omitempty" doc:"the first of those who wait, by when they became ready"`
}

type placeOutput struct {
	Body struct {
		Reference domain.Reference   `json:"reference"`
		Place     *projections.Place `json:"place,omitempty" doc:"none: it waits in no queue"`
		Overtaken *int               `json:"overtaken,omitempty" doc:"by how many that became ready later and were taken before; told while it waits in a queue"`
	}
}

func (a *api) registerInbox(h huma.API) {
	const unchecked = "Who asks is not checked yet, as with all reads of this API: there is no log-in."
	huma.Register(h, huma.Operation{
		OperationID: "list-inbox", Method: http.MethodGet, Path: "/api/v1/inbox",
		Summary: "The work that waits for officers, a page at a time", Errors: []int{http.StatusUnprocessableEntity},
		Description: "One row for the state that each open request stands in, unless its applicant has to act, and one for each review that it waits for, which is work of the role that gives it. " +
			"Awaits names, in the row of the state, the reviews that it waits for: it is others who have to act. " +
			"Whoever reads on with after sees each row once that was there all the time and did not move in the order. " + unchecked,
	}, a.inbox)
	huma.Register(h, huma.Operation{
		OperationID: "count-inbox", Method: http.MethodGet, Path: "/api/v1/inbox/counts",
		Summary: "How much work waits, and where", Description: unchecked, Errors: []int{http.StatusUnprocessableEntity},
	}, a.inboxCounts)
	huma.Register(h, huma.Operation{
		OperationID: "list-queues", Method: http.MethodGet, Path: "/api/v1/queue",
		Summary: "The queues of work that is given out", Description: "The day is that of the tenant's zone. Taken_today is what an officer took or was given in it; done_today what somebody had, on whatever day they took it, and what went on or ended in it: what ended while nobody had it is not counted. " + unchecked, Errors: []int{http.StatusUnprocessableEntity},
	}, a.queues)
	huma.Register(h, huma.Operation{
		OperationID: "get-place", Method: http.MethodGet, Path: "/api/v1/requests/{reference}/queue",
		Summary: "Where a request stands in its queue, and what was taken before its turn", Description: unchecked, Errors: []int{http.StatusNotFound},
	}, a.place)
}

func (a *api) inbox(ctx context.Context, in *inboxInput) (*inboxOutput, error) {
	f := in.filter()
	f.Sort, f.After, f.Limit = projections.InboxOrder(in.Sort), in.After, in.Limit
	err := a.waitFor(ctx, in.Position, ofInbox, ofStatus)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	page, err := a.Inbox.List(ctx, f)
	if err != nil {
		return nil, a.inboxFault(ctx, err)
	}
	return &inboxOutput{page}, nil
}

// inboxFault is why an inbox is not shown.
func (a *api) inboxFault(ctx context.Context, err error) error {
	if errors.Is(err, projections.ErrInbox) {
		return newProblem(http.StatusUnprocessableEntity, "invalid", err.Error(), "see /api/openapi.yaml")
	}
	return a.fault(ctx, err, false)
}

func (a *api) inboxCounts(ctx context.Context, in *InboxQuery) (*inboxCountOutput, error) {
	err := a.waitFor(ctx, in.Position, ofInbox)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	places, err := a.Inbox.Count(ctx, in.filter(), time.Now())
	if err != nil {
		return nil, a.inboxFault(ctx, err)
	}
	out := &inboxCountOutput{}
	b := &out.Body
	b.Places = places
	for _, p := range places {
		b.Tasks, b.Free, b.Late, b.Awaits = b.Tasks+p.Tasks, b.Free+p.Free, b.Late+p.Late, b.Awaits+p.Awaits
	}
	return out, nil
}

func (a *api) queues(ctx context.Context, in *queuesInput) (*queuesOutput, error) {
	tenant, err := domain.ParseTenantCode(in.Tenant) // its zone says which day it is
	if err != nil {
		return nil, newProblem(http.StatusUnprocessableEntity, "invalid", err.Error(), "see /api/v1/services")
	}
	if in.Line && (in.Service == "" || in.State == "") {
		return nil, newProblem(http.StatusUnprocessableEntity, "invalid", "who waits is told of one queue", "name its service and state")
	}
	if err := a.waitFor(ctx, in.Position, ofQueue, ofStatus); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	list, err := a.Queue.List(ctx, projections.QueueFilter{Tenant: tenant, Service: in.Service, Office: in.Office, State: domain.StateID(in.State)}, time.Now())
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &queuesOutput{}
	out.Body.Queues = []queueShown{}
	for _, q := range list {
		shown := queueShown{Queue: q}
		if in.Line {
			if shown.Line, err = a.Queue.Line(ctx, projections.QueueFilter{Tenant: tenant, Service: q.Service, Office: q.Office, State: q.State}, in.Limit); err != nil {
				return nil, a.fault(ctx, err, false)
			}
		}
		out.Body.Queues = append(out.Body.Queues, shown)
	}
	return out, nil
}

func (a *api) place(ctx context.Context, in *requestInput) (*placeOutput, error) {
	if err := a.waitFor(ctx, in.Position, ofQueue, ofStatus); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	s, err := a.Finder.Find(ctx, in.Reference)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &placeOutput{}
	out.Body.Reference = s.Reference
	p, waits, err := a.Queue.Of(ctx, s.Request)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	if waits {
		n := p.Overtakers()
		out.Body.Place, out.Body.Overtaken = &p, &n
	}
	return out, nil
}

// The views that these are answered from.
var (
	ofInbox = projections.InboxProjection{}.Name()
	ofQueue = projections.QueueProjection{}.Name()
)
