package workflows

import (
	"math/bits"
	"slices"

	"github.com/alur-id/alur/domain"
)

// stepKind is what brings a request from one point to the next.
type stepKind int

const (
	stepSubmit stepKind = iota
	stepAction
	stepAutomatic
	stepExpiry
	stepAttach
	stepAttachOne // of a group of several that is not whole with it
	stepRefuse
	stepCheck
	stepUncheck
	stepPay
	stepSettle // several fees in one payment: of has a bit for each
	stepReview
	stepAnswer
)

// stepTaken is one step, as a story tells it. Of is an index into what the kind is
// about; word is an opinion or an outcome.
type stepTaken struct {
	kind   stepKind
	of     int
	person bool // the one person did it
	word   string

	supposing supposition // what conditions come to that cannot be told
}

// begin lists where requests begin.
func (p *prover) begin() []point {
	var list []point
	if !p.absent.othersIn(p.d.Submit) {
		return nil
	}
	start := p.states[p.d.start().ID]
	for v := range p.values {
		if !p.unrecorded(v) || !p.foremost(v, 0) {
			continue
		}
		at := point{value: uint16(v), state: uint16(start)}
		p.arrive(&at, true)
		list = append(list, at)
	}
	if g := slices.Index(p.gates, submitting); g >= 0 && p.d.Submits(submitting) {
		for _, at := range slices.Clone(list) {
			at.person = 1 << g // whoever works for the agency may also ask for something
			list = append(list, at)
		}
	}
	return list
}

// arrive does what is done by itself wherever a request stands: reviews that are
// called for are asked, fees that are due are assessed.
func (p *prover) arrive(at *point, entered bool) {
	s := &p.d.States[at.state]
	at.came |= p.byWay[int(at.state)]
	again := s.Join != nil && s.Join.Again == "all"
	for _, id := range s.Reviews {
		i := slices.Index(p.reviews, id)
		if !p.isAsked(int(at.value), i) {
			continue
		}
		was := two(at.reviews, i)
		if was == reviewNone || entered && (was == reviewRefused || was == reviewApproved && again) {
			at.reviews = setTwo(at.reviews, i, reviewOpen)
			at.stale, at.outdated = at.stale&^(1<<i), at.outdated&^(1<<i)
		}
	}
	for i, f := range p.fees {
		if two(at.fees, i) != feeNone || !slices.Contains(f.DueIn, s.ID) {
			continue
		}
		at.fees = setTwo(at.fees, i, p.assessed(at, i))
	}
}

// next lists where a request can go from a point, as the engine lets it.
func (p *prover) next(at point, visit func(stepTaken, point)) {
	if bits.OnesCount32(at.person) > 1 {
		at.person = 0 // what is kept apart was told, and others could have done it
	}
	state := int(at.state)
	var supposed supposition
	for _, i := range p.automatic[state] {
		t := &p.d.Transitions[i]
		holds := p.judge(t.When, &at)
		if holds == fails {
			return // the engine refuses what would lead here: see [prover.refuses]
		}
		if holds == no || !p.met(p.needsOf(int(at.value), i, p.d.States[state].ID), &at) {
			continue
		}
		if so, may := p.and(supposed, t.When, holds, true); may {
			visit(stepTaken{kind: stepAutomatic, of: i, supposing: so}, p.taken(at, i, false))
		}
		var may bool
		if supposed, may = p.and(supposed, t.When, holds, false); holds == yes || !may {
			return // it is taken at once
		}
	}
	p.nextActions(at, supposed, visit)
	s := &p.d.States[state]
	if s.Kind == KindEnd {
		return
	}
	for _, i := range p.moves[state] {
		m := &p.expiries[i]
		if !p.runsOut(&at, m) {
			continue
		}
		to := p.moved(at, m.expiry.To)
		m.ranOut(&to)
		if m.expiry.Ground == DeemedApproval {
			p.standFor(&to, state)
		}
		visit(stepTaken{kind: stepExpiry, of: i, supposing: supposed}, to)
	}
	p.nextDossier(at, s, func(step stepTaken, to point) {
		step.supposing = supposed
		visit(step, to)
	})
}

// nextActions are the actions that somebody may take: of several edges under one
// name, the first whose condition holds.
func (p *prover) nextActions(at point, before supposition, visit func(stepTaken, point)) {
	var done []domain.ActionID
	supposed := map[domain.ActionID]supposition{}
	for _, i := range p.actions[at.state] {
		t := &p.d.Transitions[i]
		if slices.Contains(done, t.Action) {
			continue
		}
		holds := yes
		if t.Kind != domain.ActionOverride {
			holds = p.judge(t.When, &at)
		}
		if holds == fails { // which edge is meant is not known
			done = append(done, t.Action)
		}
		if holds == no || holds == fails {
			continue
		}
		so, told := supposed[t.Action]
		if !told {
			so = before
		}
		rest, more := p.and(so, t.When, holds, false)
		if supposed[t.Action] = rest; holds == yes || !more {
			done = append(done, t.Action)
		}
		so, may := p.and(so, t.When, holds, true)
		if !may || !p.absent.othersIn(t.Roles) {
			continue
		}
		if t.Kind == domain.ActionReturn && !p.absent.othersIn(t.Consent) && p.returned(&at) {
			continue // of another, where somebody may consent, it is not told whether they do
		}
		if t.Kind != domain.ActionCorrect && !p.met(p.needsOf(int(at.value), i, p.d.States[at.state].ID), &at) {
			continue
		}
		step := stepTaken{kind: stepAction, of: i, supposing: so}
		p.corrected(at, i, false, func(to point) { visit(step, to) })
		if p.personMay(at, t.Action, t.NotBy, t.Roles...) {
			step.person = true
			p.corrected(at, i, true, func(to point) { visit(step, to) })
		}
	}
}

// personMay reports whether the one person may pass a gate, and whether it makes a
// difference that it is them: it is the first gate that they pass, or they passed another
// that it is to be kept apart from. That they pass some more makes none, for others can.
func (p *prover) personMay(at point, gate domain.ActionID, notBy []domain.ActionID, roles ...domain.RoleID) bool {
	g := slices.Index(p.gates, gate)
	if g < 0 || !slices.ContainsFunc(roles, func(r domain.RoleID) bool { return p.people[r] }) {
		return false
	}
	return (at.person == 0 || at.person&p.apart[g] > 0) && !slices.ContainsFunc(notBy, func(a domain.ActionID) bool {
		g := slices.Index(p.gates, a)
		return g >= 0 && at.person>>g&1 == 1
	})
}

// taken is the point after a transition.
func (p *prover) taken(at point, i int, person bool) point {
	t := &p.d.Transitions[i]
	if w := slices.Index(p.watched, t.Action); w >= 0 {
		if p.count(&at, w) < p.most[w] {
			at.times += 1 << p.shift[w]
		}
	}
	if person {
		at.person |= 1 << slices.Index(p.gates, t.Action)
	}
	for _, id := range t.Clears {
		at.bits &^= 1 << (len(p.ofGroup) + slices.Index(p.lists, id))
	}
	from := int(at.state)
	if at.exempt && p.d.States[from].Kind == KindEnd && p.states[t.To] != from {
		at.stood = 0 // whoever reopens what the law granted has it all looked at again
	}
	p.received(&at, t)
	at = p.moved(at, t.To)
	switch {
	case p.d.States[from].Kind == KindEnd && int(at.state) != from:
		at.stood = 0 // it is reopened, and decided anew
	case t.Kind == domain.ActionOverride:
		p.standFor(&at, from)
	}
	return at
}

// standFor notes that an override or the law brought the request here from a state. It
// stands in for what that state asks for only where it leads past it.
func (p *prover) standFor(at *point, from int) {
	if int(at.state) == from {
		return
	}
	at.exempt = true
	k := [2]int{int(at.state), from}
	back, known := p.back[k]
	if !known {
		back = p.before(p.d.States[at.state].ID, p.d.States[from].ID)
		p.back[k] = back
	}
	if !back {
		at.stood |= p.standing[from]
	}
}

func (p *prover) moved(at point, to domain.StateID) point {
	state := uint16(p.states[to])
	entered := state != at.state
	if entered {
		at.state, at.answer, at.exempt = state, 0, false
		at.stood &^= p.standing[int(state)]
	}
	p.arrive(&at, entered)
	return at
}

// corrected visits the points after a transition that may be a correction: the facts may
// then become any, what was assessed is assessed anew, and only then does the request
// move.
func (p *prover) corrected(at point, i int, person bool, visit func(point)) {
	t := &p.d.Transitions[i]
	if t.Kind != domain.ActionCorrect {
		p.recorded(p.taken(at, i, person), i, visit)
		return
	}
	was := at
	at.fees, at.complete = 0, false
	for i := range p.reviews {
		if is := two(at.reviews, i); is == reviewApproved || is == reviewRefused && p.deems {
			at.stale |= 1 << i & p.aging
			at.outdated &^= at.stale
		}
	}
	for _, v := range p.corrections(int(at.value)) {
		if !p.foremost(v, at.bits) || !p.met(p.needsOf(v, i, p.d.States[at.state].ID), &was) {
			continue // it is asked for by the facts that the request is corrected to
		}
		for _, to := range p.covering(at, v) {
			list := []point{p.taken(to, i, person)}
			if list[0].state == at.state {
				list = p.askedLate(list, int(at.value))
			}
			for _, to := range list {
				visit(to)
			}
		}
	}
}

// askedLate adds to a point those where reviews that a correction calls for, and that
// were given before the request came to its state, are asked anew.
func (p *prover) askedLate(list []point, before int) []point {
	for i := range p.reviews {
		value, was := int(list[0].value), two(list[0].reviews, i)
		if p.isAsked(before, i) || !p.isAsked(value, i) || was != reviewApproved && was != reviewRefused ||
			!slices.Contains(p.d.States[list[0].state].Reviews, p.reviews[i]) {
			continue
		}
		for _, at := range list {
			at.reviews = setTwo(at.reviews, i, reviewOpen)
			at.stale, at.outdated = at.stale&^(1<<i), at.outdated&^(1<<i)
			list = append(list, at)
		}
	}
	return list
}

// nextDossier is what may be added to the dossier.
func (p *prover) nextDossier(at point, s *State, visit func(stepTaken, point)) {
	put := func(kind stepKind, of int, word string, change func(*point)) {
		to := at
		change(&to)
		if to != at {
			visit(stepTaken{kind: kind, of: of, word: word}, to)
		}
	}
	for g, doc := range p.ofGroup {
		if p.absent.othersIn(doc.By) && (len(doc.In) == 0 || slices.Contains(doc.In, s.ID)) {
			put(stepAttach, g, "", func(to *point) { p.handIn(to, g) })
			if p.several[g] && at.bits>>g&1 == 0 {
				put(stepAttachOne, g, "", func(to *point) { p.outdate(to, g) })
			}
		}
		if p.absent.othersIn(doc.RefusedBy) && (len(doc.RefusedIn) == 0 || slices.Contains(doc.RefusedIn, s.ID)) {
			put(stepRefuse, g, "", func(to *point) { to.bits &^= 1 << g })
		}
	}
	for i := range p.lists {
		c := &p.d.Checklists[i]
		if p.absent.othersIn(c.By) && (len(c.In) == 0 || slices.Contains(c.In, s.ID)) {
			bit := uint64(1) << (len(p.ofGroup) + i)
			put(stepCheck, i, "", func(to *point) { to.bits |= bit })
			put(stepUncheck, i, "", func(to *point) { to.bits &^= bit })
		}
	}
	if p.absent.othersIn(p.d.Payers) {
		for i := range p.fees {
			if two(at.fees, i) == feeOwed {
				put(stepPay, i, "", func(to *point) { p.settle(to, i) })
			}
		}
		p.nextSettled(at, put)
	}
	for i := range p.reviews {
		if two(at.reviews, i) == reviewOpen && !p.absent[p.d.Reviews[i].Role] {
			p.nextReview(at, i, visit)
		}
	}
	if system := p.d.system(s.WaitsFor); system != nil && !p.absent[system.Role] {
		for o, word := range system.Outcomes {
			put(stepAnswer, p.states[s.ID], word, func(to *point) { to.answer = uint8(o + 1) })
		}
	}
}

// nextReview is a review that is given.
func (p *prover) nextReview(at point, i int, visit func(stepTaken, point)) {
	x := &p.d.Reviews[i]
	gate := domain.Reviewing(x.ID)
	for opinion := uint64(reviewApproved); opinion <= reviewRefused; opinion++ {
		word, to := string(opinions[opinion]), at
		to.reviews = setTwo(at.reviews, i, opinion)
		visit(stepTaken{kind: stepReview, of: i, word: word}, to)
		if p.personMay(at, gate, p.notGiven[i], x.Role) {
			to.person |= 1 << slices.Index(p.gates, gate)
			visit(stepTaken{kind: stepReview, of: i, word: word, person: true}, to)
		}
	}
}
