package workflows

import (
	"math"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// withExponent is a number that is written with an exponent and no point, such as 1e3:
// it is one in YAML 1.2 and in JSON, and the library takes it for text.
func withExponent(n ast.Node) (float64, bool) {
	s, ok := n.(*ast.StringNode)
	if !ok || s.GetToken().Type != token.StringType || !exponent.MatchString(s.Value) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s.Value, 64)
	return v, err == nil
}

var exponent = regexp.MustCompile(`^[-+]?[0-9]+[eE][-+]?[0-9]+$`)

func (r *yamlReader) integer(n ast.Node, what string) int {
	const exact = 1 << 53
	if v, ok := withExponent(n); ok && v == math.Trunc(v) && math.Abs(v) < exact {
		return int(v)
	}
	if i, ok := n.(*ast.IntegerNode); ok {
		switch v := i.Value.(type) {
		case uint64:
			return int(v)
		case int64:
			return int(v)
		}
	}
	r.problem(n, "%s: want a whole number, found %s", what, describe(n))
	return 0
}

func (r *yamlReader) number(n ast.Node, what string) float64 {
	if v, ok := withExponent(n); ok {
		return v
	}
	switch n := n.(type) {
	case *ast.FloatNode:
		if !math.IsNaN(n.Value) && !math.IsInf(n.Value, 0) {
			return n.Value
		}
	case *ast.IntegerNode:
		return float64(r.integer(n, what))
	}
	r.problem(n, "%s: want a number, found %s", what, describe(n))
	return 0
}
