package workflows

import (
	"maps"
	"slices"
	"strconv"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// claim is what a condition says of what cannot be told: of two sides, when it compares
// them, or of what it is as a whole. Conditions that say opposite things of the same, such
// as x > 3 and x <= 3, never hold together, and one of them always does.
type claim struct {
	of    string  // the same for all that say something of the same
	holds [3]bool // by how the sides stand to each other: less, equal, more
}

var orders = map[string][3]bool{
	operators.Less: {true, false, false}, operators.LessEquals: {true, true, false},
	operators.Equals: {false, true, false}, operators.NotEquals: {true, false, true},
	operators.GreaterEquals: {false, true, true}, operators.Greater: {false, false, true},
}

// claims is what a condition says. Where it may fail, as a comparison with the quotient of
// a division by zero does, none of them holds: see [Definition.valuations].
func (c *Condition) claims() claim {
	whole := claim{of: c.Text, holds: [3]bool{false, false, true}}
	if c.checked == nil {
		return whole
	}
	e, not := c.checked.NativeRep().Expr(), false
	for e.Kind() == celast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot {
		e, not = e.AsCall().Args()[0], !not
	}
	if e.Kind() == celast.CallKind && len(e.AsCall().Args()) == 2 {
		if holds, compares := orders[e.AsCall().FunctionName()]; compares {
			left, right := c.written(e.AsCall().Args()[0]), c.written(e.AsCall().Args()[1])
			if left > right {
				left, right, holds = right, left, [3]bool{holds[2], holds[1], holds[0]}
			}
			return claim{left + " : " + right, holds}.or(not)
		}
	}
	whole.of = c.written(e)
	return whole.or(not)
}

// or is the claim, or its opposite.
func (x claim) or(not bool) claim {
	for i := range x.holds {
		x.holds[i] = x.holds[i] != not
	}
	return x
}

// written is an expression as all that mean the same are written.
func (c *Condition) written(e celast.Expr) string {
	if n, ok := number(e); ok {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	text, err := cel.ExprToString(e, c.checked.NativeRep().SourceInfo())
	if err != nil {
		return c.Text
	}
	return text
}

// supposition is what conditions are taken to come to that cannot be told.
type supposition []supposed

type supposed struct {
	condition *Condition
	holds     bool
	failing   bool // it cannot be judged
}

// and supposes more, where that cannot be told. It reports whether all of it can be so
// together.
func (p *prover) and(s supposition, c *Condition, is truth, holds bool) (supposition, bool) {
	if is != either {
		return s, true
	}
	s = append(slices.Clip(s), supposed{condition: c, holds: holds})
	claim := p.claimOf(c)
	for i := range claim.holds {
		if !slices.ContainsFunc(s, func(x supposed) bool {
			other := p.claimOf(x.condition)
			return other.of == claim.of && other.holds[i] != x.holds
		}) {
			return s, true
		}
	}
	return s, false
}

func (p *prover) claimOf(c *Condition) claim {
	x, known := p.claims[c]
	if !known {
		x = c.claims()
		p.claims[c] = x
	}
	return x
}

// outcomes are what conditions that say something of the same can come to, by their
// texts.
func outcomes(claims map[string]claim) []map[string]bool {
	var list []map[string]bool
	for i := range 3 {
		is := map[string]bool{}
		for text, c := range claims {
			is[text] = c.holds[i]
		}
		if !slices.ContainsFunc(list, func(x map[string]bool) bool { return maps.Equal(x, is) }) {
			list = append(list, is)
		}
	}
	return list
}
