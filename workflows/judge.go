package workflows

import (
	"errors"
	"fmt"
	"slices"

	"github.com/alur-id/alur/domain"
)

// seen is a point as conditions ask of it.
type seen struct {
	p  *prover
	at *point
}

func (s seen) times(a domain.ActionID) int {
	if i := slices.Index(s.p.watched, a); i >= 0 {
		return int(s.p.count(s.at, i))
	}
	return 0
}

func (s seen) review(id domain.ReviewID) domain.Opinion {
	return opinions[two(s.at.reviews, slices.Index(s.p.reviews, id))]
}

func (s seen) paid(id domain.FeeID) bool {
	i := slices.IndexFunc(s.p.fees, func(f *Fee) bool { return f.ID == id })
	return two(s.at.fees, i) >= feeNothing
}

func (s seen) attached(id domain.DocumentID) bool { return s.at.bits>>s.p.groups[id]&1 == 1 }

func (s seen) answer(id domain.SystemID) string {
	state := &s.p.d.States[s.at.state]
	if state.WaitsFor != id || s.at.answer == 0 {
		return ""
	}
	return s.p.d.system(id).Outcomes[s.at.answer-1]
}

// truth is what a condition comes to: yes, no, or either; or it fails, and the engine
// refuses what needs it.
type truth int

const (
	no truth = iota
	yes
	either
	fails
)

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	default:
		return t
	}
}

func (p *prover) judge(c *Condition, at *point) truth {
	if c == nil {
		return yes
	}
	t := p.pieces[c]
	if t == nil {
		if p.loose[c].facts {
			p.tryAll(c, at)
		}
		is, err := p.judgeOne(c, at)
		if err != nil {
			p.unjudged = append(p.unjudged, unjudgment{c, err})
		}
		return is
	}
	p.tryAll(c, at)
	var failed error
	is := t.truth(func(leaf *Condition) truth {
		is, err := p.judgeOne(leaf, at)
		if err != nil && !errors.Is(err, errSupposed) {
			failed = err
		}
		return is
	})
	switch {
	case is == fails && t.sure:
		return either // no request is so
	case is == fails && failed != nil:
		p.unjudged = append(p.unjudged, unjudgment{c, failed})
	}
	return is
}

// judgeOne judges a condition that is not taken apart, and says why one fails that was
// judged.
func (p *prover) judgeOne(c *Condition, at *point) (truth, error) {
	l := p.loose[c]
	if l.facts {
		if p.values[at.value].failing[c.Text] {
			return fails, nil
		}
		return either, nil
	}
	full := slices.ContainsFunc(l.counts, func(a domain.ActionID) bool { return p.full(at, a) })
	holds, err := c.holds(p.vars(at))
	switch {
	case full:
		return either, err
	case err != nil:
		return fails, err
	case holds:
		return yes, nil
	}
	return no, nil
}

// unjudgment is a condition that could not be judged.
type unjudgment struct {
	c   *Condition
	err error
}

// tryAll looks whether a condition over facts and the past fails for facts of some sort,
// once for each past that it asks for.
func (p *prover) tryAll(c *Condition, at *point) {
	if !c.speaksOfPast() || c.sure(p.d) {
		return
	}
	key := c.Text
	for _, a := range c.uses.times {
		key += fmt.Sprint(" ", seen{p, at}.times(a))
	}
	if p.tried[key] {
		return
	}
	p.tried[key] = true
	in := p.vars(at)
	for _, in.facts = range p.d.examples(c.uses.facts, c) {
		if _, err := c.value(in); err != nil {
			p.unjudged = append(p.unjudged, unjudgment{c, err})
			return
		}
	}
}

// holds tells whether an invariant does.
func (p *prover) holds(x *Invariant, at *point) truth {
	switch {
	case x.Never != nil:
		return p.judge(x.Never, at).not()
	case x.Always != nil:
		return p.judge(x.Always, at)
	}
	if broken, err := x.broken(p.vars(at)); err != nil || broken {
		return no
	}
	return yes
}

// full reports whether an action was taken as often as is counted, or oftener.
func (p *prover) full(at *point, a domain.ActionID) bool {
	i := slices.Index(p.watched, a)
	return p.count(at, i) == p.most[i]
}

func (p *prover) vars(at *point) vars {
	s := &p.d.States[at.state]
	v := p.values[at.value]
	v.past, v.state, v.outcome = seen{p, at}, string(s.ID), string(s.Outcome)
	return v
}

// isAsked tells whether a review is called for; where that is not known, it is.
func (p *prover) isAsked(value, review int) bool {
	k := askedKey{value, review}
	is, ok := p.asked[k]
	if !ok {
		var err error
		is, err = p.d.asked(p.reviews[review], p.values[value])
		is = is || err != nil
		p.asked[k] = is
	}
	return is
}

// isDue tells whether something is owed of a fee.
func (p *prover) isDue(value, fee int) bool {
	k := dueKey{value, fee}
	is, ok := p.due[k]
	if !ok {
		amount, err := p.fees[fee].assess(p.values[value])
		is = amount > 0 || err != nil
		p.due[k] = is
	}
	return is
}

// needsOf is what a transition demands of a request with some facts, and whether that can
// be judged: it is refused otherwise.
func (p *prover) needsOf(value, transition int, from domain.StateID) demand {
	k := needKey{value, transition, from}
	n, ok := p.needs[k]
	if !ok {
		var err error
		n.Needs, err = p.d.needs(&p.d.Transitions[transition], from, p.values[value])
		n.judged = err == nil
		p.needs[k] = n
	}
	return n
}

// demand is what a transition asks for, if that can be judged.
type demand struct {
	domain.Needs
	judged bool
}

// refuses reports whether the engine refuses what would lead to a point, since what
// follows there by itself cannot be judged.
func (p *prover) refuses(at *point) bool {
	for _, i := range p.automatic[at.state] {
		t := &p.d.Transitions[i]
		holds := p.judge(t.When, at)
		if holds == no {
			continue
		}
		n := p.needsOf(int(at.value), i, p.d.States[at.state].ID)
		switch {
		case holds == fails, holds == yes && !n.judged:
			return true
		case holds == yes && p.met(n, at):
			return false
		}
	}
	return false
}

// met reports whether a point has what a transition demands.
func (p *prover) met(n demand, at *point) bool {
	s := seen{p, at}
	if !n.judged {
		return false
	}
	for _, id := range n.Documents {
		if !s.attached(id) {
			return false
		}
	}
	for _, c := range n.Checks {
		if at.bits>>(len(p.ofGroup)+slices.Index(p.lists, c.Checklist))&1 == 0 {
			return false
		}
	}
	for _, id := range n.Fees {
		if !s.paid(id) {
			return false
		}
	}
	if n.Reviews.Result != "" && p.result(n.Reviews.Join, at) != n.Reviews.Result {
		return false
	}
	return n.Answer == nil || s.answer(n.Answer.System) == n.Answer.Outcome
}

func (p *prover) result(j domain.Join, at *point) domain.Opinion {
	given := map[domain.ReviewID]domain.Review{}
	for _, id := range j.Reviews {
		given[id] = domain.Review{Opinion: seen{p, at}.review(id)}
	}
	return j.Result(given)
}

// fresh is what reviews come to without those that were given before a correction.
func (p *prover) fresh(j domain.Join, at *point) domain.Opinion { return p.without(at.stale, j, at) }

// without is what reviews come to without some.
func (p *prover) without(some uint32, j domain.Join, at *point) domain.Opinion {
	now := *at
	for i := range p.reviews {
		if some>>i&1 == 1 {
			now.reviews = setTwo(now.reviews, i, reviewOpen)
		}
	}
	return p.result(j, &now)
}
