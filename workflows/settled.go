package workflows

import (
	"math/bits"
	"slices"

	"github.com/alur-id/alur/domain"
)

// maxSettled is how many fees a proof tells apart that what follows by itself in one
// state depends on: each set of them may be paid at once.
const maxSettled = 6

// indexSettled notes for each state the fees that what follows there by itself depends
// on.
func (p *prover) indexSettled() {
	p.together = make([][]int, len(p.d.States))
	for s, automatic := range p.automatic {
		for i, f := range p.d.Fees {
			if slices.ContainsFunc(automatic, func(t int) bool { return p.d.Transitions[t].asksOf(f.ID) }) {
				p.together[s] = append(p.together[s], i)
			}
		}
	}
}

// asksOf reports whether a transition depends on a fee being paid.
func (t *Transition) asksOf(fee domain.FeeID) bool {
	return t.Needs != nil && slices.Contains(t.Needs.Fees, fee) || t.When != nil && slices.Contains(t.When.uses.fees, fee)
}

// nextSettled is payments that settle several fees at once. It makes a difference only
// for those that what follows by itself depends on: of others, paying one after the
// other comes to the same.
func (p *prover) nextSettled(at point, put func(stepKind, int, string, func(*point))) {
	owed := slices.DeleteFunc(slices.Clone(p.together[at.state]), func(i int) bool { return two(at.fees, i) != feeOwed })
	for some := 3; some < 1<<len(owed); some++ {
		if bits.OnesCount(uint(some)) < 2 {
			continue
		}
		paid, of := at.fees, 0
		for k, i := range owed {
			if some>>k&1 == 1 {
				paid, of = setTwo(paid, i, feePaid), of|1<<i
			}
		}
		put(stepSettle, of, "", func(to *point) { to.fees = paid })
	}
}
