package web

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// told is what the steps of a request rest on beside what the timeline has of them. Most
// requests have no step of which anything could be told.
func (s *site) told(ctx context.Context, request uuid.UUID, steps []projections.Step, versions map[int]*workflows.Workflow) (map[domain.Version]workflows.Told, error) {
	if !slices.ContainsFunc(steps, func(x projections.Step) bool { return versions[x.Workflow].MayTell(x.Action, x.State) }) {
		return nil, nil
	}
	return s.Engine.Told(ctx, request)
}

// toldNotes says it in a line each.
func toldNotes(p page, told workflows.Told, tenant domain.TenantCode) []detail {
	var notes []detail
	if told.Office {
		notes = append(notes, detail{"", p.T("step.office")})
	}
	for _, x := range told.Changed {
		notes = append(notes, detail{x.Fact.Title.In(p.Lang), valueOf(p, x.Fact, x.Was, tenant) + " → " + valueOf(p, x.Fact, x.Now, tenant)})
	}
	for _, x := range told.Opinions {
		notes = append(notes, detail{p.T("step.opinion") + " " + x.Review.Title.In(p.Lang) + " (" + x.By.In(p.Lang) + ")", x.Title.In(p.Lang)})
	}
	if told.System != nil {
		notes = append(notes, detail{p.T("step.answer"), told.System.Title.In(p.Lang)})
	}
	if rule := told.Rule.In(p.Lang); rule != "" {
		notes = append(notes, detail{p.T("step.rule"), rule})
	}
	return notes
}

// valueOf is a fact's value as a person reads it.
func valueOf(p page, f *workflows.Fact, v any, tenant domain.TenantCode) string {
	switch v := v.(type) {
	case bool:
		return p.T(map[bool]string{true: "value.yes", false: "value.no"}[v])
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil && f.Type == workflows.FactTime {
			return momentOf(at, tenant, p.Lang).Text
		}
		return v
	}
	return p.T("value.none")
}
