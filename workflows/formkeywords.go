package workflows

import (
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// holds is what stands under a keyword of a form.
type holds int

const (
	aValue  holds = iota // no schema
	aSchema              // one
	schemas              // a list of them
	byName               // one under each name
)

// keywords are those of JSON Schema 2020-12 that mean something to whoever checks a form,
// or are a note to its reader, and those that are only ours.
var keywords = map[string]holds{
	"$schema": aValue, "$id": aValue, "$ref": aValue, "$anchor": aValue, "$dynamicRef": aValue, "$dynamicAnchor": aValue, "$vocabulary": aValue, "$comment": aValue, "$defs": byName,
	"allOf": schemas, "anyOf": schemas, "oneOf": schemas, "not": aSchema, "if": aSchema, "then": aSchema, "else": aSchema,
	"properties": byName, "patternProperties": byName, "additionalProperties": aSchema, "propertyNames": aSchema, "dependentSchemas": byName, "unevaluatedProperties": aSchema,
	"prefixItems": schemas, "items": aSchema, "contains": aSchema, "unevaluatedItems": aSchema,
	"type": aValue, "enum": aValue, "const": aValue,
	"multipleOf": aValue, "maximum": aValue, "exclusiveMaximum": aValue, "minimum": aValue, "exclusiveMinimum": aValue,
	"maxLength": aValue, "minLength": aValue, "pattern": aValue, "format": aValue,
	"maxItems": aValue, "minItems": aValue, "uniqueItems": aValue, "maxContains": aValue, "minContains": aValue,
	"maxProperties": aValue, "minProperties": aValue, "required": aValue, "dependentRequired": aValue,
	"contentEncoding": aValue, "contentMediaType": aValue, "contentSchema": aSchema,
	"title": aValue, "description": aValue, "default": aValue, "deprecated": aValue, "readOnly": aValue, "writeOnly": aValue, "examples": aValue,
	"definitions": byName, // where drafts before had what is under $defs; a $ref finds it there
	"personal":    aValue, "contact": aValue, "title_en": aValue, "description_en": aValue,
}

// formats are those that a form is held to. Of any other, a checker of JSON Schema takes
// whatever is filled in.
var formats = []string{
	"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "iri", "iri-reference", "json-pointer", "period", "regex",
	"relative-json-pointer", "semver", "time", "uri", "uri-reference", "uri-template", "uuid",
}

// contacts are the addresses that a field may be.
var contacts = []string{"email", "phone"}

// misspelt holds that each word of a form means something: JSON Schema lets any other be,
// and whoever wrote "requierd" believes that something is required.
func (c *inspection) misspelt() {
	form := valueOf(c.root, "form")
	c.misspeltIn(form)
	seen := map[string]bool{}
	fields, _ := entries(valueOf(form, "properties"))
	for _, field := range fields {
		said := valueOf(field.Value, "contact")
		if said == nil {
			continue
		}
		kind := said.GetToken().Value
		switch {
		case !slices.Contains(contacts, kind):
			c.find(FindingForm, said, "the form: contact is one of %s, and not %q%s", domain.Listed(contacts), kind, meant(kind, contacts))
		case seen[kind]:
			c.find(FindingForm, said, "the form: another field is the applicant's %s already, and only the one whose name comes first is written to", kind)
		}
		seen[kind] = true
	}
}

// misspeltIn looks at a schema and those inside it.
func (c *inspection) misspeltIn(schema ast.Node) {
	known := slices.Sorted(maps.Keys(keywords))
	pairs, _ := entries(schema)
	for _, v := range pairs {
		key := v.Key.GetToken().Value
		under, ok := keywords[key]
		switch {
		case strings.HasPrefix(key, "x-"):
		case !ok:
			c.findAt(FindingForm, v.Key.GetToken(), nil, "the form: %q is no keyword of JSON Schema 2020-12, and nothing is held by it%s; a field stands under properties, and a note of your own begins with x-", key, meant(key, known))
		case under == aSchema:
			c.misspeltIn(v.Value)
		case under == schemas:
			for _, s := range values(v.Value) {
				c.misspeltIn(s)
			}
		case under == byName:
			named, _ := entries(v.Value)
			for _, s := range named {
				c.misspeltIn(s.Value)
			}
		default:
			c.misvalued(key, v.Value)
		}
	}
}

// misvalued looks at what stands under keywords that take any text.
func (c *inspection) misvalued(key string, n ast.Node) {
	text, isText := n.(*ast.StringNode)
	_, isBool := n.(*ast.BoolNode)
	switch {
	case key == "format" && isText && !slices.Contains(formats, text.Value):
		c.find(FindingForm, n, "the form: nothing is held by format %q: write a pattern, or one of %s%s", text.Value, domain.Listed(formats), meant(text.Value, formats))
	case key == "personal" && !isBool:
		c.find(FindingForm, n, "the form: personal is true or false, and not %s: so the field is personal", describe(n))
	}
}
