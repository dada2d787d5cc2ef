package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/cel-go/cel"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/alur-id/alur/domain"
)

// Form is what an applicant fills in: a JSON Schema (2020-12) of an object. All of
// it is sealed; a field that is marked "personal: false" may be copied into a fact.
type Form struct {
	Schema map[string]any

	compiled *jsonschema.Schema
}

// MarshalYAML writes the schema as JSON, which YAML reads.
func (f *Form) MarshalYAML() ([]byte, error) { return json.Marshal(f.Schema) }

// field is a field of a form as conditions see it.
type field struct {
	cel   *cel.Type
	clear bool // marked as not personal
	dated bool // a moment, as a text
}

// fields lists the fields by their paths.
func (f *Form) fields() map[string]field {
	all := map[string]field{}
	if f != nil {
		fieldsOf(f.Schema, "", all)
	}
	return all
}

func fieldsOf(schema map[string]any, prefix string, into map[string]field) {
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		property, _ := p.(map[string]any)
		if property == nil || !identifier(name) {
			continue
		}
		personal, marked := property["personal"].(bool)
		clear := marked && !personal
		switch property["type"] {
		case "string":
			into[prefix+name] = field{cel.StringType, clear, property["format"] == "date-time"}
		case "number", "integer":
			into[prefix+name] = field{cel.DoubleType, clear, false}
		case "boolean":
			into[prefix+name] = field{cel.BoolType, clear, false}
		case "object":
			fieldsOf(property, prefix+name+".", into)
		}
	}
}

func identifier(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_'
	}) && (s[0] < '0' || s[0] > '9')
}

func (r *definitionReader) form(n ast.Node) *Form {
	v := r.any(n, "form")
	schema, ok := v.(map[string]any)
	if !ok {
		r.problem(n, "form: want a JSON Schema of an object")
		return nil
	}
	if t, said := schema["type"]; said && t != "object" {
		r.problem(n, "form: want a JSON Schema of an object, not of %v", t)
	}
	f := &Form{Schema: schema}
	if err := f.compile(); err != nil {
		r.formFaults(n, err)
	}
	return f
}

func firstLines(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

// dialect is the JSON Schema that a form is written in, and by what its schema may say so.
const (
	dialect   = 2020
	dialectID = "https://json-schema.org/draft/2020-12/schema"
)

// dialects holds that a form is in no other: the same words mean something else there,
// and nobody who reads them sees it.
func (c *inspection) dialects() { c.dialectsIn(valueOf(c.root, "form")) }

func (c *inspection) dialectsIn(n ast.Node) {
	pairs, _ := entries(n)
	for _, v := range pairs {
		said, isText := v.Value.(*ast.StringNode)
		switch key := v.Key.GetToken().Value; {
		case slices.Contains([]string{"enum", "const", "default", "examples"}, key): // what is filled in
		case key != "$schema" || !isText:
			c.dialectsIn(v.Value)
		case strings.TrimSuffix(said.Value, "#") != dialectID:
			c.find(FindingForm, v.Value, "the form is said to be of %s, whose words mean something else: write it in JSON Schema 2020-12, and leave $schema out or say %s", said.Value, dialectID)
		}
	}
	for _, item := range values(n) {
		c.dialectsIn(item)
	}
}

// nowhere is where a schema that refers to another finds it: a definition stands
// for itself.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s: a form refers to no other file", url)
}

func (f *Form) compile() error {
	// The library wants what encoding/json gives.
	text, err := json.Marshal(f.Schema)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nowhere{})
	if err := c.AddResource("alur:form", doc); err != nil {
		return err
	}
	f.compiled, err = c.Compile("alur:form")
	return err
}

// check refuses a form that does not fit. The refusal names fields and rules, and
// nothing that was filled in.
func (f *Form) check(form domain.Personal) error {
	if f == nil {
		return nil // a definition without a form takes any
	}
	if form == nil {
		form = domain.Personal{}
	}
	err := f.compiled.Validate(map[string]any(form))
	var invalid *jsonschema.ValidationError
	if err == nil {
		return nil
	}
	if !errors.As(err, &invalid) {
		return domain.NewRefusal(domain.RuleForm, "the form holds what JSON cannot", "")
	}
	wrong := map[string]bool{}
	leaves(invalid, func(e *jsonschema.ValidationError) {
		keyword := strings.Join(e.ErrorKind.KeywordPath(), "/")
		if r, ok := e.ErrorKind.(*kind.Required); ok {
			keyword += " (" + strings.Join(r.Missing, ", ") + ")"
		}
		wrong[fmt.Sprintf("/%s breaks %s", f.known(e.InstanceLocation), keyword)] = true
	})
	return domain.NewRefusal(domain.RuleForm, "the form does not fit its schema: "+strings.Join(slices.Sorted(maps.Keys(wrong)), ", "), "correct these fields")
}

// known is a place in a form, in the words of its schema alone: a key that was filled
// in may be somebody's name.
func (f *Form) known(place []string) string {
	names := map[string]bool{}
	propertiesOf(f.Schema, names)
	shown := make([]string, len(place))
	for i, name := range place {
		if shown[i] = name; !names[name] && (len(name) > 4 || strings.Trim(name, "0123456789") != "") { // a place in a list is short
			shown[i] = "?"
		}
	}
	return strings.Join(shown, "/")
}

func propertiesOf(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			for name := range properties {
				into[name] = true
			}
		}
		for _, inner := range v {
			propertiesOf(inner, into)
		}
	case []any:
		for _, inner := range v {
			propertiesOf(inner, into)
		}
	}
}

func leaves(e *jsonschema.ValidationError, see func(*jsonschema.ValidationError)) {
	if len(e.Causes) == 0 {
		see(e)
	}
	for _, c := range e.Causes {
		leaves(c, see)
	}
}

// defaults holds that what stands in a field until somebody fills it in fits the field:
// left as it is, the form would be refused.
func (c *inspection) defaults() {
	if c.d.Form != nil {
		c.defaultsOf(c.d.Form.compiled, "")
	}
}

func (c *inspection) defaultsOf(s *jsonschema.Schema, prefix string) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		if field.Default != nil && field.Validate(*field.Default) != nil {
			c.find(FindingForm, valueOf(c.root, "form"), "the default of field %q does not fit the field: left as it is, the form would be refused", prefix+name)
		}
		c.defaultsOf(field, prefix+name+".")
	}
}
