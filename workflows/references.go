package workflows

import (
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/alur-id/alur/domain"
)

// uses is what a condition refers to.
type uses struct {
	facts, forms []string
	times        []domain.ActionID
	counted      []domain.ActionID // of these, those whose number is asked for
	reviews      []domain.ReviewID
	fees         []domain.FeeID
	documents    []domain.DocumentID
	systems      []domain.SystemID
	state        bool // or outcome
}

// gather notes what the condition refers to, and refuses names that the definition
// does not have.
func (c *Condition) gather(d *Definition, checked *cel.Ast) error {
	wrong := &faultsAt{text: c.Text, checked: checked}
	doubts := &faultsAt{text: c.Text, checked: checked}
	visit := celast.NewExprVisitor(func(e celast.Expr) {
		switch e.Kind() {
		case celast.IdentKind:
			c.refer(d, e.AsIdent(), e.ID(), wrong)
		case celast.SelectKind:
			if r, ok := checked.NativeRep().ReferenceMap()[e.ID()]; ok {
				c.refer(d, r.Name, e.ID(), wrong)
			}
		case celast.CallKind:
			c.ask(d, e, wrong)
			c.compares(d, e.AsCall(), wrong, doubts)
			c.comparesTimes(d, e.AsCall(), doubts)
		default:
		}
	})
	celast.PreOrderVisit(checked.NativeRep().Expr(), visit)
	c.doubts = doubts.faults
	return wrong.faults.or()
}

// faultsAt gathers faults of one condition.
type faultsAt struct {
	faults  conditionFaults
	text    string
	checked *cel.Ast
}

func (f *faultsAt) add(e int64, format string, args ...any) {
	f.faults.add(f.text, f.checked, e, format, args...)
}

func (c *Condition) refer(d *Definition, name string, at int64, wrong *faultsAt) {
	if id, ok := strings.CutPrefix(name, "facts."); ok {
		c.uses.facts = append(c.uses.facts, id)
		if f := d.fact(id); f != nil && !f.sure() {
			wrong.add(at, "fact %q may be missing: make it required, or give it a default", id)
		}
	}
	if path, ok := strings.CutPrefix(name, "form."); ok {
		c.uses.forms = append(c.uses.forms, path)
	}
	c.uses.state = c.uses.state || name == "state" || name == "outcome"
}

func (c *Condition) ask(d *Definition, e celast.Expr, wrong *faultsAt) {
	call := e.AsCall()
	if call.FunctionName() == operators.Index || !call.IsMemberFunction() || len(call.Args()) != 1 {
		return
	}
	for _, f := range historyFunctions {
		if f.name != call.FunctionName() {
			continue
		}
		text, ok := "", call.Args()[0].Kind() == celast.LiteralKind
		if ok {
			text, ok = call.Args()[0].AsLiteral().Value().(string)
		}
		if !ok {
			wrong.add(call.Args()[0].ID(), "history.%s wants the name of one %s in quotes", f.name, f.list)
			return
		}
		if !slices.Contains(d.names(f.list), text) {
			wrong.add(call.Args()[0].ID(), "%s %q is not defined%s", f.list, text, meant(text, d.names(f.list)))
			return
		}
		c.uses.note(f.list, text)
		if f.result == cel.IntType {
			c.uses.counted = append(c.uses.counted, domain.ActionID(text))
		}
	}
}

func (u *uses) note(list, id string) {
	switch list {
	case "action":
		u.times = append(u.times, domain.ActionID(id))
	case "review":
		u.reviews = append(u.reviews, domain.ReviewID(id))
	case "fee":
		u.fees = append(u.fees, domain.FeeID(id))
	case "document":
		u.documents = append(u.documents, domain.DocumentID(id))
	case "system":
		u.systems = append(u.systems, domain.SystemID(id))
	}
}

// compares refuses a comparison with a word that there is not: it would never hold,
// or always, and nobody would notice. Of opinions and answers it is only noted, for
// definitions that were published before it was looked for.
func (c *Condition) compares(d *Definition, call celast.CallExpr, wrong, doubts *faultsAt) {
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals, operators.In, operators.OldIn:
	default:
		return
	}
	args := call.Args()
	if len(args) != 2 {
		return
	}
	for i, side := range args {
		words, what := d.wordsOf(side, wrong.checked)
		at := wrong
		if words == nil {
			words, what = d.comesTo(side)
			at = doubts
		}
		if words == nil {
			continue
		}
		for _, text := range literals(args[1-i]) {
			if !slices.Contains(words, text) {
				at.add(args[1-i].ID(), "%q is not %s%s", text, what, meant(text, words))
			}
		}
	}
}

// comparesTimes notes where times are compared as they are written: a fact with what is
// not written as times are recorded, or fields of a form, of which each may have been
// written with another offset.
func (c *Condition) comparesTimes(d *Definition, call celast.CallExpr, doubts *faultsAt) {
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In:
	default:
		return
	}
	args := call.Args()
	for i, side := range args {
		name := nameOf(side, doubts.checked)
		id, _ := strings.CutPrefix(name, "facts.")
		if f := d.fact(id); f != nil && f.Type == FactTime {
			for _, text := range literals(args[len(args)-1-i]) {
				if recorded, err := f.read(text); err != nil || recorded != text {
					doubts.add(args[len(args)-1-i].ID(), "%q is not written as times are recorded, in UTC (2026-01-01T00:00:00Z), and as they are written they are compared: write timestamp(...) on both sides", text)
				}
			}
		}
		if path, ok := strings.CutPrefix(name, "form."); ok && d.Form.fields()[path].dated {
			doubts.add(side.ID(), "times of a form are compared as they were written, each with an offset of its own: write timestamp(...) on both sides")
		}
	}
}

// nameOf is the name that an expression is; empty for any other.
func nameOf(e celast.Expr, checked *cel.Ast) string {
	switch e.Kind() {
	case celast.IdentKind:
		return e.AsIdent()
	case celast.SelectKind:
		if r, ok := checked.NativeRep().ReferenceMap()[e.ID()]; ok {
			return r.Name
		}
	default:
	}
	return ""
}

// wordsOf lists what an expression can come to, where that is known.
func (d *Definition) wordsOf(e celast.Expr, checked *cel.Ast) (words []string, what string) {
	name := nameOf(e, checked)
	switch name {
	case "state":
		return ids(d.States, func(s State) string { return string(s.ID) }), "a state"
	case "outcome":
		return append(ids(domain.Outcomes(), func(o domain.Outcome) string { return string(o) }), ""), "an outcome"
	}
	if id, ok := strings.CutPrefix(name, "facts."); ok {
		if f := d.fact(id); f != nil && len(f.Values) > 0 {
			return f.Values, "a value of fact " + id
		}
	}
	return nil, ""
}

// comesTo lists what a question about an opinion or an answer can come to; nothing
// while there is none.
func (d *Definition) comesTo(e celast.Expr) (words []string, what string) {
	if e.Kind() != celast.CallKind || !e.AsCall().IsMemberFunction() || len(e.AsCall().Args()) != 1 {
		return nil, ""
	}
	of := literals(e.AsCall().Args()[0])
	switch name := e.AsCall().FunctionName(); {
	case len(of) != 1:
		return nil, ""
	case name == "review":
		return []string{string(domain.OpinionApproved), string(domain.OpinionRefused), string(domain.OpinionOpen), ""}, "an opinion"
	case name == "answer":
		if s := d.system(domain.SystemID(of[0])); s != nil {
			return append(slices.Clone(s.Outcomes), ""), "an outcome of system " + of[0]
		}
	}
	return nil, ""
}

// literals lists the texts that an expression is, or is a list of.
func literals(e celast.Expr) []string {
	switch e.Kind() {
	case celast.LiteralKind:
		if text, ok := e.AsLiteral().Value().(string); ok {
			return []string{text}
		}
	case celast.ListKind:
		var all []string
		for _, x := range e.AsList().Elements() {
			all = append(all, literals(x)...)
		}
		return all
	default:
	}
	return nil
}
