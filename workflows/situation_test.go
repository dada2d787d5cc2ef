package workflows

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// Wherever a request comes, the proof has been: for each situation that the engine
// leads to there is a point that stands for it. What a proof leaves out is found here,
// whether or not a rule is broken there.
func TestTheProofComesWhereverARequestDoes(t *testing.T) {
	situations := 0
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.OneOf(drawn(false, false), drawn(false, true), drawn(true, true), kindred()).Draw(t, "definition")
		p := &playing{t: t, d: d, w: Compile(d.Definition, 1), naive: &naive{d: d.Definition, fallible: true}}
		proof := d.prove(t, 6000)
		proof.supposesOnce(t)
		seed := rapid.Uint64().Draw(t, "seed")
		steps := rand.New(rand.NewPCG(seed, 0))
		for range 12 {
			p.r, p.story, p.naive.log = domain.Request{}, nil, nil
			for i := range 40 {
				p.stray(steps, i)
				if !p.r.Exists() {
					break
				}
				situations++
				p.lively(proof, p.story)
				p.lawful(proof)
				for _, gate := range p.passed(proof.walk.p) {
					if !proof.walk.comes(p, gate) {
						t.Fatalf("no point of the proof stands for what is so, gate %b: %s", gate, p.situation(p.r))
					}
				}
			}
		}
	})
	t.Log(situations, "situations")
}

// stray takes one step that is possible, of those that may be: corrections, overrides
// and payments as often as all else.
func (p *playing) stray(steps *rand.Rand, number int) {
	kinds := map[string][]domain.Command{}
	var order []string
	for _, c := range p.everything(p.r) {
		kind := fmt.Sprintf("%T", c)
		if act, ok := c.(domain.Act); ok {
			kind += string(act.Action)
		}
		if len(kinds[kind]) == 0 {
			order = append(order, kind)
		}
		kinds[kind] = append(kinds[kind], c)
	}
	for range 12 {
		some := kinds[order[steps.IntN(len(order))]]
		who := []string{"p0", "p1", fmt.Sprint("fresh-", number)}[steps.IntN(3)]
		events, rule := p.decide(p.r, at(some[steps.IntN(len(some))], fmt.Sprint(number, ".", len(p.story), who), who))
		if rule != "" || closes(events) && steps.IntN(4) > 0 {
			continue
		}
		for _, e := range events {
			recorded := domain.Recorded{Event: e, Version: p.r.Version + 1}
			p.r = domain.Evolve(p.r, recorded)
			p.story = append(p.story, recorded)
			p.naive.log = append(p.naive.log, said{e.Actor, e.Body})
		}
		return
	}
}

// closes reports whether a request comes to an end by some events.
func closes(events []domain.Event) bool {
	return slices.ContainsFunc(events, func(e domain.Event) bool {
		b, ok := e.Body.(domain.ActionTaken)
		return ok && b.Outcome != ""
	})
}

// passed is the gates that somebody passed, and none. Whoever it was may be the one
// person.
func (p *playing) passed(proof *prover) []uint32 {
	all := []uint32{0}
	for i, x := range p.naive.log {
		gate := domain.ActionID("submit")
		if b, ok := x.body.(domain.ActionTaken); ok {
			gate = b.Action
		} else if b, ok := x.body.(domain.ReviewGiven); ok {
			gate = "review:" + domain.ActionID(b.Review)
		} else if _, called := p.w.Action(gate); i > 0 || called {
			continue
		}
		if g := slices.Index(proof.gates, gate); g >= 0 && x.by.Role != "system" && x.by.Role != "bot" {
			all = append(all, 1<<g)
		}
	}
	return all
}

// comes reports whether the proof came to where a request is, with a gate that the one
// person passed, by facts that its conditions do not tell from those of the request.
func (s *search) comes(p *playing, gate uint32) bool {
	at := p.point(s.p)
	at.person = gate
	for v := range s.p.values {
		at.value = uint16(v)
		if _, known := s.known[s.p.folded(s.p.plain(at))]; known && p.alike(s.p.values[v].facts) && p.isSupposed(s.p, v) {
			return true
		}
	}
	return false
}

// alike reports whether no condition that a proof can judge tells some facts from those
// of the request.
func (p *playing) alike(facts domain.Facts) bool {
	s := p.naive.state()
	judged := func(c *Condition, facts domain.Facts) string {
		v, err := c.value(vars{facts: facts, past: p.naive, state: string(s.ID), outcome: string(s.Outcome)})
		return fmt.Sprint(v, err != nil)
	}
	for _, c := range p.d.conditions() {
		if c.exact(p.d.Definition) && judged(c, facts) != judged(c, p.r.Facts) {
			return false
		}
	}
	return !slices.ContainsFunc(p.d.Fees, func(f Fee) bool {
		return f.Table != nil && (f.Table.amount(facts) > 0) != (f.Table.amount(p.r.Facts) > 0)
	})
}

// isSupposed reports whether what a proof supposes of facts with a value is so of those of
// the request.
func (p *playing) isSupposed(proof *prover, value int) bool {
	in := proof.values[value]
	return !slices.ContainsFunc(proof.d.apart(proof.pieces), func(c *Condition) bool {
		if c.result != cel.BoolType || c.speaksOfPast() || c.asksRecorded(p.d.Definition) || c.exact(p.d.Definition) {
			return false
		}
		is, err := c.holds(vars{facts: p.r.Facts})
		return in.failing[c.Text] != (err != nil) || err == nil && in.supposed[c.Text] != is
	})
}

// supposesOnce holds that no step of a story supposes anything of a condition of which each
// part is told: by what the request began with, or by what was done.
func (p proved) supposesOnce(t *rapid.T) {
	for _, step := range p.walk.by {
		for _, x := range step.supposing {
			parts := []*Condition{x.condition}
			if t := p.walk.p.pieces[x.condition]; t != nil {
				parts = t.leaves()
			}
			if !slices.ContainsFunc(parts, func(c *Condition) bool {
				l, mixed := c.looseness(&p.d), c.speaksOfPast() && len(c.uses.facts) > 0
				return len(l.counts) > 0 || c.asksRecorded(&p.d) || l.facts && mixed && !strings.ContainsAny(c.Text, "&|")
			}) {
				t.Fatalf("a step supposes what %q comes to", x.condition.Text)
			}
		}
	}
}

// point is where a request is, by the words of what a point keeps, from all that
// happened.
func (p *playing) point(proof *prover) point {
	n, s := p.naive, p.naive.state()
	at := point{state: uint16(proof.states[s.ID]), exempt: p.brought()}
	_, corrected := n.corrected()
	for i, id := range proof.reviews {
		at.reviews = setTwo(at.reviews, i, uint64(slices.Index(opinions, n.review(id))))
		_, given := last[domain.ReviewGiven](n, id)
		kept := !slices.ContainsFunc(p.d.States, func(s State) bool {
			return slices.Contains(s.Reviews, id) && (s.Join == nil || s.Join.Again != "refused")
		})
		counts := n.review(id) == domain.OpinionApproved || n.review(id) == domain.OpinionRefused && proof.deems
		if counts && given < corrected && !kept {
			at.stale |= 1 << i
		} else if n.review(id) == domain.OpinionApproved && p.handedInAfter(given) && !kept {
			at.outdated |= 1 << i
		}
	}
	for i, f := range proof.fees {
		at.fees = setTwo(at.fees, i, p.feeOf(f))
		if proof.corrects {
			at.received = setTwo(at.received, i, p.receivedOf(f))
		}
	}
	for g := range proof.ofGroup {
		if !slices.ContainsFunc(p.d.Documents, func(x Document) bool { return proof.groups[x.ID] == g && !n.attached(x.ID) }) {
			at.bits |= 1 << g
		}
	}
	for i, list := range p.d.Checklists {
		if !slices.ContainsFunc(list.Items, func(x CheckItem) bool { return !n.checked(list.ID, x.ID) }) {
			at.bits |= 1 << (len(proof.ofGroup) + i)
		}
	}
	for i, a := range proof.watched {
		at.times |= min(uint64(n.times(a)), proof.most[i]) << proof.shift[i]
	}
	for i := range p.d.States {
		id := p.d.States[i].ID
		if p.excused(func(from *State, needs *Needs) bool { return needs == nil && from.ID == id }) {
			at.stood |= proof.standing[i]
		}
		if _, came := lastThat(n, func(b domain.ActionTaken) bool { return b.To == id }); came >= 0 || i == 0 {
			at.came |= proof.byWay[i]
		}
	}
	if system := p.d.system(s.WaitsFor); system != nil {
		at.answer = uint8(slices.Index(system.Outcomes, n.answer(system.ID)) + 1)
	}
	at.declared, at.complete = p.received(proof)
	return at
}

// handedInAfter reports whether a document that was required then was handed in behind a
// place in the story.
func (p *playing) handedInAfter(place int) bool {
	for i, x := range p.naive.log {
		b, ok := x.body.(domain.DocumentAttached)
		if !ok || i < place {
			continue
		}
		then := &naive{d: p.naive.d, log: p.naive.log[:i], fallible: p.naive.fallible}
		if slices.ContainsFunc(p.d.Documents, func(x Document) bool {
			return x.ID == b.Document && theirs(x) && (x.Required || x.RequiredWhen != nil && then.holds(x.RequiredWhen))
		}) {
			return true
		}
	}
	return false
}

// received tells whether the file was declared complete, and whether all was there when
// that was last asked, and it was not corrected since.
func (p *playing) received(proof *prover) (declared, complete bool) {
	if !proof.declares {
		return false, false
	}
	for i, x := range p.naive.log {
		if _, corrected := x.body.(domain.RequestCorrected); corrected {
			complete = false
		}
		b, taken := x.body.(domain.ActionTaken)
		if !taken {
			continue
		}
		declared = declared || b.Kind == domain.ActionComplete
		then := &naive{d: p.naive.d, log: p.naive.log[:i], fallible: p.naive.fallible}
		by := then.ledBy(b)
		asked := by != nil && by.Needs != nil && by.Needs.Required
		if !asked && b.Kind != domain.ActionComplete {
			continue
		}
		complete = !slices.ContainsFunc(p.d.Documents, func(x Document) bool {
			return theirs(x) && (x.Required || x.RequiredWhen != nil && then.holds(x.RequiredWhen)) && !then.attached(x.ID)
		})
	}
	return declared, complete
}

// ledBy is the transition that a step, which comes next, is along: of several, the first
// that could be.
func (n *naive) ledBy(b domain.ActionTaken) *Transition {
	if b.Kind != domain.ActionAuto {
		before := *n
		if _, corrected := n.log[len(n.log)-1].body.(domain.RequestCorrected); corrected {
			before.log = n.log[:len(n.log)-1] // by which facts it is chosen
		}
		t, _ := before.edge(b.Action)
		return t
	}
	for i := range n.d.Transitions {
		t := &n.d.Transitions[i]
		if t.Automatic && t.Action == b.Action && t.To == b.To && slices.Contains(t.From, b.From) && n.holds(t.When) && n.lacks(t) == "" {
			return t
		}
	}
	return nil
}

// theirs reports whether it is those who ask that hand a document in.
func theirs(x Document) bool { return slices.Contains(x.By, "citizen") }

func (p *playing) feeOf(f *Fee) uint64 {
	assessed, _ := last[domain.FeeAssessed](p.naive, f.ID)
	owed, known, _ := p.naive.fee(f.ID)
	switch {
	case !known:
		return feeNone
	case owed > 0:
		return feeOwed
	case assessed.Amount == 0:
		return feeNothing
	}
	return feePaid
}

func (p *playing) receivedOf(f *Fee) uint64 {
	var received int64
	for _, x := range p.naive.log {
		if b, ok := x.body.(domain.FeePaid); ok && b.Fee == f.ID {
			received += b.Amount
		}
	}
	switch {
	case received == 0:
		return receivedNone
	case received < p.naive.due(f):
		return receivedLess
	}
	return receivedEnough
}
