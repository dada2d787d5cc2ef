package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// quietHours are those of [domain.Quiet], as people write them.
type quietHours struct {
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"21:00" doc:"by the tenant's clock"`
	To   string `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"06:00"`
}

func quietOf(q domain.Quiet) quietHours {
	from, to := q.Clock()
	return quietHours{from, to}
}

// preferred is how an applicant is told.
type preferred struct {
	Language string           `json:"language,omitempty"`
	Channels []domain.Channel `json:"channels,omitempty"`
	Quiet    quietHours       `json:"quiet"`
}

// told is what became of a message to the applicant. To whom it went is sealed.
type told struct {
	ID       uuid.UUID          `json:"id"`
	Version  domain.Version     `json:"version" doc:"of the request, with the event that it tells of"`
	Channel  domain.Channel     `json:"channel,omitempty" doc:"left out where there was no address"`
	Former   bool               `json:"former,omitempty" doc:"it went to the address that what it tells of replaced"`
	Language string             `json:"language,omitempty"`
	Attempts int                `json:"attempts,omitempty"`
	Sent     bool               `json:"sent" doc:"a gateway took it; whether it was read, nobody knows"`
	Fault    domain.NoticeFault `json:"fault,omitempty" doc:"why it was given up: unaddressed, erased, unreachable, refused or failed"`
	Recorded time.Time          `json:"recorded"`
}

type noticesOutput struct {
	Body struct {
		Reference domain.Reference `json:"reference"`
		Preferred preferred        `json:"preferred" doc:"with the quiet hours that hold, also where nobody said anything"`
		Messages  []told           `json:"messages" doc:"in the order in which they were first recorded; what still waits is not among them"`
	}
}

type preferInput struct {
	Reference      string `path:"reference"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"the same key again records nothing"`
	Body           struct {
		Language string           `json:"language,omitempty" enum:"id,en" doc:"id where it is left out"`
		Channels []domain.Channel `json:"channels,omitempty" doc:"email, whatsapp or sms: those that are used where there is an address for one of them; all where it is left out"`
		Quiet    *quietHours      `json:"quiet,omitempty" doc:"when nobody is told anything: what is due then waits until they end; at most 14 hours, and the same twice is none"`
		Actor    actorBody        `json:"actor" doc:"the applicant, as self or at a counter: nobody else decides by what they learn of it"`
	}
}

func (a *api) registerNotices(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "get-notices", Method: http.MethodGet, Path: "/api/v1/requests/{reference}/notices",
		Summary: "How the applicant is told, and what became of the messages", Errors: []int{http.StatusNotFound},
	}, a.notices)
	huma.Register(h, huma.Operation{
		OperationID: "prefer-notices", Method: http.MethodPut, Path: "/api/v1/requests/{reference}/notices",
		Summary: "Say how the applicant wants to be told", DefaultStatus: http.StatusOK, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.prefer)
}

// notices is read from the log, which has whatever position a caller was told: no view is
// waited for.
func (a *api) notices(ctx context.Context, in *requestInput) (*noticesOutput, error) {
	r, err := a.named(ctx, in.Reference)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	return a.noticesOf(ctx, r)
}

func (a *api) noticesOf(ctx context.Context, r domain.Request) (*noticesOutput, error) {
	n, err := a.Engine.Notices(ctx, r.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &noticesOutput{}
	b := &out.Body
	b.Reference, b.Messages = r.Reference, []told{}
	b.Preferred = preferred{Language: n.Preferred.Language, Channels: n.Preferred.Channels, Quiet: quietOf(n.Preferred.Hours(a.Quiet))}
	for _, o := range n.Messages {
		b.Messages = append(b.Messages, told{o.ID, o.Version, o.Channel, o.Former, o.Language, o.Attempts, o.Fault == "", o.Fault, o.At})
	}
	return out, nil
}

func (a *api) prefer(ctx context.Context, in *preferInput) (*noticesOutput, error) {
	r, err := a.named(ctx, in.Reference)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	id, err := commandID(in.IdempotencyKey, "notices", r.ID.String(), in.Body.Actor.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	p := domain.NoticesPreferred{Language: in.Body.Language, Channels: in.Body.Channels}
	if in.Body.Quiet != nil {
		q, err := domain.ParseQuiet(in.Body.Quiet.From, in.Body.Quiet.To)
		if err != nil {
			return nil, a.fault(ctx, err, false)
		}
		p.Quiet = &q
	}
	header, err := a.header(ctx, id, in.Body.Actor)
	if err != nil {
		return nil, err
	}
	if err := a.Engine.Prefer(ctx, r.ID, header, p); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	return a.noticesOf(ctx, r)
}
