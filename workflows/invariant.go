package workflows

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Invariant is what a definition says must never be. It is proved before the
// definition is published, and held when it runs.
type Invariant struct {
	Never   *Condition `yaml:"never,omitempty"`
	Always  *Condition `yaml:"always,omitempty"`
	Before  *Before    `yaml:"before,omitempty"`
	Because Text       `yaml:"because"` // the rule that says so
}

// Before says that one action is never taken before another was.
type Before struct {
	First domain.ActionID `yaml:"first"`
	Then  domain.ActionID `yaml:"then"`
}

// String is the invariant as a definition says it.
func (i *Invariant) String() string {
	switch {
	case i.Never != nil:
		return "never: " + i.Never.Text
	case i.Always != nil:
		return "always: " + i.Always.Text
	}
	return fmt.Sprintf("before: %s, then %s", i.Before.First, i.Before.Then)
}

// broken reports whether the invariant does not hold.
func (i *Invariant) broken(in vars) (bool, error) {
	switch {
	case i.Never != nil:
		return i.Never.holds(in)
	case i.Always != nil:
		holds, err := i.Always.holds(in)
		return !holds, err
	}
	return in.past.times(i.Before.Then) > 0 && in.past.times(i.Before.First) == 0, nil
}

func (r *definitionReader) invariant(n ast.Node) Invariant {
	var i Invariant
	ways := 0
	r.mapping(n, "an invariant", []string{"because"}, map[string]func(ast.Node){
		"never":   func(n ast.Node) { i.Never, ways = r.condition(n, "never", overAll), ways+1 },
		"always":  func(n ast.Node) { i.Always, ways = r.condition(n, "always", overAll), ways+1 },
		"before":  func(n ast.Node) { i.Before, ways = r.before(n), ways+1 },
		"because": func(n ast.Node) { i.Because = r.both(n, "invariant because") },
	})
	if ways != 1 {
		r.problem(n, "an invariant: say one of never, always and before")
	}
	return i
}

func (r *definitionReader) before(n ast.Node) *Before {
	b := &Before{}
	r.mapping(n, "before", []string{"first", "then"}, map[string]func(ast.Node){
		"first": func(n ast.Node) { b.First = ref(r, n, "before first", "action", r.actionIDs) },
		"then":  func(n ast.Node) { b.Then = ref(r, n, "before then", "action", r.actionIDs) },
	})
	return b
}

func (r *definitionReader) separate(n ast.Node) [][]domain.ActionID {
	var gates [][]domain.ActionID
	for _, item := range r.list(n, "separate") {
		gate := r.gateRefs(item, "separate")
		if len(gate) < 2 {
			r.problem(item, "separate: want two actions or more that no one person may take together")
		}
		gates = append(gates, gate)
	}
	return gates
}

// Broken implements [domain.Workflow].
func (w *Workflow) Broken(r domain.Request) error {
	for i := range w.Definition.Invariants {
		x := &w.Definition.Invariants[i]
		broken, err := x.broken(varsOf(&r))
		if err != nil {
			return w.unjudged(err)
		}
		if broken {
			refusal := domain.NewRefusal(domain.RuleInvariant, fmt.Sprintf("this would break what the workflow says must never be (%s): %s", x.String(), x.Because.EN), "")
			refusal.Because = basis(x.Because)
			return refusal
		}
	}
	return nil
}
