package migration

import (
	"context"
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Report is a dry run: what would become of every request.
type Report struct {
	Movable  int                `json:"movable"`
	Refused  int                `json:"refused"` // cannot be moved
	Ended    int                `json:"ended"`   // will have ended before, by a term whose time has come
	Excepted int                `json:"excepted"`
	Unknown  []domain.Reference `json:"unknown,omitempty"` // that the map names and that do not run under this version
	Requests []Forecast         `json:"requests"`
}

// Forecast is what would become of one request.
type Forecast struct {
	Reference domain.Reference `json:"reference"`
	From      domain.StateID   `json:"from"`
	To        domain.StateID   `json:"to,omitempty"`
	How       How              `json:"how,omitempty"`
	Changes   []Change         `json:"changes"`
	Refusal   string           `json:"refused,omitempty"` // why it cannot be moved
	Events    []string         `json:"events"`            // that would be recorded

	// Foreseen has it all.
	Foreseen workflows.Foreseen `json:"-"`
}

// How a request gets to its state.
type How string

// The ways.
const (
	Stays   How = "stays"
	Renamed How = "renamed"
	Moves   How = "moves" // comes to another state, as by an action
	Ends    How = "ends"
)

// nobody is who a dry run is by.
const nobody = "dry-run"

// Forecast is the dry run. Nothing is recorded.
func (m *Migrator) Forecast(ctx context.Context, x *Migration) (Report, error) {
	list, excepted, err := m.concerned(ctx, x)
	if err != nil {
		return Report{}, err
	}
	report := Report{Excepted: excepted, Requests: make([]Forecast, 0, len(list))}
	plan, actor := x.plan(), x.Actor
	if err := plan.Ground.CheckClear("the ground"); err != nil {
		return Report{}, err
	}
	if actor.ID == "" {
		actor = domain.Actor{ID: nobody, Role: "publisher", Capacity: domain.CapacityOfficer}
	}
	if plan.Approver == "" {
		plan.Approver = nobody + "-approver"
	}
	if plan.Ground == (domain.Basis{}) {
		plan.Ground = domain.Basis{ID: nobody, EN: nobody}
	}
	now := m.Now()
	for _, r := range list {
		c := domain.Migrate{Header: domain.Header{ID: domain.CommandID(now, nobody, r.Request.String()), Actor: actor, Occurred: now}, Plan: plan}
		f, err := m.Engine.Foresee(ctx, r.Request, c)
		if err != nil {
			return Report{}, err
		}
		switch {
		case f.Before.Workflow.Version != x.From.Ref().Version: // another was faster
		case f.Refused == nil && f.Before.Outcome != "":
			report.Ended++
		default:
			report.Requests = append(report.Requests, x.forecast(&plan, r, f))
		}
	}
	for _, f := range report.Requests {
		if f.Refusal != "" {
			report.Refused++
		} else {
			report.Movable++
		}
	}
	return report, m.unknown(ctx, x, &report)
}

// unknown notes which requests the map names although they do not run here.
func (m *Migrator) unknown(ctx context.Context, x *Migration, report *Report) error {
	named := append(slices.Clone(x.Map.Except), x.Map.Only...)
	if len(named) == 0 {
		return nil
	}
	all, err := m.Running(ctx, x.Tenant, x.From.Definition.ID, x.From.Ref().Version)
	for _, ref := range named {
		if !slices.ContainsFunc(all, func(r Running) bool { return r.Reference == ref }) {
			report.Unknown = append(report.Unknown, ref)
		}
	}
	return err
}

func (x *Migration) forecast(plan *domain.Plan, r Running, f workflows.Foreseen) Forecast {
	out := Forecast{Reference: r.Reference, From: f.Before.State, Changes: []Change{}, Events: []string{}, Foreseen: f}
	if f.Refused != nil {
		out.Refusal = f.Refused.Error()
		return out
	}
	for _, e := range f.Events {
		name, _ := e.Body.Type()
		out.Events = append(out.Events, name)
		if b, ok := e.Body.(domain.RequestMigrated); ok {
			out.To = b.To
			switch {
			case b.Outcome != "":
				out.How = Ends
			case b.Came:
				out.How = Moves
			case b.From != b.To:
				out.How = Renamed
			default:
				out.How = Stays
			}
		}
	}
	out.To = f.After.State // what follows by itself may have moved it on
	out.Changes = append(out.Changes, x.changes(plan, f)...)
	return out
}
