package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// indexLiveCounts tells in which states something may still ask how often an action was
// taken. Whether one was before another matters where that other may be taken before it.
func (p *prover) indexLiveCounts() {
	for i := range p.d.Invariants {
		if b := p.d.Invariants[i].Before; b != nil {
			p.orders = append(p.orders, inOrder{p.mask(slices.Index(p.watched, b.First)), p.mask(slices.Index(p.watched, b.Then))})
		}
	}
	for w, a := range p.watched {
		live := p.liveCount(w, a)
		for i := range p.live {
			if live[i] {
				p.live[i].times |= p.mask(w)
			}
		}
	}
	for range p.orders { // where it is told that the one was taken, so it is of the other
		for i := range p.live {
			for _, x := range p.orders {
				if p.live[i].times&x.then > 0 {
					p.live[i].times |= x.first
				}
			}
		}
	}
}

func (p *prover) liveCount(watched int, a domain.ActionID) []bool {
	asks := func(c *Condition) bool { return c != nil && slices.Contains(c.uses.times, a) }
	follows := func(t *Transition) bool {
		return slices.ContainsFunc(p.d.Invariants, func(x Invariant) bool { return x.Before != nil && x.Before.First == a && x.Before.Then == t.Action })
	}
	returns := slices.Contains(p.returns, watched)
	demands := slices.ContainsFunc(p.d.States, func(s State) bool { return slices.Contains(s.OnlyAfter, a) }) ||
		slices.ContainsFunc(p.d.Fees, func(f Fee) bool { return slices.Contains(f.OnlyAfter, a) })
	counted := func(action domain.ActionID, _ *State) bool { return p.most[watched] == 1 && action == a }
	return p.leading(counted, func(i int) bool {
		return p.breaks(i, asks) || demands && p.judged(i) ||
			p.leads(i, func(t *Transition) bool {
				return asks(t.When) || follows(t) || returns && t.Kind == domain.ActionReturn
			}) ||
			slices.ContainsFunc(p.moves[i], func(m int) bool {
				term := p.expiries[m].term
				return demands && p.expiries[m].expiry.Ground == DeemedApproval || term >= 0 && slices.Contains(p.d.Terms[term].Starts, a)
			})
	})
}

// inOrder is the counts of two actions of which one comes before the other.
type inOrder struct{ first, then uint64 }

// outOfOrder reports whether an action was taken without the one that comes before it.
func (p *prover) outOfOrder(at *point) bool {
	for _, x := range p.orders {
		if at.times&x.then > 0 && at.times&x.first == 0 {
			return true
		}
	}
	return false
}
