package simulation

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// Basis says what the time between two recorded steps is taken for.
type Basis string

// A history says when something was done, and seldom when it was begun.
const (
	// ByService takes it that whoever did a step began when it was ready and their own
	// step before was done, the later of the two. What they did besides is in it: an
	// upper bound of the work, with a lower one of the waiting.
	ByService Basis = "service"
	// BySojourn takes waiting and work together. Nobody waits for officers then, so
	// that more of them make no difference; it predicts where they are not the limit.
	BySojourn Basis = "sojourn"
)

// fit is one fitting.
type fit struct {
	*Fitter
	p     *Parameters
	basis Basis
	end   time.Time // of the history
	staff []domain.RoleID
}

// minFit is how many requests can be fitted at least.
const minFit = 2

// Fit is the parameters that the history has. Those that it has not are missing from
// them and told. The error says why there are none.
func (f *Fitter) Fit(clock Clock, basis Basis) (*Parameters, error) {
	if f.err != nil {
		return nil, f.err
	}
	if len(f.order) < minFit {
		return nil, fmt.Errorf("%d requests of service %s are recorded: nothing can be fitted", len(f.order), f.d.ID)
	}
	if clock == OfficeHours && f.Clock() != OfficeHours {
		return nil, fmt.Errorf("the history is of days that the calendar does not know (%s to %s): say clock: wall", f.calendar.Range().From, f.calendar.Range().To)
	}
	x := &fit{Fitter: f, basis: basis, staff: Staff(f.d), p: &Parameters{
		Clock: clock, Stages: map[domain.StateID]Stage{}, Reviews: map[domain.ReviewID]ReviewWork{}, Systems: map[domain.SystemID]SystemWork{},
	}}
	for _, r := range f.order {
		if r.last.After(x.end) {
			x.end = r.last
		}
	}
	x.p.note(Fitted, "clock", string(clock), len(f.order))
	x.arrivals()
	x.officers()
	durations := x.durations()
	x.stages(durations)
	x.reviews(durations)
	x.systems(durations)
	x.p.note(Missing, "cases", "forms are sealed, and facts need not tell what was filled in", 0)
	return x.p, nil
}

// arrivals counts requests over the days from the first to the last of them.
func (x *fit) arrivals() {
	first, last := x.order[0].submitted, x.order[0].submitted
	for _, r := range x.order {
		first, last = earlier(first, r.submitted), later(last, r.submitted)
	}
	days := last.Sub(first).Hours() / 24
	if x.p.Clock == OfficeHours {
		n, _ := x.calendar.Used(calendar.WorkingDays, first, last) // inside of the calendar: see Fit
		days = float64(n) / float64(calendar.Day)
	}
	if days <= 0 {
		x.p.note(Missing, "arrivals", "all came at one moment", 0)
		return
	}
	// The first one opens the time, and is not of it.
	x.p.Arrivals.PerDay = float64(len(x.order)-1) / days
	x.p.note(Fitted, "arrivals", x.p.Arrivals.String(), len(x.order))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// unrecorded is whom a history does not name.
const unrecorded = "unrecorded"

// officers counts, for each role, those who were seen at work in the same month, on
// average over the months in which anybody was; who worked in several roles counts in
// each for the share of their steps there.
func (x *fit) officers() {
	type month struct{ year, month int }
	steps := map[month]map[string]map[domain.RoleID]int{}
	for _, r := range x.order {
		for i := range r.works {
			w := &r.works[i]
			if !contains(x.staff, w.role) || w.officer == unrecorded {
				continue
			}
			m := month{w.done.UTC().Year(), int(w.done.UTC().Month())}
			if steps[m] == nil {
				steps[m] = map[string]map[domain.RoleID]int{}
			}
			if steps[m][w.officer] == nil {
				steps[m][w.officer] = map[domain.RoleID]int{}
			}
			steps[m][w.officer][w.role]++
		}
	}
	for _, role := range x.staff {
		if x.basis == BySojourn {
			x.p.Pools = append(x.p.Pools, Pool{Name: string(role), Roles: []domain.RoleID{role}, Unlimited: true})
			x.p.note(Fitted, "officers "+string(role), "as many as are needed", 0)
			continue
		}
		seen := map[string]bool{}
		sum := 0.0
		months := 0
		for _, byOfficer := range steps {
			part := 0.0
			for _, officer := range slices.Sorted(maps.Keys(byOfficer)) {
				byRole := byOfficer[officer]
				if byRole[role] == 0 {
					continue
				}
				seen[officer] = true
				all := 0
				for _, n := range byRole {
					all += n
				}
				part += math.Round(1e6*float64(byRole[role])/float64(all)) / 1e6 // sums of these do not depend on their order
			}
			if part > 0 {
				sum, months = sum+part, months+1
			}
		}
		if months == 0 {
			x.p.note(Missing, "officers "+string(role), "nobody was seen in this role", 0)
			continue
		}
		n := max(1, int(math.Ceil(sum/float64(months)-0.05)))
		x.p.Pools = append(x.p.Pools, Pool{Name: string(role), Roles: []domain.RoleID{role}, Officers: n})
		x.p.note(Fitted, "officers "+string(role), fmt.Sprintf("%d; in the same month %s on average", n, figure(sum/float64(months))), len(seen))
	}
}

// workKind is a kind of work, on requests that were over before or not.
type workKind struct {
	what  string
	again bool
}

// durations are what each kind of work took, in order.
func (x *fit) durations() map[workKind][]time.Duration {
	var all []*worked
	for _, r := range x.order {
		for i := range r.works {
			all = append(all, &r.works[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *worked) int { return a.done.Compare(b.done) })
	before := map[string]time.Time{} // when an officer's last step was done
	out := map[workKind][]time.Duration{}
	for _, w := range all {
		staff := contains(x.staff, w.role)
		from := w.ready
		if staff && x.basis == ByService && w.officer != unrecorded {
			from = later(from, before[w.officer])
			from = later(from, w.began)
			before[w.officer] = w.done
		}
		k := workKind{w.what, w.again}
		out[k] = append(out[k], x.between(w.by, from, w.done, staff))
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// between is the time from one moment to another, as it counts for staff or for others.
func (x *fit) between(by *calendar.Calendar, from, to time.Time, staff bool) time.Duration {
	d := to.Sub(from)
	if staff && x.p.Clock == OfficeHours {
		n, _ := by.Used(calendar.WorkingTime, from, to)
		d = time.Duration(n)
	}
	return max(0, d).Round(grain)
}

// gaveUp reports whether a request was left where it is: nothing happened for longer
// than what nearly always does.
func (x *fit) gaveUp(r *recorded, long time.Duration) bool {
	return r.ended.IsZero() && x.end.Sub(r.last) > long
}

// long is how long 99 of 100 steps took at most, and at least 30 days.
func (x *fit) long() time.Duration {
	var all []time.Duration
	for _, r := range x.order {
		for _, w := range r.works {
			all = append(all, w.done.Sub(w.ready))
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return max(30*24*time.Hour, all[len(all)*99/100])
}

// choices counts what was done in each state, and by whom; out of an end, as a share of
// the times that one was reached.
func (x *fit) choices(again bool) map[domain.StateID]Stage {
	out := map[domain.StateID]Stage{}
	reached := map[domain.StateID]float64{}
	part := 0
	if again {
		part = 1
	}
	long := x.long()
	for _, r := range x.order {
		for _, c := range r.chosen[part] {
			s := out[c.from]
			if s.Choices == nil {
				s.Choices, s.Doers = map[domain.ActionID]float64{}, map[choice]float64{}
			}
			s.Choices[c.action]++
			s.Doers[c.choice]++
			out[c.from] = s
			reached[c.from]++
		}
		if r.reopened != again {
			continue
		}
		reached[r.state]++
		if s, ok := out[r.state]; ok && x.gaveUp(r, long) {
			s.Left++
			out[r.state] = s
		}
	}
	for i := range x.d.States {
		if s := &x.d.States[i]; s.Kind == workflows.KindEnd {
			for a, n := range out[s.ID].Choices {
				out[s.ID].Choices[a] = n / reached[s.ID]
			}
		}
	}
	return out
}

// stages fits the states: as they were at first, and for requests that were over before.
func (x *fit) stages(durations map[workKind][]time.Duration) {
	first, second := x.choices(false), x.choices(true)
	for i := range x.d.States {
		s := &x.d.States[i]
		what := "stage " + string(s.ID)
		if len(leaving(x.d, s.ID)) == 0 {
			continue
		}
		stage, ok := x.stage(s, first, durations, false, what)
		if !ok && s.Kind != workflows.KindEnd {
			x.p.note(Missing, what, "nothing was done in this state", 0)
			continue
		}
		if again, ok := x.stage(s, second, durations, true, what+" once more"); ok {
			stage.Again = &again
		}
		x.p.Stages[s.ID] = stage
	}
}

// stage fits a state, if anything was done in it.
func (x *fit) stage(s *workflows.State, by map[domain.StateID]Stage, durations map[workKind][]time.Duration, again bool, what string) (Stage, bool) {
	stage, ok := by[s.ID]
	list := durations[workKind{string(s.ID), again}]
	if !ok || len(list) == 0 {
		return Stage{Choices: map[domain.ActionID]float64{}}, false
	}
	if s.Kind == workflows.KindEnd {
		x.p.note(Fitted, what+" reopened", sharesText(stage.Choices, "nothing"), len(list))
		return stage, true
	}
	x.p.note(Fitted, what+" choices", weightsText(stage.Choices), len(list))
	if stage.Left > 0 {
		x.p.note(Fitted, what+" left there for ever", fmt.Sprintf("%d of %d", int(stage.Left), len(list)+int(stage.Left)), int(stage.Left))
	}
	stage.Service = empirical(list)
	x.p.note(Fitted, what+" service", stage.Service.String(), len(list))
	return stage, true
}

func (x *fit) reviews(durations map[workKind][]time.Duration) {
	words := x.words()
	for i := range x.d.Reviews {
		id := x.d.Reviews[i].ID
		what := "review " + string(id)
		list := durations[workKind{what: what}]
		if len(list) == 0 {
			x.p.note(Missing, what, "no opinion was recorded", 0)
			continue
		}
		refused := words[what][string(domain.OpinionRefused)] / float64(len(list))
		x.p.Reviews[id] = ReviewWork{Service: empirical(list), Refused: share(refused)}
		x.p.note(Fitted, what+" service", empirical(list).String(), len(list))
		x.p.note(Fitted, what+" refused", figure(refused), len(list))
	}
}

func (x *fit) systems(durations map[workKind][]time.Duration) {
	words := x.words()
	for i := range x.d.Systems {
		id := x.d.Systems[i].ID
		what := "system " + string(id)
		list := durations[workKind{what: what}]
		if len(list) == 0 {
			x.p.note(Missing, what, "no answer was recorded", 0)
			continue
		}
		x.p.Systems[id] = SystemWork{Answer: empirical(list), Outcomes: words[what]}
		x.p.note(Fitted, what+" answer", empirical(list).String(), len(list))
		x.p.note(Fitted, what+" outcomes", weightsText(words[what]), len(list))
	}
}

// words counts what reviews and systems came to.
func (x *fit) words() map[string]map[string]float64 {
	out := map[string]map[string]float64{}
	for _, r := range x.order {
		for _, w := range r.works {
			if w.word == "" {
				continue
			}
			if out[w.what] == nil {
				out[w.what] = map[string]float64{}
			}
			out[w.what][w.word]++
		}
	}
	return out
}
