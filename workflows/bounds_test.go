package workflows

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// drafts are what a form's schema may say of itself.
var drafts = []any{
	nil, "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#", "https://json-schema.org/draft/2019-09/schema",
	"http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-04/schema#",
}

// edgeNumbers are those that bounds are drawn of, and what is filled in.
var edgeNumbers = []any{-1, 0, 2, 2.5, 3, 100, 1e300, 1 << 53, 1<<53 + 1, 1<<53 + 2}

// fieldSchema draws what a form says of a field that has a type.
func fieldSchema(t *rapid.T, kind string) map[string]any {
	values := map[string][]any{
		"number": edgeNumbers, "integer": edgeNumbers, "boolean": {true, false},
		"string": {"a", "5", "", "2026-01-01T00:00:00Z", "2026-01-01T07:00:00+07:00", "2027-01-01T00:00:00.5Z"},
	}[kind]
	pick := func(label string) any { return rapid.SampledFrom(values).Draw(t, label) }
	bound := func(s map[string]any) {
		for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
			if rapid.IntRange(0, 3).Draw(t, key+" is said") == 0 {
				s[key] = rapid.SampledFrom(edgeNumbers).Draw(t, key)
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "enum is said") == 0 {
			s["enum"] = []any{pick("one"), pick("another"), nil, "x"}
		}
		if rapid.IntRange(0, 5).Draw(t, "const is said") == 0 {
			s["const"] = pick("const")
		}
	}
	s := map[string]any{"type": kind, "personal": false}
	bound(s)
	inner := map[string]any{}
	bound(inner)
	for key, v := range map[string]any{
		"$ref": "alur:form#/$defs/any", "$dynamicRef": "alur:form#/$defs/any", "allOf": []any{inner}, "not": inner, "if": inner, "then": inner, "else": inner,
		"format": "date-time", "multipleOf": 0.5, "$id": "alur:field", "$schema": rapid.SampledFrom(drafts[1:]).Draw(t, "field's draft"),
	} {
		if rapid.IntRange(0, 6).Draw(t, key+" is said") == 0 {
			s[key] = v
		}
	}
	return s
}

// Whatever a form lets be filled in lies within what the proofs take a fact to be.
func TestNothingThatAFormLetsIsOutOfBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"number", "integer", "string", "boolean"}).Draw(t, "type")
		fact := map[string]FactType{"number": FactNumber, "integer": FactNumber, "boolean": FactBoolean}[kind]
		if kind == "string" {
			fact = rapid.SampledFrom([]FactType{FactString, FactTime}).Draw(t, "fact")
		}
		schema := map[string]any{"type": "object", "properties": map[string]any{"deep": map[string]any{"type": "object", "properties": map[string]any{"x": fieldSchema(t, kind)}}}, "$defs": map[string]any{"any": map[string]any{}}}
		if draft := rapid.SampledFrom(drafts).Draw(t, "draft"); draft != nil {
			schema["$schema"] = draft
		}
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		source := strings.Replace(levySource, "\nroles:", "\nform: "+string(text)+"\nfacts:\n  - {id: x, type: "+string(fact)+", title: {id: X, en: X}, from: form.deep.x}\nroles:", 1)
		d, err := Read("w.yaml", []byte(source))
		if err != nil {
			t.Skip(err) // no schema of that draft
		}
		within := d.boundsOf(d.fact("x"))
		w := Compile(d, 1)
		for _, v := range append([]any{"a", "5", "", "2026-01-01T00:00:00Z", "2026-01-01T07:00:00+07:00", true, false, nil, []any{5}, math.MaxInt32, -3.5}, edgeNumbers...) {
			facts, err := w.CheckFacts(nil, domain.Personal{"deep": map[string]any{"x": v}})
			if got, ok := facts["x"]; err == nil && ok && !within.lets(got) {
				t.Errorf("%v (%T) is let, and is taken to be impossible", v, v)
			}
		}
	})
}
