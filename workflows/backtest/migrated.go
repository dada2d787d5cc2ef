package backtest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// part is what a history has under one version.
type part struct {
	ref     domain.WorkflowRef
	tenant  domain.TenantCode
	states  map[domain.StateID]bool // in which the request stood
	actions map[domain.ActionID]bool
}

// parts are those of a history; a request that was never migrated has one.
func parts(events []domain.Recorded) []*part {
	var list []*part
	for i := range events {
		e := &events[i]
		if n := len(list); n == 0 || list[n-1].ref != e.Workflow {
			list = append(list, &part{ref: e.Workflow, tenant: e.Tenant, states: map[domain.StateID]bool{}, actions: map[domain.ActionID]bool{}})
		}
		p := list[len(list)-1]
		switch b := e.Body.(type) {
		case domain.RequestSubmitted:
			p.states[b.State] = true
		case domain.ActionTaken:
			p.actions[b.Action] = true
		}
		if m, ok := domain.MoveOf(e.Body); ok {
			p.states[m.To] = true
		}
	}
	return list
}

// stands tells in the place of which versions the new one stands in a history: of the one
// that says the very same, if there is one; else of those whose names it has, so that
// what was done there can be asked of it; else of the last.
func (t *Backtest) stands(ctx context.Context, events []domain.Recorded) (map[domain.WorkflowRef]bool, error) {
	list := parts(events)
	if len(list) == 1 {
		return map[domain.WorkflowRef]bool{list[0].ref: true}, nil
	}
	in := map[domain.WorkflowRef]bool{}
	for _, p := range list {
		own, err := t.Versions.Version(ctx, p.tenant, p.ref)
		if err != nil {
			return nil, fmt.Errorf("the version it was judged by: %w", err)
		}
		same, err := t.very(own)
		if err != nil {
			return nil, err
		}
		if same {
			return map[domain.WorkflowRef]bool{p.ref: true}, nil
		}
		if p.named(t.Workflow.Definition) {
			in[p.ref] = true
		}
	}
	if len(in) == 0 {
		in[list[len(list)-1].ref] = true
	}
	return in, nil
}

// very reports whether a version says the very same as the new one.
func (t *Backtest) very(w *workflows.Workflow) (bool, error) {
	same, known := t.same[w]
	if known {
		return same, nil
	}
	own, err := workflows.Write(w.Definition, "")
	if err != nil {
		return false, err
	}
	text, err := workflows.Write(t.Workflow.Definition, "")
	if err != nil {
		return false, err
	}
	if t.same == nil {
		t.same = map[*workflows.Workflow]bool{}
	}
	t.same[w] = string(own) == string(text)
	return t.same[w], nil
}

// named reports whether a definition has all names of a part.
func (p *part) named(d *workflows.Definition) bool {
	for s := range p.states {
		if !slices.ContainsFunc(d.States, func(x workflows.State) bool { return x.ID == s }) {
			return false
		}
	}
	for a := range p.actions {
		if !slices.ContainsFunc(d.Actions, func(x workflows.Action) bool { return x.ID == a }) {
			return false
		}
	}
	return true
}

// migrated is the migration that a step records; false when it records none.
func (s *step) migrated() (domain.RequestMigrated, bool) {
	b, ok := s.first().Body.(domain.RequestMigrated)
	return b, ok
}

// migrate is the command of a migration, as far as it concerned the request as it was.
func (s *step) migrate(then domain.Request, from, to *workflows.Workflow) domain.Migrate {
	b, _ := s.migrated()
	p := domain.Plan{From: b.FromVersion, To: b.ToVersion, Mapping: b.Mapping, Values: b.Facts, Ground: b.Ground, Approver: b.Approver, Map: b.Map}
	p.States, p.Reviews, p.Elsewhere = maps.Clone(b.Mapping.States), maps.Clone(b.Mapping.Reviews), map[domain.StateID]domain.Basis{}
	if p.States == nil {
		p.States = map[domain.StateID]domain.StateID{}
	}
	if b.From != b.To {
		p.States[b.From] = b.To
	}
	if b.Came {
		p.Elsewhere[b.From] = b.Closing
	}
	// The terms of states that it had left are called as those states are.
	for id, now := range b.Mapping.Terms {
		state, ok := id.State()
		if !ok || state == b.From {
			continue
		}
		if to, ok := now.State(); ok {
			p.States[state] = to
		} else {
			p.Elsewhere[state] = domain.Basis{}
		}
	}
	p.Take = s.took(then, &p, from, to)
	return domain.Migrate{Header: s.header(), Plan: p}
}

// took are the terms that a migration gave the budget of the other version, by their
// former names: those of which that is recorded, and those by which something else
// follows, which no other migration was let through with.
func (s *step) took(then domain.Request, p *domain.Plan, from, to *workflows.Workflow) map[domain.TermID]bool {
	take, carried := map[domain.TermID]bool{}, map[domain.TermID]bool{}
	was := then
	for i := range s.events {
		if b, ok := s.events[i].Body.(domain.TermCarried); ok {
			carried[b.Term] = b.Budget != b.WasBudget || b.Promise != then.Terms[b.Term].Promise
		}
		then = domain.Evolve(then, s.events[i])
	}
	for id, t := range was.Terms {
		now := p.Called(id)
		if t.Open() && (carried[now] || follows(was, from, id) != follows(then, to, now)) {
			take[id] = true // a shorter one, too
		}
	}
	return take
}

func follows(r domain.Request, w *workflows.Workflow, id domain.TermID) string {
	for _, rule := range domain.TermsOf(r, w) {
		if rule.ID == id {
			return rule.Follows()
		}
	}
	return ""
}

// renamed is what was observed of a request that goes on under another version, by the
// names of that.
func (o *observed) renamed(b domain.RequestMigrated) {
	if !b.Came && len(o.route) > 0 {
		o.route[len(o.route)-1] = b.To // it stands where it stood
	}
	o.terms, o.fees, o.asked = called(o.terms, b.Mapping.Terms), called(o.fees, b.Mapping.Fees), called(o.asked, b.Mapping.Reviews)
}

// called is a map by other names; what has none any more keeps the one it had.
func called[K ~string, V any](m map[K]V, by map[K]K) map[K]V {
	out := make(map[K]V, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		now := domain.Called(by, k)
		if now == "" {
			now = k
		}
		out[now] = m[k]
	}
	return out
}
