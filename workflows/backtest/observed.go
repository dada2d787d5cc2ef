package backtest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// observed is what is compared of a course.
type observed struct {
	route   []domain.StateID
	outcome string // in words, with what the law or the clock decided
	terms   map[domain.TermID]deadline
	fees    map[domain.FeeID]int64
	asked   map[domain.ReviewID]bool
}

// deadline is a legal term as it was last reckoned.
type deadline struct {
	due    time.Time // the last that was reckoned; zero while it never ran
	none   bool      // it has none now, as while it stands still
	budget string
	missed bool
	beyond bool // no calendar reaches so far as to tell when it is due
}

// open is the outcome of a request that has none.
const open = "open"

func newObserved() observed {
	return observed{outcome: open, terms: map[domain.TermID]deadline{}, fees: map[domain.FeeID]int64{}, asked: map[domain.ReviewID]bool{}}
}

// see takes an event; r is the request after it.
func (o *observed) see(r *domain.Request, b domain.Body) {
	if m, ok := b.(domain.RequestMigrated); ok {
		o.renamed(m)
	}
	if n := len(o.route); n == 0 || o.route[n-1] != r.State {
		o.route = append(o.route, r.State)
	}
	if m, moves := domain.MoveOf(b); moves {
		how := ""
		switch b.(type) {
		case domain.DecisionDeemed:
			how = " (deemed)"
		case domain.RequestLapsed:
			how = " (lapsed)"
		}
		o.outcome = outcome(m.Outcome, how)
	}
	if t, ok := b.(domain.TermEvent); ok && t.TermID().Legal() {
		o.terms[t.TermID()] = o.terms[t.TermID()].after(t)
	}
	switch b := b.(type) {
	case domain.FeeAssessed:
		o.fees[b.Fee] = b.Amount
	case domain.ReviewRequested:
		o.asked[b.Review] = true
	}
}

// after is a deadline after an event on its term.
func (d deadline) after(e domain.TermEvent) deadline {
	due := e.Reckoned().Due
	d.beyond = due.IsZero() && e.Reckoned().Provisional
	if d.none = due.IsZero(); !d.none {
		d.due = due
	}
	switch b := e.(type) {
	case domain.TermStarted:
		d.budget = b.Budget
	case domain.TermCarried:
		d.budget = b.Budget
	case domain.TermContinued:
		d.budget = b.Budget
	case domain.TermExpired:
		d.missed = true
	case domain.TermEnded:
		d.missed = d.missed || b.Late
	}
	return d
}

func outcome(o domain.Outcome, how string) string {
	if o == "" {
		return open
	}
	return string(o) + how
}

// differ lists how a course differs from the recorded one, but for its outcome.
func differ(then, now *observed, cal *calendar.Calendar) []Difference {
	var list []Difference
	if !slices.Equal(then.route, now.route) {
		list = append(list, Difference{Kind: Route, Cause: detour(then.route, now.route), Detail: fmt.Sprintf("then %s; now %s", way(then.route), way(now.route))})
	}
	for _, id := range keys(then.terms, now.terms) {
		a, had := then.terms[id]
		b, has := now.terms[id]
		list = append(list, deadlines(id, a, b, had, has, cal)...)
	}
	for _, id := range keys(then.fees, now.fees) {
		a, had := then.fees[id]
		b, has := now.fees[id]
		d := Difference{Kind: Fee, Detail: fmt.Sprintf("Rp %d then, Rp %d now", a, b), By: b - a, unit: rupiah}
		switch {
		case !had && b > 0:
			d.Cause, d.Detail = fmt.Sprintf("fee %q: newly due", id), fmt.Sprintf("Rp %d now", b)
		case !has && a > 0:
			d.Cause, d.Detail = fmt.Sprintf("fee %q: no longer due", id), fmt.Sprintf("Rp %d then", a)
		case b > a:
			d.Cause = fmt.Sprintf("fee %q: raised", id)
		case b < a:
			d.Cause = fmt.Sprintf("fee %q: lowered", id)
		default:
			continue
		}
		list = append(list, d)
	}
	for _, id := range keys(then.asked, now.asked) {
		switch {
		case !then.asked[id]:
			list = append(list, Difference{Kind: Review, Cause: fmt.Sprintf("review %q: newly asked for", id)})
		case !now.asked[id]:
			list = append(list, Difference{Kind: Review, Cause: fmt.Sprintf("review %q: no longer asked for", id)})
		}
	}
	return list
}

// deadlines is how one legal term differs.
func deadlines(id domain.TermID, then, now deadline, had, has bool, cal *calendar.Calendar) []Difference {
	d := Difference{Kind: Deadline}
	about := fmt.Sprintf("term %q: ", id)
	switch {
	case !had:
		d.Cause = about + "newly counted"
	case !has:
		d.Cause = about + "no longer counted"
	case now.beyond && !then.beyond:
		d.Cause = about + "no calendar reaches to when it would be due"
	case then.none && !now.none:
		d.Cause, d.Detail = about+"has a due time where it had none", fmt.Sprintf("due %s now", local(now.due, cal))
	case now.none && !then.none:
		d.Cause, d.Detail = about+"has no due time where it had one", fmt.Sprintf("due %s then", local(then.due, cal))
	case then.due.IsZero() || now.due.IsZero() || then.due.Equal(now.due):
	default:
		d.Cause = about + "due later"
		if now.due.Before(then.due) {
			d.Cause = about + "due earlier"
		}
		d.Detail = fmt.Sprintf("due %s then, %s now", local(then.due, cal), local(now.due, cal))
		m := measured(now, then)
		if span, err := cal.Used(m, then.due, now.due); err == nil {
			d.By, d.unit = int64(span), spans(m)
		}
	}
	switch {
	case now.missed && !then.missed:
		d.Cause = joined(d.Cause, about, "newly missed")
	case then.missed && !now.missed && has && !now.beyond:
		d.Cause = joined(d.Cause, about, "newly met")
	}
	if d.Cause == "" {
		return nil
	}
	return []Difference{d}
}

// measured is what the difference of two due times is counted in: as the term is now, or
// was; days, where it is a date that says until when.
func measured(now, then deadline) calendar.Measure {
	for _, budget := range []string{now.budget, then.budget} {
		if b, err := calendar.ParseBudget(budget); err == nil {
			return b.Measure()
		}
	}
	return calendar.PlainDays
}

func joined(cause, about, what string) string {
	if cause == "" {
		return about + what
	}
	return cause + ", " + what
}

func local(t time.Time, cal *calendar.Calendar) string {
	return t.In(cal.Zone()).Format("2006-01-02 15:04 MST")
}

// detour is where two routes part.
func detour(then, now []domain.StateID) string {
	i := 0
	for i < len(then) && i < len(now) && then[i] == now[i] {
		i++
	}
	at := func(route []domain.StateID, i int) string {
		if i < len(route) {
			return string(route[i])
		}
		return "no further"
	}
	if i == 0 {
		return fmt.Sprintf("begins in %s, not in %s", at(now, 0), at(then, 0))
	}
	return fmt.Sprintf("from %s to %s, not to %s", then[i-1], at(now, i), at(then, i))
}

func way(route []domain.StateID) string {
	text := ""
	for i, s := range route {
		if i > 0 {
			text += " > "
		}
		text += string(s)
	}
	return text
}

// keys are those of two maps, in order.
func keys[K ~string, V any](a, b map[K]V) []K {
	list := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, ok := a[k]; !ok {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}
