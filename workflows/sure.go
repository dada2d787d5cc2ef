package workflows

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
)

// surety looks whether a condition can be judged whatever is asked of it. It knows of
// numbers what they can be, and what the rest of the condition holds of them, as in
// facts.plot > 0.0 && facts.house / facts.plot < 0.6. What it does not know may fail.
type surety struct {
	d    *Definition
	c    *Condition
	left int // expressions to look at until it is given up
}

// maxSurety is more than a condition needs that somebody can read.
const maxSurety = 5000

// given is what holds where an expression is judged: of what is written so, what it can be.
type given map[string]span

// sure reports whether a condition comes to something for every request.
func (c *Condition) sure(d *Definition) bool {
	if c.checked == nil {
		return true
	}
	_, sure := (&surety{d, c, maxSurety}).of(c.checked.NativeRep().Expr(), given{})
	return sure
}

// of is what an expression can be, where it is a number, and whether it comes to something.
func (x *surety) of(e celast.Expr, in given) (span, bool) {
	if x.left--; x.left < 0 {
		return span{}, false
	}
	switch e.Kind() {
	case celast.LiteralKind:
		if n, ok := number(e); ok {
			return exactly(n), true
		}
		return span{}, true
	case celast.IdentKind, celast.SelectKind:
		return x.named(e, in)
	case celast.ListKind:
		return span{}, x.all(e.AsList().Elements(), in)
	case celast.CallKind:
		s, sure := x.call(e, in)
		if known, ok := in[x.c.written(e)]; ok && sure {
			s = s.within(known)
		}
		return s, sure
	default:
		return span{}, false
	}
}

func (x *surety) all(list []celast.Expr, in given) bool {
	return !slices.ContainsFunc(list, func(e celast.Expr) bool { _, sure := x.of(e, in); return !sure })
}

func (x *surety) typeOf(e celast.Expr) *types.Type { return x.c.checked.NativeRep().GetType(e.ID()) }

// named is a fact, or what else has a name.
func (x *surety) named(e celast.Expr, in given) (span, bool) {
	r, ok := x.c.checked.NativeRep().ReferenceMap()[e.ID()]
	if !ok {
		return span{}, false
	}
	id, ok := strings.CutPrefix(r.Name, "facts.")
	if !ok {
		return span{}, r.Name == "state" || r.Name == "outcome" || r.Name == "history"
	}
	f := x.d.fact(id)
	if f == nil || f.Type != FactNumber {
		return span{}, f != nil && f.sure()
	}
	s := x.d.spanOf(f)
	if known, ok := in[x.c.written(e)]; ok {
		s = s.within(known)
	}
	return s, f.sure()
}

// spanOf is what a fact that is a number can be.
func (d *Definition) spanOf(f *Fact) span {
	b := d.boundsOf(f)
	s := span{max(b.least, b.above, -maxNumber), min(b.most, b.below, maxNumber), minNumber, b.lets(0.0)}
	if b.whole {
		s.near = 1
	}
	if b.listed {
		for i, v := range b.values {
			if n, ok := v.(float64); ok && i == 0 {
				s = exactly(n)
			} else if ok {
				s = s.or(exactly(n))
			}
		}
	}
	if n, ok := f.Default.(float64); ok {
		s = s.or(exactly(n))
	}
	return s.normal()
}

// call is a call. Of what CEL judges together, what fails is told only where the rest
// does not come out so that it makes no difference.
func (x *surety) call(e celast.Expr, in given) (span, bool) {
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		with := in
		var unsure []celast.Expr
		for _, arg := range args {
			if _, sure := x.of(arg, in); sure {
				with = x.where(arg, name == operators.LogicalAnd, with)
			} else {
				unsure = append(unsure, arg)
			}
		}
		return span{}, len(unsure) < len(args) && x.all(unsure, with)
	case operators.Conditional:
		_, sure := x.of(args[0], in)
		yes, first := x.of(args[1], x.where(args[0], true, in))
		no, second := x.of(args[2], x.where(args[0], false, in))
		return yes.or(no), sure && first && second
	case operators.Equals, operators.NotEquals, operators.In, operators.LogicalNot, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, overloads.Contains, overloads.StartsWith, overloads.EndsWith:
		untyped := slices.ContainsFunc(args, func(e celast.Expr) bool { return x.typeOf(e).Kind() == types.DynKind })
		return span{}, !untyped && x.all(args, in) && (!call.IsMemberFunction() || x.all([]celast.Expr{call.Target()}, in))
	case overloads.Size:
		list := args
		if call.IsMemberFunction() {
			list = []celast.Expr{call.Target()}
		}
		return span{0, math.MaxInt32, 1, true}, x.all(list, in)
	case overloads.TypeConvertDouble, overloads.TypeConvertInt, overloads.TypeConvertString:
		return x.converted(name, args[0], in)
	default:
		if call.IsMemberFunction() && call.Target().Kind() == celast.IdentKind && call.Target().AsIdent() == "history" {
			return span{0, 1 << 53, 1, true}, true
		}
		return x.computed(e, in)
	}
}

// converted is a number or a text made of another value.
func (x *surety) converted(to string, e celast.Expr, in given) (span, bool) {
	s, sure := x.of(e, in)
	from := x.typeOf(e).Kind()
	switch {
	case to == overloads.TypeConvertString:
		return s, sure && (from == types.DoubleKind || from == types.IntKind || from == types.StringKind || from == types.BoolKind)
	case from == types.StringKind && e.Kind() == celast.LiteralKind:
		text, _ := e.AsLiteral().Value().(string)
		n, err := strconv.ParseFloat(text, 64)
		return exactly(n), err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	case from == types.IntKind, from == types.DoubleKind && to == overloads.TypeConvertDouble:
		return s, sure
	case from == types.DoubleKind:
		s.least, s.most, s.near, s.zero = math.Trunc(s.least), math.Trunc(s.most), 1, true
		return s.normal(), sure && s.size() < endlessWhole
	default:
		return span{}, false
	}
}

// computed is a sum, a product or what else is computed of numbers, and texts that are put
// together.
func (x *surety) computed(e celast.Expr, in given) (span, bool) {
	name, args, kind := e.AsCall().FunctionName(), e.AsCall().Args(), x.typeOf(e).Kind()
	if kind == types.StringKind && name == operators.Add {
		return span{}, x.all(args, in)
	}
	if kind != types.DoubleKind && kind != types.IntKind || e.AsCall().IsMemberFunction() || len(args) == 0 {
		return span{}, false
	}
	left, sure := x.of(args[0], in)
	if !sure || x.typeOf(args[0]).Kind() != kind {
		return span{}, false
	}
	right := exactly(1)
	if len(args) == 2 {
		if right, sure = x.of(args[1], in); !sure || x.typeOf(args[1]).Kind() != kind {
			return span{}, false
		}
	}
	s := left
	switch name {
	case operators.Negate:
		s = left.negated()
	case operators.Add:
		s = left.plus(right)
	case operators.Subtract:
		s = left.plus(right.negated())
	case operators.Multiply:
		s = left.times(right)
	case operators.Divide, operators.Modulo:
		if right.zero {
			return span{}, false
		}
		s = left.by(right)
		if name == operators.Modulo {
			s = span{-right.size(), right.size(), 1, true}
		}
	default:
		return span{}, false
	}
	if kind == types.IntKind {
		s.near, s.zero = 1, s.zero || name == operators.Divide
		return s.normal(), s.size() < endlessWhole
	}
	return s, s.size() < endlessNumber
}

// where is what holds besides where an expression comes to yes, or to no.
func (x *surety) where(e celast.Expr, is bool, in given) given {
	if e.Kind() != celast.CallKind {
		return in
	}
	args := e.AsCall().Args()
	switch name := e.AsCall().FunctionName(); {
	case name == operators.LogicalNot:
		return x.where(args[0], !is, in)
	case name == operators.LogicalAnd && is, name == operators.LogicalOr && !is:
		for _, arg := range args {
			in = x.where(arg, is, in)
		}
		return in
	default:
		holds, compares := orders[name]
		if !compares || len(args) != 2 {
			return in
		}
		left, right := args[0], args[1]
		if _, constant := number(left); constant {
			left, right, holds = right, left, [3]bool{holds[2], holds[1], holds[0]}
		}
		n, constant := number(right)
		if !constant {
			return in
		}
		known := span{math.Inf(-1), math.Inf(1), 0, n != 0 || holds[1] == is}
		if holds[0] != is {
			known.least = n
		}
		if holds[2] != is {
			known.most = n
		}
		more := given{}
		maps.Copy(more, in)
		text := x.c.written(left)
		if before, ok := more[text]; ok {
			known = span{max(known.least, before.least), min(known.most, before.most), 0, known.zero && before.zero}
		}
		more[text] = known
		return more
	}
}
