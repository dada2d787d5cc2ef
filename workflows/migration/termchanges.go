package migration

import (
	"cmp"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

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
		case was.Stopped() != "" && is.Stopped() == "":
			c.What = Runs
		case is.Stopped() != was.Stopped():
			c.What = Stops
		default:
			c.What = compared(was, is)
		}
		if c.What != Lost && is.Budget != was.Budget {
			c.Former = was.Budget
		}
		if is.Stopped() != "" && (c.What == Longer || c.What == Shorter || c.What == Other) {
			c.LeftBefore, c.LeftAfter = left(was), left(is)
		}
		if c.What == "" && c.Was != "" {
			c.What = Kept
		}
		if c.What != "" {
			list = append(list, c)
		}
		if now != "" && is.Open() {
			list = append(list, x.promise(c.ID, was, is)...)
			list = append(list, x.ladder(f, id, now)...)
			list = append(list, x.extension(f, id, now)...)
		}
		if is.Open() && now != "" && was.Expired.IsZero() && is.Expired.IsZero() {
			before, after := follows(x.From, f.Before, id), follows(x.To, f.After, now)
			if before != after || after != undecided && !is.Due.Equal(was.Due) {
				list = append(list, Change{Kind: KindExpiry, ID: c.ID, Was: before, What: Other, Budget: after, Before: was.Due, After: is.Due})
			}
		}
	}
	of, back := map[domain.TermID]domain.TermID{}, map[domain.TermID]bool{}
	for _, e := range f.Events {
		switch b := e.Body.(type) {
		case domain.TermContinued:
			of[b.Term] = b.Of
		case domain.TermResumed:
			back[b.Term] = !b.Away.IsZero()
		}
	}
	for _, id := range f.After.TermIDs() {
		t := f.After.Terms[id]
		if !t.Open() || seen[id] {
			continue
		}
		c := Change{Kind: KindTerm, ID: string(id), Was: string(of[id]), What: Gained, Budget: t.Lasts(), After: t.Due}
		if back[id] {
			c.What = Runs
		}
		list = append(list, c)
		if after := follows(x.To, f.After, id); after != undecided && t.Expired.IsZero() {
			list = append(list, Change{Kind: KindExpiry, ID: string(id), What: Other, Budget: after, After: t.Due})
		}
	}
	return list
}

// compared is what becomes of the time of a term that runs, or stands still, as before. Of
// budgets that are counted otherwise nobody can say which leaves more while it stands still.
func compared(was, is domain.Term) What {
	alike := is.Budget == was.Budget || calendar.Alike(was.Budget, is.Budget)
	still := is.Stopped() != "" && alike
	dated := !was.Due.IsZero() && !is.Due.IsZero()
	switch {
	case dated && is.Due.After(was.Due), still && is.Left > was.Left:
		return Longer
	case dated && is.Due.Before(was.Due), still && is.Left < was.Left:
		return Shorter
	case is.Budget != was.Budget:
		return Other
	}
	return ""
}

// left is what is left of the budget of a term, in words.
func left(t domain.Term) string {
	b, err := calendar.ParseBudget(t.Budget)
	if err != nil {
		return ""
	}
	return b.Measure().Text(calendar.Span(t.Left))
}

// promise is what becomes of the promise of a term.
func (x *Migration) promise(id string, was, is domain.Term) []Change {
	c := Change{Kind: KindPromise, ID: id, Was: was.Promise, Budget: is.Promise, Before: was.Promised, After: is.Promised}
	stands := was.Promised.IsZero() || is.Promised.IsZero()
	switch {
	case was.Promise == is.Promise && (stands || was.Promised.Equal(is.Promised)):
		return nil
	case was.Promise == "":
		c.What = Gained
	case is.Promise == "":
		c.What = Lost
	case !stands && is.Promised.After(was.Promised):
		c.What = Longer
	case !stands && is.Promised.Before(was.Promised):
		c.What = Shorter
	default:
		c.What = Other
	}
	return []Change{c}
}

// extension is what becomes of the extension that a term may still be given. One that keeps
// its budget cannot be extended by what is counted otherwise.
func (x *Migration) extension(f workflows.Foreseen, id, now domain.TermID) []Change {
	is := f.After.Terms[now]
	was, before := extendable(x.From, f.Before, id)
	by, after := extendable(x.To, f.After, now)
	c := Change{Kind: KindExtension, ID: string(now), Was: was, Budget: by}
	switch {
	case !before && !after, before && after && was == by:
		return nil
	case !before:
		c.What, c.Was = Gained, ""
	case after:
		c.What = Other
	default:
		c.What = Lost
		if by != "" && !calendar.Alike(is.Budget, by) {
			c.Former = is.Budget
		}
	}
	return []Change{c}
}

// extendable is by what a version extends a term, and whether it still can.
func extendable(w *workflows.Workflow, r domain.Request, id domain.TermID) (by string, can bool) {
	t := r.Terms[id]
	for _, rule := range domain.TermsOf(r, w) {
		if rule.ID == id && rule.Extension != nil {
			by = rule.Extension.By
		}
	}
	return by, t.Expired.IsZero() && len(t.Extended) == 0 && calendar.Alike(t.Budget, by)
}

// ladder is what becomes of those who are told as a term runs out: what is done of it at
// once, and what is still to come, where that is something else or at another time.
func (x *Migration) ladder(f workflows.Foreseen, id, now domain.TermID) []Change {
	var list []Change
	for _, e := range f.Events {
		if e.Workflow != f.After.Workflow {
			continue
		}
		switch b := e.Body.(type) {
		case domain.TermReminded:
			if b.Term == now {
				list = append(list, Change{Kind: KindLadder, ID: string(now), Was: string(b.Role), What: Gained})
			}
		case domain.TermEscalated:
			if b.Term == now {
				list = append(list, Change{Kind: KindLadder, ID: string(now), Was: cmp.Or(string(b.Role), string(b.Step)), What: Gained})
			}
		}
	}
	was, is := f.Before.Terms[id], f.After.Terms[now]
	before, after := toCome(x.From, f.Before, id, was), toCome(x.To, f.After, now, is)
	moved := is.Due.Equal(was.Due) && !is.Wakes.Equal(was.Wakes)
	if before != after || moved {
		list = append(list, Change{Kind: KindLadder, ID: string(now), Was: before, What: Other, Budget: after, Before: was.Wakes, After: is.Wakes})
	}
	return list
}

// toCome names who will be told as a term runs out, in their order.
func toCome(w *workflows.Workflow, r domain.Request, id domain.TermID, t domain.Term) string {
	var names []string
	for _, rule := range domain.TermsOf(r, w) {
		if rule.ID != id {
			continue
		}
		for _, s := range rule.Steps[min(t.Steps, len(rule.Steps)):] {
			switch s.Step {
			case domain.StepRemind:
				names = append(names, "reminder to "+string(s.Role))
			case domain.StepEscalate:
				names = append(names, string(s.Role))
			case domain.StepOmbudsman:
				names = append(names, "ombudsman")
			case domain.StepExpire: // what follows from it is told by itself
			}
		}
	}
	return strings.Join(names, ", ")
}

// undecided is what follows from a term that moves no request.
var undecided = (&domain.TermRule{}).Follows()

// follows is what a version makes of a term that runs out, in words.
func follows(w *workflows.Workflow, r domain.Request, id domain.TermID) string {
	for _, rule := range domain.TermsOf(r, w) {
		if rule.ID == id {
			return rule.Follows()
		}
	}
	return undecided
}
