package workflows

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Budget is an amount of time.
type Budget = calendar.Budget

// Expiry is what happens when a term runs out: somebody is told (escalate), or the
// request moves by law.
type Expiry struct {
	Escalate  []domain.RoleID `yaml:"escalate,omitempty,flow"` // one after the other, each after the budget once more
	Ombudsman bool            `yaml:"ombudsman,omitempty"`     // at last, after the budget once more, the list that the ombudsman sees
	To        domain.StateID  `yaml:"to,omitempty"`
	Ground    ExpiryGround    `yaml:"ground,omitempty"` // of the move
	Basis     Text            `yaml:"basis,omitempty"`  // of the move; else that of the term
}

// ExpiryGround is why a request moves when a term runs out.
type ExpiryGround = domain.ExpiryGround

// The grounds.
const (
	DeemedApproval = domain.DeemedApproval
	DeemedRefusal  = domain.DeemedRefusal
	Lapse          = domain.Lapse
)

// Term is a budget of time and what happens when it runs out. That of a state or a
// review starts when the request comes to it. Where the agency has to act it is not
// refilled when the request comes there again; the applicant's own time is.
type Term struct {
	Budget  Budget  `yaml:"budget"`
	Promise *Budget `yaml:"promise,omitempty"`      // what the agency promises, beside what the law gives it
	Remind  *Budget `yaml:"remind_after,omitempty"` // when the owner of the state is reminded, counted as the budget is
	Expires *Expiry `yaml:"expires,omitempty"`
}

// LegalTerm is a term over several states. It has a budget, or is due at a date that
// stands in the case.
type LegalTerm struct {
	ID      string  `yaml:"id"`
	Title   Text    `yaml:"title"`
	Budget  Budget  `yaml:"budget,omitempty"`
	Due     string  `yaml:"due,omitempty"`          // the fact that holds the date until when, as it is when the term starts
	Promise *Budget `yaml:"promise,omitempty"`      // as of a [Term]
	Remind  *Budget `yaml:"remind_after,omitempty"` // as of a [Term]
	// Starts are the actions that start it; submit is the submission itself, unless an
	// action is called so. Left out, they are those of kind complete: in this field, the
	// clock starts when the file is declared complete.
	Starts      []domain.ActionID `yaml:"starts,omitempty,flow"`
	SuspendedIn []domain.StateID  `yaml:"suspended_in,omitempty,flow"`
	Extension   *TermExtension    `yaml:"extension,omitempty"`
	Expires     *Expiry           `yaml:"expires,omitempty"`
	Basis       Text              `yaml:"basis"` // the rule that sets it
}

func (t *LegalTerm) term() *Term {
	return &Term{Budget: t.Budget, Promise: t.Promise, Remind: t.Remind, Expires: t.Expires}
}

// Lasts is how long a legal term is, in words: its budget, or until what date.
func (d *Definition) Lasts(t *LegalTerm) Text {
	f := d.fact(t.Due)
	if f == nil {
		return Text{ID: t.Budget.In("id"), EN: t.Budget.In("en")}
	}
	return Text{ID: `sampai tanggal yang diisi pada "` + f.Title.ID + `"`, EN: `until the date given for "` + f.Title.EN + `"`}
}

// TermExtension is how a term may be given more time, once.
type TermExtension struct {
	By      Budget              `yaml:"by"`
	Roles   []domain.RoleID     `yaml:"roles,flow"`
	Reasons []domain.ReasonCode `yaml:"reasons,flow"`
	Basis   Text                `yaml:"basis"`
}

// Suspension is a ground on which terms stand still, beside the one that needs no
// saying: that the applicant has to act. It is of some states, or somebody orders it.
type Suspension struct {
	Ground  domain.StopGround   `yaml:"ground"`
	In      []domain.StateID    `yaml:"in,omitempty,flow"`
	Roles   []domain.RoleID     `yaml:"roles,omitempty,flow"` // who may order it
	Reasons []domain.ReasonCode `yaml:"reasons,omitempty,flow"`
	Basis   Text                `yaml:"basis"`
}

func (r *definitionReader) budget(n ast.Node, what string) Budget {
	s := r.text(n, what)
	b, err := calendar.ParseBudget(s)
	if err != nil {
		if s != "" {
			r.problem(n, "%s: %v", what, err)
		}
		return Budget{Amount: 1, Unit: "days"}
	}
	return b
}

func (r *definitionReader) term(n ast.Node, what string) *Term {
	t := &Term{}
	r.mapping(n, what, []string{"budget"}, r.termKeys(t, what))
	r.reminds(n, t, what)
	return t
}

// reminds holds that a reminder comes before the end.
func (r *definitionReader) reminds(n ast.Node, t *Term, what string) {
	if b := t.Remind; b != nil && (b.Measure() != t.Budget.Measure() || b.Span() >= t.Budget.Span()) {
		r.problem(n, "%s: a reminder after %s does not come before the end of %s, or is counted otherwise", what, b, t.Budget)
	}
}

// termKeys reads what every term has.
func (r *definitionReader) termKeys(t *Term, what string) map[string]func(ast.Node) {
	within := func(n ast.Node, key string) *Budget {
		b := r.budget(n, what+" "+key)
		return &b
	}
	return map[string]func(ast.Node){
		"budget":       func(n ast.Node) { t.Budget = r.budget(n, what+" budget") },
		"promise":      func(n ast.Node) { t.Promise = within(n, "promise") },
		"remind_after": func(n ast.Node) { t.Remind = within(n, "remind_after") },
		"expires":      func(n ast.Node) { t.Expires = r.expiry(n, what+" expires") },
	}
}

func (r *definitionReader) expiry(n ast.Node, what string) *Expiry {
	x := &Expiry{}
	grounds := []ExpiryGround{DeemedApproval, DeemedRefusal, Lapse}
	r.mapping(n, what, nil, map[string]func(ast.Node){
		"escalate":  func(n ast.Node) { x.Escalate = refs(r, n, what+" escalate", "role", r.roleIDs) },
		"ombudsman": func(n ast.Node) { x.Ombudsman = r.boolean(n, what+" ombudsman") },
		"to":        func(n ast.Node) { x.To = ref(r, n, what+" to", "state", r.stateIDs) },
		"ground":    func(n ast.Node) { x.Ground = word(&r.yamlReader, n, what+" ground", grounds) },
		"basis":     func(n ast.Node) { x.Basis = r.both(n, what+" basis") },
	})
	switch {
	case len(x.Escalate) == 0 && !x.Ombudsman && x.To == "":
		r.problem(n, "%s: say whom it escalates to, or where the request moves", what)
	case (x.To == "") != (x.Ground == ""):
		r.problem(n, "%s: a move needs both to and ground", what)
	}
	return x
}

// maxTerms is as many as a proof has bits for those that ran out. No service that is
// known has ten.
const maxTerms = 32

func (r *definitionReader) legalTerms(n ast.Node) []LegalTerm {
	list := each(r, n, "terms", r.legalTerm)
	if len(list) > maxTerms {
		r.problem(n, "terms: %d legal terms; at most %d are read", len(list), maxTerms)
		return list[:maxTerms]
	}
	return list
}

func (r *definitionReader) legalTerm(n ast.Node) LegalTerm {
	var t LegalTerm
	var of Term
	keys := r.termKeys(&of, "term")
	keys["id"] = func(n ast.Node) { t.ID = r.id(n, "term id") }
	keys["title"] = func(n ast.Node) { t.Title = r.both(n, "term title") }
	keys["due"] = func(n ast.Node) { t.Due = r.timeFact(n, "term due") }
	keys["starts"] = func(n ast.Node) { t.Starts = refs(r, n, "term starts", startKinds, r.startIDs) }
	keys["suspended_in"] = func(n ast.Node) { t.SuspendedIn = refs(r, n, "term suspended_in", "state", r.stateIDs) }
	keys["extension"] = func(n ast.Node) { t.Extension = r.extension(n, &of) }
	keys["basis"] = func(n ast.Node) { t.Basis = r.both(n, "term basis") }
	r.mapping(n, "a term", []string{"id", "title", "basis"}, keys)
	t.Budget, t.Promise, t.Remind, t.Expires = of.Budget, of.Promise, of.Remind, of.Expires
	switch has := t.Budget != (Budget{}); {
	case has == (t.Due != ""):
		r.problem(n, "a term: say either its budget, or as due the fact that holds the date until when")
	case !has && (t.Promise != nil || t.Remind != nil || len(t.SuspendedIn) > 0 || t.Extension != nil):
		r.problem(n, "a term that is due at a date stands still for nobody and has no budget to count by: leave promise, remind_after, suspended_in and extension out")
	case has:
		r.reminds(n, &of, "a term")
	}
	r.later = append(r.later, func() {
		if of := r.d.legalTerm(t.ID); of != nil && len(of.Starts) == 0 {
			of.Starts = r.d.completing()
		}
		if len(t.Starts) == 0 && len(r.d.completing()) == 0 {
			r.problem(n, "term %q: say which actions start it, or give the transition that declares the file complete the kind complete", t.ID)
		}
		for _, id := range t.SuspendedIn {
			if s := r.d.state(id); s != nil && s.Kind != KindWait {
				r.problem(n, "term %q is suspended in state %q, which is not a wait", t.ID, id)
			}
		}
	})
	return t
}

func (r *definitionReader) extension(n ast.Node, of *Term) *TermExtension {
	x := &TermExtension{}
	r.mapping(n, "extension", []string{"by", "roles", "reasons", "basis"}, map[string]func(ast.Node){
		"by":      func(n ast.Node) { x.By = r.budget(n, "extension by") },
		"roles":   func(n ast.Node) { x.Roles = refs(r, n, "extension roles", "role", r.roleIDs) },
		"reasons": func(n ast.Node) { x.Reasons = refs(r, n, "extension reasons", "reason", r.reasonCodes) },
		"basis":   func(n ast.Node) { x.Basis = r.both(n, "extension basis") },
	})
	r.later = append(r.later, func() {
		if x.By.Measure() != of.Budget.Measure() {
			r.problem(n, "extension by %s: the term is counted in %s", x.By, of.Budget)
		}
	})
	return x
}

func (r *definitionReader) suspension(n ast.Node) Suspension {
	var x Suspension
	r.mapping(n, "a suspension", []string{"ground", "basis"}, map[string]func(ast.Node){
		"ground":  func(n ast.Node) { x.Ground = word(&r.yamlReader, n, "suspension ground", domain.StopGrounds()) },
		"in":      func(n ast.Node) { x.In = refs(r, n, "suspension in", "state", r.stateIDs) },
		"roles":   func(n ast.Node) { x.Roles = refs(r, n, "suspension roles", "role", r.roleIDs) },
		"reasons": func(n ast.Node) { x.Reasons = refs(r, n, "suspension reasons", "reason", r.reasonCodes) },
		"basis":   func(n ast.Node) { x.Basis = r.both(n, "suspension basis") },
	})
	switch {
	case (len(x.In) == 0) == (len(x.Roles) == 0):
		r.problem(n, "a suspension: say in which states it is, or which roles may order it")
	case (len(x.Roles) == 0) != (len(x.Reasons) == 0):
		r.problem(n, "a suspension: whoever orders it gives a reason: it has roles and reasons, or neither")
	}
	return x
}

// completing lists the actions that declare a file complete.
func (d *Definition) completing() []domain.ActionID {
	var list []domain.ActionID
	for i := range d.Transitions {
		if x := &d.Transitions[i]; x.Kind == domain.ActionComplete && !slices.Contains(list, x.Action) {
			list = append(list, x.Action)
		}
	}
	return list
}

func (d *Definition) legalTerm(id string) *LegalTerm {
	for i := range d.Terms {
		if d.Terms[i].ID == id {
			return &d.Terms[i]
		}
	}
	return nil
}
