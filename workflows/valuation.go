package workflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/alur-id/alur/domain"
)

// maxValuations is how many combinations of facts a proof tells apart. Beyond it,
// conditions over facts are taken to come out either way.
const maxValuations = 4096

// conditions lists every condition that is judged while a request runs.
func (d *Definition) conditions() []*Condition {
	var list []*Condition
	add := func(all ...*Condition) {
		for _, c := range all {
			if c != nil {
				list = append(list, c)
			}
		}
	}
	for i := range d.Documents {
		add(d.Documents[i].RequiredWhen)
	}
	for i := range d.Fees {
		add(d.Fees[i].When, d.Fees[i].Formula)
	}
	for i := range d.Reviews {
		add(d.Reviews[i].When)
	}
	for i := range d.Transitions {
		add(d.Transitions[i].When)
	}
	for i := range d.Invariants {
		add(d.Invariants[i].Never, d.Invariants[i].Always)
	}
	return list
}

// valuations are facts that stand for all that requests can have: conditions that
// compare facts with constants cannot tell others from these. False says that
// there are too many.
func (d *Definition) valuations() ([]domain.Facts, bool) {
	conditions := d.conditions()
	used, literals := map[string]bool{}, &constants{}
	for _, c := range conditions {
		for _, id := range c.uses.facts {
			used[id] = true
		}
		literals.gather(c)
	}
	for i := range d.Fees {
		if t := d.Fees[i].Table; t != nil {
			used[t.Fact] = true
			for _, row := range t.Rows {
				if row.UpTo != nil {
					literals.numbers = append(literals.numbers, *row.UpTo)
				}
			}
		}
	}
	all := []domain.Facts{{}}
	for _, id := range slices.Sorted(maps.Keys(used)) {
		values := d.fact(id).candidates(literals)
		if len(all)*len(values) > maxValuations {
			return []domain.Facts{{}}, false
		}
		var next []domain.Facts
		for _, facts := range all {
			for _, v := range values {
				more := maps.Clone(facts)
				more[id] = v
				next = append(next, more)
			}
		}
		all = next
	}
	return d.distinct(all, conditions), true
}

// distinct leaves one of each set of facts that no condition tells apart.
func (d *Definition) distinct(all []domain.Facts, conditions []*Condition) []domain.Facts {
	mixed := map[string]bool{} // facts in conditions that also speak of the past
	for _, c := range conditions {
		if c.speaksOfPast() {
			for _, id := range c.uses.facts {
				mixed[id] = true
			}
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(facts domain.Facts) bool {
		var b strings.Builder
		for _, c := range conditions {
			if !c.speaksOfPast() {
				v, err := c.value(vars{facts: facts})
				if n, is := v.(float64); is {
					v = n > 0 // of an amount, only whether it is one
				}
				fmt.Fprint(&b, v, err != nil, ";")
			}
		}
		for i := range d.Fees {
			amount, err := d.Fees[i].assess(facts)
			fmt.Fprint(&b, amount > 0, err != nil, ";")
		}
		for _, id := range slices.Sorted(maps.Keys(mixed)) {
			fmt.Fprint(&b, facts[id], ";")
		}
		known := seen[b.String()]
		seen[b.String()] = true
		return known
	})
}

func (c *Condition) speaksOfPast() bool {
	u := &c.uses
	return u.state || len(u.times)+len(u.reviews)+len(u.fees)+len(u.documents)+len(u.systems) > 0
}

// constants are what conditions compare with.
type constants struct {
	numbers []float64
	texts   []string
	whole   int64 // the largest whole number
	sums    bool  // something is added up: comparing with constants is not all there is
}

func (k *constants) gather(c *Condition) {
	if c.checked == nil {
		return
	}
	celast.PreOrderVisit(c.checked.NativeRep().Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		switch e.Kind() {
		case celast.LiteralKind:
			switch v := e.AsLiteral().Value().(type) {
			case float64:
				k.numbers = append(k.numbers, v)
			case int64:
				k.numbers, k.whole = append(k.numbers, float64(v)), max(k.whole, v)
			case string:
				k.texts = append(k.texts, v)
			}
		case celast.CallKind:
			switch e.AsCall().FunctionName() {
			case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo:
				k.sums = true
			}
		default:
		}
	}))
}

// candidates are values of a fact of which one behaves as any other value does.
func (f *Fact) candidates(k *constants) []any {
	switch f.Type {
	case FactBoolean:
		return []any{false, true}
	case FactString, FactTime:
		texts := f.Values
		if len(texts) == 0 {
			texts = append(slices.Clone(k.texts), "~")
		}
		slices.Sort(texts)
		return anys(slices.Compact(slices.Clone(texts)))
	}
	numbers := []float64{0, 1}
	for _, n := range k.numbers {
		numbers = append(numbers, n-1, n, n+1)
	}
	slices.Sort(numbers)
	return anys(slices.Compact(numbers))
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
