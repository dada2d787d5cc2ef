package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// maxBody is the size in bytes of the largest command.
const maxBody = 64 << 10

type actorBody struct {
	ID       string `json:"id" doc:"pseudonym; kept in the clear, so never a NIK or an e-mail address" example:"officer-7"`
	Role     string `json:"role" example:"front-office"`
	Capacity string `json:"capacity" enum:"self,proxy,counter,professional,officer,system" doc:"as what the actor acts"`
	Mandate  string `json:"mandate,omitempty" format:"uuid" doc:"the mandate that a proxy or a professional acts under, if they do: it has to cover what is done"`
}

func (a actorBody) actor() (domain.Actor, error) {
	by := domain.Actor{ID: a.ID, Role: domain.RoleID(a.Role), Capacity: domain.Capacity(a.Capacity)}
	if a.Mandate == "" {
		return by, nil
	}
	var err error
	if by.Mandate, err = uuid.Parse(a.Mandate); err != nil || by.Mandate == uuid.Nil {
		return by, newProblem(http.StatusUnprocessableEntity, string(domain.RuleMandate), "the mandate is no id of one", "give the id that was answered as it was recorded, or leave it out")
	}
	return by, nil
}

type submitInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"the same key again gets the first answer and records nothing"`
	Body           struct {
		Tenant   string         `json:"tenant" example:"11.71"`
		Service  string         `json:"service" example:"sip-dokter"`
		Facts    map[string]any `json:"facts,omitempty" doc:"clear values that the service declares; nothing personal"`
		Identity string         `json:"identity,omitempty" maxLength:"60" doc:"who asks: nik:, nib: or passport: and the number; sealed"`
		Form     map[string]any `json:"form,omitempty" doc:"what is filled in that is not a fact, such as names and contacts; sealed"`
		Actor    actorBody      `json:"actor"`
	}
}

type actInput struct {
	Reference      string `path:"reference"`
	IfMatch        string `header:"If-Match" maxLength:"40" doc:"the ETag of the request the actor saw; if it has moved on, the answer is 412"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"the same key again gets the first answer and records nothing"`
	Body           struct {
		Action string         `json:"action" example:"accept"`
		Reason string         `json:"reason,omitempty" doc:"reason code, where the action wants one"`
		Remark string         `json:"remark,omitempty" maxLength:"4096" doc:"for those who work on the request; sealed, shown to no citizen"`
		Facts  map[string]any `json:"facts,omitempty" doc:"filled in anew, by an action that corrects the request; or what an action records"`
		Form   map[string]any `json:"form,omitempty" doc:"filled in anew, by an action that corrects the request; sealed"`
		Actor  actorBody      `json:"actor"`
	}
}

type doneOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Replayed string `header:"Idempotent-Replayed" doc:"true when the command was known already"`
	Body     done
}

// done is what a command led to: the request right after it.
type done struct {
	Reference domain.Reference    `json:"reference"`
	Version   domain.Version      `json:"version"`
	Position  domain.Position     `json:"position" doc:"give it to a read to see this write"`
	State     domain.StateID      `json:"state"`
	Public    domain.PublicStatus `json:"public_status"`
	Tracking  string              `json:"tracking" doc:"path of the page for the applicant"`
}

func (a *api) registerCommands(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "submit-request", Method: http.MethodPost, Path: "/api/v1/requests", Summary: "Submit a request",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.submit)
	huma.Register(h, huma.Operation{
		OperationID: "take-action", Method: http.MethodPost, Path: "/api/v1/requests/{reference}/actions", Summary: "Take an action on a request",
		DefaultStatus: http.StatusOK, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}, a.act)
	huma.Register(h, huma.Operation{
		OperationID: "add-to-dossier", Method: http.MethodPost, Path: "/api/v1/requests/{reference}/dossier",
		Summary:       "Hand in or refuse a document, answer a checklist, record a payment, give an opinion, report an answer, take or give out work",
		DefaultStatus: http.StatusOK, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}, a.add)
}

func (a *api) submit(ctx context.Context, in *submitInput) (*doneOutput, error) {
	tenant, err := domain.ParseTenantCode(in.Body.Tenant)
	if err != nil {
		return nil, newProblem(http.StatusUnprocessableEntity, "tenant", err.Error(), "")
	}
	id, err := commandID(in.IdempotencyKey, "submit", in.Body.Tenant, in.Body.Actor.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	header, err := a.header(ctx, id, in.Body.Actor)
	if err != nil {
		return nil, err
	}
	answer, err := a.Engine.Submit(ctx, domain.Submit{
		Header: header, Tenant: tenant, Service: in.Body.Service, Facts: in.Body.Facts,
		Identity: domain.Identity(in.Body.Identity), Form: in.Body.Form,
	})
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := outputOf(answer)
	out.Location = "/api/v1/requests/" + string(answer.Request.Reference)
	return out, nil
}

func (a *api) act(ctx context.Context, in *actInput) (*doneOutput, error) {
	return a.take(ctx, in.Reference, in.IfMatch, in.IdempotencyKey, "act", in.Body.Actor, func(h domain.Header, seen domain.Version) (domain.Command, error) {
		return domain.Act{
			Header: h, Action: domain.ActionID(in.Body.Action), Reason: domain.ReasonCode(in.Body.Reason), Remark: in.Body.Remark,
			Facts: in.Body.Facts, Form: in.Body.Form, Expected: seen,
		}, nil
	})
}

// take gives a command on a request that a reference names.
func (a *api) take(ctx context.Context, reference, ifMatch, key, scope string, by actorBody, command func(domain.Header, domain.Version) (domain.Command, error)) (*doneOutput, error) {
	expected, err := parseIfMatch(ifMatch)
	if err != nil {
		return nil, err
	}
	s, err := a.Finder.Find(ctx, reference)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	id, err := commandID(key, scope, s.Request.String(), by.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	header, err := a.header(ctx, id, by)
	if err != nil {
		return nil, err
	}
	c, err := command(header, expected)
	if err != nil {
		return nil, err
	}
	answer, err := a.Engine.Act(ctx, s.Request, c)
	if err != nil {
		return nil, a.fault(ctx, err, expected != 0)
	}
	return outputOf(answer), nil
}

// header is what the commands of a request share.
func (a *api) header(ctx context.Context, id uuid.UUID, by actorBody) (domain.Header, error) {
	actor, err := by.actor()
	h := domain.Header{ID: id, Actor: actor}
	if a.Correlation != nil {
		h.Correlation = a.Correlation(ctx)
	}
	return h, err
}

func outputOf(answer workflows.Answer) *doneOutput {
	r := answer.Request
	out := &doneOutput{ETag: etag(r.Version), Body: done{
		Reference: r.Reference, Version: r.Version, Position: answer.Position,
		State: r.State, Public: r.Public, Tracking: "/lacak/" + string(r.Reference),
	}}
	if answer.Repeated {
		out.Replayed = "true"
	}
	return out
}

// commandID is the id of a command: made of the idempotency key and its scope, so
// that two callers may pick one key, or a new one when there is none. It has the
// time of a key that has one.
func commandID(key string, scope ...string) (uuid.UUID, error) {
	if key == "" {
		return uuid.NewV7()
	}
	var moment time.Time
	if id, err := uuid.Parse(key); err == nil && id.Version() == 7 {
		moment = time.Unix(id.Time().UnixTime())
	}
	return domain.CommandID(moment, append(scope, key)...), nil
}

// etag is a request's version as an entity tag; parseIfMatch reads it back.
func etag(v domain.Version) string { return strconv.Quote(strconv.Itoa(int(v))) }

func parseIfMatch(s string) (domain.Version, error) {
	if s == "" || s == "*" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.Trim(s, `"`))
	if err != nil || n < 1 {
		return 0, newProblem(http.StatusBadRequest, "if_match", "If-Match does not hold one ETag of a request", `send it as it was given, such as "3"`)
	}
	return domain.Version(n), nil
}
