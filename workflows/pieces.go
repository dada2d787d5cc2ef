package workflows

import (
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// piece is a condition, or a part of one, as a proof judges it that cannot tell what the
// whole comes to: by what it joins. So what it says of facts that cannot be told is
// supposed once, as of a condition over facts alone, and not anew with each step.
type piece struct {
	operator string // &&, || or !; empty where it is a condition that joins none
	of       []*piece
	leaf     *Condition

	sure bool     // of a whole: it comes to something for every request
	pure []*piece // of a whole: what it says of facts alone and comes to something for every request
}

// parting takes conditions apart.
type parting struct {
	d     *Definition
	env   *cel.Env
	known map[string]*Condition // parts, by their texts
}

// pieces are the conditions over facts and the past, or over facts that are recorded, that
// a proof takes apart, since there are facts in them of which no values stand for all.
func (d *Definition) pieces() map[*Condition]*piece {
	pieces := map[*Condition]*piece{}
	x := &parting{d: d, known: map[string]*Condition{}}
	for _, c := range d.conditions() {
		if c.checked == nil || c.result != cel.BoolType || !c.looseness(d).facts || !c.speaksOfPast() && !c.asksRecorded(d) {
			continue
		}
		t, err := x.piece(c, c.checked.NativeRep().Expr())
		if err != nil || t.operator == "" {
			continue // it is taken to come out either way, as a whole
		}
		t.sure = c.sure(d)
		if slices.ContainsFunc(t.leaves(), func(c *Condition) bool { return !c.sure(d) }) {
			x.ofFacts(c, t, &t.pure)
		}
		pieces[c] = t
	}
	return pieces
}

func (x *parting) piece(c *Condition, e celast.Expr) (*piece, error) {
	if e.Kind() == celast.CallKind {
		switch name := e.AsCall().FunctionName(); name {
		case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
			t := &piece{operator: name}
			for _, arg := range e.AsCall().Args() {
				inner, err := x.piece(c, arg)
				if err != nil {
					return nil, err
				}
				t.of = append(t.of, inner)
			}
			return t, nil
		}
	}
	text, err := cel.ExprToString(e, c.checked.NativeRep().SourceInfo())
	if err != nil {
		return nil, err
	}
	leaf, err := x.condition(c, text)
	return &piece{leaf: leaf}, err
}

// condition is a part of a condition as one of its own.
func (x *parting) condition(whole *Condition, text string) (*Condition, error) {
	if c := x.known[text]; c != nil {
		return c, nil
	}
	if x.env == nil {
		env, err := x.d.environment(overAll)
		if err != nil {
			return nil, err
		}
		x.env = env
	}
	c := &Condition{Text: text, begin: whole.begin, place: whole.place}
	if err := c.compile(x.d, x.env, overAll); err != nil {
		return nil, err
	}
	x.known[text] = c
	return c, nil
}

// leaves are the conditions that it joins.
func (t *piece) leaves() []*Condition {
	if t.operator == "" {
		return []*Condition{t.leaf}
	}
	var list []*Condition
	for _, inner := range t.of {
		list = append(list, inner.leaves()...)
	}
	return list
}

// ofFacts is what a part of a condition says of facts alone that do not change while the
// request runs, and as what that is written: nil where it says nothing of them. What of it
// comes to something for every request is noted.
func (x *parting) ofFacts(c *Condition, t *piece, sure *[]*piece) (*piece, string) {
	if t.operator == "" {
		if t.leaf.speaksOfPast() || t.leaf.asksRecorded(x.d) {
			return nil, ""
		}
		return t, "(" + t.leaf.Text + ")"
	}
	pure := &piece{operator: t.operator}
	var texts []string
	for _, inner := range t.of {
		if p, text := x.ofFacts(c, inner, sure); p != nil {
			pure.of, texts = append(pure.of, p), append(texts, text)
		}
	}
	if len(texts) == 0 {
		return nil, ""
	}
	text := "!" + texts[0]
	if t.operator != operators.LogicalNot {
		text = "(" + strings.Join(texts, map[string]string{operators.LogicalAnd: " && ", operators.LogicalOr: " || "}[t.operator]) + ")"
	}
	if all, err := x.condition(c, text); err == nil && all.sure(x.d) {
		*sure = append(*sure, pure)
	}
	return pure, text
}

// truth is what it comes to by what its leaves do. One that fails makes no difference
// beside one that decides, as in CEL.
func (t *piece) truth(judge func(*Condition) truth) truth {
	switch t.operator {
	case "":
		return judge(t.leaf)
	case operators.LogicalNot:
		return t.of[0].truth(judge).not()
	}
	decides := no
	if t.operator == operators.LogicalOr {
		decides = yes
	}
	is := decides.not()
	for _, inner := range t.of {
		switch next := inner.truth(judge); {
		case next == decides:
			return next
		case is == decides.not():
			is = next
		case next != decides.not() && next != is:
			is = either // one fails, and of another it is not known whether that makes a difference
		}
	}
	return is
}

// apart are the conditions that are judged, with the parts of one that is taken apart in
// its place; but no part over facts that are recorded, which comes out either way.
func (d *Definition) apart(pieces map[*Condition]*piece) []*Condition {
	var list []*Condition
	for _, c := range d.conditions() {
		if t := pieces[c]; t != nil {
			list = append(list, slices.DeleteFunc(t.leaves(), func(c *Condition) bool { return c.asksRecorded(d) && c.exact(d) })...)
		} else {
			list = append(list, c)
		}
	}
	return list
}

// impossible reports whether no facts are as they are supposed to be: what a condition
// says of them would fail, and is sure not to.
func (v vars) impossible(pieces map[*Condition]*piece) bool {
	for _, t := range pieces {
		if slices.ContainsFunc(t.pure, func(p *piece) bool { return p.truth(v.judge) == fails }) {
			return true
		}
	}
	return false
}

// judge is what a condition over facts comes to.
func (v vars) judge(c *Condition) truth {
	switch holds, err := c.holds(v); {
	case err != nil:
		return fails
	case holds:
		return yes
	}
	return no
}
