package workflows

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/cel-go/cel"

	"github.com/alur-id/alur/domain"
)

// MaxDefinition is the size in bytes above which a definition is not read. The
// largest draft learnt from a real log (398 activities) has a tenth of it.
const MaxDefinition = 4 << 20

// maxLine is the length in bytes above which a line is not read: each problem is shown
// with its line.
const maxLine = 100_000

// Read reads a definition strictly. The error is [Problems]: all of them, each
// with its place. File is only used to name that place.
func Read(file string, source []byte) (*Definition, error) {
	d, _, err := read(file, source)
	return d, err
}

func read(file string, source []byte) (*Definition, *definitionReader, error) {
	y, source, err := newYAMLReader(file, "definition", source)
	if err != nil {
		return nil, nil, err
	}
	r := &definitionReader{yamlReader: y}
	if root := r.parse(source); root != nil {
		r.definition(root)
		for _, check := range r.later {
			check()
		}
		for _, compile := range r.conditions {
			compile()
		}
		r.d.placeConditions()
		if !r.torn && r.d.start() != nil && len(r.d.Transitions) > 0 {
			r.graph()
		}
	}
	if err := r.told(); err != nil {
		return nil, nil, err
	}
	return &r.d, r, nil
}

// newYAMLReader is the reader of a file that is to be a definition, or what else, and
// its text without a byte order mark. It refuses a file that is not text or is larger
// than any that is read.
func newYAMLReader(file, what string, source []byte) (yamlReader, []byte, error) {
	source = bytes.TrimPrefix(source, []byte("\uFEFF"))
	r := yamlReader{file: file, what: what}
	if len(source) > MaxDefinition {
		return r, nil, Problems{{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("the %s is too large: at most %d bytes are read", what, MaxDefinition)}}
	}
	r.lines = strings.Split(string(source), "\n")
	if i := slices.IndexFunc(r.lines, func(line string) bool { return len(line) > maxLine }); i >= 0 {
		return r, nil, Problems{{File: file, Line: i + 1, Column: 1, Message: fmt.Sprintf("the line has %d bytes; at most %d are read", len(r.lines[i]), maxLine)}}
	}
	if at := FirstInvalid(source); at >= 0 {
		line := 1 + bytes.Count(source[:at], []byte("\n"))
		column := 1 + utf8.RuneCount(source[bytes.LastIndexByte(source[:at], '\n')+1:at])
		return r, nil, Problems{{File: file, Line: line, Column: column, Message: notUTF8(what, source), Excerpt: excerpt(r.lines, line, column)}}
	}
	return r, source, nil
}

// told is all problems in the order of the file, or nil.
func (r *yamlReader) told() error {
	if len(r.problems) == 0 {
		return nil
	}
	r.problems.Sort()
	if r.untold > 0 {
		r.problems = append(r.problems, Problem{File: r.file, Line: len(r.lines), Column: 1, Message: fmt.Sprintf("and %d problems more", r.untold)})
	}
	return r.problems
}

// notUTF8 says what a file is that is not UTF-8.
func notUTF8(what string, source []byte) string {
	if bytes.HasPrefix(source, []byte{0xFF, 0xFE}) || bytes.HasPrefix(source, []byte{0xFE, 0xFF}) {
		return "the file is UTF-16, not UTF-8; save it as UTF-8"
	}
	return "the file is not UTF-8 here; a " + what + " is text that is saved as UTF-8"
}

// FirstInvalid is where the text stops being UTF-8, -1 if it is all UTF-8. A
// definition is stored as JSON, which would quietly replace the bytes.
func FirstInvalid(source []byte) int {
	for i := 0; i < len(source); {
		r, n := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

type definitionReader struct {
	yamlReader
	d      Definition
	states map[domain.StateID]ast.Node
	root   ast.Node
	known  map[string]map[string]bool // names by kind, when the whole definition is read
	torn   bool                       // the states and what leads from one to another cannot be told
	ways   *routes                    // when all of it is read, and not torn

	conditions   []func() // compile them, when everything that they speak of is known
	environments map[scope]*cel.Env
}

// whole reads what the graph of states is made of. With a problem there, what can be
// reached is not known.
func (r *definitionReader) whole(read func()) {
	before := len(r.problems)
	read()
	r.torn = r.torn || len(r.problems) > before
}

func (r *definitionReader) definition(n ast.Node) {
	r.root = n
	r.states = map[domain.StateID]ast.Node{}
	r.known = map[string]map[string]bool{}
	d := &r.d
	required := []string{"alur", "id", "title", "agency", "office", "roles", "submit", "states", "actions", "transitions"}
	r.mapping(n, "the definition", required, map[string]func(ast.Node){
		"alur": func(n ast.Node) {
			if d.Language = r.integer(n, "alur"); d.Language != Language && d.Language != 0 {
				r.problem(n, "alur: language %d is not known to this program; it reads %d", d.Language, Language)
			}
		},
		"id":            func(n ast.Node) { d.ID = r.id(n, "id") },
		"title":         func(n ast.Node) { d.Title = r.both(n, "title") },
		"agency":        func(n ast.Node) { d.Agency = r.both(n, "agency") },
		"office":        func(n ast.Node) { d.Office = r.id(n, "office") },
		"promise":       func(n ast.Node) { d.Promise = r.both(n, "promise") },
		"fee":           func(n ast.Node) { d.Fee = r.both(n, "fee") },
		"history":       func(n ast.Node) { d.History = r.history(n) },
		"retention":     func(n ast.Node) { d.Retention = r.retention(n) },
		"standard":      func(n ast.Node) { d.Standard = r.standard(n) },
		"form":          func(n ast.Node) { d.Form = r.form(n) },
		"facts":         func(n ast.Node) { d.Facts = each(r, n, "facts", r.fact) },
		"roles":         func(n ast.Node) { d.Roles = each(r, n, "roles", r.role) },
		"submit":        func(n ast.Node) { d.Submit = refs(r, n, "submit", "role", r.roleIDs) },
		"payers":        func(n ast.Node) { d.Payers = refs(r, n, "payers", "role", r.roleIDs) },
		"documents":     func(n ast.Node) { d.Documents = each(r, n, "documents", r.document) },
		"checklists":    func(n ast.Node) { d.Checklists = each(r, n, "checklists", r.checklist) },
		"fees":          func(n ast.Node) { d.Fees = each(r, n, "fees", r.fee) },
		"reviews":       func(n ast.Node) { d.Reviews = each(r, n, "reviews", r.review) },
		"systems":       func(n ast.Node) { d.Systems = each(r, n, "systems", r.system) },
		"terms":         func(n ast.Node) { d.Terms = r.legalTerms(n) },
		"suspensions":   func(n ast.Node) { d.Suspensions = each(r, n, "suspensions", r.suspension) },
		"notifications": func(n ast.Node) { d.Notices = each(r, n, "notifications", r.notice) },
		"separate":      func(n ast.Node) { d.Separate = r.separate(n) },
		"invariants":    func(n ast.Node) { d.Invariants = each(r, n, "invariants", r.invariant) },
		"tests":         func(n ast.Node) { d.Tests = each(r, n, "tests", r.scenario) },
		"reasons":       func(n ast.Node) { d.Reasons = each(r, n, "reasons", r.reason) },
		"states":        func(n ast.Node) { r.whole(func() { d.States = each(r, n, "states", r.state) }) },
		"actions":       func(n ast.Node) { d.Actions = each(r, n, "actions", r.action) },
		"transitions": func(n ast.Node) {
			r.whole(func() { d.Transitions = each(r, n, "transitions", r.transition) })
		},
	})
	r.later = append(r.later, r.distinct, func() { r.whole(r.oneStart) }, r.fits)
}

func (r *definitionReader) both(n ast.Node, what string) Text {
	var t Text
	r.mapping(n, what, []string{"id", "en"}, map[string]func(ast.Node){
		"id": func(n ast.Node) { t.ID = r.text(n, what+" in Indonesian") },
		"en": func(n ast.Node) { t.EN = r.text(n, what+" in English") },
	})
	return t
}

func (r *definitionReader) history(n ast.Node) *History {
	h := &History{}
	r.mapping(n, "history", []string{"role"}, map[string]func(ast.Node){
		"role":    func(n ast.Node) { h.Role = word(&r.yamlReader, n, "history role", RoleAttributes()) },
		"started": func(n ast.Node) { h.Started = r.timeFact(n, "history started") },
		"due":     func(n ast.Node) { h.Due = r.timeFact(n, "history due") },
		"ended":   func(n ast.Node) { h.Ended = r.timeFact(n, "history ended") },
	})
	return h
}

// timeFact reads the name of a fact that holds a time.
func (r *definitionReader) timeFact(n ast.Node, what string) string {
	name := ref(r, n, what, "fact", r.factIDs)
	r.later = append(r.later, func() {
		if f := r.d.fact(name); f != nil && f.Type != FactTime {
			r.problem(n, "%s: fact %q is a %s, not a time", what, name, f.Type)
		}
	})
	return name
}

// maxRetention is an archive's idea of for ever, in years.
const maxRetention = 100

func (r *definitionReader) retention(n ast.Node) Retention {
	var x Retention
	r.mapping(n, "retention", []string{"class", "years", "ground"}, map[string]func(ast.Node){
		"class": func(n ast.Node) { x.Class = domain.RetentionClass(r.id(n, "retention class")) },
		"years": func(n ast.Node) {
			if x.Years = r.integer(n, "retention years"); x.Years < 0 || x.Years > maxRetention {
				r.problem(n, "retention years: %d is not between 0 and %d", x.Years, maxRetention)
			}
		},
		"ground": func(n ast.Node) { x.Ground = r.both(n, "retention ground") },
	})
	return x
}

func (r *definitionReader) fact(n ast.Node) Fact {
	var f Fact
	var byDefault ast.Node
	types := []FactType{FactString, FactNumber, FactBoolean, FactTime}
	r.mapping(n, "a fact", []string{"id", "type", "title"}, map[string]func(ast.Node){
		"id":       func(n ast.Node) { f.ID = r.id(n, "fact id") },
		"type":     func(n ast.Node) { f.Type = word(&r.yamlReader, n, "fact type", types) },
		"title":    func(n ast.Node) { f.Title = r.both(n, "fact title") },
		"required": func(n ast.Node) { f.Required = r.boolean(n, "fact required") },
		"values": func(n ast.Node) {
			for _, v := range r.list(n, "fact values") {
				f.Values = append(f.Values, r.text(v, "fact value"))
			}
		},
		"from":        func(n ast.Node) { f.From = r.condition(n, "fact from", overForm) },
		"default":     func(n ast.Node) { byDefault = n },
		"recorded":    func(n ast.Node) { f.Recorded = r.boolean(n, "fact recorded") },
		"recorded_as": func(n ast.Node) { f.RecordedAs = r.verbatim(n, "fact recorded_as") },
	})
	if byDefault != nil {
		f.Default = r.value(byDefault, "fact default", f.Type == FactString)
	}
	if f.Default != nil && f.Type != "" {
		var err error
		if f.Default, err = f.read(f.Default); err != nil {
			r.problem(n, "default: %v", err)
		}
	}
	if len(f.Values) > 0 && f.Type != FactString {
		r.problem(n, "fact %q: only a string can have a list of values", f.ID)
	}
	return f
}

func (r *definitionReader) role(n ast.Node) Role {
	var x Role
	r.mapping(n, "a role", []string{"id", "title", "capacities"}, map[string]func(ast.Node){
		"id":    func(n ast.Node) { x.ID = domain.RoleID(r.id(n, "role id")) },
		"title": func(n ast.Node) { x.Title = r.both(n, "role title") },
		"capacities": func(n ast.Node) {
			for _, c := range r.list(n, "role capacities") {
				x.Capacities = append(x.Capacities, word(&r.yamlReader, c, "capacity", domain.Capacities()))
			}
		},
		"recorded_as": func(n ast.Node) { x.RecordedAs = r.verbatim(n, "role recorded_as") },
	})
	return x
}

func (r *definitionReader) reason(n ast.Node) Reason {
	var x Reason
	r.mapping(n, "a reason", []string{"code", "title"}, map[string]func(ast.Node){
		"code":  func(n ast.Node) { x.Code = domain.ReasonCode(r.id(n, "reason code")) },
		"title": func(n ast.Node) { x.Title = r.both(n, "reason title") },
	})
	return x
}

func (r *definitionReader) state(n ast.Node) State {
	var s State
	kinds := []Kind{KindStart, KindWork, KindWait, KindGather, KindEnd}
	r.mapping(n, "a state", []string{"id", "kind", "public", "title"}, map[string]func(ast.Node){
		"id": func(n ast.Node) {
			s.ID = domain.StateID(r.id(n, "state id"))
			r.states[s.ID] = n
		},
		"kind":       func(n ast.Node) { s.Kind = word(&r.yamlReader, n, "state kind", kinds) },
		"public":     func(n ast.Node) { s.Public = word(&r.yamlReader, n, "public status", domain.PublicStatuses()) },
		"title":      func(n ast.Node) { s.Title = r.both(n, "state title") },
		"owner":      func(n ast.Node) { s.Owner = ref(r, n, "state owner", "role", r.roleIDs) },
		"outcome":    func(n ast.Node) { s.Outcome = word(&r.yamlReader, n, "outcome", domain.Outcomes()) },
		"promise":    func(n ast.Node) { s.Promise = r.both(n, "state promise") },
		"next":       func(n ast.Node) { s.Next = r.both(n, "state next") },
		"term":       func(n ast.Node) { s.Term = r.term(n, "state term") },
		"reviews":    func(n ast.Node) { s.Reviews = refs(r, n, "state reviews", "review", r.reviewIDs) },
		"join":       func(n ast.Node) { s.Join = r.join(n) },
		"only_after": func(n ast.Node) { s.OnlyAfter = refs(r, n, "state only_after", "action", r.actionIDs) },
		"waits_for":  func(n ast.Node) { s.WaitsFor = ref(r, n, "state waits_for", "system", r.systemIDs) },
		"allocate":   func(n ast.Node) { s.Allocate = r.allocation(n) },
	})
	switch {
	case s.Kind == KindEnd && s.Outcome == "":
		r.problem(n, "state %q is an end: say its outcome", s.ID)
	case s.Kind == KindEnd && s.Owner != "":
		r.problem(n, "state %q is an end: nobody owns it", s.ID)
	case s.Kind != KindEnd && s.Kind != "" && s.Outcome != "":
		r.problem(n, "state %q is not an end: only an end has an outcome", s.ID)
	case s.Kind != KindEnd && s.Kind != "" && s.Owner == "":
		r.problem(n, "state %q has no owner: say which role has to act", s.ID)
	}
	r.stateKind(n, &s)
	return s
}

// stateKind holds what belongs to which kind of state.
func (r *definitionReader) stateKind(n ast.Node, s *State) {
	switch {
	case s.Kind == "": // told already
	case s.Kind == KindGather && len(s.Reviews) == 0:
		r.problem(n, "state %q gathers: list its reviews", s.ID)
	case s.Kind != KindGather && (len(s.Reviews) > 0 || s.Join != nil || len(s.OnlyAfter) > 0):
		r.problem(n, "state %q does not gather: only a gather has reviews, a join and only_after", s.ID)
	case s.Kind != KindWait && s.WaitsFor != "":
		r.problem(n, "state %q is not a wait: only a wait waits for a system", s.ID)
	case s.Kind == KindEnd && (s.Term != nil || s.Allocate != nil):
		r.problem(n, "state %q is an end: it has no term and no work to give out", s.ID)
	case s.Kind == KindWait && s.Allocate != nil:
		r.problem(n, "state %q is a wait: there is no work to give out", s.ID)
	}
	if s.Join != nil {
		if k, err := strconv.Atoi(s.Join.Need); err == nil && k > len(s.Reviews) {
			r.problem(n, "state %q: %d approvals of %d reviews cannot be", s.ID, k, len(s.Reviews))
		}
	}
}

func (r *definitionReader) action(n ast.Node) Action {
	var a Action
	r.mapping(n, "an action", []string{"id", "title"}, map[string]func(ast.Node){
		"id":          func(n ast.Node) { a.ID = domain.ActionID(r.id(n, "action id")) },
		"title":       func(n ast.Node) { a.Title = r.both(n, "action title") },
		"recorded_as": func(n ast.Node) { a.RecordedAs = r.verbatim(n, "action recorded_as") },
	})
	return a
}

func (r *definitionReader) transition(n ast.Node) Transition {
	var t Transition
	kinds := []domain.ActionKind{domain.ActionWithdraw, domain.ActionCorrect, domain.ActionReopen, domain.ActionOverride, domain.ActionComplete, domain.ActionReturn}
	r.mapping(n, "a transition", []string{"action", "from", "to"}, map[string]func(ast.Node){
		"action":    func(n ast.Node) { t.Action = ref(r, n, "action", "action", r.actionIDs) },
		"from":      func(n ast.Node) { t.From = refs(r, n, "from", "state", r.stateIDs) },
		"to":        func(n ast.Node) { t.To = ref(r, n, "to", "state", r.stateIDs) },
		"roles":     func(n ast.Node) { t.Roles = refs(r, n, "roles", "role", r.roleIDs) },
		"reasons":   func(n ast.Node) { t.Reasons = refs(r, n, "reasons", "reason", r.reasonCodes) },
		"kind":      func(n ast.Node) { t.Kind = word(&r.yamlReader, n, "transition kind", kinds) },
		"consent":   func(n ast.Node) { t.Consent = refs(r, n, "consent", "role", r.roleIDs) },
		"when":      func(n ast.Node) { t.When = r.condition(n, "when", overHistory) },
		"because":   func(n ast.Node) { t.Because = r.both(n, "because") },
		"not_by":    func(n ast.Node) { t.NotBy = r.gateRefs(n, "not_by") },
		"needs":     func(n ast.Node) { t.Needs = r.needs(n) },
		"clears":    func(n ast.Node) { t.Clears = refs(r, n, "clears", "checklist", r.checklistIDs) },
		"records":   func(n ast.Node) { t.Records = refs(r, n, "records", "fact", r.factIDs) },
		"automatic": func(n ast.Node) { t.Automatic = r.boolean(n, "automatic") },
	})
	switch {
	case t.Automatic && (len(t.Roles)+len(t.Reasons)+len(t.NotBy)+len(t.Clears) > 0 || t.Kind != ""):
		r.problem(n, "an automatic transition is nobody's: leave roles, reasons, not_by, clears and kind out")
	case !t.Automatic && len(t.Roles) == 0:
		r.problem(n, "a transition: key %q is missing", "roles")
	case len(t.Consent) > 0 && t.Kind != domain.ActionReturn:
		r.problem(n, "consent is to another return: it belongs to a transition of kind return")
	case t.Because != (Text{}) && t.When == nil && !t.Automatic:
		r.problem(n, "because says why when does not hold, and there is no when")
	case t.Kind == domain.ActionOverride && (t.When != nil || t.Needs != nil):
		r.problem(n, "an override goes past conditions and needs: leave them out")
	}
	return t
}
