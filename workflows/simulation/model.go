package simulation

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// Settings say what is simulated.
type Settings struct {
	Definition   *workflows.Definition
	Parameters   *Parameters // complete
	Calendar     *calendar.Calendar
	Seed         uint64
	Replications int
	From         calendar.Date // of the first day
	WarmUp, Days int           // of which nothing, and all, is measured; working days, or days around the clock
}

// model is what all replications share. It never changes.
type model struct {
	Settings
	rows      []row
	stateRow  []int // by state; -1 for an end
	reviewRow []int
	poolOf    map[domain.RoleID]int
	states    map[domain.StateID]int
	actions   map[domain.ActionID]int
	promise   *calendar.Budget // of the whole, where its words are an amount of time

	begin, measured, end, cutoff int64 // the first moment; measured are requests that come between the two next
}

// row is a stage of the report: a state, or a review in one.
type row struct {
	id     string
	title  workflows.Text
	pool   int // -1: outside
	term   *workflows.Term
	review bool
}

// MaxDays is how long a replication may be, beside what the calendar can count.
const MaxDays = 2000

func newModel(s Settings) (*model, error) {
	d := s.Definition
	m := &model{
		Settings: s, poolOf: map[domain.RoleID]int{}, states: map[domain.StateID]int{}, actions: map[domain.ActionID]int{},
	}
	for i := range s.Parameters.Pools {
		for _, r := range s.Parameters.Pools[i].Roles {
			m.poolOf[r] = i
		}
	}
	for i := range d.Actions {
		m.actions[d.Actions[i].ID] = i
	}
	for i := range d.States {
		x := &d.States[i]
		m.states[x.ID] = i
		m.stateRow = append(m.stateRow, -1)
		if x.Kind != workflows.KindEnd {
			m.stateRow[i] = len(m.rows)
			m.rows = append(m.rows, row{id: string(x.ID), title: x.Title, pool: m.pool(x.Owner), term: termOf(x)})
		}
	}
	for i := range d.Reviews {
		x := &d.Reviews[i]
		m.reviewRow = append(m.reviewRow, len(m.rows))
		m.rows = append(m.rows, row{id: "review " + string(x.ID), title: x.Title, pool: m.pool(x.Role), term: x.Term, review: true})
	}
	if m.promise = s.Parameters.Promise; m.promise == nil {
		m.promise = said(d.Promise)
	}
	if err := m.time(); err != nil {
		return nil, err
	}
	return m, m.much()
}

// said is a promise in words, where these are an amount of time.
func said(words workflows.Text) *calendar.Budget {
	if b, err := calendar.ParseBudget(words.EN); err == nil {
		return &b
	}
	return nil
}

// termOf is the term of a state, or what is promised of it.
func termOf(s *workflows.State) *workflows.Term {
	if b := said(s.Promise); s.Term == nil && b != nil {
		return &workflows.Term{Budget: *b}
	}
	return s.Term
}

// maxRequests is how many requests one replication may have.
const maxRequests = 2_000_000

// much refuses what would take hours.
func (m *model) much() error {
	a := &m.Parameters.Arrivals
	n := a.PerDay * m.days(m.begin, m.cutoff)
	if a.ByHour != nil {
		for _, x := range a.ByHour {
			n += x * float64(m.cutoff-m.begin) / float64(7*24*time.Hour)
		}
	}
	if n > maxRequests {
		return fmt.Errorf("that would be %.0f requests in each replication, and at most %d are simulated: take fewer days, or let fewer requests come, at most one in %.0f of these", n, maxRequests, math.Ceil(n/maxRequests))
	}
	return nil
}

func (m *model) pool(r domain.RoleID) int {
	if i, ok := m.poolOf[r]; ok {
		return i
	}
	return -1
}

// time lays out the replication: the days of which nothing is measured, those that are
// measured, and as many again for what came in them to end.
func (m *model) time() error {
	switch {
	case m.Replications < 2 || m.Replications > 1000:
		return fmt.Errorf("%d replications: want 2 to 1000; an interval needs several", m.Replications)
	case m.Days < 1 || m.WarmUp < 0 || m.Days+m.WarmUp > MaxDays:
		return fmt.Errorf("%d days after %d: want at least 1, and at most %d together", m.Days, m.WarmUp, MaxDays)
	}
	day, err := time.ParseInLocation(time.DateOnly, m.From.String(), m.Calendar.Zone())
	if err != nil {
		return fmt.Errorf("the first day: %w", err)
	}
	m.begin = day.UnixNano()
	at := func(days int) (int64, error) {
		if days == 0 {
			return m.begin, nil
		}
		due, err := m.Calendar.Due(m.dayMeasure(), time.Unix(0, m.begin), calendar.Span(days)*calendar.Day)
		return due.At.UnixNano(), err
	}
	for _, x := range []struct {
		into *int64
		days int
	}{{&m.measured, m.WarmUp}, {&m.end, m.WarmUp + m.Days}, {&m.cutoff, m.WarmUp + 2*m.Days + 60}} {
		if *x.into, err = at(x.days); err != nil {
			return fmt.Errorf("the simulated time: %w", err)
		}
	}
	return nil
}

func (m *model) dayMeasure() calendar.Measure {
	if m.Parameters.Clock == AroundClock {
		return calendar.PlainDays
	}
	return calendar.WorkingDays
}

// worked is how much of the officers' time lies between two moments, in nanoseconds.
func (m *model) worked(from, to int64) int64 {
	if m.Parameters.Clock == AroundClock {
		return to - from
	}
	return int64(m.used(calendar.WorkingTime, from, to))
}

// used is how much of a measure lies between two moments that the calendar knows.
func (m *model) used(x calendar.Measure, from, to int64) calendar.Span {
	n, err := m.Calendar.Used(x, time.Unix(0, from), time.Unix(0, to))
	if err != nil {
		return 0 // beyond the cutoff, where nothing is measured
	}
	return n
}

// due is when a budget runs out; never, beyond what the calendar knows.
func (m *model) due(x calendar.Measure, from int64, left calendar.Span) int64 {
	due, err := m.Calendar.Due(x, time.Unix(0, from), max(left, 0))
	if err != nil {
		return never
	}
	return due.At.UnixNano()
}

const never = math.MaxInt64

// finished is when an officer's work ends that begins now.
func (m *model) finished(now, work int64) int64 {
	if m.Parameters.Clock == AroundClock {
		return now + work
	}
	return m.due(calendar.WorkingTime, now, calendar.Span(work))
}

// begins is when a budget begins to count.
func (m *model) begins(b calendar.Budget, now int64) int64 {
	return m.Calendar.Begins(b.Measure(), time.Unix(0, now)).UnixNano()
}

// days is a number of days between two moments, in part.
func (m *model) days(from, to int64) float64 {
	return float64(m.used(m.dayMeasure(), from, to)) / float64(calendar.Day)
}

// way is an action that can be taken at a place.
type way struct {
	action int
	weight float64
	role   domain.RoleID
	pool   int // -1: outside
	notBy  []domain.ActionID
	left   bool // nothing is done any more
	words  int  // in so many ways facts can be recorded with it
}

// ways lists what can be done at a place, and why the rest cannot. It is found out once
// for each place.
func (m *model) ways(t *tree, p *place, again bool) []way {
	if p.looked {
		return p.ways
	}
	p.looked = true
	s := &m.Definition.States[m.states[p.request.State]]
	stage := m.Parameters.stage(s.ID, again)
	for _, a := range leaving(m.Definition, s.ID) {
		if stage.Choices[a] <= 0 {
			continue
		}
		edge, err := t.w.Fire(p.request, a)
		if err != nil {
			p.refusals = append(p.refusals, refusalOf(err))
			continue
		}
		role := doer(edge.Roles, s.Owner)
		if to := t.act(p, m.actions[a], role, 0); to.why != nil {
			p.refusals = append(p.refusals, to.why)
			continue
		}
		x := way{action: m.actions[a], weight: stage.Choices[a], role: role, pool: m.pool(role), notBy: edge.NotBy, words: t.words(edge.Records)}
		total := 0.0
		for _, r := range edge.Roles {
			total += stage.Doers[choice{a, r}]
		}
		for _, r := range edge.Roles {
			if w := stage.Doers[choice{a, r}]; w > 0 {
				x.role, x.pool, x.weight = r, m.pool(r), stage.Choices[a]*w/total
				p.ways = append(p.ways, x)
			}
		}
		if total == 0 {
			p.ways = append(p.ways, x)
		}
	}
	return p.ways
}

// doer is who takes an action: the owner of the state, if it may.
func doer(roles []domain.RoleID, owner domain.RoleID) domain.RoleID {
	if slices.Contains(roles, owner) {
		return owner
	}
	return roles[0]
}
