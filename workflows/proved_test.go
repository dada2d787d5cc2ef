package workflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// proved is what the proofs say of a definition.
type proved struct {
	*inspection
	dead map[int]bool // transitions
	walk *search
}

// prove proves a definition that was drawn, as long as it is small.
func (d sample) prove(t *rapid.T, most int) proved {
	_, r, err := read("w.yaml", []byte(d.source))
	if err != nil {
		t.Fatal(err)
	}
	p := proved{&inspection{definitionReader: r}, map[int]bool{}, nil}
	p.walk = p.proveWithin(most)
	if p.found(FindingGaveUp) {
		t.Skip("too many situations")
	}
	for _, f := range p.findings {
		for i := range d.Transitions {
			if line, _ := place(p.node("transitions", i)); f.Rule == FindingDead && f.Line == line {
				p.dead[i] = true
			}
		}
	}
	return p
}

// found reports whether there is a finding under a rule that names all of these.
func (p proved) found(rule string, names ...string) bool {
	return slices.ContainsFunc(p.findings, func(f Finding) bool {
		return f.Rule == rule && !slices.ContainsFunc(names, func(n string) bool { return !strings.Contains(f.Message, fmt.Sprintf("%q", n)) })
	})
}

// What the proofs say cannot be, no request does: a transition that is dead, a circle,
// an approval against a review, a fee, a document, an invariant or four eyes, a place
// that nothing leads out of.
func TestNoRequestDoesWhatIsProvedImpossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := play(t)
		proof := p.d.prove(t, 5000)
		for i := range rapid.IntRange(1, 40).Draw(t, "commands") {
			before := len(p.story)
			_, rule := p.step(i)
			switch {
			case rule == domain.RuleInvariant && !proof.found(FindingInvariant):
				t.Fatal("refused to keep an invariant that was proved")
			case rule == domain.RuleEndless && !proof.found(FindingEndless):
				t.Fatal("it runs in a circle, and that was proved impossible")
			case rule == "":
				p.lively(proof, p.story[before:])
				p.lawful(proof)
			}
		}
		// Where a condition is taken to come out either way, it may never come out well;
		// an invariant that is broken may keep a request where it is.
		vague := slices.ContainsFunc(p.d.conditions(), func(c *Condition) bool { return !c.exact(p.d.Definition) })
		if !vague && !proof.found(FindingStuck) && !proof.found(FindingInvariant) && !proof.found(FindingEndless) && len(newRoutes(p.d.Definition).moves) == 0 && p.r.Exists() && !p.ends() {
			t.Fatalf("nothing leads from %q to an end, and that was proved impossible", p.r.State)
		}
	})
}

// lively holds that no transition was taken that is dead.
func (p *playing) lively(proof proved, events []domain.Recorded) {
	for _, e := range events {
		b, ok := e.Body.(domain.ActionTaken)
		if !ok {
			continue
		}
		alive := false
		for i := range p.d.Transitions {
			t := &p.d.Transitions[i]
			alive = alive || t.Action == b.Action && t.To == b.To && slices.Contains(t.From, b.From) && t.Automatic == (b.Kind == domain.ActionAuto) && !proof.dead[i]
		}
		if !alive {
			p.t.Fatalf("action %q from %q to %q was taken, and was proved impossible", b.Action, b.From, b.To)
		}
	}
}

// lawful holds that the request as it stands is not approved against what was proved.
func (p *playing) lawful(proof proved) {
	did := map[string][]domain.ActionID{}
	for _, e := range p.story {
		if b, ok := e.Body.(domain.ActionTaken); ok && b.Kind != domain.ActionAuto {
			did[e.Actor.ID] = append(did[e.Actor.ID], b.Action)
		}
		if b, ok := e.Body.(domain.ReviewGiven); ok {
			did[e.Actor.ID] = append(did[e.Actor.ID], "review:"+domain.ActionID(b.Review))
		}
		if _, called := p.w.Action("submit"); !called && e.Version == 1 {
			did[e.Actor.ID] = append(did[e.Actor.ID], "submit")
		}
	}
	for _, gate := range p.d.Separate {
		for person, actions := range did {
			passed := slices.DeleteFunc(slices.Clone(gate), func(a domain.ActionID) bool { return !slices.Contains(actions, a) })
			if len(passed) > 1 && !proof.found(FindingSeparated) {
				p.t.Fatalf("%s took %v, and that was proved impossible", person, passed)
			}
		}
	}
	if p.r.Outcome != domain.OutcomeApproved || p.brought() {
		return
	}
	for i := range p.d.States {
		s := &p.d.States[i]
		if s.Kind != KindGather || p.excused(func(from *State, _ *Needs) bool { return from == s }) || !p.demanded(s.OnlyAfter, s.ID) {
			continue
		}
		if p.naive.opinion(s) != domain.OpinionApproved && !proof.found(FindingReview, string(p.r.State), string(s.ID)) {
			p.t.Fatalf("approved although the reviews of %q are %q, and that was proved impossible", s.ID, p.naive.opinion(s))
		}
		kept := s.Join != nil && s.Join.Again == "refused"
		if fresh := p.naive.since(s); !kept && fresh != domain.OpinionApproved && !proof.found(FindingReview, string(p.r.State), string(s.ID)) {
			p.t.Fatalf("approved although without what was said before the correction the reviews of %q are %q, and that was proved impossible", s.ID, fresh)
		}
	}
	for i := range p.d.Fees {
		f := &p.d.Fees[i]
		excused := p.excused(func(_ *State, n *Needs) bool { return n != nil && slices.Contains(n.Fees, f.ID) })
		if p.naive.due(f) > 0 && !excused && p.demanded(f.OnlyAfter, f.DueIn...) && !p.naive.paid(f.ID) && !proof.found(FindingUnpaid, string(p.r.State), string(f.ID)) {
			p.t.Fatalf("approved although %q is not paid, and that was proved impossible", f.ID)
		}
	}
	for _, x := range p.d.Documents {
		required := x.Required || x.RequiredWhen != nil && p.naive.holds(x.RequiredWhen)
		excused := p.excused(func(_ *State, n *Needs) bool { return n != nil && (n.Required || slices.Contains(n.Documents, x.ID)) })
		if required && !excused && !p.naive.attached(x.ID) && !proof.found(FindingDocuments, string(p.r.State), string(x.ID)) {
			p.t.Fatalf("approved without %q, and that was proved impossible", x.ID)
		}
	}
}

// brought reports whether an override brought the request to where it is.
func (p *playing) brought() bool {
	_, i := lastThat(p.naive, func(b domain.ActionTaken) bool { return b.Kind == domain.ActionOverride && b.From != b.To })
	return i >= 0 && i >= p.naive.entered()
}

// excused reports whether an override led past a state that asks for something: since
// then the request did not come to that state, and was not decided. It is told from the
// story of where the request has been.
func (p *playing) excused(asks func(*State, *Needs) bool) bool {
	past := map[domain.StateID]bool{}
	for _, x := range p.naive.log {
		b, moved := x.body.(domain.ActionTaken)
		if !moved || b.From == b.To {
			continue
		}
		switch {
		case p.d.state(b.From).Kind == KindEnd:
			clear(past)
		case b.Kind == domain.ActionOverride && p.onward(b.From, b.To):
			past[b.From] = true
		}
		delete(past, b.To)
	}
	return slices.ContainsFunc(p.d.States, func(s State) bool {
		return past[s.ID] && (asks(p.d.state(s.ID), nil) || slices.ContainsFunc(p.d.Transitions, func(t Transition) bool {
			return slices.Contains(t.From, s.ID) && asks(p.d.state(s.ID), t.Needs)
		}))
	})
}

// onward reports whether a request may come to a state without having been in another.
func (p *playing) onward(state, other domain.StateID) bool {
	been := []domain.StateID{p.d.start().ID}
	for i := 0; i < len(been) && been[i] != other; i++ {
		if been[i] == state {
			return true
		}
		for _, t := range p.d.Transitions {
			if slices.Contains(t.From, been[i]) && t.To != other && !slices.Contains(been, t.To) {
				been = append(been, t.To)
			}
		}
		for _, m := range newRoutes(p.d.Definition).moves { // of time
			if m.from == been[i] && m.expiry.To != other && !slices.Contains(been, m.expiry.To) {
				been = append(been, m.expiry.To)
			}
		}
	}
	return false
}

// demanded reports whether an approval asks for what is due in some states.
func (p *playing) demanded(after []domain.ActionID, states ...domain.StateID) bool {
	return len(after) == 0 || slices.ContainsFunc(p.naive.log, func(s said) bool {
		b, ok := s.body.(domain.ActionTaken)
		return ok && (slices.Contains(after, b.Action) || slices.Contains(states, b.To))
	}) || slices.Contains(states, p.d.start().ID)
}

// ends reports whether the request can be brought to an end, by whoever may and as
// often as it takes. It looks at some hundreds of situations and then believes it.
func (p *playing) ends() bool {
	seen := map[string]bool{}
	todo := []domain.Request{p.r}
	for n := 0; len(todo) > 0; n++ {
		r := todo[0]
		if todo = todo[1:]; r.Outcome != "" || n > 400 {
			return true
		}
		for i, c := range p.everything(r) {
			events, rule := p.decide(r, at(c, fmt.Sprint(n, ".", i), fmt.Sprint("fresh-", n, ".", i)))
			if rule != "" {
				continue
			}
			to := r
			for _, e := range events {
				to = domain.Evolve(to, domain.Recorded{Event: e, Version: to.Version + 1})
			}
			if key := p.situation(to); !seen[key] {
				seen[key] = true
				todo = append(todo, to)
			}
		}
	}
	return false
}

// situation is what tells a request from others, as far as conditions and needs go.
func (p *playing) situation(r domain.Request) string {
	times := ""
	for _, a := range p.d.Actions {
		times += fmt.Sprint(min(r.Times(a.ID), 4), " ")
	}
	d := r.Dossier
	documents := map[domain.DocumentID]bool{}
	for id, x := range d.Documents {
		documents[id] = x.Refused
	}
	reviews := map[domain.ReviewID]domain.Opinion{}
	for id, x := range d.Reviews {
		reviews[id] = x.Opinion
	}
	return fmt.Sprint(r.State, r.Facts, documents, d.Checks, d.Fees, reviews, d.Answers, d.Picked, times)
}

// at gives a command an id and a person.
func at(c domain.Command, name, who string) domain.Command {
	head := func(h domain.Header) domain.Header {
		h.ID = uuid.NewSHA1(uuid.Nil, []byte(name))
		h.Occurred = played
		if h.Actor.ID == "" {
			h.Actor.ID = who
		}
		return h
	}
	switch c := c.(type) {
	case domain.Submit:
		c.Header = head(c.Header)
		return c
	case domain.Act:
		c.Header = head(c.Header)
		return c
	case domain.Attach:
		c.Header = head(c.Header)
		return c
	case domain.RefuseDocument:
		c.Header = head(c.Header)
		return c
	case domain.AnswerCheck:
		c.Header = head(c.Header)
		return c
	case domain.Pay:
		c.Header = head(c.Header)
		return c
	case domain.GiveReview:
		c.Header = head(c.Header)
		return c
	case domain.ReportAnswer:
		c.Header = head(c.Header)
		return c
	case domain.Reassign:
		c.Header, c.To = head(c.Header), who
		return c
	case domain.Pick:
		c.Header = head(c.Header)
		return c
	case domain.Allocate:
		c.Header, c.Candidates = head(c.Header), []domain.Candidate{{Officer: who}}
		return c
	}
	panic("no such command")
}

// filled is facts and forms that may be filled in.
func (p *playing) filled(yield func(domain.Facts, domain.Personal) bool) {
	for _, n := range []float64{0, 5, 5.25, 6, 7, 7.5, 8} {
		for bits := range 4 {
			facts, form := domain.Facts{"n": n, "flag": bits&1 == 1, "kind": []string{"x", "y"}[bits>>1], "free": []string{"a", "b"}[bits&1]}, domain.Personal(nil)
			if p.d.Form != nil {
				delete(facts, "n")
				form = domain.Personal{"size": n}
			}
			if p.d.fact("p0") == nil {
				if !yield(facts, form) {
					return
				}
				continue
			}
			for kin := range 8 { // what documents of kin are required by
				facts := maps.Clone(facts)
				for i := range 3 {
					if id := fmt.Sprint("p", i); p.d.fact(id) != nil {
						facts[id] = kin>>i&1 == 1
					}
				}
				if !yield(facts, form) {
					return
				}
			}
		}
	}
}

// everything is all that might be done to a request, by the right people.
func (p *playing) everything(r domain.Request) []domain.Command {
	var list []domain.Command
	by := func(role domain.RoleID) domain.Header {
		return domain.Header{Actor: domain.Actor{Role: role, Capacity: p.w.Capacities(role)[0]}}
	}
	// Of the role whose work it is, whoever has it does it.
	working := func(role domain.RoleID) domain.Header {
		h := by(role)
		if s := p.d.state(r.State); s.Allocate != nil && role == s.Owner {
			h.Actor.ID = r.Dossier.Picked
		}
		return h
	}
	if !r.Exists() {
		for facts, form := range p.filled {
			list = append(list, domain.Submit{Header: by("citizen"), Tenant: "11.71", Service: "w", Reference: "0000-0000-0000", Facts: facts, Form: form})
		}
		return list
	}
	s := p.d.state(r.State)
	for _, t := range p.d.Transitions {
		if t.Automatic || !slices.Contains(t.From, r.State) {
			continue
		}
		for _, role := range t.Roles {
			c := domain.Act{Header: working(role), Action: t.Action, Remark: "because"}
			if len(t.Reasons) > 0 {
				c.Reason = t.Reasons[0]
			}
			if len(t.Records) > 0 {
				c.Facts = domain.Facts{"seen": true}
				list = append(list, c)
				c.Facts = domain.Facts{"seen": false}
			}
			if t.Kind != domain.ActionCorrect {
				list = append(list, c)
				continue
			}
			for facts, form := range p.filled {
				c.Facts, c.Form = facts, form
				list = append(list, c)
			}
		}
	}
	for _, x := range p.d.Documents {
		list = append(list, domain.Attach{Header: working(x.By[0]), Document: x.ID, Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64)},
			domain.RefuseDocument{Header: working("clerk"), Document: x.ID, Reason: "why"})
	}
	for _, x := range p.d.Checklists {
		for _, i := range x.Items {
			list = append(list, domain.AnswerCheck{Header: working("clerk"), Check: domain.Check{Checklist: x.ID, Item: i.ID}, Yes: true},
				domain.AnswerCheck{Header: working("clerk"), Check: domain.Check{Checklist: x.ID, Item: i.ID}})
		}
	}
	together := domain.Pay{Header: by("bot"), Receipt: "r"}
	for _, x := range p.d.Fees {
		owed := r.Dossier.Fees[x.ID].Owed()
		list = append(list, domain.Pay{Header: by("bot"), Fee: x.ID, Amount: owed, Receipt: "r"})
		if together.Fee == "" {
			together.Fee, together.Amount = x.ID, owed
		} else {
			together.Also = append(together.Also, domain.Payment{Fee: x.ID, Amount: owed})
		}
	}
	list = append(list, together)
	for _, x := range p.d.Reviews {
		for _, h := range []domain.Header{working(x.Role), by(x.Role)} { // by somebody else where four eyes ask for that
			list = append(list, domain.GiveReview{Header: h, Review: x.ID, Opinion: domain.OpinionApproved},
				domain.GiveReview{Header: h, Review: x.ID, Opinion: domain.OpinionRefused, Reason: "why"})
		}
	}
	for _, o := range []string{"good", "bad"} {
		list = append(list, domain.ReportAnswer{Header: by("bot"), Answer: domain.Answer{System: "y0", Outcome: o}})
	}
	list = append(list, domain.Allocate{Header: by("head"), Allocation: domain.Allocation{Seed: strings.Repeat("0", 64)}})
	return append(list, domain.Pick{Header: by(s.ownerOr("clerk"))}, domain.Reassign{Header: by("head"), Reason: "absent"})
}

func (s *State) ownerOr(other domain.RoleID) domain.RoleID {
	if s.Owner != "" {
		return s.Owner
	}
	return other
}
