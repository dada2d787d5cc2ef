package workflows

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

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

// asJSON is how a number is written in JSON. What YAML takes for a number beside it means
// one thing to a program and another to whoever reads it: 010 is 8 in YAML 1.1, and 10 in
// YAML 1.2.
var asJSON = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// asNumber is a text without quotes that other readers of YAML take for a number.
var asNumber = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// doubt is a value that is read, as it has always been, and that should be written otherwise.
type doubt struct {
	at      ast.Node
	message string
}

func (r *yamlReader) doubted(n ast.Node, format string, args ...any) {
	if !slices.ContainsFunc(r.doubts, func(d doubt) bool { return d.at == n }) {
		r.doubts = append(r.doubts, doubt{n, fmt.Sprintf(format, args...)})
	}
}

// written looks at how a number is written that is read as a value.
func (r *yamlReader) written(n ast.Node, what string, value float64) {
	said := n.GetToken().Value
	if asJSON.MatchString(said) {
		return
	}
	read := strconv.FormatFloat(value, 'f', -1, 64)
	plain := strings.TrimLeft(strings.ReplaceAll(strings.TrimLeft(said, "+-"), "_", ""), "0")
	if value < 0 {
		plain = "-" + plain
	}
	if _, whole := n.(*ast.IntegerNode); whole && asJSON.MatchString(plain) && plain != read {
		r.doubted(n, "%s: %s is read as %s, since it begins with 0: write %s, or %s if that is meant", what, said, read, plain, read)
		return
	}
	r.doubted(n, "%s: %s is not a number as JSON writes it: write %s", what, said, read)
}

// bare looks at a text that is written as a number is.
func (r *yamlReader) bare(n *ast.StringNode, what string) {
	if n.GetToken().Type == token.StringType && asNumber.MatchString(n.Value) {
		r.doubted(n, "%s: %s is taken for text here, and other programs read it as a number: put it in quotes, or write a number as JSON does", what, n.Value)
	}
}

// numerals holds that what is a number, and what is none, is so for everybody who reads
// the file.
func (c *inspection) numerals() {
	for _, d := range c.doubts {
		c.find(FindingNumber, d.at, "%s", d.message)
	}
}

func (r *yamlReader) integer(n ast.Node, what string) int {
	const exact = 1 << 53
	if v, ok := withExponent(n); ok && v == math.Trunc(v) && math.Abs(v) < exact {
		r.written(n, what, v)
		return int(v)
	}
	if i, ok := n.(*ast.IntegerNode); ok {
		v, ok := 0, true
		switch read := i.Value.(type) {
		case uint64:
			v = int(read)
		case int64:
			v = int(read)
		default:
			ok = false
		}
		if ok {
			r.written(n, what, float64(v))
			return v
		}
	}
	r.problem(n, "%s: want a whole number, found %s", what, describe(n))
	return 0
}

func (r *yamlReader) number(n ast.Node, what string) float64 {
	if v, ok := withExponent(n); ok {
		r.written(n, what, v)
		return v
	}
	switch n := n.(type) {
	case *ast.FloatNode:
		if !math.IsNaN(n.Value) && !math.IsInf(n.Value, 0) {
			r.written(n, what, n.Value)
			return n.Value
		}
	case *ast.IntegerNode:
		return float64(r.integer(n, what))
	}
	r.problem(n, "%s: want a number, found %s", what, describe(n))
	return 0
}

// decimal refuses what is doubted, in a file that is not kept to be read again.
func (r *yamlReader) decimal() {
	for _, d := range r.doubts {
		r.problem(d.at, "%s", d.message)
	}
}
