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
	runs, here, ended := make([]states, len(d.Terms)), make([][]int, len(d.States)), make([][]ending, len(d.States))
	type place struct{ term, state int }
	var todo []place
	reach := func(term, to int) {
		if !runs[term][to] {
			runs[term][to], todo = true, append(todo, place{term, to})
		}
	}
	for i := range runs {
		runs[i] = make(states, len(d.States))
		if slices.ContainsFunc(d.Terms[i].Starts, d.Submits) {
			reach(i, r.start())
		}
		for k := range d.Transitions {
			if to, ok := r.states[d.Transitions[k].To]; ok && slices.Contains(d.Terms[i].Starts, d.Transitions[k].Action) {
				reach(i, to)
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
			if to, ok := r.states[d.Transitions[k].To]; ok {
				reach(at.term, to)
			}
		}
		for _, m := range r.own[at.state] {
			if to, ok := r.states[m.expiry.To]; ok {
				reach(at.term, to)
			}
		}
		// Of terms that run here together, each leads the others on.
		for _, e := range ended[at.state] {
			reach(at.term, e.to)
		}
		if to, ok := r.endOf(at.term, at.state); ok && addEnding(&ended[at.state], to, at.term) {
			for _, other := range here[at.state] {
				reach(other, to)
			}
		}
		here[at.state] = append(here[at.state], at.term)
	}
	return runs
}

// ending is where legal terms that run out in a state move a request.
type ending struct {
	to   int
	term int  // the only one, if it is
	more bool // others move it there, too
}

// addEnding adds the end of a term, and reports whether others are led on anew by it: the
// first that leads to a state does, and the second leads the first.
func addEnding(list *[]ending, to, term int) bool {
	for i := range *list {
		if e := &(*list)[i]; e.to == to {
			first := !e.more
			e.more = true
			return first
		}
	}
	*list = append(*list, ending{to: to, term: term})
	return true
}

// endOf is where a legal term that runs out in a state moves a request.
func (r *routes) endOf(term, state int) (to int, ok bool) {
	if !r.ends(term, state) {
		return 0, false
	}
	to, ok = r.states[r.d.Terms[term].Expires.To]
	return to, ok
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

// state is a state by its name; nil where there is none.
func (r *routes) state(id domain.StateID) *State {
	if i, ok := r.states[id]; ok {
		return &r.d.States[i]
	}
	return nil
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
