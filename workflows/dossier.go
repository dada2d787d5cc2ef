package workflows

import (
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Document is a kind of document that a request may need.
type Document struct {
	ID           domain.DocumentID   `yaml:"id"`
	Title        Text                `yaml:"title"`
	Formats      []string            `yaml:"formats,flow"`
	MaxSize      string              `yaml:"max_size"` // such as 5 MB
	Required     bool                `yaml:"required,omitempty"`
	RequiredWhen *Condition          `yaml:"required_when,omitempty"`
	By           []domain.RoleID     `yaml:"by,flow"`
	RefusedBy    []domain.RoleID     `yaml:"refused_by,omitempty,flow"`
	Reasons      []domain.ReasonCode `yaml:"reasons,omitempty,flow"`    // for a refusal
	In           []domain.StateID    `yaml:"in,omitempty,flow"`         // where it is handed in; empty: wherever the request is open
	RefusedIn    []domain.StateID    `yaml:"refused_in,omitempty,flow"` // where it is refused; empty: wherever the request is open

	bytes int64
}

// Checklist is what somebody has to look at.
type Checklist struct {
	ID    domain.ChecklistID `yaml:"id"`
	Title Text               `yaml:"title"`
	By    []domain.RoleID    `yaml:"by,flow"`
	In    []domain.StateID   `yaml:"in,omitempty,flow"`
	Items []CheckItem        `yaml:"items"`
}

// CheckItem is one question of a checklist.
type CheckItem struct {
	ID    domain.CheckID `yaml:"id"`
	Title Text           `yaml:"title"`
}

// Review is another agency's or unit's opinion.
type Review struct {
	ID      domain.ReviewID     `yaml:"id"`
	Title   Text                `yaml:"title"`
	Role    domain.RoleID       `yaml:"role"`
	When    *Condition          `yaml:"when,omitempty"` // asked for only then
	Term    *Term               `yaml:"term,omitempty"`
	Reasons []domain.ReasonCode `yaml:"reasons,flow"`
	// NotBy lists actions, submit, and reviews as review:ID: nobody who did one of these
	// gives this one, nor who gave another that is asked for in the same state.
	NotBy []domain.ActionID `yaml:"not_by,omitempty,flow"`
}

// System is an external system that a request waits for.
type System struct {
	ID       domain.SystemID `yaml:"id"`
	Title    Text            `yaml:"title"`
	Role     domain.RoleID   `yaml:"role"`
	Outcomes []string        `yaml:"outcomes,flow"`
}

// Join says how the reviews of a gather state are counted. "all" is every one that
// is asked for, "any" is one.
type Join struct {
	Need    string `yaml:"need,omitempty"` // all, any, or a number
	Outvote bool   `yaml:"outvote,omitempty"`
	Again   string `yaml:"again,omitempty"` // which are asked again when the request comes back: refused (default) or all; refused, if said, keeps approved ones also after a correction
}

// MarshalYAML writes the join as it is read: a number is not in quotes.
func (j Join) MarshalYAML() (any, error) {
	out := struct {
		Need    any    `yaml:"need,omitempty"`
		Outvote bool   `yaml:"outvote,omitempty"`
		Again   string `yaml:"again,omitempty"`
	}{nil, j.Outvote, j.Again}
	if n, err := strconv.Atoi(j.Need); err == nil {
		out.Need = n
	} else if j.Need != "" {
		out.Need = j.Need
	}
	return out, nil
}

// Allocation says how the work of a state is given out.
type Allocation struct {
	Rule     string          `yaml:"rule"`                    // order (whoever picks it), least_loaded or lottery
	Assigner []domain.RoleID `yaml:"assigner,omitempty,flow"` // who may have it given out, and give it to somebody else
}

// Notice is told to somebody when a request comes to a state.
type Notice struct {
	ID   domain.NoticeID  `yaml:"id"`
	On   []domain.StateID `yaml:"on,flow"`
	To   domain.RoleID    `yaml:"to"`
	Text Text             `yaml:"text"`
}

// Needs is what a transition demands of the dossier.
type Needs struct {
	Documents  []domain.DocumentID  `yaml:"documents,omitempty,flow"` // empty with Required: all that are required
	Required   bool                 `yaml:"required_documents,omitempty"`
	Fees       []domain.FeeID       `yaml:"fees,omitempty,flow"`
	Checklists []domain.ChecklistID `yaml:"checklists,omitempty,flow"`
	Reviews    domain.Opinion       `yaml:"reviews,omitempty"`
	Answer     string               `yaml:"answer,omitempty"`
}

// maxDocument is the largest document that a definition may ask for: 100 MB.
const maxDocument = 100 << 20

func (r *definitionReader) document(n ast.Node) Document {
	var d Document
	r.mapping(n, "a document", []string{"id", "title", "formats", "max_size", "by"}, map[string]func(ast.Node){
		"id":    func(n ast.Node) { d.ID = domain.DocumentID(r.id(n, "document id")) },
		"title": func(n ast.Node) { d.Title = r.both(n, "document title") },
		"formats": func(n ast.Node) {
			for _, f := range r.list(n, "document formats") {
				d.Formats = append(d.Formats, r.id(f, "document format"))
			}
		},
		"max_size": func(n ast.Node) {
			d.MaxSize = r.text(n, "document max_size")
			if d.bytes = parseSize(d.MaxSize); d.MaxSize != "" && (d.bytes < 1 || d.bytes > maxDocument) {
				r.problem(n, "document max_size: %q is not a size such as 500 KB or 5 MB, at most 100 MB", d.MaxSize)
			}
		},
		"required":      func(n ast.Node) { d.Required = r.boolean(n, "document required") },
		"required_when": func(n ast.Node) { d.RequiredWhen = r.condition(n, "document required_when", overFacts) },
		"by":            func(n ast.Node) { d.By = refs(r, n, "document by", "role", r.roleIDs) },
		"refused_by":    func(n ast.Node) { d.RefusedBy = refs(r, n, "document refused_by", "role", r.roleIDs) },
		"refused_in":    func(n ast.Node) { d.RefusedIn = refs(r, n, "document refused_in", "state", r.stateIDs) },
		"reasons":       func(n ast.Node) { d.Reasons = refs(r, n, "document reasons", "reason", r.reasonCodes) },
		"in":            func(n ast.Node) { d.In = refs(r, n, "document in", "state", r.stateIDs) },
	})
	switch {
	case d.Required && d.RequiredWhen != nil:
		r.problem(n, "document %q: say required or required_when, not both", d.ID)
	case len(d.RefusedBy) > 0 && len(d.Reasons) == 0:
		r.problem(n, "document %q can be refused: list the reasons", d.ID)
	case len(d.RefusedIn) > 0 && len(d.RefusedBy) == 0:
		r.problem(n, "document %q says where it is refused: say under refused_by by whom", d.ID)
	}
	return d
}

// parseSize reads a size in bytes; 0 for what is none.
func parseSize(s string) int64 {
	number, unit, _ := strings.Cut(s, " ")
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return 0
	}
	switch unit {
	case "KB":
		return n << 10
	case "MB":
		return n << 20
	}
	return 0
}

func (r *definitionReader) checklist(n ast.Node) Checklist {
	var c Checklist
	r.mapping(n, "a checklist", []string{"id", "title", "by", "items"}, map[string]func(ast.Node){
		"id":    func(n ast.Node) { c.ID = domain.ChecklistID(r.id(n, "checklist id")) },
		"title": func(n ast.Node) { c.Title = r.both(n, "checklist title") },
		"by":    func(n ast.Node) { c.By = refs(r, n, "checklist by", "role", r.roleIDs) },
		"in":    func(n ast.Node) { c.In = refs(r, n, "checklist in", "state", r.stateIDs) },
		"items": func(n ast.Node) { c.Items = each(r, n, "checklist items", r.checkItem) },
	})
	r.later = append(r.later, func() { r.twiceIn(valueOf(n, "items"), "id", "item") })
	return c
}

func (r *definitionReader) checkItem(n ast.Node) CheckItem {
	var i CheckItem
	r.mapping(n, "an item", []string{"id", "title"}, map[string]func(ast.Node){
		"id":    func(n ast.Node) { i.ID = domain.CheckID(r.id(n, "item id")) },
		"title": func(n ast.Node) { i.Title = r.both(n, "item title") },
	})
	return i
}

func (r *definitionReader) review(n ast.Node) Review {
	var x Review
	r.mapping(n, "a review", []string{"id", "title", "role", "reasons"}, map[string]func(ast.Node){
		"id":      func(n ast.Node) { x.ID = domain.ReviewID(r.id(n, "review id")) },
		"title":   func(n ast.Node) { x.Title = r.both(n, "review title") },
		"role":    func(n ast.Node) { x.Role = ref(r, n, "review role", "role", r.roleIDs) },
		"when":    func(n ast.Node) { x.When = r.condition(n, "review when", overFacts) },
		"term":    func(n ast.Node) { x.Term = r.term(n, "review term") },
		"not_by":  func(n ast.Node) { x.NotBy = r.gateRefs(n, "review not_by") },
		"reasons": func(n ast.Node) { x.Reasons = refs(r, n, "review reasons", "reason", r.reasonCodes) },
	})
	return x
}

func (r *definitionReader) system(n ast.Node) System {
	var s System
	r.mapping(n, "a system", []string{"id", "title", "role", "outcomes"}, map[string]func(ast.Node){
		"id":    func(n ast.Node) { s.ID = domain.SystemID(r.id(n, "system id")) },
		"title": func(n ast.Node) { s.Title = r.both(n, "system title") },
		"role":  func(n ast.Node) { s.Role = ref(r, n, "system role", "role", r.roleIDs) },
		"outcomes": func(n ast.Node) {
			for _, o := range r.list(n, "system outcomes") {
				word := r.id(o, "outcome")
				if slices.Contains(s.Outcomes, word) {
					r.problem(o, "system outcomes: %q is listed twice", word)
					continue
				}
				s.Outcomes = append(s.Outcomes, word)
			}
		},
	})
	return s
}

func (r *definitionReader) join(n ast.Node) *Join {
	j := &Join{}
	r.mapping(n, "join", nil, map[string]func(ast.Node){
		"need": func(n ast.Node) {
			if i, ok := n.(*ast.IntegerNode); ok {
				j.Need = i.String()
				if k, err := strconv.Atoi(j.Need); err != nil || k < 1 {
					r.problem(n, "join need: %s is not a number of reviews", j.Need)
				}
				return
			}
			if j.Need = r.text(n, "join need"); j.Need != "" && j.Need != "all" && j.Need != "any" {
				r.problem(n, "join need: %q is not all, any or a number of reviews (without quotes)%s", j.Need, meant(j.Need, []string{"all", "any"}))
				j.Need = ""
			}
		},
		"outvote": func(n ast.Node) { j.Outvote = r.boolean(n, "join outvote") },
		"again":   func(n ast.Node) { j.Again = word(&r.yamlReader, n, "join again", []string{"refused", "all"}) },
	})
	return j
}

func (r *definitionReader) allocation(n ast.Node) *Allocation {
	a := &Allocation{}
	r.mapping(n, "allocate", []string{"rule"}, map[string]func(ast.Node){
		"rule":     func(n ast.Node) { a.Rule = word(&r.yamlReader, n, "allocate rule", domain.AllocationRules()) },
		"assigner": func(n ast.Node) { a.Assigner = refs(r, n, "allocate assigner", "role", r.roleIDs) },
	})
	return a
}

func (r *definitionReader) notice(n ast.Node) Notice {
	var x Notice
	r.mapping(n, "a notification", []string{"id", "on", "to", "text"}, map[string]func(ast.Node){
		"id":   func(n ast.Node) { x.ID = domain.NoticeID(r.id(n, "notification id")) },
		"on":   func(n ast.Node) { x.On = refs(r, n, "notification on", "state", r.stateIDs) },
		"to":   func(n ast.Node) { x.To = ref(r, n, "notification to", "role", r.roleIDs) },
		"text": func(n ast.Node) { x.Text = r.both(n, "notification text") },
	})
	return x
}

func (r *definitionReader) needs(n ast.Node) *Needs {
	x := &Needs{}
	documentIDs := func() []domain.DocumentID {
		return ids(r.d.Documents, func(d Document) domain.DocumentID { return d.ID })
	}
	feeIDs := func() []domain.FeeID { return ids(r.d.Fees, func(f Fee) domain.FeeID { return f.ID }) }
	r.mapping(n, "needs", nil, map[string]func(ast.Node){
		"documents":          func(n ast.Node) { x.Documents = refs(r, n, "needs documents", "document", documentIDs) },
		"required_documents": func(n ast.Node) { x.Required = r.boolean(n, "needs required_documents") },
		"fees":               func(n ast.Node) { x.Fees = refs(r, n, "needs fees", "fee", feeIDs) },
		"checklists":         func(n ast.Node) { x.Checklists = refs(r, n, "needs checklists", "checklist", r.checklistIDs) },
		"reviews": func(n ast.Node) {
			if s, ok := n.(*ast.StringNode); ok && (s.Value == "any" || s.Value == "all") {
				r.problem(n, "needs reviews: say approved or refused, which is what the reviews come to together; how many must approve stands at the state that gathers them, such as join: {need: %s}", s.Value)
				return
			}
			x.Reviews = word(&r.yamlReader, n, "needs reviews", []domain.Opinion{domain.OpinionApproved, domain.OpinionRefused})
		},
		"answer": func(n ast.Node) { x.Answer = r.id(n, "needs answer") },
	})
	return x
}
