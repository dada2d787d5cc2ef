package simulation

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// seen is what was measured in one replication. Requests that came in the measured time
// are followed to their end; work that became ready in it until somebody took it.
type seen struct {
	m          *model
	jobs       []*job // that came in the measured time
	rows       []rowSeen
	barred     []int   // by pool: work that four eyes let nobody do
	work       []level // by pool: the officers who work
	turnaround []float64
	ends       map[domain.StateID]int
	decided    int
	deemed     int
	stuckJobs  map[*job]bool
	why        map[string]int
	terms      []kept
	promises   []kept // of the terms of law
	promise    kept
	pending    int // work that became ready in the measured time and waits

	sums     map[string]float64 // of one that is over
	requests int
}

// kept counts those who were on time.
type kept struct{ on, of int }

func (k *kept) count(on bool) {
	k.of++
	if on {
		k.on++
	}
}

func (k kept) share() float64 { return float64(k.on) / float64(k.of) } // NaN of none

// rowSeen is what was measured of a stage.
type rowSeen struct {
	came     int
	waits    []int64 // of the officers' time
	service  float64 // nanoseconds, all together
	served   int
	stays    float64 // days
	left     int
	term     kept
	unserved int

	queue level
}

// level is a number that changes, summed over the officers' measured time.
type level struct {
	now   int
	since int64
	area  float64 // nanoseconds
}

func (x *seen) change(l *level, s *run, by int) {
	l.area += float64(l.now) * float64(x.overlap(l.since, s.now))
	l.now += by
	l.since = s.now
}

func newSeen(m *model) *seen {
	x := &seen{
		m: m, rows: make([]rowSeen, len(m.rows)), barred: make([]int, len(m.Parameters.Pools)), work: make([]level, len(m.Parameters.Pools)),
		ends: map[domain.StateID]int{}, stuckJobs: map[*job]bool{}, why: map[string]int{}, terms: make([]kept, len(m.Definition.Terms)), promises: make([]kept, len(m.Definition.Terms)),
	}
	for i := range x.rows {
		x.rows[i].queue.since = m.begin
	}
	return x
}

func (x *seen) counts(at int64) bool { return at >= x.m.measured && at < x.m.end }

// overlap is how much of the officers' measured time lies between two moments.
func (x *seen) overlap(from, to int64) int64 {
	from, to = max(from, x.m.measured), min(to, x.m.end)
	if from >= to {
		return 0
	}
	return x.m.worked(from, to)
}

func (x *seen) came(_ *run, it *item) {
	if x.counts(it.ready) {
		x.rows[it.row].came++
		if it.pool >= 0 {
			x.pending++
		}
	}
}

// gathers counts a request that came to where reviews are waited for.
func (x *seen) gathers(s *run, j *job) {
	if j.entered == s.now && x.counts(s.now) {
		x.rows[s.stateRow[s.states[j.place.request.State]]].came++
	}
}

func (x *seen) queued(s *run, row, by int) { x.change(&x.rows[row].queue, s, by) }

func (x *seen) began(s *run, it *item) {
	x.change(&x.work[it.pool], s, 1)
	if !x.counts(it.ready) {
		return
	}
	x.pending--
	r := &x.rows[it.row]
	wait := int64(0)
	if it.began > it.ready {
		wait = x.m.worked(it.ready, it.began)
	}
	r.waits = append(r.waits, wait)
	r.service += float64(it.service)
	r.served++
}

// gaveUp counts how long something waited that is not done here any more.
func (x *seen) gaveUp(s *run, it *item) {
	if x.counts(it.ready) {
		x.pending--
		r := &x.rows[it.row]
		r.waits = append(r.waits, x.m.worked(it.ready, s.now))
	}
}

func (x *seen) outside(s *run, it *item) {
	if x.counts(it.ready) {
		r := &x.rows[it.row]
		r.service += float64(s.now - it.began)
		r.served++
	}
}

// finished counts what an officer worked.
func (x *seen) finished(s *run, it *item) {
	x.change(&x.work[it.pool], s, -1)
	if it.review >= 0 {
		x.left(s, it.job, it.row, it.ready)
	}
}

// left counts how long something stood in a stage.
func (x *seen) left(s *run, _ *job, row int, entered int64) {
	if !x.counts(entered) {
		return
	}
	r := &x.rows[row]
	r.left++
	r.stays += x.m.days(entered, s.now)
	if t := x.m.rows[row].term; t != nil {
		r.term.count(s.within(t.Budget, entered, s.now))
	}
}

func (x *seen) ended(s *run, j *job, state *workflows.State) {
	if !j.measured {
		return
	}
	delete(x.stuckJobs, j)
	x.turnaround = append(x.turnaround, x.m.days(j.arrived, s.now))
	x.ends[state.ID]++
	if j.deemed {
		x.deemed++
	}
	// Somebody decided, or the law did: of a request that was withdrawn or lapsed no
	// decision was owed any more.
	if state.Outcome != domain.OutcomeApproved && state.Outcome != domain.OutcomeRejected {
		return
	}
	x.decided++
	for i := range j.clocks {
		c, t := &j.clocks[i], &x.m.Definition.Terms[i]
		if !c.started {
			continue
		}
		x.terms[i].count(!j.deemed && c.used <= t.Budget.Span())
		if promised(t) {
			x.promises[i].count(!j.deemed && c.used <= t.Promise.Span())
		}
	}
	if b := x.m.promise; b != nil {
		x.promise.count(!j.deemed && s.within(*b, j.arrived, s.now))
	}
}

// gave notes a request on which nothing is done any more: nobody waits for its end.
func (x *seen) gave(s *run, j *job) {
	if j.measured && !j.ended && !j.left {
		j.left = true
		s.open--
	}
}

// promised reports whether a term has a promise that can be measured with it.
func promised(t *workflows.LegalTerm) bool {
	return t.Promise != nil && t.Promise.Measure() == t.Budget.Measure()
}

// stuck notes a request that nothing leads on, and why.
func (x *seen) stuck(_ *run, j *job) {
	if !j.measured || j.ended {
		return
	}
	x.stuckJobs[j] = true
	why := fmt.Sprintf("nothing can be done in state %s", j.place.request.State)
	if list := j.place.refusals; len(list) > 0 {
		why += ": " + list[0].Error()
	}
	x.why[why]++
}

// close counts what is not over: how long it took so far.
func (x *seen) close(s *run) {
	for i := range x.rows {
		x.queued(s, i, 0)
	}
	for i := range s.pools {
		for _, it := range s.pools[i].queue {
			if x.counts(it.ready) {
				r := &x.rows[it.row]
				r.waits = append(r.waits, x.m.worked(it.ready, s.now))
				r.unserved++
			}
		}
	}
	for i := range x.work {
		x.change(&x.work[i], s, 0)
	}
	for _, j := range x.jobs {
		if j.ended || j.left {
			continue
		}
		x.turnaround = append(x.turnaround, x.m.days(j.arrived, s.now))
		for i := range j.clocks {
			c, b := &j.clocks[i], x.m.Definition.Terms[i].Budget
			used := c.used
			if c.running {
				used += max(0, s.used(b.Measure(), c.from, s.now))
			}
			if c.started && used > b.Span() {
				x.terms[i].count(false) // whatever becomes of it
			}
			if t := &x.m.Definition.Terms[i]; c.started && promised(t) && used > t.Promise.Span() {
				x.promises[i].count(false)
			}
		}
		if b := x.m.promise; b != nil && !s.within(*b, j.arrived, s.now) {
			x.promise.count(false)
		}
	}
}

// figures are what is compared between replications, by name. What was not seen is NaN.
func (x *seen) figures() map[string]float64 {
	m := x.m
	days := float64(m.Days)
	n := float64(len(x.jobs))
	slices.Sort(x.turnaround)
	f := map[string]float64{
		"came": n / days, "ended": float64(len(x.jobs)-x.stillOpen()) / days,
		"turnaround mean": mean(x.turnaround), "turnaround median": quantile(x.turnaround, 0.5), "turnaround p90": quantile(x.turnaround, 0.9),
		"deemed": float64(x.deemed) / n, "open": float64(x.stillOpen()) / n, "stuck": float64(len(x.stuckJobs)) / n,
		"promise": x.promise.share(),
	}
	for i := range m.Definition.Terms {
		f["term "+m.Definition.Terms[i].ID] = x.terms[i].share()
		f["promise "+m.Definition.Terms[i].ID] = x.promises[i].share()
	}
	for i := range m.Definition.States {
		f["end "+string(m.Definition.States[i].ID)] = float64(x.ends[m.Definition.States[i].ID]) / n
	}
	open := float64(m.worked(m.measured, m.end))
	for i := range x.rows {
		x.rowFigures(&x.rows[i], "stage "+m.rows[i].id+" ", open, n, f)
	}
	top, most := -1, 0.0
	for i := range m.Parameters.Pools {
		p := &m.Parameters.Pools[i]
		key := "pool " + p.Name + " "
		f[key+"barred"] = float64(x.barred[i])
		busy := x.work[i].area / open
		f[key+"officers"] = busy
		if p.Unlimited {
			continue
		}
		f[key+"busy"] = busy / float64(p.Officers)
		f[key+"top"] = 0
		if f[key+"busy"] > most {
			top, most = i, f[key+"busy"]
		}
	}
	if top >= 0 {
		f["pool "+m.Parameters.Pools[top].Name+" top"] = 1
	}
	return f
}

func (x *seen) stillOpen() int {
	n := 0
	for _, j := range x.jobs {
		if !j.ended {
			n++
		}
	}
	return n
}

func (x *seen) rowFigures(r *rowSeen, key string, open, requests float64, f map[string]float64) {
	f[key+"came"] = float64(r.came) / float64(x.m.Days)
	waits := make([]float64, len(r.waits))
	sum := 0.0
	for i, w := range r.waits {
		waits[i] = float64(w) / float64(time.Hour)
		sum += waits[i]
	}
	slices.Sort(waits)
	f[key+"wait"] = mean(waits)
	f[key+"p90"] = quantile(waits, 0.9)
	f[key+"adds"] = sum / requests
	f[key+"service"] = r.service / float64(r.served) / float64(time.Hour)
	f[key+"stay"] = r.stays / float64(r.left)
	f[key+"queue"] = r.queue.area / open
	f[key+"term"] = r.term.share()
	f[key+"unserved"] = float64(r.unserved)
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(len(list)) // NaN of none
}

// quantile is the least value that so large a share does not exceed; NaN of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
