package workflows

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/alur-id/alur/domain"
)

// indexLive tells of each state which bits of a point may still be asked for there or
// later: points that differ in others are one. Nothing is in an end that nothing leads out
// of, but what must never be and what stands behind an approval.
func (p *prover) indexLive() {
	all := point{reviews: math.MaxUint64, fees: math.MaxUint64, bits: math.MaxUint64, stale: math.MaxUint32, outdated: math.MaxUint32, stood: math.MaxUint32, came: math.MaxUint32, expired: math.MaxUint32, declared: true, complete: true}
	p.live, p.giving = make([]point, len(p.d.States)), make([]uint64, len(p.d.States))
	for i := range p.live {
		if p.live[i] = all; p.final(i) && !p.judged(i) {
			p.live[i] = p.ofInvariants(i)
		}
		if p.final(i) {
			p.live[i].expired, p.live[i].declared, p.live[i].complete = 0, false, false
		}
	}
	p.indexInto()
	p.indexLiveReviews()
	p.indexLiveCounts()
	p.indexLivePerson()
}

// plain is a point without what nothing asks for any more.
func (p *prover) plain(at point) point {
	live := &p.live[at.state]
	open := at.reviews &^ (at.reviews >> 1) & p.giving[at.state]
	at.reviews = at.reviews&live.reviews | open
	at.fees &= live.fees
	at.received &= live.fees
	at.bits &= live.bits
	at.stale &= live.stale
	at.outdated &= live.outdated
	at.stood &= live.stood
	at.came &= live.came
	at.expired &= live.expired
	at.declared = at.declared && live.declared
	at.complete = at.complete && live.complete
	if !p.outOfOrder(&at) {
		at.times &= live.times
	}
	if bits.OnesCount32(at.person) == 1 {
		at.person &= live.person
	}
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
func (p *prover) ofInvariants(state int) point {
	var live point
	for _, n := range p.breakable[state] {
		x := &p.d.Invariants[n]
		if x.Before != nil {
			continue
		}
		uses := &cmp.Or(x.Never, x.Always).uses
		for _, id := range uses.reviews {
			live.reviews = setTwo(live.reviews, slices.Index(p.reviews, id), 3)
		}
		if len(uses.fees) > 0 {
			live.fees = math.MaxUint64
		}
		if len(uses.documents) > 0 {
			live.bits = math.MaxUint64
		}
	}
	return live
}

// indexLiveReviews tells in which states something may still ask what a review came to. It
// does not where the review is given anew before anybody looks at it, but whether it is
// open is still told: whoever gives it may pass a gate.
func (p *prover) indexLiveReviews() {
	for r, id := range p.reviews {
		live := p.liveReview(id)
		gate := slices.Contains(p.gates, domain.Reviewing(id))
		for i := range p.live {
			if !live[i] {
				p.live[i].reviews = setTwo(p.live[i].reviews, r, 0)
				p.live[i].stale &^= 1 << r
				p.live[i].outdated &^= 1 << r
			}
			if gate && !p.final(i) {
				p.giving[i] = setTwo(p.giving[i], r, reviewOpen)
			}
		}
	}
}

func (p *prover) liveReview(id domain.ReviewID) []bool {
	asks := func(c *Condition) bool { return c != nil && slices.Contains(c.uses.reviews, id) }
	anew := func(_ domain.ActionID, s *State) bool {
		return slices.Contains(s.Reviews, id) && s.Join != nil && s.Join.Again == "all" && p.d.review(id).When == nil
	}
	return p.leading(anew, func(i int) bool {
		s := &p.d.States[i]
		return p.breaks(i, asks) || p.leads(i, func(t *Transition) bool { return asks(t.When) }) || slices.Contains(s.Reviews, id) || p.judged(i) ||
			slices.ContainsFunc(p.moves[i], func(m int) bool { return p.expiries[m].term < 0 && p.expiries[m].expiry.Ground == DeemedApproval })
	})
}

// leads reports whether a transition of some leads out of a state.
func (p *prover) leads(state int, some func(*Transition) bool) bool {
	is := func(t int) bool { return some(&p.d.Transitions[t]) }
	return slices.ContainsFunc(p.actions[state], is) || slices.ContainsFunc(p.automatic[state], is)
}

// breaks reports whether an invariant with a condition of some can be broken in a state.
func (p *prover) breaks(state int, some func(*Condition) bool) bool {
	return slices.ContainsFunc(p.breakable[state], func(n int) bool { return some(p.d.Invariants[n].Never) || some(p.d.Invariants[n].Always) })
}

// leading tells from which states a request may come to some, but for ways on which what
// is asked of becomes the same whatever it was: by an action that is taken or a state that
// is come to.
func (p *prover) leading(same func(domain.ActionID, *State) bool, some func(int) bool) []bool {
	leads := make([]bool, len(p.d.States))
	var todo []int
	for i := range leads {
		if some(i) {
			leads[i], todo = true, append(todo, i)
		}
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, w := range p.into[at] {
			if !leads[w.from] && !same(w.action, &p.d.States[at]) {
				leads[w.from], todo = true, append(todo, w.from)
			}
		}
	}
	return leads
}

// way is how a state is come to: from another, by an action or by none but time.
type way struct {
	from   int
	action domain.ActionID
}

// indexInto lists the ways that lead into each state.
func (p *prover) indexInto() {
	p.into = make([][]way, len(p.d.States))
	add := func(from, to domain.StateID, action domain.ActionID) {
		p.into[p.states[to]] = append(p.into[p.states[to]], way{p.states[from], action})
	}
	for i := range p.d.Transitions {
		for _, from := range p.d.Transitions[i].From {
			add(from, p.d.Transitions[i].To, p.d.Transitions[i].Action)
		}
	}
	for _, m := range p.expiries {
		add(m.from, m.expiry.To, "")
	}
}

// indexLivePerson tells in which states it still matters which gate the one person passed:
// they may pass another there or later that is to be kept apart from it.
func (p *prover) indexLivePerson() {
	never := func(domain.ActionID, *State) bool { return false }
	for g, gate := range p.gates {
		passes := func(action domain.ActionID, notBy []domain.ActionID, roles ...domain.RoleID) bool {
			other := slices.Index(p.gates, action)
			return other >= 0 && p.apart[g]>>other&1 == 1 && !slices.Contains(notBy, gate) && slices.ContainsFunc(roles, func(r domain.RoleID) bool { return p.people[r] })
		}
		reviews := false
		for i := range p.d.Reviews {
			x := &p.d.Reviews[i]
			reviews = reviews || passes(domain.Reviewing(x.ID), p.notGiven[i], x.Role)
		}
		live := p.leading(never, func(i int) bool {
			return reviews && p.d.States[i].Kind != KindEnd || p.leads(i, func(t *Transition) bool { return passes(t.Action, t.NotBy, t.Roles...) })
		})
		for i := range p.live {
			if live[i] {
				p.live[i].person |= 1 << g
			}
		}
	}
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
