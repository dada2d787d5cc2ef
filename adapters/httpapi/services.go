package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

type servicesInput struct {
	Tenant string `query:"tenant" required:"true" example:"11.71"`
}

type servicesOutput struct {
	Body struct {
		Services []service `json:"services" doc:"in the order of their codes"`
	}
}

// service is a service of a tenant, with the versions of its workflow.
type service struct {
	Service  string    `json:"service"`
	Title    title     `json:"title" doc:"of the version in force, or else of the newest"`
	InForce  int       `json:"in_force,omitempty" doc:"the version that a submission is judged by now; none: the service takes no new requests"`
	Versions []version `json:"versions" doc:"oldest first"`
}

type version struct {
	Version   int                `json:"version"`
	Standing  workflows.Standing `json:"standing" enum:"in_force,future,superseded,retired,history"`
	Hash      string             `json:"hash" doc:"SHA-256 of the definition"`
	Published time.Time          `json:"published"`
	Effective time.Time          `json:"effective" doc:"submissions are judged by it from then on, if no other is in force"`
	Retired   time.Time          `json:"retired,omitzero" doc:"no submission is judged by it from then on"`
	Why       string             `json:"why"`
}

func (a *api) registerServices(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-services", Method: http.MethodGet, Path: "/api/v1/services",
		Summary: "The services of a tenant, and which version of its workflow each is judged by",
	}, a.services)
}

func (a *api) services(ctx context.Context, in *servicesInput) (*servicesOutput, error) {
	tenant := domain.TenantCode(in.Tenant)
	names, err := a.Services.Of(ctx, tenant)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &servicesOutput{}
	out.Body.Services = []service{}
	now := time.Now()
	for _, name := range names {
		list, err := a.Library.Versions(ctx, tenant, name)
		if err != nil {
			return nil, a.fault(ctx, err, false)
		}
		s := service{Service: name}
		s.Title = titleOf(list[len(list)-1].Definition.Title)
		for i, standing := range workflows.Standings(list, now) {
			v := list[i]
			if standing == workflows.StandingInForce {
				s.InForce, s.Title = v.Ref().Version, titleOf(v.Definition.Title)
			}
			one := version{
				Version: v.Ref().Version, Standing: standing, Hash: v.Hash, Published: v.At, Effective: v.Effective, Why: v.Why,
			}
			if v.Retired != nil {
				one.Retired = v.Retired.From
			}
			s.Versions = append(s.Versions, one)
		}
		out.Body.Services = append(out.Body.Services, s)
	}
	return out, nil
}
