package workflows

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// silent holds what an approval by silence must have behind it. It stands in for what the
// agency did not do: the opinions that nobody gave, the documents that only officers hand
// in. It does not stand in for what whoever asks has to bring, for a file that nobody
// declared complete, or for a fee that is owed: the law grants what was received complete
// (UU 30/2014 art. 53 as changed by UU Cipta Kerja art. 175).
func (s *search) silent(i int, step stepTaken, j int) {
	m := &s.p.expiries[step.of]
	if m.expiry.Ground != DeemedApproval {
		return
	}
	at := &s.points[i]
	told := silence{search: s, m: m, step: step, i: i, j: j}
	for g := range s.d.States {
		if s.d.States[g].Kind == KindGather {
			told.refused(at, g)
		}
	}
	if m.term < 0 && !at.declared {
		told.tell(FindingDeemed, "declared", "before anybody declared the file complete: let it run only after a transition of kind complete")
	}
	for f, fee := range s.p.fees {
		if two(at.fees, f) == feeOwed && !s.p.excused(at, func(x *standIn) bool { return slices.Contains(x.fees, fee.ID) }) {
			told.tell(FindingUnpaid, "fee "+string(fee.ID), "while fee %q is owed: wait for the payment where the term does not run", fee.ID)
		}
	}
	told.incomplete(at)
}

// received notes that a file was received complete, or is not any more. That an officer
// refuses a document later on and decides nothing is the agency's silence, too.
func (p *prover) received(at *point, t *Transition) {
	if !p.declares {
		return
	}
	complete := t.Kind == domain.ActionComplete && p.d.States[at.state].Kind != KindEnd
	at.declared = at.declared || complete
	switch {
	case t.Kind == domain.ActionReturn:
		at.complete = false
	case complete || t.Needs != nil && t.Needs.Required:
		at.complete = len(p.missing(at)) == 0
	}
}

// silence is a term that approves by running out, and how a request came to that.
type silence struct {
	*search

	m    *move
	step stepTaken
	i, j int // before and after
}

// tell notes what an approval by silence lacks, once for each term.
func (s *silence) tell(rule, lacks, format string, args ...any) {
	whose, of, n := fmt.Sprintf("the term of state %q", s.m.from), fmt.Sprint(s.m.from), s.node("states", int(s.points[s.i].state))
	switch {
	case s.m.term >= 0:
		t := &s.d.Terms[s.m.term]
		whose, of, n = fmt.Sprintf("term %q", t.ID), fmt.Sprint("term ", s.m.term), s.node("terms", s.m.term)
	case s.m.review != "":
		whose, of = fmt.Sprintf("the term of review %q", s.m.review), fmt.Sprint(of, " ", s.m.review)
	}
	s.tellStep(s.step, s.j, rule, "silent "+lacks+" "+of, n, s.i, whose+" can approve a request by silence "+format, args...)
}

// refused holds that no silence approves what a review stands against: not by a term that
// the agency set itself, nor where the refused review is looked at and nothing follows of
// it. That a legal term runs out while a refusal is written is what the law makes of it:
// what counts is the decision.
func (s *silence) refused(at *point, g int) {
	gather, name := &s.d.States[g], s.d.States[at.state].ID
	j, err := s.d.join(gather, s.p.values[at.value])
	if s.m.term >= 0 && g != int(at.state) || err != nil || s.p.fresh(j, at) != domain.OpinionRefused ||
		!s.p.demanded(at, gather.OnlyAfter, gather.ID) || s.p.excused(at, func(x *standIn) bool { return x.state == g }) {
		return
	}
	s.tellStep(s.step, s.j, FindingReview, fmt.Sprint("silent", g, name), s.node("states", int(at.state)), s.i, "a term that runs out in %q approves a request although the reviews of %q are refused: have a refused review end the request, or lead to where no term approves", name, gather.ID)
}

// incomplete holds that all is there that who asks has to bring; for a term of law, that
// it was when the file was last received complete.
func (s *silence) incomplete(at *point) {
	if s.m.term >= 0 && at.complete {
		return // what is missing was refused since, and nothing decided
	}
	missing := slices.DeleteFunc(s.p.missing(at), func(id domain.DocumentID) bool {
		return s.p.excused(at, func(x *standIn) bool { return x.required || slices.Contains(x.documents, id) })
	})
	switch {
	case len(missing) == 0:
	case s.m.term < 0:
		s.tell(FindingDocuments, "documents", "although documents are missing or were refused (%s): lead to where it runs only with the documents, and let none of them be refused there", domain.Listed(missing))
	default:
		s.tell(FindingDocuments, "documents", "although documents are missing, or were refused before the file was last received complete (%s): let what declares it complete, and what brings it back after a return or a correction, need them (needs: {required_documents: true})", domain.Listed(missing))
	}
}

// missing lists the required documents that those who ask have to bring and that are not
// there, or were refused.
func (p *prover) missing(at *point) []domain.DocumentID {
	required, err := p.d.required(p.values[at.value])
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(required, func(id domain.DocumentID) bool { return !p.brought(id) || (seen{p, at}).attached(id) })
}

// brought reports whether it is those who ask, or who file for them, that hand a document
// in.
func (p *prover) brought(id domain.DocumentID) bool {
	i := slices.IndexFunc(p.d.Documents, func(x Document) bool { return x.ID == id })
	return slices.ContainsFunc(p.d.Roles, func(r Role) bool {
		asks, _ := splits(r.Capacities)
		return slices.Contains(p.d.Documents[i].By, r.ID) && (asks || slices.Contains(p.d.Submit, r.ID))
	})
}

// early holds that the clock of a decision by law runs only for a file that was declared
// complete: else the law would grant what nobody could have checked (UU 30/2014 art.
// 53(2), as changed: after the application is received complete). What starts it may be
// something else that comes later, such as a payment.
func (s *search) early(i int, step stepTaken, j int) {
	t := &s.d.Transitions[step.of]
	if s.points[j].declared {
		return
	}
	for k := range s.d.Terms {
		x := &s.d.Terms[k]
		if x.Expires == nil || x.Expires.To == "" || x.Expires.Ground == Lapse || !slices.Contains(x.Starts, t.Action) {
			continue
		}
		s.tellStep(step, j, FindingDeemed, fmt.Sprint("early ", k), s.node("transitions", step.of), i, "action %q starts term %q, which ends in a decision by law, in %q before anybody declared the file complete: give the transition that does kind complete", t.Action, x.ID, s.d.States[s.points[i].state].ID)
	}
}

// tellStep notes a finding of a step once, with the way there and the step itself.
func (s *search) tellStep(step stepTaken, j int, rule, once string, n ast.Node, i int, format string, args ...any) {
	if !s.told[once] {
		s.told[once] = true
		s.findStory(rule, n, append(s.story(i), s.sentence(step, int(s.points[i].state), &s.points[j], "")), format, args...)
	}
}
