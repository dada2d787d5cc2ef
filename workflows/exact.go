package workflows

import (
	"math"
	"slices"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/alur-id/alur/domain"
)

// maxCount is the largest number of times that a proof counts to.
const maxCount = 100

// looseness is how a condition asks for more than can be told: of facts, of which no
// values stand for all, or of how often actions were taken, once one was taken as
// often as is counted.
type looseness struct {
	facts  bool
	counts []domain.ActionID
}

// exact reports whether some values of facts and counts stand for all in a condition:
// it does nothing with a number, a free text or a count but compare it with constants.
// Yes or no, and texts from a list, may be used in any way, for all of them are looked
// at.
func (c *Condition) exact(d *Definition) bool {
	l := c.looseness(d)
	return !l.facts && len(l.counts) == 0
}

func (c *Condition) looseness(d *Definition) looseness {
	if c.checked == nil {
		return looseness{}
	}
	x := exactness{d: d, c: c}
	x.walk(c.checked.NativeRep().Expr(), "")
	if x.counts {
		return looseness{facts: x.facts, counts: c.uses.counted}
	}
	return looseness{facts: x.facts}
}

// countsTo tells how far a condition counts each action: to one more than the largest
// number that it compares it with, which stands for all that are larger. A story tells
// what it supposes where even more would have to be told apart.
func (c *Condition) countsTo() map[domain.ActionID]uint64 {
	all := map[domain.ActionID]uint64{}
	if len(c.uses.counted) == 0 {
		return all
	}
	to := func(n float64) uint64 { return uint64(min(max(math.Ceil(n), 0), maxCount)) + 1 }
	compared := map[domain.ActionID]int{}
	celast.PreOrderVisit(c.checked.NativeRep().Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.CallKind || len(e.AsCall().Args()) != 2 {
			return
		}
		for i, arg := range e.AsCall().Args() {
			if other := e.AsCall().Args()[1-i]; counts(arg) && constant(other) {
				a := domain.ActionID(arg.AsCall().Args()[0].AsLiteral().Value().(string))
				compared[a]++
				all[a] = max(all[a], to(largest(other)))
			}
		}
	}))
	numbers := &constants{}
	numbers.gather(c)
	for _, a := range c.uses.counted {
		if compared[a] < len(slices.DeleteFunc(slices.Clone(c.uses.counted), func(b domain.ActionID) bool { return a != b })) {
			all[a] = max(all[a], to(slices.Max(append(numbers.numbers, 1)))+2) // it does something else with it: more are told apart than its numbers ask for
		}
	}
	return all
}

// largest is the largest number in a constant or a list of some.
func largest(e celast.Expr) float64 {
	if e.Kind() == celast.ListKind {
		most := 0.0
		for _, item := range e.AsList().Elements() {
			most = max(most, largest(item))
		}
		return most
	}
	n, _ := number(e)
	return n
}

type exactness struct {
	d             *Definition
	c             *Condition
	facts, counts bool // loose
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
		x.facts = true
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
		x.facts = true
	}
}

func (x *exactness) call(call celast.CallExpr, compared string) {
	name := call.FunctionName()
	if call.IsMemberFunction() && name == "times" && compared == "" {
		x.counts = true
	}
	args := call.Args()
	switch name {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In:
		for i, arg := range args {
			if other := args[1-i]; constant(other) && (name != operators.In || i == 0) {
				x.walk(arg, name)
				if counts(arg) && !countable(other) {
					x.counts = true
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
