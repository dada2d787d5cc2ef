package simulation

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// run is one replication: a discrete-event simulation.
type run struct {
	*model
	tree  *tree
	rep   uint64
	pcg   rand.PCG
	rand  *rand.Rand
	now   int64
	seq   uint64
	heap  events
	pools []pool
	jobs  uint64
	open  int // measured and not ended
	seen  *seen

	arrivals *rand.Rand
}

// job is a request on its way.
type job struct {
	number   uint64
	place    *place
	stay     uint32
	visits   map[int]uint64 // by stage: how often it came there
	arrived  int64
	entered  int64
	measured bool
	ended    bool
	over     bool // it ended, and was then reopened: what it was looked at before
	left     bool
	deemed   bool
	items    []*item
	did      []deed
	steps    int
	clocks   []clock
	used     map[domain.StateID]calendar.Span // of the terms of states that it left
}

// deed is an action that an officer took.
type deed struct {
	action  domain.ActionID
	officer int
}

// item is a piece of work on a request that somebody does.
type item struct {
	job     *job
	row     int
	pool    int
	way     way // of an action
	review  int // -1: an action
	ready   int64
	began   int64
	service int64
	officer int
	state   itemState
}

type itemState uint8

const (
	waiting itemState = iota
	inWork
	over
)

// simulate runs one replication and returns what was seen. The error is that of the
// context.
func (m *model) simulate(ctx context.Context, t *tree, rep uint64) (*seen, error) {
	s := &run{model: m, tree: t, rep: rep, seen: newSeen(m)}
	s.rand = rand.New(&s.pcg)
	s.arrivals = rand.New(rand.NewPCG(mix(m.Seed, rep), mix(rep, m.Seed)))
	for i := range m.Parameters.Pools {
		s.pools = append(s.pools, newPool(&m.Parameters.Pools[i]))
	}
	s.now = m.begin
	s.next(m.begin)
	for n := 0; len(s.heap) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e := heap.Pop(&s.heap).(event)
		s.now = e.at
		if s.now > m.end && s.open+s.seen.pending == 0 {
			break
		}
		e.does()
	}
	s.seen.close(s)
	return s.seen, nil
}

// move brings a request to another place.
func (s *run) move(j *job, to *place) {
	s.drop(j)
	stays := to.request.Dossier.Entered == j.place.request.Dossier.Entered && to.request.State == j.place.request.State
	before := j.place
	j.place = to
	if stays {
		s.work(j)
		return
	}
	index := s.states[before.request.State]
	s.leaves(j, &s.Definition.States[index])
	if row := s.stateRow[index]; row >= 0 {
		s.seen.left(s, j, row, j.entered)
	}
	s.enter(j)
}

// enter is what happens when a request comes to a state.
func (s *run) enter(j *job) {
	j.stay++
	j.entered = s.now
	state := &s.Definition.States[s.states[j.place.request.State]]
	s.runTerms(j, state)
	if state.Kind == workflows.KindEnd {
		s.ends(j, state)
		return
	}
	s.expires(j, state.Term, nil)
	s.work(j)
}

// ends is what happens when a request comes to an end for the first time. From then on
// only what a definition lets reopen it goes on.
func (s *run) ends(j *job, state *workflows.State) {
	if !j.ended {
		j.ended = true
		if j.measured && !j.left {
			s.open--
		}
		s.seen.ended(s, j, state)
	}
	row := -2 - s.states[state.ID] // no stage has such a number
	j.visits[row]++
	w, ok := s.choose(j, row, true)
	if !ok {
		return
	}
	stay := j.stay
	later := rounded(s.draw(j, row, forWork).ExpFloat64() * float64(assumedAway/grain))
	s.at(s.now+later, false, func() {
		if j.stay == stay {
			j.over = true
			s.took(j, w, -1)
		}
	})
}

// maxSteps is how often something may be done on one request: work that takes no time
// and leads back would have no end.
const maxSteps = 500

// work begins what is done on a request in the state where it is.
func (s *run) work(j *job) {
	p := j.place
	if j.steps++; j.steps > maxSteps {
		p.refusals = []*domain.Refusal{domain.NewRefusal("", fmt.Sprintf("it went on for more than %d steps, in a circle", maxSteps), "")}
		s.seen.stuck(s, j)
		return
	}
	index := s.states[p.request.State]
	state := &s.Definition.States[index]
	row := s.stateRow[index]
	if state.Kind == workflows.KindGather && s.gather(j, state) {
		return
	}
	j.visits[row]++
	if state.WaitsFor != "" && p.request.Dossier.Answers[state.WaitsFor] == "" {
		s.ask(j, state, row)
		return
	}
	if to := s.tree.settled(p); to.request.Version != p.request.Version && to.request.State != p.request.State {
		// Paying is what is waited for.
		s.outside(j, row, s.service(j, state, row), func() { s.move(j, to) })
		return
	}
	w, ok := s.choose(j, row, false)
	if !ok {
		s.seen.stuck(s, j)
		return
	}
	if w.left {
		s.seen.gave(s, j)
		return
	}
	if w.pool < 0 {
		s.outside(j, row, s.service(j, state, row), func() { s.took(j, w, -1) })
		return
	}
	s.offer(&item{job: j, row: row, pool: w.pool, way: w, review: -1, ready: s.now, service: s.service(j, state, row)})
}

// service draws how long the work of a state takes.
func (s *run) service(j *job, state *workflows.State, row int) int64 {
	d := s.Parameters.stage(state.ID, j.over).Service
	if d == nil {
		return 0
	}
	return d.draw(s.draw(j, row, forWork))
}

// outside has somebody outside of the office do something, which takes a time by the
// clock on the wall.
func (s *run) outside(j *job, row int, lasts int64, does func()) {
	it := &item{job: j, row: row, pool: -1, ready: s.now, began: s.now, state: inWork}
	j.items = append(j.items, it)
	s.seen.came(s, it)
	s.at(s.now+lasts, false, func() {
		if it.state == inWork {
			it.state = over
			s.seen.outside(s, it)
			does()
		}
	})
}

// choose draws which action is taken. Out of an end, nothing is what is left of 1.
func (s *run) choose(j *job, row int, end bool) (way, bool) {
	ways := s.ways(s.tree, j.place, j.over)
	if len(ways) == 0 {
		return way{}, false
	}
	r := s.draw(j, row, forChoice)
	if end {
		x := r.Float64()
		for _, w := range ways {
			if x -= w.weight; x < 0 {
				return w, true
			}
		}
		return way{}, false
	}
	if left := s.Parameters.stage(j.place.request.State, j.over).Left; left > 0 {
		ways = append(ways[:len(ways):len(ways)], way{weight: left, left: true})
	}
	return ways[pickOne(r, ways, func(w *way) float64 { return w.weight })], true
}

// took is what happens when an action was taken.
func (s *run) took(j *job, w way, officer int) {
	word := 0
	if w.words > 1 {
		word = s.draw(j, s.stateRow[s.states[j.place.request.State]], forWord).IntN(w.words)
	}
	to := s.tree.act(j.place, w.action, w.role, word)
	if to.why != nil { // the values that were recorded bar it, or a correction is refused
		j.place.refusals = append(j.place.refusals[:0:0], to.why)
		s.drop(j)
		s.seen.stuck(s, j)
		return
	}
	if officer >= 0 {
		j.did = append(j.did, deed{s.Definition.Actions[w.action].ID, officer})
	}
	s.move(j, to)
}

// gather has the open reviews done side by side; false when none is open.
func (s *run) gather(j *job, state *workflows.State) bool {
	open := false
	for i := range s.Definition.Reviews {
		x := &s.Definition.Reviews[i]
		if j.place.request.Dossier.Reviews[x.ID].Opinion != domain.OpinionOpen || !contains(state.Reviews, x.ID) {
			continue
		}
		if !open {
			s.seen.gathers(s, j)
		}
		open = true
		row := s.reviewRow[i]
		j.visits[row]++
		service := s.Parameters.Reviews[x.ID].Service.draw(s.draw(j, row, forWork))
		if pool := s.pool(x.Role); pool >= 0 {
			it := &item{job: j, row: row, pool: pool, review: i, ready: s.now, service: service}
			s.expires(j, x.Term, it)
			s.offer(it)
			continue
		}
		s.outside(j, row, service, func() { s.reviewed(j, i) })
	}
	return open
}

func contains[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// reviewed is what happens when an opinion was given.
func (s *run) reviewed(j *job, i int) {
	x := &s.Definition.Reviews[i]
	refused := s.draw(j, s.reviewRow[i], forOpinion).Float64() < *s.Parameters.Reviews[x.ID].Refused
	to := s.tree.review(j.place, i, refused)
	if to.why != nil {
		j.place.refusals = append(j.place.refusals[:0:0], to.why)
		s.seen.stuck(s, j)
		return
	}
	if to.request.Dossier.Entered != j.place.request.Dossier.Entered {
		s.move(j, to)
		return
	}
	j.place = to
	for _, id := range s.Definition.States[s.states[to.request.State]].Reviews {
		if to.request.Dossier.Reviews[id].Opinion == domain.OpinionOpen {
			return
		}
	}
	s.work(j) // all are in, and somebody has to act on them
}

// ask has an external system answer.
func (s *run) ask(j *job, state *workflows.State, row int) {
	of := -1
	for i := range s.Definition.Systems {
		if s.Definition.Systems[i].ID == state.WaitsFor {
			of = i
		}
	}
	x := s.Parameters.Systems[state.WaitsFor]
	s.outside(j, row, x.Answer.draw(s.draw(j, row, forWork)), func() {
		words := s.Definition.Systems[of].Outcomes
		word := pickOne(s.draw(j, row, forChoice), words, func(o *string) float64 { return x.Outcomes[*o] })
		to := s.tree.answer(j.place, of, word)
		if to.why != nil {
			j.place.refusals = append(j.place.refusals[:0:0], to.why)
			s.seen.stuck(s, j)
			return
		}
		s.move(j, to)
	})
}
