package workflows

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
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

// uses is what a condition refers to.
type uses struct {
	facts, forms []string
	times        []domain.ActionID
	counted      []domain.ActionID // of these, those whose number is asked for
	reviews      []domain.ReviewID
	fees         []domain.FeeID
	documents    []domain.DocumentID
	systems      []domain.SystemID
	state        bool // or outcome
}

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
			r.problem(n, "%s: %v", what, err)
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
		return inOneLine(issues)
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
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	// Counting what a condition costs while it runs takes longer than most conditions.
	// It is needed only where a long enough text makes one dear.
	if longest, err := env.EstimateCost(checked, sizes(maxText)); err != nil || longest.Max > maxConditionCost {
		options = append(options, cel.CostLimit(maxConditionCost))
	}
	c.program, err = env.Program(checked, options...)
	return err
}

func inOneLine(issues *cel.Issues) error {
	var all []string
	for _, e := range issues.Errors() {
		all = append(all, fmt.Sprintf("%s (character %d)", e.Message, e.Location.Column()+1))
	}
	return errors.New(strings.Join(slices.Compact(all), "; "))
}

func (s scope) fits(t *cel.Type) error {
	switch s {
	case amountOverFacts:
		if t != cel.DoubleType && t != cel.IntType {
			return fmt.Errorf("want a number here, and it comes to a %s", t)
		}
	case overForm: // the fact says which
	default:
		if t != cel.BoolType {
			return fmt.Errorf("want yes or no here, and it comes to a %s", t)
		}
	}
	return nil
}

// gather notes what the condition refers to, and refuses names that the definition
// does not have.
func (c *Condition) gather(d *Definition, checked *cel.Ast) error {
	var wrong error
	visit := celast.NewExprVisitor(func(e celast.Expr) {
		switch e.Kind() {
		case celast.IdentKind:
			c.refer(d, e.AsIdent(), &wrong)
		case celast.SelectKind:
			if r, ok := checked.NativeRep().ReferenceMap()[e.ID()]; ok {
				c.refer(d, r.Name, &wrong)
			}
		case celast.CallKind:
			c.ask(d, e.AsCall(), &wrong)
			c.compares(d, e.AsCall(), checked, &wrong)
		default:
		}
	})
	celast.PreOrderVisit(checked.NativeRep().Expr(), visit)
	return wrong
}

func (c *Condition) refer(d *Definition, name string, wrong *error) {
	if id, ok := strings.CutPrefix(name, "facts."); ok {
		c.uses.facts = append(c.uses.facts, id)
		if f := d.fact(id); f != nil && !f.sure() {
			*wrong = fmt.Errorf("fact %q may be missing: make it required, or give it a default", id)
		}
	}
	if path, ok := strings.CutPrefix(name, "form."); ok {
		c.uses.forms = append(c.uses.forms, path)
	}
	c.uses.state = c.uses.state || name == "state" || name == "outcome"
}

func (c *Condition) ask(d *Definition, call celast.CallExpr, wrong *error) {
	if call.FunctionName() == operators.Index || !call.IsMemberFunction() || len(call.Args()) != 1 {
		return
	}
	for _, f := range historyFunctions {
		if f.name != call.FunctionName() {
			continue
		}
		text, ok := "", call.Args()[0].Kind() == celast.LiteralKind
		if ok {
			text, ok = call.Args()[0].AsLiteral().Value().(string)
		}
		if !ok {
			*wrong = fmt.Errorf("history.%s wants the name of a %s in quotes", f.name, f.list)
			return
		}
		if !slices.Contains(d.names(f.list), text) {
			*wrong = fmt.Errorf("%s %q is not defined%s", f.list, text, meant(text, d.names(f.list)))
			return
		}
		c.uses.note(f.list, text)
		if f.result == cel.IntType {
			c.uses.counted = append(c.uses.counted, domain.ActionID(text))
		}
	}
}

func (u *uses) note(list, id string) {
	switch list {
	case "action":
		u.times = append(u.times, domain.ActionID(id))
	case "review":
		u.reviews = append(u.reviews, domain.ReviewID(id))
	case "fee":
		u.fees = append(u.fees, domain.FeeID(id))
	case "document":
		u.documents = append(u.documents, domain.DocumentID(id))
	case "system":
		u.systems = append(u.systems, domain.SystemID(id))
	}
}

// holds judges a condition that comes to yes or no.
func (c *Condition) holds(in vars) (bool, error) {
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
		return 0, domain.NewRefusal(domain.RuleFee, fmt.Sprintf("the fee comes to %v, which is no amount", v), "look at the facts it is computed from")
	}
	return int64(amount), nil
}

func (c *Condition) value(in vars) (any, error) {
	v, _, err := c.program.Eval(in)
	if err != nil {
		return nil, fmt.Errorf("condition %q: %w", c.Text, err)
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

// compares refuses a comparison with a word that there is not: it would never hold,
// or always, and nobody would notice.
func (c *Condition) compares(d *Definition, call celast.CallExpr, checked *cel.Ast, wrong *error) {
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals, operators.In, operators.OldIn:
	default:
		return
	}
	args := call.Args()
	if len(args) != 2 {
		return
	}
	for i, side := range args {
		words, what := d.wordsOf(side, checked)
		if words == nil {
			continue
		}
		for _, text := range literals(args[1-i]) {
			if !slices.Contains(words, text) {
				*wrong = fmt.Errorf("%q is not %s%s", text, what, meant(text, words))
			}
		}
	}
}

// wordsOf lists what an expression can come to, where that is known.
func (d *Definition) wordsOf(e celast.Expr, checked *cel.Ast) (words []string, what string) {
	name := ""
	switch e.Kind() {
	case celast.IdentKind:
		name = e.AsIdent()
	case celast.SelectKind:
		if r, ok := checked.NativeRep().ReferenceMap()[e.ID()]; ok {
			name = r.Name
		}
	default:
		return nil, ""
	}
	switch name {
	case "state":
		return ids(d.States, func(s State) string { return string(s.ID) }), "a state"
	case "outcome":
		return append(ids(domain.Outcomes(), func(o domain.Outcome) string { return string(o) }), ""), "an outcome"
	}
	if id, ok := strings.CutPrefix(name, "facts."); ok {
		if f := d.fact(id); f != nil && len(f.Values) > 0 {
			return f.Values, "a value of fact " + id
		}
	}
	return nil, ""
}

// literals lists the texts that an expression is, or is a list of.
func literals(e celast.Expr) []string {
	switch e.Kind() {
	case celast.LiteralKind:
		if text, ok := e.AsLiteral().Value().(string); ok {
			return []string{text}
		}
	case celast.ListKind:
		var all []string
		for _, x := range e.AsList().Elements() {
			all = append(all, literals(x)...)
		}
		return all
	default:
	}
	return nil
}
