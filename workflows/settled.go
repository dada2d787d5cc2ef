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
		paid, of := at, 0
		for k, i := range owed {
			if some>>k&1 == 1 {
				p.settle(&paid, i)
				of |= 1 << i
			}
		}
		put(stepSettle, of, "", func(to *point) { to.fees, to.received = paid.fees, paid.received })
	}
}

// What was received of a fee, as it stands to what the fee comes to.
const (
	receivedNone = iota
	receivedLess
	receivedEnough
)

// settle notes that what is owed of a fee is paid. What was received is kept where
// the fee may be assessed anew.
func (p *prover) settle(at *point, fee int) {
	at.fees = setTwo(at.fees, fee, feePaid)
	if p.corrects {
		at.received = setTwo(at.received, fee, receivedEnough)
	}
}

// assessed is what a fee comes to when it is assessed: what was received counts
// towards it.
func (p *prover) assessed(at *point, fee int) uint64 {
	switch {
	case !p.isDue(int(at.value), fee):
		return feeNothing
	case two(at.received, fee) == receivedEnough:
		return feePaid
	}
	return feeOwed
}

// covering is a point under other facts: what was received of a fee may then be enough
// or too little, unless the fee is the same whenever it is due.
func (p *prover) covering(at point, value int) []point {
	at.value = uint16(value)
	list := []point{at}
	for i, f := range p.fees {
		if two(at.received, i) == receivedNone || f.fixed() {
			continue
		}
		for k := range list {
			list[k].received = setTwo(list[k].received, i, receivedEnough)
			if p.isDue(value, i) {
				less := list[k]
				less.received = setTwo(less.received, i, receivedLess)
				list = append(list, less)
			}
		}
	}
	return list
}

// fixed reports whether a fee is of one amount whenever anything is owed of it.
func (f *Fee) fixed() bool {
	var amounts []int
	if f.Table != nil {
		for _, row := range f.Table.Rows {
			if row.Amount > 0 && !slices.Contains(amounts, row.Amount) {
				amounts = append(amounts, row.Amount)
			}
		}
	}
	return f.Formula == nil && len(amounts) < 2
}
