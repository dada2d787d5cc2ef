package migration

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

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

// Change is something that a request gains or loses.
type Change struct {
	Kind   Kind      `json:"kind"`
	ID     string    `json:"id"`            // by its new name, where it has one
	Was    string    `json:"was,omitempty"` // its former name, where that is another, or its former value
	What   What      `json:"what"`
	Rupiah int64     `json:"rupiah,omitempty"`
	Budget string    `json:"budget,omitempty"`
	Before time.Time `json:"before,omitzero"` // due
	After  time.Time `json:"after,omitzero"`
}

// Kind is of what a change is.
type Kind string

// The kinds.
const (
	KindTerm     Kind = "term"
	KindExpiry   Kind = "expiry" // what follows when a term runs out
	KindFee      Kind = "fee"
	KindReview   Kind = "review"
	KindDocument Kind = "document"
	KindAction   Kind = "action"
	KindFact     Kind = "fact"
	KindNotice   Kind = "notice"
)

// What is what happens to it.
type What string

// What may happen.
const (
	Gained  What = "gained"  // asked for, owed, required, possible from then on
	Lost    What = "lost"    // no more
	Kept    What = "kept"    // a term that goes on as it was, by another name
	Longer  What = "longer"  // a term
	Shorter What = "shorter" // a term
	Stops   What = "stops"   // a term that stands still from then on
	Runs    What = "runs"    // a term that runs again
	Other   What = "other"   // has another value
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
	out.Changes = slices.Concat(x.terms(plan, f), fees(plan, f), reviews(plan, f), x.documents(plan, f), x.actions(plan, f), facts(plan, f), notices(f))
	return out
}

// terms are the changes of ledgers.
func (x *Migration) terms(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	seen := map[domain.TermID]bool{}
	for _, id := range f.Before.TermIDs() {
		was := f.Before.Terms[id]
		if !was.Open() {
			continue
		}
		now := plan.Called(id)
		is := f.After.Terms[now]
		c := Change{Kind: KindTerm, ID: string(cmp.Or(now, id)), Budget: is.Lasts(), Before: was.Due, After: is.Due}
		if now != id && now != "" {
			c.Was = string(id)
		}
		switch seen[now] = true; {
		case now == "" || !is.Open():
			c.What, c.After, c.Budget = Lost, time.Time{}, was.Lasts()
		case was.Due.IsZero() && !is.Due.IsZero():
			c.What = Runs
		case !was.Due.IsZero() && is.Due.IsZero():
			c.What = Stops
		case is.Due.After(was.Due), is.Due.IsZero() && is.Left > was.Left:
			c.What = Longer
		case is.Due.Before(was.Due), is.Due.IsZero() && is.Left < was.Left:
			c.What = Shorter
		case c.Was != "":
			c.What = Kept
		}
		if c.What != "" {
			list = append(list, c)
		}
		if is.Open() && now != "" {
			if before, after := x.follows(x.From, f.Before, id), x.follows(x.To, f.After, now); before != after {
				list = append(list, Change{Kind: KindExpiry, ID: c.ID, Was: before, What: Other, Budget: after})
			}
		}
	}
	for _, id := range f.After.TermIDs() {
		if t := f.After.Terms[id]; t.Open() && !seen[id] {
			list = append(list, Change{Kind: KindTerm, ID: string(id), What: Gained, Budget: t.Lasts(), After: t.Due})
		}
	}
	return list
}

// follows is what a version makes of a term that runs out, in words.
func (x *Migration) follows(w *workflows.Workflow, r domain.Request, id domain.TermID) string {
	for _, rule := range domain.TermsOf(r, w) {
		if rule.ID == id && rule.To != "" {
			if rule.Ground == domain.Lapse {
				return "it lapses"
			}
			return string(rule.Ground)
		}
	}
	return "nothing is decided"
}

func fees(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	names := map[domain.FeeID]domain.FeeID{}
	for _, id := range slices.Sorted(maps.Keys(f.Before.Dossier.Fees)) {
		now := domain.Called(plan.Fees, id)
		fee := f.Before.Dossier.Fees[id]
		names[now] = id
		if _, is := f.After.Dossier.Fees[now]; !is || now == "" {
			list = append(list, Change{Kind: KindFee, ID: string(id), What: Lost, Rupiah: fee.Owed()})
			if fee.Received > 0 {
				list = append(list, Change{Kind: KindFee, ID: string(id), Was: "paid", What: Lost, Rupiah: fee.Received})
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.After.Dossier.Fees)) {
		if _, was := names[id]; !was {
			list = append(list, Change{Kind: KindFee, ID: string(id), What: Gained, Rupiah: f.After.Dossier.Fees[id].Owed()})
		}
	}
	return list
}

func reviews(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	was := map[domain.ReviewID]domain.Opinion{}
	for _, id := range slices.Sorted(maps.Keys(f.Before.Dossier.Reviews)) {
		now := domain.Called(plan.Reviews, id)
		opinion := f.Before.Dossier.Reviews[id].Opinion
		if now == "" {
			list = append(list, Change{Kind: KindReview, ID: string(id), Was: string(opinion), What: Lost})
			continue
		}
		was[now] = opinion
	}
	for _, id := range slices.Sorted(maps.Keys(f.After.Dossier.Reviews)) {
		if f.After.Dossier.Reviews[id].Opinion == domain.OpinionOpen && was[id] != domain.OpinionOpen {
			list = append(list, Change{Kind: KindReview, ID: string(id), Was: string(was[id]), What: Gained})
		}
	}
	return list
}

// documents are those that a request must have. A condition that cannot be judged is
// told when somebody acts: here it requires nothing.
func (x *Migration) documents(plan *domain.Plan, f workflows.Foreseen) []Change {
	before, err := x.From.Required(f.Before.Facts)
	after, err2 := x.To.Required(f.After.Facts)
	if err != nil || err2 != nil {
		return nil
	}
	return turned(KindDocument, before, after, plan.Documents)
}

func (x *Migration) actions(plan *domain.Plan, f workflows.Foreseen) []Change {
	return turned(KindAction, x.From.Leaving(f.Before.State), x.To.Leaving(f.After.State), plan.Actions)
}

// turned compares what there was, by its new names, with what there is.
func turned[K ~string](kind Kind, before, after []K, names map[K]K) []Change {
	var list []Change
	was := map[K]bool{}
	for _, id := range before {
		now := domain.Called(names, id)
		was[now] = true
		if now == "" || !slices.Contains(after, now) {
			list = append(list, Change{Kind: kind, ID: string(id), What: Lost})
		}
	}
	for _, id := range after {
		if !was[id] {
			list = append(list, Change{Kind: kind, ID: string(id), What: Gained})
		}
	}
	return list
}

func facts(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	was := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(f.Before.Facts)) {
		now := domain.Called(plan.Facts, id)
		was[now] = true
		if _, is := f.After.Facts[now]; !is {
			list = append(list, Change{Kind: KindFact, ID: id, What: Lost})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.After.Facts)) {
		if !was[id] {
			list = append(list, Change{Kind: KindFact, ID: id, What: Gained})
		}
	}
	return list
}

func notices(f workflows.Foreseen) []Change {
	var list []Change
	for _, e := range f.Events {
		if b, ok := e.Body.(domain.NoticeDue); ok && e.Workflow == f.After.Workflow {
			list = append(list, Change{Kind: KindNotice, ID: string(b.Notice), What: Gained})
		}
	}
	return list
}
