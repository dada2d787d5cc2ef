package workflows

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// maxPoints is how many situations a proof looks at before it gives up.
const maxPoints = 500_000

// search is a walk, breadth first, over all points that requests can come to: the
// first way that is found to one is a shortest.
type search struct {
	*inspection
	p *prover

	points  []point
	from    []int // the point before
	by      []stepTaken
	known   map[point]int // by those that stand for them
	back    [][2]int32    // edges, to and from, to see who can come to an end
	barred  []bool        // by point: the engine lets no request come there, for it would break an invariant
	refused []bool        // by point: it lets none come there, for what follows by itself cannot be judged
	first   []int         // events that a command leads to before anything moves on from the point, at most

	taken  []bool // transitions that some request takes
	told   map[string]bool
	most   int // points
	gaveUp bool
}

// prove looks for what the rules let happen and should not.
func (c *inspection) prove() { c.proveWithin(maxPoints) }

// proveWithin looks at so many situations at most. Its walk is nil where the definition
// has more of something than a proof can hold.
func (c *inspection) proveWithin(most int) *search {
	p, err := newProver(c)
	if err != nil {
		c.find(FindingGaveUp, c.root, "nothing could be proved: the definition has %v", err)
		return nil
	}
	return c.proveBy(p, most)
}

// proveBy walks with a prover.
func (c *inspection) proveBy(p *prover, most int) *search {
	s := &search{inspection: c, p: p, known: map[point]int{}, taken: make([]bool, len(c.d.Transitions)), told: map[string]bool{}, most: most}
	s.walk()
	if s.gaveUp {
		c.find(FindingGaveUp, c.root, "the proofs were given up after %d situations: what was not found may be there all the same; fewer reviews, fees and checklists at a time, smaller numbers in history.times, or fewer facts in conditions would help", most)
		return s
	}
	if len(s.points) == 0 {
		return s // no request begins, which was told
	}
	s.dead()
	s.stuck()
	return s
}

func (s *search) walk() {
	for _, at := range s.p.begin() {
		step := stepTaken{kind: stepSubmit, person: at.person > 0}
		s.leads(s.p.events(step, &at, &at), s.add(at, -1, step))
	}
	for i := 0; i < len(s.points) && !s.gaveUp; i++ {
		if s.barred[i] = s.broken(i); s.barred[i] {
			s.fail(i)
			continue
		}
		if s.refused[i] = s.p.refuses(&s.points[i]); s.refused[i] {
			s.fail(i)
			continue
		}
		s.look(i)
		s.p.next(s.points[i], func(step stepTaken, to point) {
			j := s.add(to, i, step)
			if s.gaveUp {
				return
			}
			switch step.kind {
			case stepAction, stepAutomatic:
				s.taken[step.of] = true
				s.early(i, step, j)
			case stepExpiry:
				s.silent(i, step, j)
			default:
			}
			if step.kind != stepAutomatic {
				s.leads(s.p.events(step, &s.points[i], &to), j)
			}
			if !s.p.dated(step) { // a request need not have the date, so it is no way out
				s.back = append(s.back, [2]int32{int32(j), int32(i)})
			}
		})
		s.fail(i)
	}
}

func (s *search) leads(events, to int) { s.first[to] = max(s.first[to], events) }

func (s *search) add(at point, from int, step stepTaken) int {
	at = s.p.plain(at)
	key := s.p.folded(at)
	if i, ok := s.known[key]; ok {
		return i
	}
	i := len(s.points)
	if i == s.most {
		s.gaveUp = true
		return 0
	}
	s.known[key] = i
	s.points, s.from, s.by, s.first = append(s.points, at), append(s.from, from), append(s.by, step), append(s.first, 0)
	s.barred, s.refused = append(s.barred, false), append(s.refused, false)
	return i
}

// look checks one point by every rule.
func (s *search) look(i int) {
	at := &s.points[i]
	state := &s.d.States[at.state]
	if state.Outcome == domain.OutcomeApproved && !at.exempt {
		s.approved(i, at)
	}
	for g, gate := range s.d.Separate {
		passed := 0
		for _, a := range gate {
			passed += int(at.person >> slices.Index(s.p.gates, a) & 1)
		}
		if passed > 1 {
			s.tell(FindingSeparated, fmt.Sprint("separate", g), s.node("separate", g), i, "one person can take more than one of %s", domain.Listed(gate))
		}
	}
}

// broken holds that no invariant is broken at a point. It reports whether one is that can be
// told: the engine refuses what would lead there ([domain.Workflow.Broken]), so no request
// comes there, nor to what is found behind it alone.
func (s *search) broken(i int) bool {
	at, barred := &s.points[i], false
	for _, n := range s.p.breakable[at.state] {
		x := &s.d.Invariants[n]
		switch s.p.holds(x, at) {
		case no:
			barred = true
			s.tell(FindingInvariant, fmt.Sprint("invariant", n), s.node("invariants", n), i, "%s is not so: %s", x.String(), x.Because.EN)
		case either, fails:
			s.tell(FindingInvariant, fmt.Sprint("invariant", n), s.node("invariants", n), i, "%s cannot be proved: %s", x.String(), x.Because.EN)
		case yes:
		}
	}
	return barred
}

// approved holds what every approval must have behind it.
func (s *search) approved(i int, at *point) {
	state := s.node("states", int(at.state))
	name := s.d.States[at.state].ID
	for g := range s.d.States {
		if s.d.States[g].Kind == KindGather {
			s.reviewed(i, at, g)
		}
	}
	for f, fee := range s.p.fees {
		excused := s.p.excused(at, func(x *standIn) bool { return slices.Contains(x.fees, fee.ID) })
		if !excused && s.p.demanded(at, fee.OnlyAfter, fee.DueIn...) && s.p.isDue(int(at.value), f) && two(at.fees, f) < feeNothing {
			s.tell(FindingUnpaid, fmt.Sprint("fee", f, name), state, i, "a request can come to %q although fee %q is not paid", name, fee.ID)
		}
	}
	required, err := s.d.required(s.p.values[at.value])
	for _, id := range required {
		excused := s.p.excused(at, func(x *standIn) bool { return x.required || slices.Contains(x.documents, id) })
		if err == nil && !excused && !(seen{s.p, at}).attached(id) {
			s.lacks(i, id, id)
			for _, other := range s.p.kinOf(id) {
				s.lacks(i, id, other)
			}
		}
	}
}

// lacks notes that an approval may lack a document, found where it lacks that one or one
// of its kin.
func (s *search) lacks(i int, found, id domain.DocumentID) {
	state := int(s.points[i].state)
	name := s.d.States[state].ID
	once := fmt.Sprint("document", id, name)
	if s.told[once] {
		return
	}
	s.told[once] = true
	story := s.storyOf(i, id, func(step stepTaken, at point) (stepTaken, point) {
		return s.p.exchanged(s.p.groups[found], s.p.groups[id], step, at)
	})
	s.findStory(FindingDocuments, s.node("states", state), story, "a request can come to %q although document %q is missing or was refused", name, id)
}

// fail notes conditions that could not be judged at a point.
func (s *search) fail(i int) {
	for _, f := range s.p.unjudged {
		if f.c.speaksOfPast() && !s.told["fails"+f.c.where()] {
			s.told["fails"+f.c.where()] = true
			s.findIn(f.c, "condition %q cannot be judged for every request: %s", f.c.Text, whyUnjudged(f.err))
			s.findings[len(s.findings)-1].Story = s.story(i)
		}
	}
	s.p.unjudged = s.p.unjudged[:0]
}

// reviewed holds that the reviews of a state stand behind an approval.
func (s *search) reviewed(i int, at *point, g int) {
	gather, state := &s.d.States[g], s.node("states", int(at.state))
	name := s.d.States[at.state].ID
	j, err := s.d.join(gather, s.p.values[at.value])
	if err != nil || !s.p.demanded(at, gather.OnlyAfter, gather.ID) || s.p.excused(at, func(x *standIn) bool { return x.state == g }) {
		return
	}
	enough := j
	enough.Outvote = true
	switch {
	case s.p.result(j, at) != domain.OpinionApproved && s.p.result(enough, at) == domain.OpinionApproved:
		s.tell(FindingReview, fmt.Sprint("against", g, name), state, i, "a request can come to %q against a review of %q: a refusal counts also when it comes after the %d that are enough: wait for all (join need: all), or say join outvote: true if they are enough whatever others say", name, gather.ID, j.AtLeast)
	case s.p.result(j, at) != domain.OpinionApproved:
		s.tell(FindingReview, fmt.Sprint("review", g, name), state, i, "a request can come to %q although the reviews of %q are not given, or are refused", name, gather.ID)
	case (gather.Join == nil || gather.Join.Again != "refused") && s.p.fresh(j, at) != domain.OpinionApproved:
		s.tell(FindingReview, fmt.Sprint("stale", g, name), state, i, "a request can come to %q with reviews of %q that were given before it was corrected: bring it back there and say again: all, or say again: refused if what is corrected does not concern them", name, gather.ID)
	case (gather.Join == nil || gather.Join.Again != "refused") && s.p.without(at.outdated, j, at) != domain.OpinionApproved:
		s.tell(FindingReview, fmt.Sprint("outdated", g, name), state, i, "a request can come to %q with reviews of %q that were given before a required document was handed in: let it be handed in only before (in: [...]), bring the request back there and say again: all, or say again: refused if the documents do not concern them", name, gather.ID)
	}
}

// tell notes a finding once, with the way there.
func (s *search) tell(rule, once string, n ast.Node, i int, format string, args ...any) {
	if !s.told[once] {
		s.told[once] = true
		s.findStory(rule, n, s.story(i), format, args...)
	}
}

// dead notes transitions that no request takes.
func (s *search) dead() {
	for i, taken := range s.taken {
		switch t := &s.d.Transitions[i]; {
		case taken:
		case !t.Automatic && !s.p.absent.othersIn(t.Roles):
			s.find(FindingDead, s.node("transitions", i), "action %q to %q is never possible: nobody can act as %s", t.Action, t.To, domain.Listed(t.Roles))
		default:
			s.find(FindingDead, s.node("transitions", i), "action %q to %q is never possible: its conditions and needs are never met together", t.Action, t.To)
		}
	}
}

// stuck notes where a request can come to that nothing leads out of to an end, and
// automatic transitions that run in a circle. A condition that is taken to come out
// either way is taken to come out well some time. Where only an invariant bars the way, that
// it is broken there was told.
func (s *search) stuck() {
	first := make([]int32, len(s.points)+1) // where the points that lead to each begin
	for _, e := range s.back {
		first[e[0]+1]++
	}
	for i := range s.points {
		first[i+1] += first[i]
	}
	into, next := make([]int32, len(s.back)), slices.Clone(first)
	for _, e := range s.back {
		into[next[e[0]]] = e[1]
		next[e[0]]++
	}
	ends := make([]bool, len(s.points))
	var todo []int32
	for i := range s.points {
		if s.d.States[s.points[i].state].Kind == KindEnd || s.barred[i] {
			ends[i], todo = true, append(todo, int32(i))
		}
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, before := range into[first[at]:first[at+1]] {
			if !ends[before] {
				ends[before], todo = true, append(todo, before)
			}
		}
	}
	for i, ok := range ends {
		if !ok && !s.refused[i] {
			state := &s.d.States[s.points[i].state]
			s.tell(FindingStuck, "stuck"+string(state.ID), s.node("states", int(s.points[i].state)), i, "a request can be stuck in %q: nothing leads from there to an end%s", state.ID, s.butADate(int(s.points[i].state)))
		}
	}
	s.chains()
}

// butADate says why what is due at a date leads nowhere, if a term that is leads out of a
// state.
func (s *search) butADate(state int) string {
	if !slices.ContainsFunc(s.p.moves[state], func(m int) bool { return s.p.dated(stepTaken{kind: stepExpiry, of: m}) }) {
		return ""
	}
	return " but a term that is due at a date, which a request need not have: let somebody end it, or give the state a term with a budget that does"
}

// follows lists where a request may go by itself.
func (s *search) follows(i int) []int {
	var list []int
	var supposed supposition
	if s.barred[i] || s.refused[i] {
		return nil
	}
	at := s.points[i]
	for _, t := range s.p.automatic[at.state] {
		holds := s.p.judge(s.d.Transitions[t].When, &at)
		if holds == no || !s.p.met(s.p.needsOf(int(at.value), t, s.d.States[at.state].ID), &at) {
			continue
		}
		when := s.d.Transitions[t].When
		if _, may := s.p.and(supposed, when, holds, true); may {
			if to, ok := s.known[s.p.folded(s.p.plain(s.p.taken(at, t, false)))]; ok {
				list = append(list, to)
			}
		}
		var may bool
		if supposed, may = s.p.and(supposed, when, holds, false); holds == yes || !may {
			break
		}
	}
	return list
}
