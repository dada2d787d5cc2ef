package workflows

import (
	"math"
	"slices"
	"strings"

	celast "github.com/google/cel-go/common/ast"
)

// bounds is what the form lets a fact be that is copied from one of its fields: the
// keywords minimum, maximum, exclusiveMinimum, exclusiveMaximum, enum and const, and
// type integer (JSON Schema 2020-12). Other keywords may let less, never more.
type bounds struct {
	least, most  float64 // including
	above, below float64 // not including
	whole        bool
	listed       bool
	values       []any // that are listed
}

// boundsOf is what a fact can be; anything where that is not known.
func (d *Definition) boundsOf(f *Fact) bounds {
	b := bounds{least: math.Inf(-1), above: math.Inf(-1), most: math.Inf(1), below: math.Inf(1)}
	field := d.Form.property(f.copied())
	if field == nil {
		return b
	}
	for key, bound := range map[string]*float64{"minimum": &b.least, "maximum": &b.most, "exclusiveMinimum": &b.above, "exclusiveMaximum": &b.below} {
		if n, ok := real(field[key]); ok {
			*bound = n
		}
	}
	b.whole = field["type"] == "integer"
	list, ok := field["enum"].([]any)
	if v, only := field["const"]; only {
		list, ok = []any{v}, true
	}
	for _, v := range list {
		if n, number := real(v); number {
			v = n
		}
		if v, err := f.read(v); err == nil { // what is no value of the fact cannot be filled in
			b.values = append(b.values, v)
		}
	}
	b.listed = ok
	return b
}

// copied is the path of the field that a fact is a copy of; empty for another.
func (f *Fact) copied() string {
	if f.From == nil || f.From.checked == nil {
		return ""
	}
	e := f.From.checked.NativeRep().Expr()
	switch e.Kind() {
	case celast.IdentKind:
		return strings.TrimPrefix(e.AsIdent(), "form.")
	case celast.SelectKind:
		if r, ok := f.From.checked.NativeRep().ReferenceMap()[e.ID()]; ok {
			return strings.TrimPrefix(r.Name, "form.")
		}
	default:
	}
	return ""
}

// property is the schema of a field; nil where there is none.
func (f *Form) property(path string) map[string]any {
	if f == nil || path == "" {
		return nil
	}
	schema := f.Schema
	for name := range strings.SplitSeq(path, ".") {
		properties, _ := schema["properties"].(map[string]any)
		schema, _ = properties[name].(map[string]any)
	}
	return schema
}

// real is a number of a schema, however YAML gave it.
func real(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// lets reports whether a value is within the bounds.
func (b *bounds) lets(v any) bool {
	if b.listed && !slices.Contains(b.values, v) {
		return false
	}
	n, number := v.(float64)
	return !number || n >= b.least && n <= b.most && n > b.above && n < b.below && (!b.whole || n == math.Trunc(n))
}

// numbers are some of which one behaves as any other, wherever it is compared with
// some constants: these, and one between each and the next and on either side, as far
// as the bounds let them be.
func (b *bounds) numbers(constants []float64) []any {
	if b.listed {
		return b.values
	}
	edges := append(slices.Clone(constants), math.Inf(-1), math.Inf(1))
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var numbers []any
	for i, n := range edges[:len(edges)-1] {
		if !math.IsInf(n, 0) {
			numbers = append(numbers, n)
		}
		if between, ok := b.between(n, edges[i+1]); ok {
			numbers = append(numbers, between)
		}
	}
	return numbers
}

// between is a number that the bounds let be and that lies between two others, a whole
// one if there is one.
func (b *bounds) between(low, high float64) (float64, bool) {
	from, to := max(low, b.least, b.above), min(high, b.most, b.below)
	for _, n := range []float64{0, math.Floor(from) + 1, math.Ceil(to) - 1, from, to, from + (to-from)/2, math.Nextafter(from, math.Inf(1)), math.Nextafter(to, math.Inf(-1))} {
		if low < n && n < high && !math.IsInf(n, 0) && b.lets(n) {
			return n, true
		}
	}
	return 0, false
}
