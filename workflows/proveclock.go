package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// watchReturns counts the returns, where another one is refused for good. Of an action
// that is one on some edges only, nothing is supposed.
func (p *prover) watchReturns() {
	is := func(t Transition) bool { return t.Kind == domain.ActionReturn }
	if !slices.ContainsFunc(p.d.Transitions, func(t Transition) bool { return is(t) && !p.absent.othersIn(t.Consent) }) {
		return
	}
	for _, a := range p.d.Actions {
		other := func(t Transition) bool { return t.Action == a.ID && !is(t) }
		if slices.ContainsFunc(p.d.Transitions, func(t Transition) bool { return t.Action == a.ID && is(t) }) && !slices.ContainsFunc(p.d.Transitions, other) {
			p.watch(a.ID, 1)
			p.returns = append(p.returns, slices.Index(p.watched, a.ID))
		}
	}
}

// returned reports whether the request was sent back to the applicant before.
func (p *prover) returned(at *point) bool {
	return slices.ContainsFunc(p.returns, func(i int) bool { return p.count(at, i) > 0 })
}

// watchTerms counts what starts the legal terms that move a request.
func (p *prover) watchTerms() {
	for i := range p.d.Terms {
		if t := &p.d.Terms[i]; t.Expires != nil && t.Expires.To != "" {
			for _, a := range t.Starts {
				if !p.d.Submits(a) {
					p.watch(a, 1)
				}
			}
		}
	}
}

// runsOut reports whether a term may move the request now: one of the law has started,
// and it has its time once, also for a request that was reopened; that of a review runs
// while it is open. Of an ordered suspension nothing is known: it may be lifted.
func (p *prover) runsOut(at *point, m *move) bool {
	if m.term < 0 {
		return m.review == "" || (seen{p, at}).review(m.review) == domain.OpinionOpen
	}
	started := slices.ContainsFunc(p.d.Terms[m.term].Starts, func(a domain.ActionID) bool {
		return p.d.Submits(a) || p.count(at, slices.Index(p.watched, a)) > 0
	})
	return started && at.expired>>m.term&1 == 0
}

// dated reports whether a step is that a term which is due at a date runs out. Such a term
// may have started or not: a request that has no date when it is submitted, or one that
// has passed, has no such term.
func (p *prover) dated(step stepTaken) bool {
	if step.kind != stepExpiry {
		return false
	}
	term := p.expiries[step.of].term
	return term >= 0 && p.d.Terms[term].Due != ""
}

// ranOut notes that a term did.
func (m *move) ranOut(at *point) {
	if m.term >= 0 {
		at.expired |= 1 << m.term
	}
}
