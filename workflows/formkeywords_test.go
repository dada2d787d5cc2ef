package workflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// aroundForm is a definition, and its form comes next, from line 17 on.
const aroundForm = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [clerk]
states:
  - {id: a, kind: start, public: verification, owner: clerk, title: {id: A, en: A}}
  - {id: b, kind: end, outcome: approved, public: approved, title: {id: B, en: B}}
actions:
  - {id: go, title: {id: Maju, en: Go}}
transitions:
  - {action: go, from: [a], to: b, roles: [clerk]}
form:
`

// formFindings is what check finds in a form, each with its line and column.
func formFindings(t *testing.T, form string) []string {
	t.Helper()
	_, findings, err := Check("w.yaml", []byte(aroundForm+form))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, f := range findings {
		if f.Rule == FindingForm {
			told = append(told, fmt.Sprintf("%d:%d: %s", f.Line-16, f.Column, f.Message))
		}
	}
	return told
}

// JSON Schema lets any word be: each that a form is not held by is told where it stands.
func TestMisspeltWordsOfAForm(t *testing.T) {
	told := formFindings(t, `  type: object
  requierd: [area]
  additionalPropertys: false
  x-note: {anything: goes}
  properties:
    requierd: {type: string, enum: [maximun], default: maximun, title_en: Required}
    area: {type: number, exclusiveMinimun: 0, maximun: 10}
    mail: {type: string, fromat: email, contact: e-mail}
    phone: {type: string, patern: x, persnal: false, contact: phone}
    other: {type: string, format: datetime, personal: no, contact: phone}
    many: {type: array, items: {minlength: 1}, prefixItems: [{typ: string}]}
  if: {properties: {area: {minmum: 1}}}
  allOf: [{not: {reqired: [mail]}}]
  $defs: {sized: {const: {maximun: 1}, lengtt: 2}}
  dependencies: {area: [mail]}
`)
	const field = "; a field stands under properties, and a note of your own begins with x-"
	held := func(place, word, meant string) string {
		if meant != "" {
			meant = fmt.Sprintf("; did you mean %q?", meant)
		}
		return fmt.Sprintf("%s: the form: %q is no keyword of JSON Schema 2020-12, and nothing is held by it%s%s", place, word, meant, field)
	}
	if diff := cmp.Diff([]string{
		held("2:3", "requierd", "required"),
		held("3:3", "additionalPropertys", "additionalProperties"),
		held("7:26", "exclusiveMinimun", "exclusiveMinimum"),
		held("7:47", "maximun", "maximum"),
		held("8:26", "fromat", "format"),
		`8:50: the form: contact is one of email, phone, and not "e-mail"; did you mean "email"?`,
		held("9:27", "patern", "pattern"),
		held("9:38", "persnal", "personal"),
		`10:35: the form: nothing is held by format "datetime": write a pattern, or one of ` + strings.Join(formats, ", ") + `; did you mean "date-time"?`,
		`10:55: the form: personal is true or false, and not text: so the field is personal`,
		`10:68: the form: another field is the applicant's phone already, and only the one whose name comes first is written to`,
		held("11:33", "minlength", "minLength"),
		held("11:63", "typ", "type"),
		held("12:28", "minmum", "minimum"),
		held("13:18", "reqired", "required"),
		held("14:40", "lengtt", ""),
		held("15:3", "dependencies", ""),
	}, told); diff != "" {
		t.Errorf("(-want +told)\n%s", diff)
	}
}

// The formats that are known are those that the library holds, and those alone.
func TestFormatsThatAreHeld(t *testing.T) {
	holds := func(format string) bool {
		f := &Form{Schema: map[string]any{"properties": map[string]any{"x": map[string]any{"format": format}}}}
		if err := f.compile(); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{"\x00 (", "%", "://", "{", "2026"} {
			if f.check(map[string]any{"x": wrong}) != nil {
				return true
			}
		}
		return false
	}
	for _, format := range formats {
		if !holds(format) {
			t.Errorf("format %s lets anything be", format)
		}
	}
	for _, format := range []string{"datetime", "idn-email", "idn-hostname", "phone"} {
		if holds(format) {
			t.Errorf("format %s is held, and is not known", format)
		}
	}
}

// Every keyword of the metaschema is known, but those that it only names to forbid nothing.
func TestKeywordsAreThoseOfTheMetaschema(t *testing.T) {
	gone := map[string]bool{"dependencies": true, "$recursiveAnchor": true, "$recursiveRef": true}
	meta := jsonschema.NewCompiler().MustCompile(dialectID)
	n := 0
	for _, s := range append(meta.AllOf, meta) {
		if s.Ref != nil {
			s = s.Ref
		}
		for name := range s.Properties {
			n++
			if _, ok := keywords[name]; !ok && !gone[name] {
				t.Errorf("keyword %q is not known", name)
			}
		}
	}
	if n < 50 {
		text, _ := json.Marshal(keywords)
		t.Errorf("only %d keywords were looked at, of %s", n, text)
	}
}
