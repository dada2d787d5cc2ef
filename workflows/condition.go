package workflows

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	celref "github.com/google/cel-go/common/types/ref"

	"github.com/alur-id/alur/domain"
)

// Condition is an expression in CEL (the Common Expression Language, cel.dev),
// checked against what a definition declares. It has no loops, so what it costs is
// bounded by its length, and no clock.
type Condition struct {
	Text string

	program cel.Program
	result  *cel.Type
	uses    uses
	checked *cel.Ast
	doubts  conditionFaults // what it compares and never comes to: it can be read all the same
	begin   *token.Token    // where it stands; nil for one that was not read
	place   string          // whose it is, such as fee "levy", formula
}

// MarshalYAML writes the condition as it is read.
func (c *Condition) MarshalYAML() ([]byte, error) { return quoted(c.Text) }

// scope is what a condition may speak of, and what it comes to.
type scope int

const (
	overFacts       scope = iota // yes or no: facts
	overHistory                  // yes or no: facts, and what happened
	overAll                      // yes or no: these, and the state
	overForm                     // a fact's value: the form
	amountOverFacts              // rupiah: facts
)

// Bounds on a condition. The largest of real services have some dozens of terms.
const (
	maxCondition     = 2000 // characters
	maxConditionCost = 5000 // as CEL counts it
)

// vars is what a condition is judged by.
type vars struct {
	facts          domain.Facts
	form           map[string]any
	past           historian
	state, outcome string

	// What a proof takes conditions to come to, by their texts, where it does not
	// look at facts.
	supposed map[string]bool
	// Those, by their texts, that a proof takes to fail for these facts.
	failing map[string]bool
}

// ResolveName implements [cel.Activation].
func (v vars) ResolveName(name string) (any, bool) {
	switch name {
	case "history":
		return history{v.past}, v.past != nil
	case "state":
		return v.state, true
	case "outcome":
		return v.outcome, true
	}
	if id, ok := strings.CutPrefix(name, "facts."); ok {
		value, ok := v.facts[id]
		return value, ok
	}
	if path, ok := strings.CutPrefix(name, "form."); ok {
		value, ok := lookUp(v.form, path)
		if n, whole := value.(int); whole { // a number is one kind of thing, as in JSON
			value = float64(n)
		}
		return value, ok
	}
	return nil, false
}

// Parent implements [cel.Activation].
func (vars) Parent() cel.Activation { return nil }

func lookUp(m map[string]any, path string) (any, bool) {
	key, rest, deeper := strings.Cut(path, ".")
	v, ok := m[key]
	if !ok || !deeper {
		return v, ok
	}
	inner, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return lookUp(inner, rest)
}

// environment declares what a condition of a scope may speak of.
func (d *Definition) environment(s scope) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.ClearMacros(), cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxCondition), cel.ParserRecursionLimit(50), cel.ExpressionNestingDepthLimit(50),
	}
	if s == overForm {
		for path, t := range d.Form.fields() {
			options = append(options, cel.Variable("form."+path, t.cel))
		}
		return cel.NewEnv(options...)
	}
	for _, f := range d.Facts {
		t := celTypes[f.Type]
		if t == nil {
			t = cel.DynType // told already
		}
		options = append(options, cel.Variable("facts."+f.ID, t))
	}
	if s == overHistory || s == overAll {
		options = append(options, cel.Variable("history", historyType))
		for _, f := range historyFunctions {
			options = append(options, cel.Function(f.name, cel.MemberOverload("history_"+f.name, []*cel.Type{historyType, cel.StringType}, f.result,
				cel.BinaryBinding(func(h, id celref.Val) celref.Val { return f.ask(h.Value().(historian), string(id.(types.String))) }))))
		}
	}
	if s == overAll {
		options = append(options, cel.Variable("state", cel.StringType), cel.Variable("outcome", cel.StringType))
	}
	return cel.NewEnv(options...)
}

var celTypes = map[FactType]*cel.Type{
	FactString: cel.StringType, FactNumber: cel.DoubleType, FactBoolean: cel.BoolType, FactTime: cel.StringType,
}

// condition reads a condition; it is compiled when the whole definition is read.
func (r *definitionReader) condition(n ast.Node, what string, s scope) *Condition {
	c := &Condition{Text: strings.TrimSpace(r.text(n, what))}
	c.begin = firstToken(n)
	if len(c.Text) > maxCondition {
		r.problem(n, "%s: the condition has %d characters; at most %d are read", what, len(c.Text), maxCondition)
		return c
	}
	r.conditions = append(r.conditions, func() {
		if c.Text == "" {
			return
		}
		env, err := r.environment(s)
		if err == nil {
			err = c.compile(&r.d, env, s)
		}
		if err != nil {
			r.conditionProblem(n, what, c.Text, err)
		}
	})
	return c
}

// environment keeps one for each scope: making one takes a millisecond.
func (r *definitionReader) environment(s scope) (*cel.Env, error) {
	if env := r.environments[s]; env != nil {
		return env, nil
	}
	env, err := r.d.environment(s)
	if err != nil {
		return nil, err
	}
	if r.environments == nil {
		r.environments = map[scope]*cel.Env{}
	}
	r.environments[s] = env
	return env, nil
}

func (c *Condition) compile(d *Definition, env *cel.Env, s scope) error {
	checked, issues := env.Compile(c.Text)
	if issues.Err() != nil {
		return d.faultsOf(c.Text, s, issues)
	}
	c.result, c.checked = checked.OutputType(), checked
	if err := s.fits(checked.OutputType()); err != nil {
		return err
	}
	if err := c.gather(d, checked); err != nil {
		return err
	}
	cost, err := env.EstimateCost(checked, sizes(usualText))
	if err != nil {
		return err
	}
	if cost.Max > maxConditionCost {
		return fmt.Errorf("the condition may cost %d; at most %d is let", cost.Max, maxConditionCost)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(finite)}
	// Counting what a condition costs while it runs takes longer than most conditions.
	// It is needed only where a long enough text makes one dear.
	if longest, err := env.EstimateCost(checked, sizes(maxText)); err != nil || longest.Max > maxConditionCost {
		options = append(options, cel.CostLimit(maxConditionCost))
	}
	c.program, err = env.Program(checked, options...)
	return err
}

func (s scope) fits(t *cel.Type) error {
	switch s {
	case amountOverFacts:
		if t != cel.DoubleType && t != cel.IntType {
			return fmt.Errorf("want a number here, and it comes to %s", inWords("'"+t.String()+"'"))
		}
	case overForm: // the fact says which
	default:
		if t != cel.BoolType {
			return fmt.Errorf("want yes or no here, and it comes to %s", inWords("'"+t.String()+"'"))
		}
	}
	return nil
}

// holds judges a condition that comes to yes or no.
func (c *Condition) holds(in vars) (bool, error) {
	if in.failing[c.Text] {
		return false, &unjudgedError{condition: c, facts: in.facts, cause: errSupposed}
	}
	if is, supposed := in.supposed[c.Text]; supposed {
		return is, nil
	}
	v, err := c.value(in)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("condition %q comes to %v", c.Text, v)
	}
	return b, nil
}

// errSupposed is why a condition fails that a proof takes to fail.
var errSupposed = errors.New("it may fail for some facts")

// amount judges a condition that comes to rupiah. Half a rupiah is rounded up.
func (c *Condition) amount(in vars) (int64, error) {
	if is, supposed := in.supposed[c.Text]; supposed {
		if is {
			return 1, nil
		}
		return 0, nil
	}
	v, err := c.value(in)
	if err != nil {
		return 0, err
	}
	amount := 0.0
	switch v := v.(type) {
	case float64:
		amount = math.Floor(v + 0.5)
	case int64:
		amount = float64(v)
	}
	if !(amount >= 0 && amount <= maxFee) {
		return 0, domain.NewRefusal(domain.RuleFee, fmt.Sprintf("%s comes to %v, which is no amount", c.where(), v), "look at the facts it is computed from")
	}
	return int64(amount), nil
}

func (c *Condition) value(in vars) (any, error) {
	v, _, err := c.program.Eval(in)
	if err != nil {
		return nil, &unjudgedError{condition: c, facts: in.facts, cause: plain(err)}
	}
	if t, ok := v.Value().(time.Time); ok {
		return t.UTC().Format(time.RFC3339Nano), nil
	}
	return v.Value(), nil
}

// sizes takes every text for one of at most so many characters.
type sizes uint64

const (
	usualText = 1000
	maxText   = 1 << 40 // more than a machine holds
)

func (s sizes) EstimateSize(checker.AstNode) *checker.SizeEstimate {
	return &checker.SizeEstimate{Min: 0, Max: uint64(s)}
}

func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

func varsOf(r *domain.Request) vars {
	return vars{facts: r.Facts, past: past{r}, state: string(r.State), outcome: string(r.Outcome)}
}
