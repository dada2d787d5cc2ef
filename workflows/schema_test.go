package workflows

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	yamlast "github.com/goccy/go-yaml/ast"
	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

var updateSchema = flag.Bool("update-schema", false, "write schema.json anew")

// schemaMaker makes a JSON Schema of Go types and the comments on them.
type schemaMaker struct {
	comments map[string]string // of a type, or of a type's field: "State.Owner"
	defs     map[string]any
}

func enumOf[T ~string](list []T) map[string]any {
	return map[string]any{"type": "string", "enum": anys(ids(list, func(x T) string { return string(x) }))}
}

// scalars are the types that are written as one word or text.
var scalars = map[reflect.Type]map[string]any{
	reflect.TypeFor[Kind]():                enumOf([]Kind{KindStart, KindWork, KindWait, KindGather, KindEnd}),
	reflect.TypeFor[FactType]():            enumOf([]FactType{FactString, FactNumber, FactBoolean, FactTime}),
	reflect.TypeFor[ExpiryGround]():        enumOf([]ExpiryGround{DeemedApproval, DeemedRefusal, Lapse}),
	reflect.TypeFor[domain.StopGround]():   enumOf(domain.StopGrounds()),
	reflect.TypeFor[domain.PublicStatus](): enumOf(domain.PublicStatuses()),
	reflect.TypeFor[domain.Outcome]():      enumOf(domain.Outcomes()),
	reflect.TypeFor[domain.Capacity]():     enumOf(domain.Capacities()),
	reflect.TypeFor[domain.Rule]():         enumOf(domain.Rules()),
	reflect.TypeFor[domain.Opinion]():      enumOf([]domain.Opinion{domain.OpinionApproved, domain.OpinionRefused}),
	reflect.TypeFor[domain.ActionKind]():   enumOf([]domain.ActionKind{domain.ActionWithdraw, domain.ActionCorrect, domain.ActionReopen, domain.ActionOverride, domain.ActionComplete, domain.ActionReturn}),
	reflect.TypeFor[Budget]():              {"type": "string", "pattern": calendar.BudgetPattern},
	reflect.TypeFor[Condition]():           {"type": "string", "pattern": `\S`, "description": "An expression in CEL (cel.dev)."},
	reflect.TypeFor[Form]():                {"type": "object", "properties": js{"type": js{"const": "object"}}, "$ref": "#/$defs/FormSchema", "description": "A JSON Schema (2020-12) of an object; mark fields that are not personal with personal: false."},
}

func (m *schemaMaker) of(t reflect.Type) map[string]any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := scalars[t]; ok {
		return s
	}
	if slices.Contains(named, t) {
		return anID
	}
	switch t.Kind() {
	case reflect.Slice:
		if slices.Contains(named, t.Elem()) { // refs
			return arrayOf(anID, js{"uniqueItems": true})
		}
		return arrayOf(m.of(t.Elem()), nil)
	case reflect.Map:
		return map[string]any{"type": "object"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return aText
	case reflect.Struct:
		m.object(t)
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	default:
	}
	return map[string]any{}
}

func (m *schemaMaker) object(t reflect.Type) {
	if m.defs[t.Name()] != nil {
		return
	}
	properties, required := map[string]any{}, []string{}
	def := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	m.defs[t.Name()] = def
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		p := map[string]any{}
		if own, ok := fieldRules[t.Name()+"."+key]; ok {
			maps.Copy(p, own)
		} else {
			maps.Copy(p, m.of(f.Type))
		}
		if c := m.comments[t.Name()+"."+f.Name]; c != "" {
			p["description"] = c
		}
		properties[key] = p
		if !strings.Contains(options, "omitempty") {
			required = append(required, key)
		}
	}
	slices.Sort(required)
	if len(required) > 0 {
		def["required"] = required
	}
	if c := m.comments[t.Name()]; c != "" {
		def["description"] = c
	}
	rule(def, t.Name())
}

// read gathers the comments on the types of this package.
func (m *schemaMaker) read(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.TypeSpec)
				m.comments[spec.Name.Name] = oneLine(decl.Doc)
				fields, ok := spec.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, f := range fields.Fields.List {
					for _, name := range f.Names {
						m.comments[spec.Name.Name+"."+name.Name] = strings.TrimSpace(oneLine(f.Doc) + " " + oneLine(f.Comment))
					}
				}
			}
			return true
		})
	}
}

var link = regexp.MustCompile(`\[\*?([A-Za-z.]+)\]`)

func oneLine(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	return link.ReplaceAllString(strings.Join(strings.Fields(c.Text()), " "), "$1")
}

// The schema that is shipped is the one that the types make; -update-schema writes it.
func TestSchema(t *testing.T) {
	m := &schemaMaker{comments: map[string]string{}, defs: map[string]any{}}
	m.read(t)
	root := m.of(reflect.TypeFor[Definition]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "A workflow definition of Alur"
	m.defs["FormSchema"] = formSchema()
	root["$defs"] = m.defs
	made, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	if *updateSchema {
		if err := os.WriteFile("schema.json", made, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(Schema), string(made)); d != "" {
		t.Errorf("run go test ./workflows -run TestSchema -update-schema (-shipped +made)\n%s", d)
	}
}

// Every key that a definition may have is one that the schema has, and the other
// way round.
func TestTheSchemaHasTheKeysOfTheReader(t *testing.T) {
	var schema struct {
		Defs map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	for name, do := range readersOf() {
		r := &definitionReader{yamlReader: yamlReader{file: "x"}, states: map[domain.StateID]yamlast.Node{}}
		do(r)
		known := ""
		for _, p := range r.problems {
			if _, list, ok := strings.Cut(p.Message, "known keys are "); ok {
				known = list
			}
		}
		var want []string
		for key := range schema.Defs[name].Properties {
			want = append(want, key)
		}
		slices.Sort(want)
		if d := cmp.Diff(strings.Join(want, ", "), known); d != "" {
			t.Errorf("%s (-schema +reader)\n%s", name, d)
		}
	}
}

// readersOf has the reader of each type, given a mapping with an unknown key.
func readersOf() map[string]func(*definitionReader) {
	return map[string]func(*definitionReader){
		"Definition":    func(r *definitionReader) { r.definition(unknownKey(r)) },
		"Standard":      func(r *definitionReader) { r.standard(unknownKey(r)) },
		"Retention":     func(r *definitionReader) { r.retention(unknownKey(r)) },
		"History":       func(r *definitionReader) { r.history(unknownKey(r)) },
		"Fact":          func(r *definitionReader) { r.fact(unknownKey(r)) },
		"Role":          func(r *definitionReader) { r.role(unknownKey(r)) },
		"Reason":        func(r *definitionReader) { r.reason(unknownKey(r)) },
		"Document":      func(r *definitionReader) { r.document(unknownKey(r)) },
		"Checklist":     func(r *definitionReader) { r.checklist(unknownKey(r)) },
		"CheckItem":     func(r *definitionReader) { r.checkItem(unknownKey(r)) },
		"Fee":           func(r *definitionReader) { r.fee(unknownKey(r)) },
		"FeeTable":      func(r *definitionReader) { r.feeTable(unknownKey(r)) },
		"FeeRow":        func(r *definitionReader) { r.feeRow(unknownKey(r)) },
		"Review":        func(r *definitionReader) { r.review(unknownKey(r)) },
		"System":        func(r *definitionReader) { r.system(unknownKey(r)) },
		"Join":          func(r *definitionReader) { r.join(unknownKey(r)) },
		"Allocation":    func(r *definitionReader) { r.allocation(unknownKey(r)) },
		"Notice":        func(r *definitionReader) { r.notice(unknownKey(r)) },
		"Needs":         func(r *definitionReader) { r.needs(unknownKey(r)) },
		"Term":          func(r *definitionReader) { r.term(unknownKey(r), "term") },
		"Expiry":        func(r *definitionReader) { r.expiry(unknownKey(r), "expires") },
		"LegalTerm":     func(r *definitionReader) { r.legalTerm(unknownKey(r)) },
		"TermExtension": func(r *definitionReader) { r.extension(unknownKey(r), &Term{}) },
		"Suspension":    func(r *definitionReader) { r.suspension(unknownKey(r)) },
		"State":         func(r *definitionReader) { r.state(unknownKey(r)) },
		"Action":        func(r *definitionReader) { r.action(unknownKey(r)) },
		"Transition":    func(r *definitionReader) { r.transition(unknownKey(r)) },
		"Invariant":     func(r *definitionReader) { r.invariant(unknownKey(r)) },
		"Before":        func(r *definitionReader) { r.before(unknownKey(r)) },
		"Scenario":      func(r *definitionReader) { r.scenario(unknownKey(r)) },
		"ScenarioFile":  func(r *definitionReader) { r.given(unknownKey(r)) },
		"Step":          func(r *definitionReader) { r.step(unknownKey(r)) },
		"Expected":      func(r *definitionReader) { r.expected(unknownKey(r)) },
	}
}

func unknownKey(r *definitionReader) yamlast.Node { return r.parse([]byte("zzzzzzzz: 1\n")) }
