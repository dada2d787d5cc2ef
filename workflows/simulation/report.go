package simulation

import (
	"math"
	"slices"
	"strconv"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// Report is what a simulation came to. Times of waiting and work are in hours of the
// officers' time, stays and turnarounds in days: working days, or days of 24 hours
// where officers work around the clock.
type Report struct {
	Service      string         `json:"service"`
	Title        workflows.Text `json:"title"`
	Seed         uint64         `json:"seed"`
	Replications int            `json:"replications"`
	From         calendar.Date  `json:"from"`
	WarmUp       int            `json:"warm_up_days"`
	Days         int            `json:"days"`
	Clock        Clock          `json:"clock"`
	Calendar     string         `json:"calendar"`
	Requests     int            `json:"requests"` // measured, in all replications
	Parameters   []Note         `json:"parameters"`
	Whole        Whole          `json:"whole"`
	Terms        []Punctual     `json:"terms"`
	Ends         []End          `json:"ends"`
	Stages       []StageFigures `json:"stages"`
	Roles        []PoolFigures  `json:"roles"`
	Bottleneck   *Bottleneck    `json:"bottleneck,omitempty"`
	Overloaded   []string       `json:"overloaded,omitempty"` // roles whose queue grows without end: figures of waiting depend on how long is simulated and have no bounds
	Stuck        []Stuck        `json:"stuck"`
	WhatIf       *Comparison    `json:"what_if,omitempty"`
}

// Whole is of requests as a whole. Of those that were not over when a replication
// ended, turnarounds count the time until then.
type Whole struct {
	Came   *Interval `json:"came_per_day"`
	Ended  *Interval `json:"ended_per_day"`
	Mean   *Interval `json:"turnaround_mean_days"`
	Median *Interval `json:"turnaround_median_days"`
	P90    *Interval `json:"turnaround_p90_days"`
	Deemed *Interval `json:"deemed_share"`
	Open   *Interval `json:"open_share"`  // not over when the replication ended
	Stuck  *Interval `json:"stuck_share"` // of these, no rule leads on
}

// Punctual is the share of decisions that came within a term or a promise.
type Punctual struct {
	Term   string         `json:"term"` // "term x" of law, "promise x" of the agency beside it, "promise" of the whole
	Title  workflows.Text `json:"title"`
	Budget string         `json:"budget"`
	Share  *Interval      `json:"share,omitempty"` // none: no request was decided for which it ran
}

// End is the share of requests that ended so.
type End struct {
	State domain.StateID `json:"state"`
	Title workflows.Text `json:"title"`
	Share *Interval      `json:"share"`
}

// StageFigures are those of a state, or of a review.
type StageFigures struct {
	Stage   string         `json:"stage"`
	Title   workflows.Text `json:"title"`
	Role    string         `json:"role,omitempty"` // whose officers work on it; none: somebody outside, by the clock on the wall
	Came    *Interval      `json:"came_per_day"`
	Wait    *Interval      `json:"wait_mean_hours,omitempty"`
	P90     *Interval      `json:"wait_p90_hours,omitempty"`
	Adds    *Interval      `json:"wait_per_request_hours,omitempty"` // what it adds to each request, however often it comes here
	Service *Interval      `json:"service_mean_hours,omitempty"`
	Stay    *Interval      `json:"stay_mean_days,omitempty"`
	Queue   *Interval      `json:"queue_mean,omitempty"`
	Busy    *Interval      `json:"busy,omitempty"` // of its role
	Term    *Interval      `json:"within_term_share,omitempty"`
	Budget  string         `json:"term,omitempty"`
}

// PoolFigures are those of officers who stand in for each other.
type PoolFigures struct {
	Role     string    `json:"role"`
	Officers int       `json:"officers"` // 0: as many as are needed
	Busy     *Interval `json:"busy,omitempty"`
	Working  *Interval `json:"officers_at_work,omitempty"`
	Barred   *Interval `json:"barred"` // pieces of work that four eyes let nobody of them do
	Top      *Interval `json:"top_share,omitempty"`
}

// Bottleneck names what holds requests up most.
type Bottleneck struct {
	Role  string    `json:"role"` // the busiest
	Busy  *Interval `json:"busy"`
	Top   *Interval `json:"top_share"`       // of the replications, those in which it was the busiest
	Stage string    `json:"stage,omitempty"` // the one that adds most waiting
	Adds  *Interval `json:"adds_hours,omitempty"`
}

// Stuck is how often no rule led on, and why.
type Stuck struct {
	Why   string `json:"why"`
	Times int    `json:"times"`
}

// Comparison is how another setting differs: what it adds to the figures of the first.
type Comparison struct {
	Changes    []string `json:"changes"`
	Overloaded []string `json:"overloaded,omitempty"` // roles whose queue then grows without end, as of a [Report]
	Figures    []Change `json:"figures"`
}

// Change is of one figure, before, after and between, by pairs of replications with the
// same requests.
type Change struct {
	Figure string    `json:"figure"`
	Of     string    `json:"of,omitempty"`
	Before *Interval `json:"before"`
	After  *Interval `json:"after"`
	Change *Interval `json:"change"`
}

func (f figures) at(name string) *Interval { return intervalOf(f[name]) }

func (f figures) share(name string) *Interval { return f.at(name).within(0, 1) }

func (f figures) positive(name string) *Interval { return f.at(name).within(0, math.Inf(1)) }

func newReport(m *model, f figures) *Report {
	d := m.Definition
	r := &Report{
		Service: d.ID, Title: d.Title, Seed: m.Seed, Replications: m.Replications, From: m.From, WarmUp: m.WarmUp, Days: m.Days,
		Clock: m.Parameters.Clock, Calendar: m.Calendar.Version().String(), Parameters: m.Parameters.Notes,
		Whole: Whole{
			Came: f.positive("came"), Ended: f.positive("ended"), Mean: f.positive("turnaround mean"), Median: f.positive("turnaround median"),
			P90: f.positive("turnaround p90"), Deemed: f.share("deemed"), Open: f.share("open"), Stuck: f.share("stuck"),
		},
		Terms: []Punctual{}, Ends: []End{}, Stages: []StageFigures{}, Roles: []PoolFigures{}, Stuck: []Stuck{},
	}
	for i := range d.Terms {
		t := &d.Terms[i]
		if t.Due != "" {
			continue
		}
		r.Terms = append(r.Terms, Punctual{"term " + t.ID, t.Title, t.Budget.String(), f.share("term " + t.ID)})
		if promised(t) {
			r.Terms = append(r.Terms, Punctual{"promise " + t.ID, t.Title, t.Promise.String(), f.share("promise " + t.ID)})
		}
	}
	if m.promise != nil {
		r.Terms = append(r.Terms, Punctual{"promise", d.Promise, m.promise.String(), f.share("promise")})
	}
	for _, s := range d.States {
		if x := f.share("end " + string(s.ID)); s.Kind == workflows.KindEnd && x != nil {
			r.Ends = append(r.Ends, End{s.ID, s.Title, x})
		}
	}
	for i := range m.rows {
		if x := f.stage(m, &m.rows[i]); x.Came != nil && x.Came.Mean > 0 {
			r.Stages = append(r.Stages, x)
		}
	}
	for _, p := range m.Parameters.Pools {
		key := "pool " + p.Name + " "
		r.Roles = append(r.Roles, PoolFigures{
			Role: p.Name, Officers: p.Officers, Busy: f.share(key + "busy"), Working: f.positive(key + "officers"),
			Barred: f.positive(key + "barred"), Top: f.share(key + "top"),
		})
	}
	r.Overloaded = f.overloaded(m)
	r.endless()
	r.Bottleneck = r.bottleneck()
	return r
}

// always is the share of its time beyond which a role is taken to have more to do than it
// can.
const always = 0.98

// overloaded lists the roles that are always busy.
func (f figures) overloaded(m *model) []string {
	var list []string
	for _, p := range m.Parameters.Pools {
		if x := f.at("pool " + p.Name + " busy"); x != nil && x.Mean > always {
			list = append(list, p.Name)
		}
	}
	return list
}

// endless takes the bounds from what depends on a queue without end.
func (r *Report) endless() {
	if len(r.Overloaded) == 0 {
		return
	}
	w := &r.Whole
	list := []*Interval{w.Mean, w.Median, w.P90, w.Deemed, w.Open}
	for _, t := range r.Terms {
		list = append(list, t.Share)
	}
	for i := range r.Stages {
		if s := &r.Stages[i]; slices.Contains(r.Overloaded, s.Role) {
			list = append(list, s.Wait, s.P90, s.Adds, s.Stay, s.Queue, s.Term)
		}
	}
	for _, x := range list {
		x.grows()
	}
}

func (f figures) stage(m *model, x *row) StageFigures {
	key := "stage " + x.id + " "
	s := StageFigures{
		Stage: x.id, Title: x.title, Came: f.positive(key + "came"), Service: f.positive(key + "service"), Stay: f.positive(key + "stay"),
		Term: f.share(key + "term"),
	}
	if x.term != nil {
		s.Budget = x.term.Budget.String()
	}
	s.Wait, s.P90 = f.positive(key+"wait"), f.positive(key+"p90")
	if s.Wait == nil { // nobody of the office works here
		return s
	}
	s.Adds, s.Queue = f.positive(key+"adds"), f.positive(key+"queue")
	if x.pool >= 0 {
		p := &m.Parameters.Pools[x.pool]
		s.Role, s.Busy = p.Name, f.share("pool "+p.Name+" busy")
	}
	return s
}

// bottleneck is the busiest role, and the stage that adds most waiting; nil where nobody
// has anything to do.
func (r *Report) bottleneck() *Bottleneck {
	var b *Bottleneck
	for i := range r.Roles {
		x := &r.Roles[i]
		if x.Busy != nil && x.Busy.Mean > 0 && (b == nil || x.Busy.Mean > b.Busy.Mean) {
			b = &Bottleneck{Role: x.Role, Busy: x.Busy, Top: x.Top}
		}
	}
	if b == nil {
		return nil
	}
	for i := range r.Stages {
		x := &r.Stages[i]
		if x.Adds != nil && x.Adds.Mean > 0 && (b.Adds == nil || x.Adds.Mean > b.Adds.Mean) {
			b.Stage, b.Adds = x.Stage, x.Adds
		}
	}
	return b
}

// explain adds what is no figure.
func (r *Report) explain(list []*seen) {
	for _, x := range list {
		r.Requests += x.requests
	}
	r.Stuck = append(r.Stuck, reasons(list)...)
}

// compare adds how another setting differs.
func (r *Report) compare(m *model, before, after figures) {
	c := &Comparison{Changes: []string{}, Figures: []Change{}}
	for i := range m.Parameters.Pools {
		p := &m.Parameters.Pools[i]
		at := slices.IndexFunc(r.Roles, func(x PoolFigures) bool { return x.Role == p.Name })
		if at >= 0 && r.Roles[at].Officers != p.Officers {
			c.Changes = append(c.Changes, p.Name+": "+count(r.Roles[at].Officers)+" → "+count(p.Officers))
		}
	}
	c.Overloaded = after.overloaded(m)
	add := func(figure, of, name string) {
		x := Change{figure, of, before.at(name), after.at(name), intervalOf(paired(before[name], after[name]))}
		if x.Change == nil {
			return
		}
		if endless(r.Overloaded, x, r.Stages) {
			x.Before.grows()
			x.Change.grows()
		}
		if endless(c.Overloaded, x, r.Stages) {
			x.After.grows()
			x.Change.grows()
		}
		c.Figures = append(c.Figures, x)
	}
	add("turnaround_mean_days", "", "turnaround mean")
	add("turnaround_median_days", "", "turnaround median")
	add("turnaround_p90_days", "", "turnaround p90")
	for _, t := range r.Terms {
		add("on_time_share", t.Term, t.Term)
	}
	add("deemed_share", "", "deemed")
	for _, x := range r.Stages {
		if x.Wait != nil {
			add("wait_mean_hours", x.Stage, "stage "+x.Stage+" wait")
		}
	}
	for _, x := range r.Roles {
		add("busy_share", x.Role, "pool "+x.Role+" busy")
	}
	r.WhatIf = c
}

// endless reports whether a figure depends on the queues of overloaded roles.
func endless(overloaded []string, x Change, stages []StageFigures) bool {
	switch x.Figure {
	case "busy_share":
		return false
	case "wait_mean_hours":
		at := slices.IndexFunc(stages, func(s StageFigures) bool { return s.Stage == x.Of })
		return slices.Contains(overloaded, stages[at].Role)
	}
	return len(overloaded) > 0
}

func count(n int) string { return strconv.Itoa(n) }
