package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// routes is where requests can go, by what somebody does and by time, worked out once
// for all that ask. States and transitions are their places in the definition.
type routes struct {
	d       *Definition
	states  map[domain.StateID]int
	leaving [][]int  // transitions by state
	own     [][]move // by state: of its term, and of those of the reviews that it asks for
	runs    []states // by legal term: where it can be running, also in what was reopened
	moves   []move   // all of them
	onward  [][]int  // by state: the states that are led to, each once
	behind  map[domain.ActionID]states
}

// states is a set of states.
type states []bool

// move is where a request goes when a term runs out.
type move struct {
	from   domain.StateID
	expiry *Expiry
	review domain.ReviewID // whose term it is, while it is open; empty for any other term
	term   int             // of the legal terms; -1 for that of a state or a review
}

func newRoutes(d *Definition) *routes {
	r := &routes{d: d, states: make(map[domain.StateID]int, len(d.States)), leaving: make([][]int, len(d.States)), own: make([][]move, len(d.States)), behind: map[domain.ActionID]states{}}
	for i := range d.States {
		if _, twice := r.states[d.States[i].ID]; !twice {
			r.states[d.States[i].ID] = i
		}
		r.own[i] = d.ownMoves(&d.States[i])
	}
	for i := range d.Transitions {
		for _, from := range d.Transitions[i].From {
			if s, ok := r.states[from]; ok {
				r.leaving[s] = append(r.leaving[s], i)
			}
		}
	}
	r.runs = r.running(true)
	for i := range d.States {
		r.moves = append(r.moves, r.own[i]...)
		for k := range d.Terms {
			if r.runs[k][i] && r.ends(k, i) {
				r.moves = append(r.moves, move{from: d.States[i].ID, expiry: d.Terms[k].Expires, term: k})
			}
		}
	}
	r.lead()
	return r
}

// ownMoves lists where requests go when the term of a state, and those of the reviews
// that it asks for, run out.
func (d *Definition) ownMoves(s *State) []move {
	var list []move
	if s.Term != nil && s.Term.Expires != nil && s.Term.Expires.To != "" {
		list = append(list, move{from: s.ID, expiry: s.Term.Expires, term: -1})
	}
	for _, id := range s.Reviews {
		if x := d.review(id); x != nil && x.Term != nil && x.Term.Expires != nil && x.Term.Expires.To != "" {
			list = append(list, move{from: s.ID, expiry: x.Term.Expires, review: id, term: -1})
		}
	}
	return list
}

// ends reports whether a legal term that is running moves a request out of a state.
func (r *routes) ends(term, state int) bool {
	t, s := &r.d.Terms[term], &r.d.States[state]
	return t.Expires != nil && t.Expires.To != "" && s.Kind != KindEnd && !slices.Contains(t.SuspendedIn, s.ID)
}

// running tells of each legal term in which states it can be running: those that a
// request comes to from where it starts, also where another legal term has led it, but
// not where its own end has: it runs out once. That of a request that was reopened goes
// on.
func (r *routes) running(reopened bool) []states {
	d := r.d
	runs := make([]states, len(d.Terms))
	type place struct{ term, state int }
	var todo []place
	reach := func(term int, to domain.StateID) {
		if s, ok := r.states[to]; ok && !runs[term][s] {
			runs[term][s], todo = true, append(todo, place{term, s})
		}
	}
	for i := range runs {
		runs[i] = make(states, len(d.States))
	}
	for i := range runs {
		if slices.ContainsFunc(d.Terms[i].Starts, d.Submits) {
			reach(i, d.States[r.start()].ID)
		}
		for k := range d.Transitions {
			if slices.Contains(d.Terms[i].Starts, d.Transitions[k].Action) {
				reach(i, d.Transitions[k].To)
			}
		}
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if d.States[at.state].Kind == KindEnd && !reopened {
			continue
		}
		for _, k := range r.leaving[at.state] {
			reach(at.term, d.Transitions[k].To)
		}
		for _, m := range r.own[at.state] {
			reach(at.term, m.expiry.To)
		}
		for other := range runs { // that run here too: each leads the other on
			if other == at.term || !runs[other][at.state] {
				continue
			}
			if r.ends(other, at.state) {
				reach(at.term, d.Terms[other].Expires.To)
			}
			if r.ends(at.term, at.state) {
				reach(other, d.Terms[at.term].Expires.To)
			}
		}
	}
	return runs
}

// lead lists the states that each state leads to.
func (r *routes) lead() {
	r.onward = make([][]int, len(r.d.States))
	last := make([]int, len(r.d.States)) // that was found to lead to a state, counted from 1
	add := func(from int, to domain.StateID) {
		if t, ok := r.states[to]; ok && last[t] != from+1 {
			last[t] = from + 1
			r.onward[from] = append(r.onward[from], t)
		}
	}
	moves := r.moves
	for s, list := range r.leaving {
		for _, k := range list {
			add(s, r.d.Transitions[k].To)
		}
		for ; len(moves) > 0 && moves[0].from == r.d.States[s].ID; moves = moves[1:] {
			add(s, moves[0].expiry.To)
		}
	}
}

// closure is the states that some lead to, themselves included.
func (r *routes) closure(next [][]int, roots ...int) states {
	seen := make(states, len(r.d.States))
	for todo := roots; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[at] {
			seen[at] = true
			todo = append(todo, next[at]...)
		}
	}
	return seen
}

// start is the state that requests begin in.
func (r *routes) start() int { return r.states[r.d.start().ID] }

// after is the states that a request can be in after an action or a review.
func (r *routes) after(a domain.ActionID) states {
	if known := r.behind[a]; known != nil {
		return known
	}
	var begin []int
	for i := range r.d.Transitions {
		if t := &r.d.Transitions[i]; t.Action == a {
			begin = append(begin, r.states[t.To])
		}
	}
	for i := range r.d.States {
		if slices.ContainsFunc(r.d.States[i].Reviews, func(id domain.ReviewID) bool { return domain.Reviewing(id) == a }) {
			begin = append(begin, i)
		}
	}
	r.behind[a] = r.closure(r.onward, begin...)
	return r.behind[a]
}
