package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// MandateTerms is what a mandate is for. It is exported for the description of the API,
// which leaves out the fields of an embedded type that is not.
type MandateTerms struct {
	Holder   string   `json:"holder" doc:"pseudonym of who may act: the id of the actor who then does" example:"agent-12"`
	Services []string `json:"services" minItems:"1" maxItems:"100" doc:"for which, by their codes"`
	From     string   `json:"from" format:"date" doc:"first day, by the tenant's clock"`
	Until    string   `json:"until" format:"date" doc:"last day; at most ten years"`
	Document string   `json:"document,omitempty" doc:"SHA-256 of the signed paper, hex, which is kept elsewhere; only whoever gives the mandate (capacity self) needs none"`
	Fee      *int64   `json:"fee,omitempty" doc:"rupiah that the holder takes for it, 0 for nothing; left out where nobody said"`
}

func (t MandateTerms) granted() domain.MandateGranted {
	return domain.MandateGranted(t)
}

type grantInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"the same key again gets the first answer and records nothing"`
	Body           struct {
		Tenant   string `json:"tenant" example:"11.71"`
		Identity string `json:"identity" maxLength:"60" doc:"who gives it: nik:, nib: or passport: and the number; sealed"`
		MandateTerms
		Actor actorBody `json:"actor" doc:"who records it: whoever gives it (self), or staff who have seen the paper (counter, officer)"`
	}
}

type mandateInput struct {
	ID string `path:"id" format:"uuid"`
}

type endInput struct {
	ID             string `path:"id" format:"uuid"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"the same key again gets the first answer and records nothing"`
	Body           struct {
		End   domain.MandateEnd `json:"end" enum:"revoked,renounced,ceased" doc:"by whoever gave it, by whoever held it, or by death, guardianship or bankruptcy"`
		Actor actorBody         `json:"actor"`
	}
}

type mandateOutput struct {
	Location string `header:"Location"`
	Body     struct {
		ID     uuid.UUID         `json:"id" doc:"what actor.mandate of a command names"`
		Tenant domain.TenantCode `json:"tenant"`
		MandateTerms
		Granted time.Time         `json:"granted"`
		End     domain.MandateEnd `json:"end,omitempty" doc:"why it holds no more, though its last day may be to come"`
		Ended   time.Time         `json:"ended,omitzero"`
	}
}

func (a *api) registerMandates(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "grant-mandate", Method: http.MethodPost, Path: "/api/v1/mandates", Summary: "Record that somebody may act for another",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.grant)
	huma.Register(h, huma.Operation{
		OperationID: "get-mandate", Method: http.MethodGet, Path: "/api/v1/mandates/{id}",
		Summary: "Who may act for another, for what and when; who gave it is sealed", Errors: []int{http.StatusNotFound},
	}, a.mandate)
	huma.Register(h, huma.Operation{
		OperationID: "end-mandate", Method: http.MethodPost, Path: "/api/v1/mandates/{id}/end", Summary: "Record that a mandate has ended",
		DefaultStatus: http.StatusOK, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.endMandate)
}

func (a *api) grant(ctx context.Context, in *grantInput) (*mandateOutput, error) {
	b := &in.Body
	tenant, err := domain.ParseTenantCode(b.Tenant)
	if err != nil {
		return nil, newProblem(http.StatusUnprocessableEntity, "tenant", err.Error(), "")
	}
	id, err := commandID(in.IdempotencyKey, "mandate", b.Tenant, b.Actor.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	header, err := a.header(ctx, id, b.Actor)
	if err != nil {
		return nil, err
	}
	m, err := a.Engine.Grant(ctx, domain.GrantMandate{
		Header: header, Tenant: tenant, Principal: domain.Identity(b.Identity), MandateGranted: b.granted(),
	})
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := shownMandate(m)
	out.Location = "/api/v1/mandates/" + m.ID.String()
	return out, nil
}

func (a *api) mandate(ctx context.Context, in *mandateInput) (*mandateOutput, error) {
	m, err := a.mandateOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return shownMandate(m), nil
}

func (a *api) endMandate(ctx context.Context, in *endInput) (*mandateOutput, error) {
	m, err := a.mandateOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	id, err := commandID(in.IdempotencyKey, "end", m.ID.String(), in.Body.Actor.ID)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	header, err := a.header(ctx, id, in.Body.Actor)
	if err != nil {
		return nil, err
	}
	if m, err = a.Engine.EndMandate(ctx, m.ID, domain.EndMandate{Header: header, End: in.Body.End}); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	return shownMandate(m), nil
}

// mandateOf is the mandate that a path names.
func (a *api) mandateOf(ctx context.Context, id string) (domain.Mandate, error) {
	missing := newProblem(http.StatusNotFound, "not_found", "there is no such mandate", "check the id")
	named, err := uuid.Parse(id)
	if err != nil {
		return domain.Mandate{}, missing
	}
	m, err := a.Engine.Mandate(ctx, named)
	if errors.Is(err, domain.ErrNotFound) {
		return m, missing
	}
	if err != nil {
		return m, a.fault(ctx, err, false)
	}
	return m, nil
}

func shownMandate(m domain.Mandate) *mandateOutput {
	out := &mandateOutput{}
	b := &out.Body
	b.ID, b.Tenant, b.MandateTerms, b.Granted = m.ID, m.Tenant, MandateTerms(m.MandateGranted), m.Granted
	b.End, b.Ended = m.End, m.Ended
	return out
}
