package workflows

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Budget is an amount of time.
type Budget struct {
	Amount  int
	Unit    string // days, hours, minutes
	Working bool   // counted in working time
}

// String is the budget as a definition says it.
func (b Budget) String() string {
	unit := b.Unit
	if b.Amount == 1 {
		unit = unit[:len(unit)-1]
	}
	if b.Working {
		unit = "working " + unit
	}
	return fmt.Sprintf("%d %s", b.Amount, unit)
}

// In is the budget in words of a language: "5 hari kerja", "5 working days".
func (b Budget) In(lang string) string {
	if lang == "en" {
		return b.String()
	}
	unit := map[string]string{"days": "hari", "hours": "jam", "minutes": "menit"}[b.Unit]
	if b.Working {
		unit += " kerja"
	}
	return fmt.Sprintf("%d %s", b.Amount, unit)
}

// MarshalYAML writes the budget as it is read.
func (b Budget) MarshalYAML() ([]byte, error) { return []byte(b.String()), nil }

// Expiry is what happens when a term runs out: somebody is told (escalate), or the
// request moves by law.
type Expiry struct {
	Escalate []domain.RoleID `yaml:"escalate,omitempty,flow"` // one after the other, each after the budget once more
	To       domain.StateID  `yaml:"to,omitempty"`
	Ground   ExpiryGround    `yaml:"ground,omitempty"` // of the move
}

// ExpiryGround is why a request moves when a term runs out.
type ExpiryGround string

// The grounds. Deemed approval: UU 30/2014 art. 53 as changed by UU Cipta Kerja
// art. 175.
const (
	DeemedApproval ExpiryGround = "deemed_approval"
	DeemedRefusal  ExpiryGround = "deemed_refusal"
	Lapse          ExpiryGround = "lapse" // of the applicant's own time
)

// Term is a budget of time and what happens when it runs out. That of a state or a
// review starts when the request comes to it.
type Term struct {
	Budget  Budget  `yaml:"budget"`
	Expires *Expiry `yaml:"expires,omitempty"`
}

// LegalTerm is a term over several states.
type LegalTerm struct {
	ID          string            `yaml:"id"`
	Title       Text              `yaml:"title"`
	Budget      Budget            `yaml:"budget"`
	Starts      []domain.ActionID `yaml:"starts,flow"` // the actions that start it, such as the declaration that the file is complete
	SuspendedIn []domain.StateID  `yaml:"suspended_in,omitempty,flow"`
	Expires     *Expiry           `yaml:"expires,omitempty"`
	Basis       Text              `yaml:"basis"` // the rule that sets it
}

var budgetForm = regexp.MustCompile(`^([1-9][0-9]{0,4}) (working )?(day|hour|minute)s?$`)

func (r *definitionReader) budget(n ast.Node, what string) Budget {
	s := r.text(n, what)
	m := budgetForm.FindStringSubmatch(s)
	if m == nil {
		if s != "" {
			r.problem(n, "%s: %q is not a time such as 5 working days, 3 hours or 30 working minutes", what, s)
		}
		return Budget{Amount: 1, Unit: "days"}
	}
	amount, _ := strconv.Atoi(m[1]) // digits, and few
	return Budget{Amount: amount, Working: m[2] != "", Unit: m[3] + "s"}
}

func (r *definitionReader) term(n ast.Node, what string) *Term {
	t := &Term{}
	r.mapping(n, what, []string{"budget"}, map[string]func(ast.Node){
		"budget":  func(n ast.Node) { t.Budget = r.budget(n, what+" budget") },
		"expires": func(n ast.Node) { t.Expires = r.expiry(n, what+" expires") },
	})
	return t
}

func (r *definitionReader) expiry(n ast.Node, what string) *Expiry {
	x := &Expiry{}
	grounds := []ExpiryGround{DeemedApproval, DeemedRefusal, Lapse}
	r.mapping(n, what, nil, map[string]func(ast.Node){
		"escalate": func(n ast.Node) { x.Escalate = refs(r, n, what+" escalate", "role", r.roleIDs) },
		"to":       func(n ast.Node) { x.To = ref(r, n, what+" to", "state", r.stateIDs) },
		"ground":   func(n ast.Node) { x.Ground = word(&r.yamlReader, n, what+" ground", grounds) },
	})
	switch {
	case len(x.Escalate) == 0 && x.To == "":
		r.problem(n, "%s: say whom it escalates to, or where the request moves", what)
	case (x.To == "") != (x.Ground == ""):
		r.problem(n, "%s: a move needs both to and ground", what)
	}
	return x
}

func (r *definitionReader) legalTerm(n ast.Node) LegalTerm {
	var t LegalTerm
	r.mapping(n, "a term", []string{"id", "title", "budget", "starts", "basis"}, map[string]func(ast.Node){
		"id":           func(n ast.Node) { t.ID = r.id(n, "term id") },
		"title":        func(n ast.Node) { t.Title = r.both(n, "term title") },
		"budget":       func(n ast.Node) { t.Budget = r.budget(n, "term budget") },
		"starts":       func(n ast.Node) { t.Starts = refs(r, n, "term starts", "action", r.actionIDs) },
		"suspended_in": func(n ast.Node) { t.SuspendedIn = refs(r, n, "term suspended_in", "state", r.stateIDs) },
		"expires":      func(n ast.Node) { t.Expires = r.expiry(n, "term expires") },
		"basis":        func(n ast.Node) { t.Basis = r.both(n, "term basis") },
	})
	r.later = append(r.later, func() {
		for _, id := range t.SuspendedIn {
			if s := r.d.state(id); s != nil && s.Kind != KindWait {
				r.problem(n, "term %q is suspended in state %q, which is not a wait", t.ID, id)
			}
		}
	})
	return t
}
