package workflows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// maxValuations is how many combinations of facts a proof tells apart.
const maxValuations = 4096

// maxJudged is how many times conditions are judged to find them: a few seconds at most.
const maxJudged = 500_000

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

// valuations are facts that stand for all that requests can have: no condition tells
// others from these. Where a condition does more than compare a fact with constants,
// so that no facts stand for all, it is taken to come to yes and to no and, where it is not
// sure that it can be judged, to fail. So is each part of one that is taken apart. The error
// says that there are too many.
func (d *Definition) valuations(pieces map[*Condition]*piece) ([]vars, error) {
	conditions := d.apart(pieces)
	literals := &constants{}
	related := map[string][]string{} // facts that are judged together
	relate := func(ids ...string) {
		for _, id := range ids {
			related[id] = append(related[id], ids...)
		}
	}
	loose := map[string]map[string]claim{} // conditions by what they say something of, and their texts
	unsure := map[string]map[string]bool{} // those of them that may fail, and others that may: they do together
	for _, c := range conditions {
		literals.gather(c)
		switch l := c.looseness(d); {
		case !l.facts:
			relate(c.uses.facts...)
		case !c.speaksOfPast() && !c.asksRecorded(d):
			x := c.claims()
			if loose[x.of] == nil {
				loose[x.of] = map[string]claim{}
			}
			loose[x.of][c.Text] = x
		}
		if l := c.looseness(d); l.facts && c.result == cel.BoolType && !c.sure(d) {
			of := c.claims().of
			if unsure[of] == nil {
				unsure[of] = map[string]bool{}
			}
			unsure[of][c.Text] = true
		}
	}
	for i := range d.Fees {
		if t := d.Fees[i].Table; t != nil {
			relate(t.Fact)
			for _, row := range t.Rows {
				if row.UpTo != nil {
					literals.numbers = append(literals.numbers, *row.UpTo)
				}
			}
		}
	}
	all := []vars{{facts: domain.Facts{}, supposed: map[string]bool{}}}
	for _, of := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(loose)), slices.Collect(maps.Keys(unsure)))))) {
		var next []vars
		for _, v := range all {
			for _, is := range outcomes(loose[of]) {
				more := vars{facts: v.facts, supposed: maps.Clone(v.supposed), failing: v.failing}
				maps.Copy(more.supposed, is)
				next = append(next, more)
			}
			if len(unsure[of]) > 0 {
				more := vars{facts: v.facts, supposed: v.supposed, failing: maps.Clone(unsure[of])}
				maps.Copy(more.failing, v.failing)
				next = append(next, more)
			}
		}
		if all = next; len(all) > maxValuations {
			return nil, errFacts
		}
	}
	done := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(related)) {
		if done[id] {
			continue
		}
		together := graph.Closure(related, id)
		maps.Copy(done, together)
		some, err := d.combinations(slices.Sorted(maps.Keys(together)), literals, conditions)
		if err != nil {
			return nil, err
		}
		if len(all)*len(some) > maxValuations {
			return nil, errFacts
		}
		all = crossed(all, some)
	}
	return slices.DeleteFunc(all, func(v vars) bool { return v.impossible(pieces) }), nil
}

// errFacts and errJudged say that facts are told apart in too many ways.
var (
	errFacts  = &tooMuch{"combinations of facts that conditions tell apart", maxValuations, "compare facts with fewer constants, or have a fact computed as yes or no"}
	errJudged = &tooMuch{"times that conditions on facts would be judged", maxJudged, "judge fewer facts together in one condition"}
)

// combinations are values of some facts, of those that no condition tells apart one. Of
// facts that are recorded while the request runs all are kept, for each may come to any
// other.
func (d *Definition) combinations(facts []string, literals *constants, conditions []*Condition) ([]domain.Facts, error) {
	recorded := func(id string) bool { return d.fact(id).Recorded }
	given, err := d.products(slices.DeleteFunc(slices.Clone(facts), recorded), literals)
	if err != nil {
		return nil, err
	}
	later, err := d.products(slices.DeleteFunc(slices.Clone(facts), func(id string) bool { return !recorded(id) }), literals)
	if err != nil {
		return nil, err
	}
	conditions = slices.DeleteFunc(slices.Clone(conditions), func(c *Condition) bool {
		return !slices.ContainsFunc(c.uses.facts, func(id string) bool { return slices.Contains(facts, id) })
	})
	if len(given)*len(later)*len(conditions) > maxJudged {
		return nil, errJudged
	}
	given = d.distinct(given, later, conditions)
	if len(given)*len(later) > maxValuations {
		return nil, errFacts
	}
	var all []domain.Facts
	for _, f := range given {
		for _, more := range later {
			more = maps.Clone(more)
			maps.Copy(more, f)
			all = append(all, more)
		}
	}
	return all, nil
}

// products are all combinations of values of some facts.
func (d *Definition) products(facts []string, literals *constants) ([]domain.Facts, error) {
	all := []domain.Facts{{}}
	for _, id := range facts {
		values := d.candidates(d.fact(id), literals)
		if len(all)*len(values) > maxValuations {
			return nil, errFacts
		}
		var next []domain.Facts
		for _, f := range all {
			for _, v := range values {
				more := maps.Clone(f)
				more[id] = v
				next = append(next, more)
			}
		}
		all = next
	}
	return all, nil
}

func crossed(all []vars, some []domain.Facts) []vars {
	var next []vars
	for _, v := range all {
		for _, f := range some {
			more := vars{facts: maps.Clone(v.facts), supposed: v.supposed, failing: v.failing}
			maps.Copy(more.facts, f)
			next = append(next, more)
		}
	}
	return next
}

// distinct leaves one of each set of facts that none of some conditions tells apart,
// whatever is recorded later.
func (d *Definition) distinct(all, later []domain.Facts, conditions []*Condition) []domain.Facts {
	conditions = slices.Clone(conditions)
	mixed := map[string]bool{} // facts in conditions that also speak of the past
	for _, c := range conditions {
		if c.speaksOfPast() {
			for _, id := range c.uses.facts {
				mixed[id] = true
			}
		}
	}
	conditions = slices.DeleteFunc(conditions, func(c *Condition) bool { return c.speaksOfPast() || !c.exact(d) })
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(facts domain.Facts) bool {
		var b strings.Builder
		for _, more := range later {
			more = maps.Clone(more)
			maps.Copy(more, facts)
			for _, c := range conditions {
				v, err := c.value(vars{facts: more})
				fmt.Fprint(&b, v, err != nil, ";")
			}
		}
		for i := range d.Fees {
			if t := d.Fees[i].Table; t != nil {
				fmt.Fprint(&b, t.amount(facts) > 0, ";")
			}
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
}

func (k *constants) gather(c *Condition) {
	if c.checked == nil {
		return
	}
	celast.PreOrderVisit(c.checked.NativeRep().Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.LiteralKind {
			return
		}
		if text, ok := e.AsLiteral().Value().(string); ok {
			k.texts = append(k.texts, text)
		} else if n, ok := number(e); ok {
			k.numbers = append(k.numbers, n)
		}
	}))
}

// candidates are values of a fact of which one behaves as any other value does that
// it can have, wherever it is compared with constants.
func (d *Definition) candidates(f *Fact, k *constants) []any {
	within := d.boundsOf(f)
	var values []any
	switch f.Type {
	case FactBoolean:
		values = []any{false, true}
	case FactTime:
		values = append(times(k.texts), within.values...)
	case FactString:
		if values = anys(f.Values); len(values) == 0 {
			values = append(anys(k.texts), "~"+strings.Join(k.texts, "")) // and one that is none of them
			values = append(values, within.values...)
		}
	case FactNumber:
		values = within.numbers(k.numbers)
	}
	fit := slices.DeleteFunc(slices.Clone(values), func(v any) bool { return !within.lets(v) })
	if f.Default != nil {
		fit = append(fit, f.Default) // whatever the form lets be filled in
	}
	if len(fit) == 0 {
		fit = values // nothing can be filled in; that is not this proof's matter
	}
	return unique(fit)
}

// times are the texts that a time is recorded as, and a time that is none of them.
func times(texts []string) []any {
	other, f := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), &Fact{Type: FactTime}
	var list []any
	for _, text := range texts {
		if recorded, err := f.read(text); err == nil && recorded == text && f.dated(text) == nil {
			list = append(list, text)
		}
	}
	for slices.Contains(list, any(other.Format(time.RFC3339Nano))) {
		other = other.AddDate(0, 0, 1)
	}
	return append(list, other.Format(time.RFC3339Nano))
}

func unique(values []any) []any {
	slices.SortStableFunc(values, func(a, b any) int {
		x, numbers := a.(float64)
		y, also := b.(float64)
		if numbers && also {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return slices.Compact(values)
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
