package workflows

import (
	"math"
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// indexLive tells of each state which bits of a point may still be asked for there or
// later: points that differ in others are one. A review is not asked for any more
// where it is given anew before anybody looks at it, but whether it is open is: whoever
// gives it may pass a gate. Nothing is in an end that nothing leads out of, but what must
// never be and what stands behind an approval.
func (p *prover) indexLive() {
	all := point{reviews: math.MaxUint64, fees: math.MaxUint64, bits: math.MaxUint64, times: math.MaxUint64, stale: math.MaxUint32, stood: math.MaxUint32, came: math.MaxUint32, expired: math.MaxUint32}
	p.live, p.giving = make([]point, len(p.d.States)), make([]uint64, len(p.d.States))
	for i := range p.live {
		if p.live[i] = all; p.final(i) && !p.judged(i) {
			p.live[i] = p.ofInvariants(&p.d.States[i])
		}
		if p.final(i) {
			p.live[i].expired = 0
		}
	}
	for r, id := range p.reviews {
		live := p.liveReview(r)
		gate := slices.Contains(p.gates, domain.Reviewing(id))
		for i := range p.live {
			if !live[i] {
				p.live[i].reviews = setTwo(p.live[i].reviews, r, 0)
				p.live[i].stale &^= 1 << r
			}
			if gate && !p.final(i) {
				p.giving[i] = setTwo(p.giving[i], r, reviewOpen)
			}
		}
	}
}

// plain is a point without what nothing asks for any more.
func (p *prover) plain(at point) point {
	live := &p.live[at.state]
	open := at.reviews &^ (at.reviews >> 1) & p.giving[at.state]
	at.reviews = at.reviews&live.reviews | open
	at.fees &= live.fees
	at.received &= live.fees
	at.bits &= live.bits
	at.times &= live.times
	at.stale &= live.stale
	at.stood &= live.stood
	at.came &= live.came
	at.expired &= live.expired
	return at
}

// final reports whether nothing leads out of a state.
func (p *prover) final(state int) bool {
	return p.d.States[state].Kind == KindEnd && len(p.actions[state]) == 0
}

// judged reports whether an approval in a state is looked at: a request may be brought
// there in another way than by the law or an override.
func (p *prover) judged(state int) bool {
	s := &p.d.States[state]
	return s.Outcome == domain.OutcomeApproved && (s.Kind == KindStart || slices.ContainsFunc(p.d.Transitions, func(t Transition) bool {
		return t.To == s.ID && t.Kind != domain.ActionOverride
	}) || slices.ContainsFunc(p.expiries, func(m move) bool { return m.expiry.To == s.ID && m.expiry.Ground != DeemedApproval }))
}

// ofInvariants are the bits that invariants ask for in a state.
func (p *prover) ofInvariants(s *State) point {
	var live point
	count := func(a domain.ActionID) {
		if i := slices.Index(p.watched, a); i >= 0 {
			live.times |= p.mask(i)
		}
	}
	for i := range p.d.Invariants {
		x := &p.d.Invariants[i]
		if x.Before != nil {
			count(x.Before.First)
			count(x.Before.Then)
			continue
		}
		c := x.asks(s)
		if c == nil {
			continue
		}
		for _, a := range c.uses.times {
			count(a)
		}
		for _, id := range c.uses.reviews {
			live.reviews = setTwo(live.reviews, slices.Index(p.reviews, id), 3)
		}
		if len(c.uses.fees) > 0 {
			live.fees = math.MaxUint64
		}
		if len(c.uses.documents) > 0 {
			live.bits = math.MaxUint64
		}
	}
	return live
}

// liveReview tells in which states something may still ask what a review came to,
// before it is asked for anew.
func (p *prover) liveReview(review int) map[int]bool {
	id := p.reviews[review]
	asks := func(c *Condition) bool { return c != nil && slices.Contains(c.uses.reviews, id) }
	anew := func(s *State) bool {
		return slices.Contains(s.Reviews, id) && s.Join != nil && s.Join.Again == "all" && p.d.review(id).When == nil
	}
	var uses []int
	for i := range p.d.States {
		s := &p.d.States[i]
		asked := slices.ContainsFunc(p.d.Transitions, func(t Transition) bool { return asks(t.When) && slices.Contains(t.From, s.ID) })
		always := slices.ContainsFunc(p.d.Invariants, func(x Invariant) bool { return asks(x.asks(s)) })
		if always || asked || slices.Contains(s.Reviews, id) || p.judged(i) || slices.ContainsFunc(p.moves[i], func(m int) bool { return p.expiries[m].term < 0 && p.expiries[m].expiry.Ground == DeemedApproval }) {
			uses = append(uses, i)
		}
	}
	before := map[int][]int{}
	lead := func(from, to domain.StateID) {
		if !anew(p.d.state(to)) {
			before[p.states[to]] = append(before[p.states[to]], p.states[from])
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
	return graph.Closure(before, uses...)
}

// asks is the condition of an invariant, if it can be broken in a state: "never: state
// == x && ..." can in no other than x.
func (i *Invariant) asks(s *State) *Condition {
	c, joined := i.Never, operators.LogicalAnd
	if c == nil {
		c, joined = i.Always, operators.LogicalOr
	}
	if c == nil || c.checked == nil {
		return c
	}
	parts := []celast.Expr{c.checked.NativeRep().Expr()}
	for len(parts) > 0 {
		e := parts[0]
		parts = parts[1:]
		if e.Kind() != celast.CallKind || len(e.AsCall().Args()) != 2 {
			continue
		}
		args := e.AsCall().Args()
		switch e.AsCall().FunctionName() {
		case joined:
			parts = append(parts, args...)
		case operators.Equals:
			if is, known := s.is(args[0], args[1]); known && joined == operators.LogicalAnd && !is {
				return nil
			}
		case operators.NotEquals:
			if is, known := s.is(args[0], args[1]); known && joined == operators.LogicalOr && !is {
				return nil
			}
		}
	}
	return c
}

// is tells whether a state is what an expression says of it: state == "x".
func (s *State) is(left, right celast.Expr) (is, known bool) {
	if left.Kind() == celast.LiteralKind {
		left, right = right, left
	}
	if left.Kind() != celast.IdentKind || right.Kind() != celast.LiteralKind {
		return false, false
	}
	switch left.AsIdent() {
	case "state":
		return right.AsLiteral().Value() == string(s.ID), true
	case "outcome":
		return right.AsLiteral().Value() == string(s.Outcome), true
	}
	return false, false
}
