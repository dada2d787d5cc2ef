package workflows

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// bounds is what the form lets a fact be that is copied from one of its fields: the
// keywords minimum, maximum, exclusiveMinimum, exclusiveMaximum, enum and const, and
// type integer, as the validator has them: what stands beside a $ref of an old draft is
// none. Other keywords may let less, never more.
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
	if field == nil || field.DraftVersion != dialect {
		return b
	}
	for bound, is := range map[*float64]*big.Rat{&b.least: field.Minimum, &b.above: field.ExclusiveMinimum, &b.most: field.Maximum, &b.below: field.ExclusiveMaximum} {
		if is != nil {
			*bound = rounded(is, math.Signbit(*bound))
		}
	}
	b.whole = field.Types != nil && slices.Equal(field.Types.ToStrings(), []string{"integer"})
	var list []any
	if field.Enum != nil {
		list, b.listed = field.Enum.Values, true
	}
	if field.Const != nil {
		list, b.listed = []any{*field.Const}, true
	}
	for _, v := range list {
		if n, number := v.(json.Number); number {
			v, _ = n.Float64()
		}
		if v, err := f.read(v); err == nil { // what is no value of the fact cannot be filled in
			b.values = append(b.values, v)
		}
	}
	return b
}

// rounded is a bound as facts are kept, and a little wider, down or up, where a whole
// number that is beside it may be kept as it.
func rounded(n *big.Rat, down bool) float64 {
	const exact = 1 << 53
	f, is := n.Float64()
	if is && math.Abs(f) < exact {
		return f
	}
	if down {
		return math.Nextafter(f, math.Inf(-1))
	}
	return math.Nextafter(f, math.Inf(1))
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
func (f *Form) property(path string) *jsonschema.Schema {
	if f == nil || path == "" {
		return nil
	}
	schema := f.compiled
	for name := range strings.SplitSeq(path, ".") {
		if schema != nil {
			schema = schema.Properties[name]
		}
	}
	return schema
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
