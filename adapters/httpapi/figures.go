package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

type statisticsInput struct {
	By       string    `query:"by" enum:"service,agency,tenant,month" default:"service" doc:"what they are told for each of; months are those of the tenant's zone"`
	Tenant   string    `query:"tenant" example:"11.71"`
	Service  string    `query:"service"`
	Since    time.Time `query:"since" doc:"of what happened from then on: what was submitted counts by when it was submitted, what was decided by when it was decided"`
	Until    time.Time `query:"until" doc:"of what happened before then"`
	Position int64     `query:"position" minimum:"0" doc:"wait, a few seconds at most, until this position is included"`
}

type statisticsOutput struct {
	Body struct {
		Statistics []projections.Statistics `json:"statistics"`
	}
}

type permitsInput struct {
	Tenant   string    `query:"tenant" example:"11.71"`
	Service  string    `query:"service"`
	Standing string    `query:"standing" enum:"issued,reopened,revoked"`
	ByLaw    bool      `query:"by_law" doc:"only those that the law granted, because nobody decided in time"`
	Since    time.Time `query:"since" doc:"issued from then on"`
	Until    time.Time `query:"until" doc:"issued before then"`
	After    string    `query:"after" doc:"the last reference of the page before"`
	Limit    int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Position int64     `query:"position" minimum:"0" doc:"wait, a few seconds at most, until this position is included"`
}

type permitsOutput struct {
	Body struct {
		Permits []projections.Permit `json:"permits" doc:"in the order in which they were first issued"`
	}
}

func (a *api) registerFigures(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "get-statistics", Method: http.MethodGet, Path: "/api/v1/statistics",
		Summary: "What was submitted and decided, whether in time, and how long it took",
	}, a.statistics)
	huma.Register(h, huma.Operation{
		OperationID: "list-permits", Method: http.MethodGet, Path: "/api/v1/permits",
		Summary: "The register of issued permits, and what became of them",
	}, a.permits)
}

func (a *api) statistics(ctx context.Context, in *statisticsInput) (*statisticsOutput, error) {
	if err := a.waitFor(ctx, in.Position, projections.StatisticsViews()...); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	list, err := a.Figures.Of(ctx, projections.StatisticsFilter{
		By: projections.StatisticsBy(in.By), Tenant: domain.TenantCode(in.Tenant), Service: in.Service, Since: in.Since, Until: in.Until,
	})
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &statisticsOutput{}
	out.Body.Statistics = list
	return out, nil
}

func (a *api) permits(ctx context.Context, in *permitsInput) (*permitsOutput, error) {
	if err := a.waitFor(ctx, in.Position, projections.PermitViews()...); err != nil {
		return nil, a.fault(ctx, err, false)
	}
	f := projections.PermitFilter{
		Tenant: domain.TenantCode(in.Tenant), Service: in.Service, Standing: projections.PermitStanding(in.Standing), ByLaw: in.ByLaw,
		Since: in.Since, Until: in.Until, Limit: in.Limit,
	}
	if in.After != "" {
		s, err := a.Finder.Find(ctx, in.After)
		if err != nil {
			return nil, a.fault(ctx, err, false)
		}
		f.After = s.Reference
	}
	list, err := a.Permits.List(ctx, f)
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	out := &permitsOutput{}
	out.Body.Permits = list
	return out, nil
}
