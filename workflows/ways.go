package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// standIn is what an override or a deemed approval stands in for: what the state that
// it leads out of asks for, until the request comes to that state again.
type standIn struct {
	state     int
	required  bool // documents that are required
	documents []domain.DocumentID
	fees      []domain.FeeID
}

// indexWays gives bits to what is kept of the way that a request came.
func (p *prover) indexWays() {
	d := p.d
	for i := range d.States {
		s := &d.States[i]
		for _, id := range s.Reviews {
			if s.Join == nil || s.Join.Again != "refused" { // said so, the reviews stand
				p.aging |= 1 << slices.Index(p.reviews, id)
			}
		}
		if len(s.OnlyAfter) > 0 {
			p.byWay[i] = 1 << len(p.byWay)
		}
		if p.overridden(i) {
			if in := p.standIn(i); in.excuses(d) {
				p.standing[i] = 1 << len(p.standIns)
				p.standIns = append(p.standIns, in)
			}
		}
	}
	for _, f := range p.fees {
		for _, id := range f.DueIn {
			if i := p.states[id]; len(f.OnlyAfter) > 0 && p.byWay[i] == 0 {
				p.byWay[i] = 1 << len(p.byWay)
			}
		}
	}
}

// overridden reports whether an override or a deemed approval leads out of a state.
func (p *prover) overridden(state int) bool {
	return slices.ContainsFunc(p.actions[state], func(t int) bool { return p.d.Transitions[t].Kind == domain.ActionOverride }) ||
		slices.ContainsFunc(p.moves[state], func(m int) bool { return p.expiries[m].expiry.Ground == DeemedApproval })
}

// before reports whether every way from where requests begin to one state leads through
// another: an override from the one to the other leads back, and past nothing.
func (p *prover) before(first, then domain.StateID) bool {
	forth := map[domain.StateID][]domain.StateID{}
	lead := func(from, to domain.StateID) {
		if from != first && to != first {
			forth[from] = append(forth[from], to)
		}
	}
	for i := range p.d.Transitions {
		for _, from := range p.d.Transitions[i].From {
			lead(from, p.d.Transitions[i].To)
		}
	}
	for _, m := range p.expiries {
		lead(m.from, m.expiry.To)
	}
	start := p.d.start().ID
	return first == start || !graph.Closure(forth, start)[then]
}

func (p *prover) standIn(state int) standIn {
	s := standIn{state: state}
	for _, i := range slices.Concat(p.actions[state], p.automatic[state]) {
		if n := p.d.Transitions[i].Needs; n != nil {
			s.required = s.required || n.Required
			s.documents = append(s.documents, n.Documents...)
			s.fees = append(s.fees, n.Fees...)
		}
	}
	return s
}

// excuses reports whether it stands in for anything.
func (s *standIn) excuses(d *Definition) bool {
	return s.required || len(s.documents)+len(s.fees) > 0 || d.States[s.state].Kind == KindGather
}

// excused reports whether an override or the law stood in for something on the way.
func (p *prover) excused(at *point, by func(*standIn) bool) bool {
	for i := range p.standIns {
		if at.stood>>i&1 == 1 && by(&p.standIns[i]) {
			return true
		}
	}
	return false
}

// demanded reports whether an approval asks for what is due in some states: always, or
// only after some actions, and where the request came to one of the states.
func (p *prover) demanded(at *point, after []domain.ActionID, states ...domain.StateID) bool {
	return len(after) == 0 ||
		slices.ContainsFunc(after, func(a domain.ActionID) bool { return seen{p, at}.times(a) > 0 }) ||
		slices.ContainsFunc(states, func(id domain.StateID) bool { return at.came&p.byWay[p.states[id]] > 0 })
}
