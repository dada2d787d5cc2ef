package migration

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Change is something that a request gains or loses.
type Change struct {
	Kind   Kind      `json:"kind"`
	ID     string    `json:"id"`            // by its new name, where it has one
	Was    string    `json:"was,omitempty"` // its former name, where that is another, or its former value
	What   What      `json:"what"`
	Rupiah int64     `json:"rupiah,omitempty"`
	Budget string    `json:"budget,omitempty"`
	Before time.Time `json:"before,omitzero"` // of a term or promise, when it is due; of what follows, when it does
	After  time.Time `json:"after,omitzero"`
	// Of a term that stands still before and after, what is left of its budgets.
	LeftBefore string `json:"left_before,omitempty"`
	LeftAfter  string `json:"left_after,omitempty"`
	// The budget of a term until now, where it gets another; of an extension, that of the
	// term where it is counted otherwise.
	Former string `json:"former,omitempty"`
}

// Kind is of what a change is.
type Kind string

// The kinds.
const (
	KindTerm      Kind = "term"
	KindExpiry    Kind = "expiry"    // what is decided when a term runs out, and when that is
	KindPromise   Kind = "promise"   // of a term
	KindLadder    Kind = "ladder"    // who is told as a term runs out, and when next
	KindExtension Kind = "extension" // that a term may still be given
	KindFee       Kind = "fee"
	KindReview    Kind = "review"
	KindDocument  Kind = "document"  // that is required
	KindHandedIn  Kind = "handed_in" // a document that was
	KindCheck     Kind = "checklist" // answers to it; an item as LIST/ITEM
	KindAnswer    Kind = "answer"    // of a system
	KindTask      Kind = "task"      // the work that is offered, or that somebody has taken
	KindConsent   Kind = "consent"   // to another return
	KindPast      Kind = "past"      // an action that was taken, or a role that somebody acted in, as far as it counts
	KindStatus    Kind = "status"    // that the applicant is shown
	KindAction    Kind = "action"
	KindFact      Kind = "fact"
	KindNotice    Kind = "notice"
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

// changes are everything that a request gains and loses.
func (x *Migration) changes(plan *domain.Plan, f workflows.Foreseen) []Change {
	return slices.Concat(status(f), x.terms(plan, f), fees(plan, f), reviews(plan, f), x.documents(plan, f), handedIn(plan, f), x.checks(plan, f),
		answers(plan, f), task(f), x.actions(plan, f), past(f), facts(plan, f), notices(f))
}

func fees(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	names := map[domain.FeeID]domain.FeeID{}
	for _, id := range slices.Sorted(maps.Keys(f.Before.Dossier.Fees)) {
		now := domain.Called(plan.Fees, id)
		fee := f.Before.Dossier.Fees[id]
		names[now] = id
		is, kept := f.After.Dossier.Fees[now]
		switch {
		case kept && now != "" && is != fee:
			list = append(list, Change{Kind: KindFee, ID: string(now), Was: "assessed", What: Other, Rupiah: is.Owed()})
		case !kept || now == "":
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

// handedIn are the documents that a request has and loses.
func handedIn(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	for _, id := range slices.Sorted(maps.Keys(f.Before.Dossier.Documents)) {
		if _, kept := f.After.Dossier.Documents[domain.Called(plan.Documents, id)]; !kept {
			list = append(list, Change{Kind: KindHandedIn, ID: string(id), What: Lost})
		}
	}
	return list
}

// checks are the answers that a request loses, and the items that are added to a list that
// was answered.
func (x *Migration) checks(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	for _, id := range slices.Sorted(maps.Keys(f.Before.Dossier.Checks)) {
		now := domain.Called(plan.Checklists, id)
		was, is := f.Before.Dossier.Checks[id], f.After.Dossier.Checks[now]
		if len(was) > 0 && len(is) == 0 {
			list = append(list, Change{Kind: KindCheck, ID: string(id), What: Lost})
			continue
		}
		for _, item := range slices.Sorted(maps.Keys(was)) {
			if _, kept := is[domain.Called(plan.Items[id], item)]; !kept {
				list = append(list, Change{Kind: KindCheck, ID: string(id) + "/" + string(item), What: Lost})
			}
		}
		rule, _ := x.To.Checklist(now)
		before, _ := x.From.Checklist(id)
		for _, c := range turned(KindCheck, before.Items, rule.Items, plan.Items[id]) {
			if c.What == Gained && len(was) > 0 {
				c.ID = string(now) + "/" + c.ID
				list = append(list, c)
			}
		}
	}
	return list
}

// answers are those of systems that a request loses.
func answers(plan *domain.Plan, f workflows.Foreseen) []Change {
	var list []Change
	before, after := f.Before.Dossier, f.After.Dossier
	for _, id := range slices.Sorted(maps.Keys(before.Reported)) {
		now := domain.Called(plan.Systems, id)
		if after.Reported[now] == "" || before.Answers[id] != after.Answers[now] {
			list = append(list, Change{Kind: KindAnswer, ID: string(id), Was: before.Reported[id], What: Lost})
		}
	}
	return list
}

// task is what becomes of the work that is offered, or that somebody has taken.
func task(f workflows.Foreseen) []Change {
	before, after := f.Before.Dossier, f.After.Dossier
	c := Change{Kind: KindTask, ID: string(f.After.State)}
	switch {
	case before.Picked != "" && after.Picked == "":
		c.What, c.Was = Lost, "taken"
	case before.Ready == 0 && after.Ready != 0:
		c.What = Gained
	case before.Ready != 0 && after.Ready == 0:
		c.What, c.Was = Lost, "offered"
	case before.Ready != after.Ready:
		c.What, c.Was = Other, "offered"
	default:
		return nil
	}
	return []Change{c}
}

// past is what was done and counts no more: four eyes and conditions on what was done do
// not see it.
func past(f workflows.Foreseen) []Change {
	var list []Change
	if was := f.Before.Consent; was != nil && (f.After.Consent == nil || f.After.Consent.Action == "") {
		list = append(list, Change{Kind: KindConsent, ID: string(was.Action), Was: string(was.Reason), What: Lost})
	}
	for _, e := range f.Events {
		b, ok := e.Body.(domain.RequestMigrated)
		if !ok {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(b.Mapping.Actions)) {
			if b.Mapping.Actions[id] == "" && f.Before.Times(id) > 0 {
				list = append(list, Change{Kind: KindPast, ID: string(id), Was: "action", What: Lost})
			}
		}
		for _, id := range slices.Sorted(maps.Keys(b.Mapping.Roles)) {
			if b.Mapping.Roles[id] == "" {
				list = append(list, Change{Kind: KindPast, ID: string(id), Was: "role", What: Lost})
			}
		}
	}
	return list
}

// status is what the applicant is shown.
func status(f workflows.Foreseen) []Change {
	if f.Before.Public == f.After.Public {
		return nil
	}
	return []Change{{Kind: KindStatus, ID: string(f.After.Public), Was: string(f.Before.Public), What: Other}}
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
		switch is, kept := f.After.Facts[now]; {
		case !kept:
			list = append(list, Change{Kind: KindFact, ID: id, What: Lost})
		case is != f.Before.Facts[id]:
			list = append(list, Change{Kind: KindFact, ID: now, Was: fmt.Sprint(f.Before.Facts[id]), What: Other})
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
