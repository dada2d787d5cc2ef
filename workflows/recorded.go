package workflows

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Recorded implements [domain.Workflow].
func (w *Workflow) Recorded(fact string) bool {
	f := w.Definition.fact(fact)
	return f != nil && f.Recorded
}

// RecordFacts implements [domain.Workflow].
func (w *Workflow) RecordFacts(names []string, given domain.Facts) (domain.Facts, error) {
	var wrong []string
	facts := domain.Facts{}
	for _, name := range names {
		v, ok := given[name]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("fact %q is missing", name))
			continue
		}
		f := w.Definition.fact(name)
		var err error
		if facts[name], err = f.read(v); err == nil {
			err = f.bounded(v)
		}
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	for name := range given {
		if !slices.Contains(names, name) {
			wrong = append(wrong, fmt.Sprintf("%q is not recorded here", name))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, domain.NewRefusal(domain.RuleFacts, strings.Join(wrong, "; "), "record "+strings.Join(names, ", "))
	}
	return facts, nil
}

// recordedFits holds what belongs to facts that are recorded while a request runs. What
// is found out once, by the facts as they then are (which documents are required, which
// reviews are asked for, what a fee comes to), does not rest on them.
func (r *definitionReader) recordedFits() {
	recorded := map[string]bool{}
	for i, n := range r.items("facts") {
		if f := &r.d.Facts[i]; f.Recorded {
			recorded[f.ID] = true
			r.recordedFact(n, f)
		}
	}
	for i, n := range r.items("transitions") {
		r.recording(n, &r.d.Transitions[i])
	}
	refuse := func(n ast.Node, id string) {
		if recorded[id] {
			r.problem(n, "fact %q is recorded while the request runs: only the when of a transition and an invariant may ask for it", id)
		}
	}
	r.conditions = append(r.conditions, func() {
		ask := func(n ast.Node, all ...*Condition) {
			for _, c := range all {
				if c != nil {
					for _, id := range c.uses.facts {
						refuse(n, id)
					}
				}
			}
		}
		for i, n := range r.items("documents") {
			ask(n, r.d.Documents[i].RequiredWhen)
		}
		for i, n := range r.items("reviews") {
			ask(n, r.d.Reviews[i].When)
		}
		for i, n := range r.items("fees") {
			f := &r.d.Fees[i]
			ask(n, f.When, f.Formula)
			if f.Table != nil {
				refuse(n, f.Table.Fact)
			}
		}
	})
}

// recordedFact holds what one such fact needs: a value before it is recorded, and none
// that somebody might write a name into.
func (r *definitionReader) recordedFact(n ast.Node, f *Fact) {
	switch {
	case f.Required || f.From != nil:
		r.problem(n, "fact %q is recorded while the request runs: leave required and from out", f.ID)
	case f.Default == nil:
		r.problem(n, "fact %q is recorded while the request runs: say its default, which counts until then", f.ID)
	case f.Type == FactString && len(f.Values) == 0:
		r.problem(n, "fact %q is kept in the clear and recorded by officers: list its values", f.ID)
	}
}

// recording holds what a transition that records facts may be.
func (r *definitionReader) recording(n ast.Node, t *Transition) {
	if len(t.Records) == 0 {
		return
	}
	for _, id := range t.Records {
		if f := r.d.fact(id); f != nil && !f.Recorded {
			r.problem(n, "action %q records fact %q, which comes with the submission: say recorded: true there", t.Action, id)
		}
	}
	for _, role := range t.Roles {
		if slices.Contains(r.d.Submit, role) {
			r.problem(n, "action %q records facts, and role %q submits requests: what officers found out is not the applicant's to say", t.Action, role)
		}
	}
	if t.Automatic || t.Kind == domain.ActionCorrect {
		r.problem(n, "action %q records facts: it is neither automatic nor a correction", t.Action)
	}
}

// asksRecorded reports whether a condition asks for a fact that may change while the
// request runs.
func (c *Condition) asksRecorded(d *Definition) bool {
	return slices.ContainsFunc(c.uses.facts, func(id string) bool {
		f := d.fact(id)
		return f != nil && f.Recorded
	})
}
