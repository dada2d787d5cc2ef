package workflows

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Scenario is a test that stands in a definition: a submission, what is then done,
// and how the request must then stand.
type Scenario struct {
	Name  string       `yaml:"name"`
	Given ScenarioFile `yaml:"given,omitempty"`
	When  []Step       `yaml:"when,omitempty"`
	Then  Expected     `yaml:"then"`

	line, column int
}

// ScenarioFile is what is submitted.
type ScenarioFile struct {
	By      domain.RoleID   `yaml:"by,omitempty"` // the first that may submit, if empty
	Facts   map[string]any  `yaml:"facts,omitempty"`
	Form    map[string]any  `yaml:"form,omitempty"`
	Refused domain.Rule     `yaml:"refused,omitempty"` // the rule that stands against it
	As      domain.Capacity `yaml:"as,omitempty"`
	At      string          `yaml:"at,omitempty"` // when, such as 2026-03-12 09:30; a Monday morning, if empty

	line, column int // 0 where nothing is given
	places       map[string]failure
	at           time.Time
}

// Step is one command of a scenario, or time that passes; one of the first sixteen says
// which.
type Step struct {
	Act            domain.ActionID   `yaml:"act,omitempty"`
	Attach         domain.DocumentID `yaml:"attach,omitempty"`
	RefuseDocument domain.DocumentID `yaml:"refuse_document,omitempty"`
	Check          string            `yaml:"check,omitempty"` // checklist/item, or a whole checklist
	Pay            domain.FeeID      `yaml:"pay,omitempty"`
	Review         domain.ReviewID   `yaml:"review,omitempty"`
	Report         domain.SystemID   `yaml:"report,omitempty"`
	Settle         []domain.FeeID    `yaml:"settle,omitempty,flow"` // several fees in one payment
	Pick           domain.StateID    `yaml:"pick,omitempty"`
	Allocate       domain.StateID    `yaml:"allocate,omitempty"`
	Suspend        domain.StopGround `yaml:"suspend,omitempty"` // all terms, by order
	Lift           domain.StopGround `yaml:"lift,omitempty"`    // that suspension
	Extend         domain.TermID     `yaml:"extend,omitempty"`
	Consent        domain.ActionID   `yaml:"consent,omitempty"` // to another return by this action
	Pass           *Budget           `yaml:"pass,omitempty"`    // time passes
	Until          string            `yaml:"until,omitempty"`   // it passes until then, such as 2026-03-26 16:01

	By      domain.RoleID     `yaml:"by,omitempty"`     // the first that may, if empty
	Person  string            `yaml:"person,omitempty"` // pseudonym; one for each role, if empty
	As      domain.Capacity   `yaml:"as,omitempty"`
	Reason  domain.ReasonCode `yaml:"reason,omitempty"`
	Remark  string            `yaml:"remark,omitempty"`
	Opinion domain.Opinion    `yaml:"opinion,omitempty"`
	Outcome string            `yaml:"outcome,omitempty"`
	Answer  string            `yaml:"answer,omitempty"` // of a check: yes or no
	Format  string            `yaml:"format,omitempty"`
	Amount  int               `yaml:"amount,omitempty"`
	// Whom work may be given to, with how much each has to do; person alone, if empty.
	Candidates map[string]int `yaml:"candidates,omitempty"`
	Seed       string         `yaml:"seed,omitempty"` // of the draw; zeros, if empty
	Facts      map[string]any `yaml:"facts,omitempty"`
	Form       map[string]any `yaml:"form,omitempty"`
	Refused    domain.Rule    `yaml:"refused,omitempty"`

	line, column int
	until        time.Time
	strays       []failure          // keys that do not belong to its command
	places       map[string]failure // of what it says, without text
}

// Expected is how a request must stand. What is left out is not looked at.
type Expected struct {
	State   domain.StateID      `yaml:"state,omitempty"`
	Worker  string              `yaml:"worker,omitempty"` // who has the work of the state
	Public  domain.PublicStatus `yaml:"public,omitempty"`
	Outcome string              `yaml:"outcome,omitempty"` // "open" while there is none
	Fees    map[string]int      `yaml:"fees,omitempty"`
	Reviews map[string]string   `yaml:"reviews,omitempty"`
	Facts   map[string]any      `yaml:"facts,omitempty"`
	Due     map[string]string   `yaml:"due,omitempty"`   // of terms, such as 2026-03-26 16:00
	Terms   map[string]string   `yaml:"terms,omitempty"` // none, running, suspended, expired or ended

	line, column int
	places       map[string]failure // of what is expected, such as state and fees.levy; without text
}

// placesIn are where the values of a mapping stand, and of the mappings in it.
func placesIn(n ast.Node, prefix string, into map[string]failure) {
	values, _ := entries(n)
	for _, v := range values {
		key := prefix + v.Key.GetToken().Value
		var at failure
		at.line, at.column = place(v)
		into[key] = at
		placesIn(v.Value, key+".", into)
	}
}

func place(n ast.Node) (line, column int) {
	if t := firstToken(n); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 1, 1
}

func (r *definitionReader) scenario(n ast.Node) Scenario {
	var s Scenario
	s.line, s.column = place(n)
	r.mapping(n, "a test", []string{"name", "then"}, map[string]func(ast.Node){
		"name":  func(n ast.Node) { s.Name = r.text(n, "test name") },
		"given": func(n ast.Node) { s.Given = r.given(n) },
		"when":  func(n ast.Node) { s.When = each(r, n, "test when", r.step) },
		"then":  func(n ast.Node) { s.Then = r.expected(n) },
	})
	return s
}

func (r *definitionReader) object(n ast.Node, what string) map[string]any {
	m, ok := r.any(n, what).(map[string]any)
	if !ok {
		r.problem(n, "%s: want keys and values here, found %s", what, describe(n))
	}
	return m
}

// numbers is whole numbers by name.
func (r *definitionReader) numbers(n ast.Node, what, want string) map[string]int {
	all := map[string]int{}
	for id, v := range r.object(n, what) {
		number, ok := v.(int)
		if !ok {
			r.problem(n, "%s: want %s", what, want)
		}
		all[id] = number
	}
	return all
}

func (r *definitionReader) rule(n ast.Node, what string) domain.Rule {
	return word(&r.yamlReader, n, what, domain.Rules())
}

func (r *definitionReader) given(n ast.Node) ScenarioFile {
	g := ScenarioFile{places: map[string]failure{}}
	g.line, g.column = place(n)
	placesIn(n, "", g.places)
	r.mapping(n, "given", nil, map[string]func(ast.Node){
		"by":      func(n ast.Node) { g.By = ref(r, n, "given by", "role", r.roleIDs) },
		"facts":   func(n ast.Node) { g.Facts = r.object(n, "given facts") },
		"form":    func(n ast.Node) { g.Form = r.object(n, "given form") },
		"refused": func(n ast.Node) { g.Refused = r.rule(n, "given refused") },
		"as":      func(n ast.Node) { g.As = word(&r.yamlReader, n, "given as", domain.Capacities()) },
		"at":      func(n ast.Node) { g.At, g.at = r.moment(n, "given at") },
	})
	return g
}

// momentForm is how a test writes a moment. Its zone is that of whoever plays it.
const momentForm = "2006-01-02 15:04"

func (r *definitionReader) moment(n ast.Node, what string) (string, time.Time) {
	s := r.text(n, what)
	at, err := time.Parse(momentForm, s)
	if err != nil && s != "" {
		r.problem(n, "%s: %q is not a moment such as 2026-03-12 09:30", what, s)
	}
	return s, at
}

// termIDs lists the terms that a request may have: those of law by their names, that of
// a state as state:ID and that of a review as review:ID.
func (r *definitionReader) termIDs() []domain.TermID {
	list := ids(r.d.Terms, func(t LegalTerm) domain.TermID { return domain.TermID(t.ID) })
	for _, s := range r.d.States {
		if s.Term != nil {
			list = append(list, domain.StateTerm(s.ID))
		}
	}
	for _, x := range r.d.Reviews {
		if x.Term != nil {
			list = append(list, domain.ReviewTerm(x.ID))
		}
	}
	return list
}

func (r *definitionReader) step(n ast.Node) Step {
	s := Step{places: map[string]failure{}}
	s.line, s.column = place(n)
	s.strays = strays(n)
	placesIn(n, "", s.places)
	documentIDs := func() []domain.DocumentID {
		return ids(r.d.Documents, func(d Document) domain.DocumentID { return d.ID })
	}
	commands := 0
	command := func(read func(ast.Node)) func(ast.Node) {
		return func(n ast.Node) { commands++; read(n) }
	}
	r.mapping(n, "a step", nil, map[string]func(ast.Node){
		"act":             command(func(n ast.Node) { s.Act = ref(r, n, "act", "action", r.actionIDs) }),
		"attach":          command(func(n ast.Node) { s.Attach = ref(r, n, "attach", "document", documentIDs) }),
		"refuse_document": command(func(n ast.Node) { s.RefuseDocument = ref(r, n, "refuse_document", "document", documentIDs) }),
		"check":           command(func(n ast.Node) { s.Check = r.text(n, "check") }),
		"pay": command(func(n ast.Node) {
			s.Pay = ref(r, n, "pay", "fee", func() []domain.FeeID { return ids(r.d.Fees, func(f Fee) domain.FeeID { return f.ID }) })
		}),
		"settle": command(func(n ast.Node) {
			s.Settle = refs(r, n, "settle", "fee", func() []domain.FeeID { return ids(r.d.Fees, func(f Fee) domain.FeeID { return f.ID }) })
		}),
		"allocate": command(func(n ast.Node) { s.Allocate = ref(r, n, "allocate", "state", r.stateIDs) }),
		"review":   command(func(n ast.Node) { s.Review = ref(r, n, "review", "review", r.reviewIDs) }),
		"report":   command(func(n ast.Node) { s.Report = ref(r, n, "report", "system", r.systemIDs) }),
		"pick":     command(func(n ast.Node) { s.Pick = ref(r, n, "pick", "state", r.stateIDs) }),
		"suspend":  command(func(n ast.Node) { s.Suspend = word(&r.yamlReader, n, "suspend", domain.StopGrounds()) }),
		"lift":     command(func(n ast.Node) { s.Lift = word(&r.yamlReader, n, "lift", domain.StopGrounds()) }),
		"extend":   command(func(n ast.Node) { s.Extend = domain.TermID(r.text(n, "extend")); r.knownTerm(n, "extend", s.Extend) }),
		"consent":  command(func(n ast.Node) { s.Consent = ref(r, n, "consent", "action", r.actionIDs) }),
		"pass": command(func(n ast.Node) {
			b := r.budget(n, "pass")
			s.Pass = &b
		}),
		"until":      command(func(n ast.Node) { s.Until, s.until = r.moment(n, "until") }),
		"by":         func(n ast.Node) { s.By = ref(r, n, "by", "role", r.roleIDs) },
		"person":     func(n ast.Node) { s.Person = r.text(n, "person") },
		"as":         func(n ast.Node) { s.As = word(&r.yamlReader, n, "as", domain.Capacities()) },
		"reason":     func(n ast.Node) { s.Reason = domain.ReasonCode(r.id(n, "reason")) },
		"remark":     func(n ast.Node) { s.Remark = r.text(n, "remark") },
		"opinion":    func(n ast.Node) { s.Opinion = domain.Opinion(r.id(n, "opinion")) },
		"outcome":    func(n ast.Node) { s.Outcome = r.id(n, "outcome") },
		"answer":     func(n ast.Node) { s.Answer = word(&r.yamlReader, n, "answer", []string{"yes", "no"}) },
		"format":     func(n ast.Node) { s.Format = r.id(n, "format") },
		"amount":     func(n ast.Node) { s.Amount = r.integer(n, "amount") },
		"candidates": func(n ast.Node) { s.Candidates = r.numbers(n, "candidates", "how much each has to do") },
		"seed":       func(n ast.Node) { s.Seed = r.text(n, "seed") },
		"facts":      func(n ast.Node) { s.Facts = r.object(n, "facts") },
		"form":       func(n ast.Node) { s.Form = r.object(n, "form") },
		"refused":    func(n ast.Node) { s.Refused = r.rule(n, "refused") },
	})
	if commands != 1 {
		r.problem(n, "a step: say one of %s", strings.Join([]string{"act", "attach", "refuse_document", "check", "pay", "settle", "review", "report", "pick", "allocate", "suspend", "lift", "extend", "consent", "pass", "until"}, ", "))
	}
	return s
}

func (r *definitionReader) expected(n ast.Node) Expected {
	e := Expected{places: map[string]failure{}}
	e.line, e.column = place(n)
	placesIn(n, "", e.places)
	outcomes := append([]string{"open"}, ids(domain.Outcomes(), func(o domain.Outcome) string { return string(o) })...)
	r.mapping(n, "then", nil, map[string]func(ast.Node){
		"state":   func(n ast.Node) { e.State = ref(r, n, "then state", "state", r.stateIDs) },
		"public":  func(n ast.Node) { e.Public = word(&r.yamlReader, n, "then public", domain.PublicStatuses()) },
		"outcome": func(n ast.Node) { e.Outcome = word(&r.yamlReader, n, "then outcome", outcomes) },
		"facts":   func(n ast.Node) { e.Facts = r.object(n, "then facts") },
		"worker":  func(n ast.Node) { e.Worker = r.text(n, "then worker") },
		"fees":    func(n ast.Node) { e.Fees = r.numbers(n, "then fees", "amounts in rupiah") },
		"reviews": func(n ast.Node) {
			e.Reviews = map[string]string{}
			for id, v := range r.object(n, "then reviews") {
				e.Reviews[id], _ = v.(string)
			}
		},
		"due": func(n ast.Node) {
			e.Due = map[string]string{}
			r.ofTerms(n, "then due", func(id string, v ast.Node) { e.Due[id], _ = r.moment(v, "then due "+id) })
		},
		"terms": func(n ast.Node) {
			e.Terms = map[string]string{}
			r.ofTerms(n, "then terms", func(id string, v ast.Node) { e.Terms[id] = word(&r.yamlReader, v, "then terms "+id, termStandings) })
		},
	})
	return e
}

// termStandings is how a term can stand.
var termStandings = []string{"none", "running", "suspended", "expired", "ended"}

// knownTerm holds that there is such a term, when all are read.
func (r *definitionReader) knownTerm(n ast.Node, what string, id domain.TermID) {
	r.later = append(r.later, func() {
		if all := r.termIDs(); !slices.Contains(all, id) {
			r.problem(n, "%s: term %q is not defined%s", what, string(id), meant(string(id), all))
		}
	})
}

// ofTerms reads a mapping from terms.
func (r *definitionReader) ofTerms(n ast.Node, what string, read func(string, ast.Node)) {
	values, ok := entries(n)
	if !ok {
		r.problem(n, "%s: want keys and values here, found %s", what, describe(n))
	}
	for _, v := range values {
		id := v.Key.GetToken().Value
		r.knownTerm(v, what, domain.TermID(id))
		read(id, v.Value)
	}
}
