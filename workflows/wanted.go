package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// Wanted is a document that the applicant of a request has to hand in.
type Wanted struct {
	Document *Document
	Refused  bool // the one that was handed in was sent back
	Reason   domain.ReasonCode
}

// Wanted lists, in the order of the definition, the documents that the applicant has to
// hand in where the request stands: those that can be handed in there by somebody who
// asks, that are not there or were sent back, and that something needs which can be done
// there or later on. What needs a document on a condition counts when the condition holds
// for the request; later on, only one over facts can be known to hold.
func (w *Workflow) Wanted(r domain.Request) []Wanted {
	if r.Outcome != "" {
		return nil
	}
	d := w.Definition
	needed := w.neededDocuments(&r)
	var list []Wanted
	for i := range d.Documents {
		doc := &d.Documents[i]
		was, there := r.Dossier.Documents[doc.ID]
		taken := len(doc.In) == 0 || slices.Contains(doc.In, r.State)
		theirs := slices.ContainsFunc(doc.By, d.IsApplicant)
		if taken && theirs && (!there && needed[doc.ID] || was.Refused) {
			list = append(list, Wanted{doc, was.Refused, was.Reason})
		}
	}
	return list
}

// neededDocuments are those that a transition needs which the request can take where it
// stands, or may come to.
func (w *Workflow) neededDocuments(r *domain.Request) map[domain.DocumentID]bool {
	needed := map[domain.DocumentID]bool{}
	forth := map[domain.StateID][]domain.StateID{}
	from := map[domain.StateID][]*edgeRule{}
	for at, edges := range w.edges {
		if w.states[at.from].Kind != KindEnd {
			from[at.from] = append(from[at.from], w.possible(r, edges)...)
		}
	}
	for id, s := range w.states {
		for _, e := range s.automatic {
			from[id] = append(from[id], w.possible(r, []*edgeRule{e})...)
		}
	}
	for id, edges := range from {
		for _, e := range edges {
			forth[id] = append(forth[id], e.To)
		}
	}
	for id := range graph.Closure(forth, r.State) {
		for _, e := range from[id] {
			if id != r.State && e.rule.When != nil && !e.rule.When.ofFacts(w.Definition) {
				continue // whether it holds then is not known
			}
			n, err := w.Definition.needs(e.rule, id, vars{facts: r.Facts})
			if err != nil {
				continue // what cannot be judged is told as such
			}
			for _, doc := range n.Documents {
				needed[doc] = true
			}
		}
	}
	return needed
}

// possible are those edges of one action out of a state which a request may go along. In
// the state where it stands, that is the first whose condition holds.
func (w *Workflow) possible(r *domain.Request, edges []*edgeRule) []*edgeRule {
	var list []*edgeRule
	for _, e := range edges {
		if e.rule.When == nil || e.Kind == domain.ActionOverride {
			return append(list, e)
		}
		known := e.From == r.State || e.rule.When.ofFacts(w.Definition)
		holds, err := e.rule.When.holds(varsOf(r))
		switch {
		case !known:
			list = append(list, e)
		case err == nil && holds:
			return append(list, e)
		}
	}
	return list
}

// ofFacts reports whether a condition asks for nothing but facts that stay as they are
// while the request goes on, unless it is corrected.
func (c *Condition) ofFacts(d *Definition) bool {
	return !c.speaksOfPast() && !slices.ContainsFunc(c.uses.facts, func(id string) bool { return d.fact(id).Recorded })
}
