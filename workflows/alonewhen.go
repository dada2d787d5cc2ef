package workflows

import (
	"cmp"
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/alur-id/alur/domain"
)

// sure reports whether an expression certainly comes to yes, or to no, only after somebody
// else than a role and those who ask did something.
func (s *byOneRole) sure(e celast.Expr, want bool, role domain.RoleID) bool {
	if e.Kind() != celast.CallKind {
		return false
	}
	call := e.AsCall()
	args, name := call.Args(), call.FunctionName()
	switch {
	case name == operators.LogicalNot:
		return s.sure(args[0], !want, role)
	case name == operators.LogicalAnd || name == operators.LogicalOr:
		left, right := s.sure(args[0], want, role), s.sure(args[1], want, role)
		if (name == operators.LogicalAnd) == want {
			return left || right
		}
		return left && right
	case call.IsMemberFunction():
		return want && (name == "did" || name == "attached") && s.ofOthers(e, role)
	case len(args) != 2 || !s.ofOthers(args[0], role):
		return false
	}
	return !slices.ContainsFunc(untouched[args[0].AsCall().FunctionName()], func(v any) bool {
		is, known := compared(name, v, args[1])
		return !known || is == want
	})
}

// untouched is what questions come to while nobody did what they ask of.
var untouched = map[string][]any{
	"times": {0.0}, "review": {"", string(domain.OpinionOpen)}, "answer": {""}, "did": {false, true}, "attached": {false, true},
}

// compared is what a comparison with a constant comes to, if that is known.
func compared(operator string, v any, with celast.Expr) (is, known bool) {
	order, equal := 0, false
	if n, ok := number(with); ok && v == 0.0 {
		order, equal = cmp.Compare(0, n), n == 0
	} else if list := literals(with); with.Kind() == celast.LiteralKind && len(list) == 1 && (operator == operators.Equals || operator == operators.NotEquals) {
		equal = v == list[0]
	} else {
		return false, false
	}
	switch operator {
	case operators.Equals:
		return equal, true
	case operators.NotEquals:
		return !equal, true
	case operators.Greater:
		return order > 0, true
	case operators.GreaterEquals:
		return order >= 0, true
	case operators.Less:
		return order < 0, true
	case operators.LessEquals:
		return order <= 0, true
	}
	return false, false
}

// ofOthers reports whether an expression asks of something that neither a role nor those who
// ask can do. A payment is none: whoever asks makes it, whoever records it.
func (s *byOneRole) ofOthers(e celast.Expr, role domain.RoleID) bool {
	if e.Kind() != celast.CallKind || !e.AsCall().IsMemberFunction() || len(e.AsCall().Args()) != 1 {
		return false
	}
	of := literals(e.AsCall().Args()[0])
	if len(of) != 1 {
		return false
	}
	others := func(roles ...domain.RoleID) bool { return !s.asked(roles) && !slices.Contains(roles, role) }
	switch e.AsCall().FunctionName() {
	case "did", "times":
		taken, mine := false, false
		for i := range s.d.Transitions {
			if t := &s.d.Transitions[i]; string(t.Action) == of[0] {
				taken, mine = true, mine || s.free[i] || slices.Contains(t.Roles, role)
			}
		}
		return taken && !mine
	case "review":
		x := s.d.review(domain.ReviewID(of[0]))
		return x != nil && others(x.Role)
	case "answer":
		x := s.d.system(domain.SystemID(of[0]))
		return x != nil && others(x.Role)
	case "attached":
		return slices.ContainsFunc(s.d.Documents, func(x Document) bool { return string(x.ID) == of[0] && others(x.By...) })
	}
	return false
}
