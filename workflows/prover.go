package workflows

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/alur-id/alur/domain"
)

// prover walks through every situation that a request can come to, as far as the
// rules tell them apart: the state, what the reviews, fees, documents and
// checklists have come to, how often the actions were taken that conditions ask
// for, and which gate one person passed. That person may have any role, and ask for themselves;
// everything else is done by others, so that of what they did no more makes a difference.
type prover struct {
	d      *Definition
	values []vars
	loose  map[*Condition]looseness
	pieces map[*Condition]*piece // of those that are taken apart

	states    map[domain.StateID]int
	reviews   []domain.ReviewID
	fees      []*Fee
	groups    map[domain.DocumentID]int // documents that no rule tells apart are one
	ofGroup   []*Document
	several   []bool   // by group: it has more documents than one
	kin       [][]int  // of those: groups that may stand for each other
	families  []family // by value
	ofFamily  map[family]uint16
	lists     []domain.ChecklistID
	watched   []domain.ActionID // that conditions count
	returns   []int             // of those watched: that send back, and no more than once
	gates     []domain.ActionID // that a person may not take together with others
	apart     []uint32          // by gate: those
	orders    []inOrder         // by invariant that says so
	most      []uint64          // a count above is as good as this
	shift     []int             // where its bits begin
	standIns  []standIn
	standing  map[int]uint32 // by state: its bit among those
	byWay     map[int]uint32 // by state: its bit among those that only some requests come to
	aging     uint32         // reviews that a correction may leave behind
	corrects  bool           // facts may change
	deems     bool           // silence may approve by a term that is not the law's
	declares  bool           // it is told whether the file was declared complete
	needs     map[needKey]demand
	records   map[dueKey][]int // by value and transition: the values that may be recorded
	correct   [][]int          // by value: those that a correction may lead to
	unjudged  []unjudgment     // that failed where they were judged last
	tried     map[string]bool  // conditions with what they ask of the past
	claims    map[*Condition]claim
	due       map[dueKey]bool
	brings    map[dueKey]bool        // by value and group: whoever asks has to hand it in
	back      map[[2]int]bool        // an override to a state from another leads back
	people    map[domain.RoleID]bool // roles that a person may have
	absent    absentees              // roles that nobody has
	asked     map[askedKey]bool
	expiries  []move
	moves     [][]int  // expiries by state
	automatic [][]int  // transitions by state
	live      []point  // by state: the bits that something may still ask for
	giving    []uint64 // by state: reviews of which it is still told whether they are open
	actions   [][]int
	into      [][]way             // by state
	breakable [][]int             // by state: invariants that can be broken there
	notGiven  [][]domain.ActionID // by review: what nobody did who gives it
	together  [][]int             // fees by state: those that what follows by itself depends on
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
	value    uint16
	state    uint16
	reviews  uint64 // two bits each: opinions
	fees     uint64 // two bits each: none, owed, nothing to pay, paid
	received uint64 // two bits each: none, less than the fee comes to, enough
	bits     uint64 // documents, then checklists
	times    uint64 // as many bits each as it counts to
	person   uint32 // the gate that the one person passed, or two that are to be kept apart
	stale    uint32 // reviews that were given before a correction
	outdated uint32 // reviews that were given before a document was handed in
	stood    uint32 // states that an override or the law led out of
	came     uint32 // states that only some requests come to, and this one did
	expired  uint32 // legal terms that ran out
	answer   uint8  // 0: none since the request came to the state
	exempt   bool   // the law brought it here, or an override: it is not the agency's doing
	declared bool   // complete
	complete bool   // all was there that who asks has to bring when that was last asked, and it was not sent back or corrected since
}

// What a fee has come to.
const (
	feeNone = iota
	feeOwed
	feeNothing
	feePaid
)

// What a proof can hold.
const (
	maxReviews = 32
	maxBits    = 64
	maxGates   = 32
	maxStates  = 1 << 15
)

// tooMuch says that a definition has more of something than a proof can hold, and
// what would help.
type tooMuch struct {
	what string
	most int
	help string
}

func (e *tooMuch) Error() string {
	return fmt.Sprintf("more than %d %s, which a proof cannot hold: %s", e.most, e.what, e.help)
}

func newProver(in *inspection) (*prover, error) {
	d := &in.d
	p := &prover{
		d: d, states: map[domain.StateID]int{}, needs: map[needKey]demand{},
		due: map[dueKey]bool{}, brings: map[dueKey]bool{}, records: map[dueKey][]int{}, tried: map[string]bool{}, claims: map[*Condition]claim{}, asked: map[askedKey]bool{}, people: map[domain.RoleID]bool{}, loose: map[*Condition]looseness{}, absent: d.absentees(),
		standing: map[int]uint32{}, byWay: map[int]uint32{}, back: map[[2]int]bool{},
	}
	for _, r := range d.Roles {
		p.people[r.ID] = r.people()
	}
	var err error
	p.pieces = d.pieces()
	if p.values, err = d.valuations(p.pieces); err != nil {
		return nil, err
	}
	p.correct = make([][]int, len(p.values))
	p.watchAll()
	p.expiries = in.ways.moves
	p.indexGates()
	p.index()
	return p, p.fits()
}

// watchAll counts what conditions ask for, and what makes a review or a fee due.
func (p *prover) watchAll() {
	d := p.d
	for _, c := range d.apart(p.pieces) {
		if c.speaksOfPast() {
			p.loose[c] = c.looseness(d)
		}
		if l := c.looseness(d); l.facts && c.asksRecorded(d) {
			p.loose[c] = l // what it comes to may change with any step
		}
	}
	for _, t := range p.pieces {
		for _, c := range t.leaves() {
			if c.asksRecorded(d) {
				p.loose[c] = looseness{facts: true}
			}
		}
	}
	for _, c := range d.conditions() {
		for _, a := range c.uses.times {
			p.watch(a, 1)
		}
		for a, most := range c.countsTo() {
			p.watch(a, most)
		}
	}
	for i := range d.Invariants {
		if b := d.Invariants[i].Before; b != nil {
			p.watch(b.First, 1)
			p.watch(b.Then, 1)
		}
	}
	for i := range d.States {
		for _, a := range d.States[i].OnlyAfter {
			p.watch(a, 1)
		}
	}
	for i := range d.Fees {
		for _, a := range d.Fees[i].OnlyAfter {
			p.watch(a, 1)
		}
	}
	p.watchReturns()
	p.watchTerms()
	at := 0
	for _, most := range p.most {
		p.shift = append(p.shift, at)
		at += bits.Len64(most)
	}
}

// fits says what there is too much of.
func (p *prover) fits() error {
	counted := 0
	for _, most := range p.most {
		counted += bits.Len64(most)
	}
	const split = "make two services of it"
	together := 0
	for _, fees := range p.together {
		together = max(together, len(fees))
	}
	for _, x := range []struct {
		has int
		tooMuch
	}{
		{together, tooMuch{"fees that the automatic transitions of one state depend on", maxSettled, split}},
		{len(p.reviews), tooMuch{"reviews", maxReviews, split}},
		{len(p.fees), tooMuch{"fees", maxReviews, split}},
		{len(p.ofGroup) + len(p.lists), tooMuch{"checklists and documents that rules tell apart", maxBits, "ask for documents together, by required_documents"}},
		{counted, tooMuch{"bits of counts of actions in conditions", maxBits, "ask history.did instead of history.times, or compare with smaller numbers"}},
		{len(p.gates), tooMuch{"actions under separate", maxGates, "name the gates alone"}},
		{len(p.standIns), tooMuch{"states that an override or a deemed approval leads out of", maxGates, "lead out of fewer"}},
		{len(p.byWay), tooMuch{"states that reviews and fees under only_after are due in", maxGates, split}},
		{len(p.d.States), tooMuch{"states", maxStates, split}},
	} {
		if x.has > x.most {
			return &x.tooMuch
		}
	}
	return nil
}

// watch counts an action, up to a number that no condition tells from a larger one.
func (p *prover) watch(a domain.ActionID, most uint64) {
	i := slices.Index(p.watched, a)
	if i < 0 {
		i = len(p.watched)
		p.watched, p.most = append(p.watched, a), append(p.most, 0)
	}
	p.most[i] = max(p.most[i], most)
}

// mask is the bits of a count.
func (p *prover) mask(i int) uint64 { return (1<<bits.Len64(p.most[i]) - 1) << p.shift[i] }

func (p *prover) count(at *point, i int) uint64 { return at.times & p.mask(i) >> p.shift[i] }

// indexGates gives bits to what no one person may do together.
func (p *prover) indexGates() {
	for _, gate := range p.d.Separate {
		for _, a := range gate {
			if !slices.Contains(p.gates, a) {
				p.gates = append(p.gates, a)
			}
		}
	}
	p.apart = make([]uint32, len(p.gates))
	for _, gate := range p.d.Separate {
		for _, a := range gate {
			for _, b := range gate {
				if a != b {
					p.apart[slices.Index(p.gates, a)] |= 1 << slices.Index(p.gates, b)
				}
			}
		}
	}
}

func (p *prover) index() {
	d := p.d
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
	for i := range d.Reviews {
		p.reviews, p.notGiven = append(p.reviews, d.Reviews[i].ID), append(p.notGiven, d.notGivenBy(&d.Reviews[i]))
	}
	p.breakable = make([][]int, len(d.States))
	for i := range d.States {
		for n := range d.Invariants {
			if x := &d.Invariants[n]; x.Before != nil || x.asks(&d.States[i]) != nil {
				p.breakable[i] = append(p.breakable[i], n)
			}
		}
	}
	for i := range d.Fees {
		p.fees = append(p.fees, &d.Fees[i])
	}
	p.corrects = slices.ContainsFunc(d.Transitions, func(t Transition) bool { return t.Kind == domain.ActionCorrect })
	p.deems = slices.ContainsFunc(p.expiries, func(m move) bool { return m.term < 0 && m.expiry.Ground == DeemedApproval })
	p.declares = slices.ContainsFunc(p.expiries, func(m move) bool { return m.expiry.Ground != Lapse })
	p.indexSettled()
	for _, c := range d.Checklists {
		p.lists = append(p.lists, c.ID)
	}
	p.groupDocuments()
	p.indexKin()
	p.indexWays()
	p.indexLive()
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
		key := fmt.Sprint(doc.In, p.absent.othersIn(doc.By), p.absent.othersIn(doc.RefusedBy), doc.RefusedIn, named[doc.ID], doc.Required)
		if doc.RequiredWhen != nil {
			key += doc.RequiredWhen.Text
		}
		group, ok := alike[key]
		if !ok {
			group = len(p.ofGroup)
			alike[key] = group
			p.ofGroup, p.several = append(p.ofGroup, doc), append(p.several, false)
		} else {
			p.several[group] = true
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
