package simulation

import (
	"cmp"
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

// Fitter learns parameters from the recorded events of one service. Those of a request
// come in their order.
type Fitter struct {
	d        *workflows.Definition
	calendar *calendar.Calendar
	requests map[string]*recorded
	order    []*recorded
}

// recorded is one request.
type recorded struct {
	id    string
	state domain.StateID
	came  time.Time // to its state
	last  time.Time
	began time.Time // picked or given out in its state
	asked map[domain.ReviewID]time.Time

	submitted time.Time
	ended     time.Time // first
	reopened  bool      // something was done after that
	works     []worked
	chosen    [2][]chosen // before the first end, and after it
}

// worked is something that somebody did.
type worked struct {
	what        string // a state, "review x" or "system x"
	role        domain.RoleID
	officer     string
	ready, done time.Time
	began       time.Time // if it was recorded
	word        string    // of reviews and systems: what it came to
	again       bool      // after the first end
}

// chosen is an action out of a state.
type chosen struct {
	from domain.StateID
	choice
}

// NewFitter makes a fitter for a definition; the calendar says what working time is.
func NewFitter(d *workflows.Definition, c *calendar.Calendar) *Fitter {
	return &Fitter{d: d, calendar: c, requests: map[string]*recorded{}}
}

// Add takes an event of the service.
func (f *Fitter) Add(e domain.Recorded) {
	at := e.Occurred
	if b, ok := e.Body.(domain.RequestSubmitted); ok {
		r := &recorded{id: domain.RequestStream(b.Request), state: b.State, came: at, last: at, submitted: at, asked: map[domain.ReviewID]time.Time{}}
		f.requests[e.Stream] = r
		f.order = append(f.order, r)
		return
	}
	r := f.requests[e.Stream]
	if r == nil {
		return
	}
	r.last = at
	switch b := e.Body.(type) {
	case domain.ActionTaken:
		if b.Kind != domain.ActionAuto {
			// Out of the first end it is still that end's.
			again := r.reopened
			r.works = append(r.works, worked{what: string(b.From), role: e.Actor.Role, officer: e.Actor.ID, ready: r.came, done: at, began: r.began, again: again})
			part := 0
			if again {
				part = 1
			}
			r.chosen[part] = append(r.chosen[part], chosen{b.From, choice{b.Action, e.Actor.Role}})
			r.reopened = !r.ended.IsZero()
		}
		r.state, r.came, r.began = b.To, at, time.Time{}
		if b.Outcome != "" && r.ended.IsZero() {
			r.ended = at
		}
	case domain.TaskPicked, domain.TaskAllocated:
		r.began = at
	case domain.ReviewRequested:
		r.asked[b.Review] = at
	case domain.ReviewGiven:
		r.works = append(r.works, worked{what: "review " + string(b.Review), role: e.Actor.Role, officer: e.Actor.ID, ready: r.asked[b.Review], done: at, word: string(b.Opinion)})
	case domain.AnswerReported:
		r.works = append(r.works, worked{what: "system " + string(b.System), role: e.Actor.Role, ready: r.came, done: at, word: b.Outcome})
	}
}

// Requests is how many were added.
func (f *Fitter) Requests() int { return len(f.order) }

// Split divides what was added: the requests that came first, and the last share of
// them.
func (f *Fitter) Split(share float64) (first, rest *Fitter) {
	all := slices.Clone(f.order)
	slices.SortStableFunc(all, func(a, b *recorded) int { return cmp.Or(a.submitted.Compare(b.submitted), cmp.Compare(a.id, b.id)) })
	at := len(all) - int(math.Round(share*float64(len(all))))
	first, rest = NewFitter(f.d, f.calendar), NewFitter(f.d, f.calendar)
	first.order, rest.order = all[:at], all[at:]
	return first, rest
}

// Clock is that of the office, if the calendar knows all days of the history.
func (f *Fitter) Clock() Clock {
	known := f.calendar.Range()
	for _, r := range f.order {
		if d := f.calendar.DateOf(r.submitted); d < known.From || d > known.To {
			return AroundClock
		}
	}
	return OfficeHours
}

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
		out[k] = append(out[k], x.between(from, w.done, staff))
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// between is the time from one moment to another, as it counts for staff or for others.
func (x *fit) between(from, to time.Time, staff bool) time.Duration {
	d := to.Sub(from)
	if staff && x.p.Clock == OfficeHours {
		n, _ := x.calendar.Used(calendar.WorkingTime, from, to)
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

// Past is what a history itself came to, measured as a simulation is.
type Past struct {
	Requests int     `json:"requests"`
	Ended    int     `json:"ended"`
	Came     float64 `json:"came_per_day"`
	PerDay   float64 `json:"ended_per_day"`
	Mean     float64 `json:"turnaround_mean_days"`
	Median   float64 `json:"turnaround_median_days"`
	P90      float64 `json:"turnaround_p90_days"`
}

// Past measures the history; turnarounds are of the requests that came to an end.
func (f *Fitter) Past(clock Clock) Past {
	x := &fit{Fitter: f, p: &Parameters{Clock: clock}}
	p := Past{Requests: len(f.order)}
	if len(f.order) < minFit {
		return p
	}
	x.arrivals()
	p.Came = tidy(x.p.Arrivals.PerDay)
	var list []float64
	for _, r := range f.order {
		if r.ended.IsZero() {
			continue
		}
		days := r.ended.Sub(r.submitted).Hours() / 24
		if clock == OfficeHours {
			n, _ := f.calendar.Used(calendar.WorkingDays, r.submitted, r.ended)
			days = float64(n) / float64(calendar.Day)
		}
		list = append(list, days)
	}
	slices.Sort(list)
	if p.Ended = len(list); p.Ended == 0 {
		return p
	}
	p.PerDay = tidy(p.Came * float64(p.Ended) / float64(p.Requests))
	p.Mean, p.Median, p.P90 = tidy(mean(list)), tidy(quantile(list, 0.5)), tidy(quantile(list, 0.9))
	return p
}
