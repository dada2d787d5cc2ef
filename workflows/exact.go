package workflows

import (
	"math"
	"slices"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// maxCount is the largest number of times that a proof counts to.
const maxCount = 14

// exact reports whether some values of facts and counts stand for all in a condition:
// it does nothing with a number, a free text or a count but compare it with constants.
// Yes or no, and texts from a list, may be used in any way, for all of them are looked
// at.
func (c *Condition) exact(d *Definition) bool {
	if c.checked == nil {
		return true
	}
	x := exactness{d: d, c: c, exact: true}
	x.walk(c.checked.NativeRep().Expr(), "")
	return x.exact
}

type exactness struct {
	d     *Definition
	c     *Condition
	exact bool
}

// walk looks at an expression that an operator compares with constants; none, if the
// operator is empty.
func (x *exactness) walk(e celast.Expr, compared string) {
	switch e.Kind() {
	case celast.IdentKind:
		x.name(e.AsIdent(), compared)
	case celast.SelectKind:
		if r, ok := x.c.checked.NativeRep().ReferenceMap()[e.ID()]; ok {
			x.name(r.Name, compared)
			return
		}
		x.walk(e.AsSelect().Operand(), "")
	case celast.CallKind:
		x.call(e.AsCall(), compared)
	case celast.ListKind:
		for _, item := range e.AsList().Elements() {
			x.walk(item, "")
		}
	case celast.LiteralKind:
	default: // no other is a part of the language
		x.exact = false
	}
}

func (x *exactness) name(name, compared string) {
	id, ok := strings.CutPrefix(name, "facts.")
	if !ok {
		return
	}
	f := x.d.fact(id)
	switch {
	case f.Type == FactBoolean, f.Type == FactString && len(f.Values) > 0:
	case f.Type == FactNumber && compared != "", compared == operators.Equals, compared == operators.NotEquals, compared == operators.In:
	default:
		x.exact = false
	}
}

func (x *exactness) call(call celast.CallExpr, compared string) {
	name := call.FunctionName()
	if call.IsMemberFunction() && name == "times" && compared == "" {
		x.exact = false
	}
	args := call.Args()
	switch name {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In:
		for i, arg := range args {
			if other := args[1-i]; constant(other) && (name != operators.In || i == 0) {
				x.walk(arg, name)
				if counts(arg) && !countable(other) {
					x.exact = false
				}
			} else {
				x.walk(arg, "")
			}
		}
		return
	}
	for _, arg := range args {
		x.walk(arg, "")
	}
	if call.IsMemberFunction() {
		x.walk(call.Target(), "")
	}
}

// constant reports whether an expression is a constant or a list of some.
func constant(e celast.Expr) bool {
	switch e.Kind() {
	case celast.LiteralKind:
		return true
	case celast.ListKind:
		return !slices.ContainsFunc(e.AsList().Elements(), func(item celast.Expr) bool { return item.Kind() != celast.LiteralKind })
	default:
		return false
	}
}

func counts(e celast.Expr) bool {
	return e.Kind() == celast.CallKind && e.AsCall().IsMemberFunction() && e.AsCall().FunctionName() == "times"
}

// countable reports whether a proof counts far enough to compare with a constant.
func countable(e celast.Expr) bool {
	if e.Kind() == celast.ListKind {
		return !slices.ContainsFunc(e.AsList().Elements(), func(item celast.Expr) bool { return !countable(item) })
	}
	n, ok := number(e)
	return ok && n < maxCount
}

// number is the value of a constant that is one.
func number(e celast.Expr) (float64, bool) {
	if e.Kind() != celast.LiteralKind {
		return 0, false
	}
	switch v := e.AsLiteral().Value().(type) {
	case float64:
		return v, !math.IsNaN(v)
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}
