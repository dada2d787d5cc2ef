package simulation

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// What is assumed where nothing is given or fitted. None of it was measured anywhere:
// it only lets a definition be simulated at once, and each is told as assumed.
const (
	assumedPerDay  = 5.0
	assumedBusy    = 0.8              // officers, as many as are not busier than that
	assumedService = 30 * time.Minute // where a stage has no term
	assumedShare   = 8                // work takes the eighth part of its term
	assumedAway    = 24 * time.Hour   // of applicants and systems, where there is no term
	assumedRefused = 0.05
	assumedBack    = 0.1 // the weight of a way back, or to an end without an approval
)

// Staff lists the roles that work in an office: all but those who submit requests, and
// those of external systems.
func Staff(d *workflows.Definition) []domain.RoleID {
	var list []domain.RoleID
	for _, r := range d.Roles {
		outside := slices.Contains(d.Submit, r.ID) || slices.ContainsFunc(d.Systems, func(s workflows.System) bool { return s.Role == r.ID })
		if !outside && works(d, r.ID) {
			list = append(list, r.ID)
		}
	}
	return list
}

// works reports whether a role has anything to do.
func works(d *workflows.Definition, r domain.RoleID) bool {
	return slices.ContainsFunc(d.States, func(s workflows.State) bool { return s.Owner == r }) ||
		slices.ContainsFunc(d.Reviews, func(x workflows.Review) bool { return x.Role == r }) ||
		slices.ContainsFunc(d.Transitions, func(t workflows.Transition) bool { return slices.Contains(t.Roles, r) })
}

// leaving lists the actions that somebody may take in a state, in the order of the file.
func leaving(d *workflows.Definition, from domain.StateID) []domain.ActionID {
	var list []domain.ActionID
	for i := range d.Transitions {
		t := &d.Transitions[i]
		if !t.Automatic && slices.Contains(t.From, from) && !slices.Contains(list, t.Action) {
			list = append(list, t.Action)
		}
	}
	return list
}

// Complete adds what is assumed to parameters that say only a part; how many officers,
// [Staffed] finds out. The error says why the definition cannot be simulated at all.
func (p *Parameters) Complete(d *workflows.Definition) (*Parameters, error) {
	out := p.Over(&Parameters{Clock: OfficeHours})
	if out.Arrivals == (Arrivals{}) {
		out.Arrivals.PerDay = assumedPerDay
		out.note(Assumed, "arrivals", out.Arrivals.String(), 0)
	}
	for _, r := range Staff(d) {
		if out.pool(r) < 0 {
			out.Pools = append(out.Pools, Pool{Name: string(r), Roles: []domain.RoleID{r}})
		}
	}
	for i := range d.States {
		out.completeStage(d, &d.States[i])
	}
	for i := range d.Reviews {
		out.completeReview(&d.Reviews[i])
	}
	for i := range d.Systems {
		out.completeSystem(d, &d.Systems[i])
	}
	if len(out.Cases) == 0 {
		var what string
		out.Cases, what = sampled(d)
		out.note(Assumed, "cases", what, 0)
	}
	total := 0.0
	for _, c := range out.Cases {
		total += c.Weight
	}
	if total == 0 {
		return nil, errors.New("the cases have no weight: nothing is submitted")
	}
	out.sort()
	return out, nil
}

// sort puts the notes in the order of what rests on most.
func (p *Parameters) sort() {
	slices.SortStableFunc(p.Notes, func(a, b Note) int { return cmp.Compare(order(a.Source), order(b.Source)) })
}

func order(s Source) int { return slices.Index([]Source{Given, Fitted, Missing, Assumed}, s) }

func (p *Parameters) completeStage(d *workflows.Definition, s *workflows.State) {
	x := p.Stages[s.ID]
	what := "stage " + string(s.ID)
	if x.Choices == nil {
		x.Choices = assumedChoices(d, s)
		if len(x.Choices) > 1 {
			p.note(Assumed, what+" choices", weightsText(x.Choices), 0)
		}
	}
	ways := len(leaving(d, s.ID)) + automatic(d, s.ID)
	if s.Kind == workflows.KindGather { // reviews have their own
		ways = 0
		for _, w := range x.Choices {
			ways += int(math.Ceil(w))
		}
	}
	if x.Service == nil && s.Kind != workflows.KindEnd && s.WaitsFor == "" && ways > 0 {
		x.Service = assumedWork(s.Term, slices.Contains(Staff(d), s.Owner))
		p.note(Assumed, what+" service", x.Service.String(), 0)
	}
	p.Stages[s.ID] = x
}

func automatic(d *workflows.Definition, from domain.StateID) int {
	n := 0
	for i := range d.Transitions {
		if t := &d.Transitions[i]; t.Automatic && slices.Contains(t.From, from) {
			n++
		}
	}
	return n
}

// assumedWork is how long a step is assumed to take, of a term that it has.
func assumedWork(t *workflows.Term, staff bool) *Duration {
	d := &Duration{Shape: Exponential, Mean: assumedService}
	switch {
	case staff && t != nil:
		d.Mean = roughly(t.Budget) / assumedShare
	case !staff && t != nil:
		d.Mean = onTheWall(t.Budget) / 2
	case !staff:
		d.Mean = assumedAway
	}
	return d
}

// assumedChoices weighs the ways out of a state: onward 1, back or to an end that is no
// approval less, and nothing for what stays, withdraws, reopens or overrides.
func assumedChoices(d *workflows.Definition, s *workflows.State) map[domain.ActionID]float64 {
	weights := map[domain.ActionID]float64{}
	if s.Kind == workflows.KindEnd {
		return weights
	}
	for i := range d.Transitions {
		t := &d.Transitions[i]
		if t.Automatic || !slices.Contains(t.From, s.ID) || t.To == s.ID {
			continue
		}
		if t.Kind == domain.ActionWithdraw || t.Kind == domain.ActionReopen || t.Kind == domain.ActionOverride {
			continue
		}
		w := 1.0
		if at := index(d, t.To); at < index(d, s.ID) || leadsNowhere(d, at) {
			w = assumedBack
		}
		weights[t.Action] = max(weights[t.Action], w)
	}
	return weights
}

func index(d *workflows.Definition, id domain.StateID) int {
	return slices.IndexFunc(d.States, func(s workflows.State) bool { return s.ID == id })
}

// leadsNowhere reports whether a state is an end without an approval, or one in which the
// applicant has to correct something.
func leadsNowhere(d *workflows.Definition, at int) bool {
	s := &d.States[at]
	if s.Kind == workflows.KindEnd {
		return s.Outcome == domain.OutcomeRejected || s.Outcome == domain.OutcomeWithdrawn
	}
	return s.Public == domain.StatusNeedsCorrection
}

func (p *Parameters) completeReview(r *workflows.Review) {
	x := p.Reviews[r.ID]
	what := "review " + string(r.ID)
	if x.Service == nil {
		x.Service = assumedWork(r.Term, true)
		p.note(Assumed, what+" service", x.Service.String(), 0)
	}
	if x.Refused == nil {
		x.Refused = share(assumedRefused)
		p.note(Assumed, what+" refused", figure(assumedRefused), 0)
	}
	p.Reviews[r.ID] = x
}

func (p *Parameters) completeSystem(d *workflows.Definition, s *workflows.System) {
	x := p.Systems[s.ID]
	what := "system " + string(s.ID)
	if x.Answer == nil {
		var term *workflows.Term
		for i := range d.States {
			if d.States[i].WaitsFor == s.ID {
				term = d.States[i].Term
			}
		}
		x.Answer = assumedWork(term, false)
		p.note(Assumed, what+" answer", x.Answer.String(), 0)
	}
	if x.Outcomes == nil {
		x.Outcomes = map[string]float64{}
		for i, o := range s.Outcomes { // the first is the one that is hoped for
			x.Outcomes[o] = 1
			if i > 0 {
				x.Outcomes[o] = assumedBack
			}
		}
		p.note(Assumed, what+" outcomes", weightsText(x.Outcomes), 0)
	}
	p.Systems[s.ID] = x
}

// sampled is what the tests of a definition submit, and without any what its facts may
// be.
func sampled(d *workflows.Definition) ([]Case, string) {
	var list []Case
	for i := range d.Tests {
		if g := &d.Tests[i].Given; g.Refused == "" && (len(g.Form) > 0 || len(g.Facts) > 0) {
			list = append(list, Case{Weight: 1, By: g.By, As: g.As, Facts: workflows.FactsOf(g.Facts), Form: domain.Personal(g.Form)})
		}
	}
	if len(list) > 0 {
		return list, fmt.Sprintf("%d, each as likely: what the definition's own tests submit", len(list))
	}
	c := Case{Weight: 1, Facts: domain.Facts{}}
	for i := range d.Facts {
		if f := &d.Facts[i]; f.Required && f.From == nil {
			c.Facts[f.ID] = anyValue(f)
		}
	}
	return []Case{c}, "all alike, with the facts that are required and nothing else"
}

func anyValue(f *workflows.Fact) any {
	switch {
	case len(f.Values) > 0:
		return f.Values[0]
	case f.Type == workflows.FactNumber:
		return 1.0
	case f.Type == workflows.FactBoolean:
		return false
	case f.Type == workflows.FactTime:
		return "2026-01-05T01:00:00Z"
	}
	return "-"
}

// sharesText shows shares, and what is left of 1.
func sharesText[T ~string](shares map[T]float64, rest T) string {
	all := maps.Clone(shares)
	all[rest] = 1
	for _, x := range shares {
		all[rest] = max(0, all[rest]-x)
	}
	return weightsText(all)
}

// weightsText shows weights as shares.
func weightsText[T ~string](weights map[T]float64) string {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		parts = append(parts, fmt.Sprintf("%s %s%%", name, figure(100*weights[name]/max(total, 1e-300))))
	}
	return strings.Join(parts, ", ")
}
