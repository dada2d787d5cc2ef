package workflows

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/alur-id/alur/domain"
)

// prover walks through every situation that a request can come to, as far as the
// rules tell them apart: the state, what the reviews, fees, documents and
// checklists have come to, how often the actions were taken that conditions ask
// for, and what one person among the staff has done. That person may have any role;
// everything else is done by others.
type prover struct {
	d      *Definition
	values []vars
	loose  map[*Condition]bool // come out either way

	states    map[domain.StateID]int
	reviews   []domain.ReviewID
	fees      []*Fee
	groups    map[domain.DocumentID]int // documents that no rule tells apart are one
	ofGroup   []*Document
	lists     []domain.ChecklistID
	watched   []domain.ActionID // that conditions count
	gates     []domain.ActionID // that a person may not take together with others
	most      []uint64          // a count above is as good as this
	needs     map[needKey]domain.Needs
	due       map[dueKey]bool
	citizens  map[domain.RoleID]bool
	asked     map[askedKey]bool
	expiries  []move
	moves     [][]int // expiries by state
	automatic [][]int // transitions by state
	actions   [][]int
	together  [][]int // fees by state: those that what follows by itself depends on
}

type (
	needKey struct {
		value, transition int
		from              domain.StateID
	}
	dueKey   struct{ value, fee int }
	askedKey struct{ value, review int }
)

// point is a situation.
type point struct {
	value   uint16
	state   uint16
	reviews uint64 // two bits each: opinions
	fees    uint64 // two bits each: none, owed, nothing to pay, paid
	bits    uint64 // documents, then checklists
	times   uint64 // four bits each
	person  uint32 // gates that the one person passed
	answer  uint8  // 0: none since the request came to the state
	exempt  bool   // the law moved it, or an override: what follows is not the agency's doing
}

// What a fee has come to.
const (
	feeNone = iota
	feeOwed
	feeNothing
	feePaid
)

// errTooMuch says that a definition has more of something than a proof can hold.
var errTooMuch = errors.New("more than a proof can hold")

const (
	maxReviews = 32
	maxBits    = 64
	maxWatched = 16
	maxGates   = 32
)

func newProver(in *inspection) (*prover, error) {
	d := &in.d
	p := &prover{
		d: d, states: map[domain.StateID]int{}, needs: map[needKey]domain.Needs{},
		due: map[dueKey]bool{}, asked: map[askedKey]bool{}, citizens: map[domain.RoleID]bool{}, loose: map[*Condition]bool{},
	}
	for _, r := range d.Roles {
		p.citizens[r.ID] = in.citizen(r.ID)
	}
	var ok bool
	if p.values, ok = d.valuations(); !ok {
		return nil, errTooMuch
	}
	for _, c := range d.conditions() {
		p.loose[c] = c.speaksOfPast() && !c.exact(d) || c.asksRecorded(d)
		own := &constants{}
		own.gather(c)
		for _, a := range c.uses.times {
			p.watch(a, 1)
		}
		most := math.Ceil(slices.Max(append(own.numbers, 1)))
		for _, a := range c.uses.counted {
			p.watch(a, int64(min(most, maxCount))+1)
		}
	}
	for i := range d.Invariants {
		if b := d.Invariants[i].Before; b != nil {
			p.watch(b.First, 1)
			p.watch(b.Then, 1)
		}
	}
	for _, gate := range d.Separate {
		p.gate(gate)
	}
	for i := range d.Transitions {
		if t := &d.Transitions[i]; len(t.NotBy) > 0 {
			p.gate(t.NotBy)
		}
	}
	p.index()
	if len(p.reviews) > maxReviews || len(p.fees) > maxReviews || len(p.ofGroup)+len(p.lists) > maxBits ||
		slices.ContainsFunc(p.together, func(fees []int) bool { return len(fees) > maxSettled }) || len(p.watched) > maxWatched || len(p.gates) > maxGates || len(d.States) > 1<<15 {
		return nil, errTooMuch
	}
	return p, nil
}

// watch counts an action, up to a number that no condition tells from a larger one.
func (p *prover) watch(a domain.ActionID, most int64) {
	i := slices.Index(p.watched, a)
	if i < 0 {
		i = len(p.watched)
		p.watched, p.most = append(p.watched, a), append(p.most, 0)
	}
	p.most[i] = max(p.most[i], uint64(min(most, 15)))
}

func (p *prover) gate(actions []domain.ActionID) {
	for _, a := range actions {
		if !slices.Contains(p.gates, a) {
			p.gates = append(p.gates, a)
		}
	}
}

func (p *prover) index() {
	d := p.d
	p.expiries = d.moves()
	p.automatic, p.actions = make([][]int, len(d.States)), make([][]int, len(d.States))
	for i := range d.States {
		p.states[d.States[i].ID] = i
	}
	p.moves = make([][]int, len(d.States))
	for i, m := range p.expiries {
		s := p.states[m.from]
		p.moves[s] = append(p.moves[s], i)
	}
	for i := range d.Transitions {
		for _, from := range d.Transitions[i].From {
			s := p.states[from]
			if d.Transitions[i].Automatic {
				p.automatic[s] = append(p.automatic[s], i)
			} else {
				p.actions[s] = append(p.actions[s], i)
			}
		}
	}
	for _, r := range d.Reviews {
		p.reviews = append(p.reviews, r.ID)
	}
	for i := range d.Fees {
		p.fees = append(p.fees, &d.Fees[i])
	}
	p.indexSettled()
	for _, c := range d.Checklists {
		p.lists = append(p.lists, c.ID)
	}
	p.groupDocuments()
}

// groupDocuments puts documents together that are handed in, refused, required and
// needed alike: whether a file is complete is then one bit.
func (p *prover) groupDocuments() {
	p.groups = map[domain.DocumentID]int{}
	named := map[domain.DocumentID]string{}
	for i := range p.d.Transitions {
		if n := p.d.Transitions[i].Needs; n != nil {
			for _, id := range n.Documents {
				named[id] += fmt.Sprint(" t", i)
			}
		}
	}
	for _, c := range p.d.conditions() {
		for _, id := range c.uses.documents {
			named[id] = string(id) // what a condition asks for by name is like no other
		}
	}
	alike := map[string]int{}
	for i := range p.d.Documents {
		doc := &p.d.Documents[i]
		key := fmt.Sprint(doc.In, len(doc.RefusedBy) > 0, doc.RefusedIn, named[doc.ID], doc.Required)
		if doc.RequiredWhen != nil {
			key += doc.RequiredWhen.Text
		}
		group, ok := alike[key]
		if !ok {
			group = len(p.ofGroup)
			alike[key] = group
			p.ofGroup = append(p.ofGroup, doc)
		}
		p.groups[doc.ID] = group
	}
}

func two(word uint64, i int) uint64 { return word >> (2 * i) & 3 }

func setTwo(word uint64, i int, v uint64) uint64 { return word&^(3<<(2*i)) | v<<(2*i) }

var opinions = []domain.Opinion{"", domain.OpinionOpen, domain.OpinionApproved, domain.OpinionRefused}

const (
	reviewNone = iota
	reviewOpen
	reviewApproved
	reviewRefused
)

// seen is a point as conditions ask of it.
type seen struct {
	p  *prover
	at *point
}

func (s seen) times(a domain.ActionID) int {
	if i := slices.Index(s.p.watched, a); i >= 0 {
		return int(s.at.times >> (4 * i) & 15)
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

// truth is what a condition comes to: yes, no, or either.
type truth int

const (
	no truth = iota
	yes
	either
)

func (p *prover) judge(c *Condition, at *point) truth {
	if c == nil {
		return yes
	}
	if p.loose[c] {
		return either
	}
	holds, err := c.holds(p.vars(at))
	switch {
	case err != nil:
		return either
	case holds:
		return yes
	}
	return no
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

func (p *prover) needsOf(value, transition int, from domain.StateID) domain.Needs {
	k := needKey{value, transition, from}
	n, ok := p.needs[k]
	if !ok {
		var err error
		if n, err = p.d.needs(&p.d.Transitions[transition], from, p.values[value]); err != nil {
			n = domain.Needs{} // vague: it may demand nothing
		}
		p.needs[k] = n
	}
	return n
}

// met reports whether a point has what a transition demands.
func (p *prover) met(n domain.Needs, at *point) bool {
	s := seen{p, at}
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
