package workflows

import (
	"maps"
	"reflect"

	"github.com/alur-id/alur/domain"
)

// What the reader holds beside the shape of the types, as far as a JSON Schema can
// say it. A schema never refuses what is read: whoever adds a rule here says where
// the reader has it.

type js = map[string]any

// idForm is [validID].
const idForm = "^[a-z0-9][a-z0-9_-]{0,63}$"

// sizeForm is what parseSize reads, up to maxDocument.
const sizeForm = `^\+?0*(([1-9][0-9]{0,4}|10[01][0-9]{3}|102[0-3][0-9]{2}|102400) KB|([1-9][0-9]?|100) MB)$`

// named are the types that are names of something: r.id where it is defined, ref
// where it is used.
var named = []reflect.Type{
	reflect.TypeFor[domain.StateID](), reflect.TypeFor[domain.ActionID](), reflect.TypeFor[domain.RoleID](),
	reflect.TypeFor[domain.ReasonCode](), reflect.TypeFor[domain.DocumentID](), reflect.TypeFor[domain.ChecklistID](),
	reflect.TypeFor[domain.CheckID](), reflect.TypeFor[domain.FeeID](), reflect.TypeFor[domain.ReviewID](),
	reflect.TypeFor[domain.SystemID](), reflect.TypeFor[domain.NoticeID](), reflect.TypeFor[domain.RetentionClass](),
}

var (
	anID     = js{"type": "string", "pattern": idForm}
	aGate    = js{"type": "string", "pattern": "^(review:)?[a-z0-9][a-z0-9_-]{0,63}$"} // gateRefs
	aText    = js{"type": "string", "pattern": `\S`}                                   // yamlReader.text
	aMoment  = js{"type": "string", "pattern": `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01]?[0-9]|2[0-3]):[0-5][0-9]$`}
	verbatim = js{"type": "string", "minLength": 1}
	rupiah   = js{"type": "integer", "minimum": 0, "maximum": maxFee}
)

func among(list ...any) js { return js{"type": "string", "enum": list} }

func arrayOf(item js, more js) js {
	out := js{"type": "array", "items": item, "minItems": 1}
	maps.Copy(out, more)
	return out
}

// fieldRules are fields whose type does not say how they are read.
var fieldRules = map[string]js{
	"Definition.alur":     {"const": Language},
	"Definition.id":       anID,
	"Definition.office":   anID,
	"Definition.separate": arrayOf(arrayOf(aGate, js{"minItems": 2, "uniqueItems": true}), nil),
	"Transition.not_by":   arrayOf(aGate, js{"uniqueItems": true}),
	"Review.not_by":       arrayOf(aGate, js{"uniqueItems": true}),
	"Retention.years":     {"type": "integer", "minimum": 0, "maximum": maxRetention},
	"History.role":        among(anys(RoleAttributes())...),
	"History.started":     anID,
	"History.due":         anID,
	"History.ended":       anID,
	"Fact.id":             anID,
	"Fact.values":         arrayOf(aText, nil),
	"Fact.recorded_as":    verbatim,
	"Role.recorded_as":    verbatim,
	"Action.recorded_as":  verbatim,
	"Document.formats":    arrayOf(anID, nil),
	"Document.max_size":   {"type": "string", "pattern": sizeForm},
	"System.outcomes":     arrayOf(anID, js{"uniqueItems": true}),
	"Fee.amount":          rupiah,
	"FeeRow.amount":       rupiah,
	"FeeTable.fact":       anID,
	"LegalTerm.id":        anID,
	"LegalTerm.due":       anID,
	"Join.need":           {"oneOf": []any{js{"enum": []any{"all", "any"}}, js{"type": "integer", "minimum": 1}}},
	"Join.again":          among("refused", "all"),
	"Allocation.rule":     among(anys(domain.AllocationRules())...),
	"Needs.answer":        anID,
	"Step.opinion":        anID,
	"Step.outcome":        anID,
	"Step.format":         anID,
	"Step.answer":         among("yes", "no"),
	"Expected.outcome":    among("open", "approved", "rejected", "withdrawn", "closed"),
	"Expected.terms":      {"type": "object", "additionalProperties": among(anys(termStandings)...)},
	"Expected.due":        {"type": "object", "additionalProperties": aMoment}, // definitionReader.moment
	"Expected.fees":       {"type": "object", "additionalProperties": js{"type": "integer"}},
}

func has(keys ...string) js { return js{"required": anys(keys)} }

func lacks(keys ...string) js {
	any := []any{}
	for _, k := range keys {
		any = append(any, has(k))
	}
	return js{"not": js{"anyOf": any}}
}

func oneOf(keys ...string) js {
	any := []any{}
	for _, k := range keys {
		any = append(any, has(k))
	}
	return js{"oneOf": any}
}

// is holds when a key is there and has a value.
func is(key string, value any) js {
	return js{"properties": js{key: js{"const": value}}, "required": []any{key}}
}

func when(condition, then js) js { return js{"if": condition, "then": then} }

func all(rules ...js) js {
	list := make([]any, len(rules))
	for i := range rules {
		list[i] = rules[i]
	}
	return js{"allOf": list}
}

// typeRules are what the keys of a type have to do with each other.
var typeRules = map[string]js{
	// definitionReader.oneStart, fits and factFits.
	"Definition": {
		"properties":        js{"states": js{"contains": is("kind", KindStart), "minContains": 1, "maxContains": 1}},
		"dependentRequired": js{"fees": []any{"payers"}},
		"if":                js{"properties": js{"facts": js{"contains": has("from")}}, "required": []any{"facts"}},
		"then":              has("form"),
	},
	// definitionReader.state and stateKind.
	"State": all(
		when(is("kind", KindStart), all(has("owner"), lacks("outcome", "reviews", "join", "only_after", "waits_for"))),
		when(is("kind", KindWork), all(has("owner"), lacks("outcome", "reviews", "join", "only_after", "waits_for"))),
		when(is("kind", KindWait), all(has("owner"), lacks("outcome", "reviews", "join", "only_after", "allocate"))),
		when(is("kind", KindGather), all(has("owner", "reviews"), lacks("outcome", "waits_for"))),
		when(is("kind", KindEnd), all(has("outcome"), lacks("owner", "term", "allocate", "reviews", "join", "only_after", "waits_for"))),
	),
	// definitionReader.transition.
	"Transition": all(
		js{"if": is("automatic", true), "then": lacks("roles", "reasons", "not_by", "kind", "clears"), "else": all(has("roles"), js{"dependentRequired": js{"because": []any{"when"}}})},
		when(is("kind", domain.ActionOverride), lacks("when", "needs")),
		when(has("consent"), is("kind", domain.ActionReturn)),
	),
	// definitionReader.document.
	"Document": all(
		when(is("required", true), lacks("required_when")),
		js{"dependentRequired": js{"refused_by": []any{"reasons"}, "refused_in": []any{"refused_by"}}},
	),
	// definitionReader.fact.
	"Fact": all(
		when(has("values"), is("type", FactString)),
		when(is("recorded", true), all(has("default"), js{"not": has("from")}, js{"not": is("required", true)})), // recordedFact
		when(is("type", FactString), js{"properties": js{"default": js{"type": []any{"string", "null"}}}}),
		when(is("type", FactTime), js{"properties": js{"default": js{"type": []any{"string", "null"}, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T"}}}),
		when(is("type", FactNumber), js{"properties": js{"default": js{"type": []any{"number", "null"}}}}),
		when(is("type", FactBoolean), js{"properties": js{"default": js{"type": []any{"boolean", "null"}}}}),
	),
	"Fee":       oneOf("amount", "table", "formula"), // definitionReader.fee
	"FeeRow":    {"not": has("up_to", "value")},      // definitionReader.checkTable
	"Invariant": oneOf("never", "always", "before"),  // definitionReader.invariant
	// definitionReader.legalTerm.
	"LegalTerm": all(oneOf("budget", "due"), when(has("due"), lacks("promise", "remind_after", "suspended_in", "extension"))),
	// definitionReader.expiry.
	"Expiry": {"anyOf": []any{has("escalate"), is("ombudsman", true), has("to")}, "dependentRequired": js{"to": []any{"ground"}, "ground": []any{"to"}}},
	// definitionReader.suspension.
	"Suspension": all(oneOf("in", "roles"), js{"dependentRequired": js{"roles": []any{"reasons"}, "reasons": []any{"roles"}}}),
	// definitionReader.step.
	"Step": oneOf("act", "attach", "refuse_document", "check", "pay", "review", "report", "pick", "settle", "allocate", "suspend", "lift", "extend", "consent", "pass", "until"),
}

// rule adds what is known of a type to its schema.
func rule(def map[string]any, name string) {
	for key, v := range typeRules[name] {
		if key != "properties" {
			def[key] = v
			continue
		}
		for field, more := range v.(js) {
			maps.Copy(def["properties"].(map[string]any)[field].(map[string]any), more.(js))
		}
	}
}

// formSchema offers the keywords of a form. It forbids none: whatever else stands there is
// read, and found by the check.
func formSchema() js {
	one := js{"$ref": "#/$defs/FormSchema"}
	under := map[holds]js{aValue: {}, aSchema: one, schemas: {"type": "array", "items": one}, byName: {"type": "object", "additionalProperties": one}}
	notes := map[string]string{
		"personal":       "false: it names nobody, so that a fact may copy it.",
		"contact":        "email or phone: where the applicant is written to.",
		"title_en":       "The title in English.",
		"description_en": "The description in English.",
	}
	properties := js{}
	for key, what := range keywords {
		p := maps.Clone(under[what])
		if notes[key] != "" {
			p["description"] = notes[key]
		}
		properties[key] = p
	}
	properties["format"] = js{"examples": anys(formats)}
	return js{"type": []any{"object", "boolean"}, "properties": properties}
}
