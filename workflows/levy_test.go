package workflows

import (
	_ "embed"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/levy.yaml
var levySource string

// lawful is a legal term of the permit, and the way to have its end looked at again.
func lawful(term string) []string {
	return []string{
		action("reopen"), "transitions: {action: reopen, from: [issued], to: submitted, roles: [boss], kind: reopen, reasons: [bad]}",
		"terms: {id: law, title: {id: Waktu, en: Time}, budget: 10 working days, suspended_in: [paying], expires: {to: issued, ground: deemed_approval}, basis: {id: UU, en: Law}" + term + "}",
	}
}

// earlier is another legal term, which ends the request before the permit's does, and what
// a look at that leads to.
func earlier(again ...string) []string {
	return slices.Concat(lawful(""), []string{
		"terms: {id: first, title: {id: Satu, en: First}, budget: 3 working days, suspended_in: [paying], expires: {to: late, ground: deemed_refusal}, basis: {id: UU, en: Law}}",
		"states: {id: late, kind: end, outcome: rejected, public: rejected, title: {id: Lewat, en: Late}}", action("look"),
	}, again)
}

// sized is a fact that its form has a bound for, below which nobody asks for the fee.
func sized(form, field string) []string {
	return []string{
		"roles: => form: {" + form + "type: object, required: [area], properties: {area: {" + field + "type: number, personal: false, minimum: 100}}, definitions: {n: {type: number}}}\nfacts:\n  - {id: area, type: number, title: {id: Luas, en: Area}, required: true, from: form.area}\nroles:",
		`automatic: true, needs: {fees: [levy]} => automatic: true, when: 'facts.area < 50.0 || history.paid("levy")'`,
	}
}

// What is found of the permit with a fee when it is changed: a rule and words of the
// message, or nothing of that rule. Where a change brings a test, the engine passes it:
// what is found does happen.
func TestFindingsOfALevy(t *testing.T) {
	for name, c := range map[string]struct {
		changes []string
		rule    string
		says    string
		story   string // the last step of it
	}{
		"as it is": {},

		// A legal term goes on where another one's end has led.
		"a second term that grants while the applicant is asked": {
			changes: earlier(
				"states: {id: asking, kind: wait, public: needs_correction, owner: applicant, title: {id: Tanya, en: Asking}, term: {budget: 60 working days, expires: {to: lapsed, ground: lapse}}}",
				"transitions: {action: look, from: [late], to: asking, roles: [boss], kind: reopen, reasons: [bad]}", action("tell"), "transitions: {action: tell, from: [asking], to: looking, roles: [applicant]}",
				"tests: {name: silence, when: [{attach: sketch}, {act: accept}, {pass: 4 working days}, {act: look, reason: bad}, {pass: 20 working days}], then: {state: issued, outcome: approved, reviews: {fire: open}}}",
			),
			rule: FindingExpiry, says: `"asking" waits for them`,
		},
		"a second term that grants what is refused anew": {
			changes: earlier(
				"states: {id: anew, kind: gather, public: in_process, owner: boss, reviews: [fire], join: {again: all}, title: {id: Lagi, en: Anew}, term: {budget: 60 working days, expires: {escalate: [head]}}}",
				"transitions: {action: look, from: [late], to: anew, roles: [boss], kind: reopen, reasons: [bad]}", action("go-on"), action("uphold"),
				"transitions: {action: go-on, from: [anew], to: paying, roles: [boss], needs: {reviews: approved}}", "transitions: {action: uphold, from: [anew], to: refused, roles: [boss], reasons: [bad], needs: {reviews: refused}}",
				"tests: {name: refused, when: [{attach: sketch}, {act: accept}, {pass: 4 working days}, {act: look, reason: bad}, {review: fire, opinion: refused, reason: bad}, {pass: 20 working days}], then: {state: issued, outcome: approved, reviews: {fire: refused}}}",
			),
			rule: FindingReview, says: `reviews of "anew" are refused`, story: "Review \"Fire safety\" is refused.",
		},
		"a term does not go on where its own end has led": {
			changes: append(lawful(""),
				"expires: {to: issued, ground: deemed_approval}, basis => expires: {to: late, ground: deemed_refusal}, basis", "kind: reopen, reasons: [bad] => kind: reopen, reasons: [bad]}\n  - {action: look, from: [late], to: asking, roles: [boss], kind: reopen, reasons: [bad]", "states: {id: late, kind: end, outcome: rejected, public: rejected, title: {id: Lewat, en: Late}}",
				action("look"), action("tell"), "states: {id: asking, kind: work, public: in_process, owner: boss, title: {id: Tanya, en: Asking}}",
				"transitions: {action: tell, from: [asking], to: looking, roles: [boss]}",
			),
			rule: FindingTerm, says: `"asking"`,
		},

		// A form is written in one dialect, whose words are held.
		"a fee that a bound excuses which an old draft lets be passed by": {
			changes: append(sized(`$schema: "http://json-schema.org/draft-07/schema#", `, `$ref: "#/definitions/n", `),
				"tests: {name: small, given: {form: {area: 5}}, when: [{attach: sketch}, {act: accept}, {review: fire, opinion: approved}, {act: sign}], then: {state: issued, outcome: approved, fees: {levy: 1000}}}"),
			rule: FindingUnpaid, says: `"levy"`,
		},
		"a form of an old draft":              {changes: sized(`$schema: "http://json-schema.org/draft-07/schema#", `, ""), rule: FindingForm, says: "draft-07"},
		"a part of a form of an old draft":    {changes: sized("", `$id: "alur:area", $schema: "https://json-schema.org/draft/2019-09/schema", `), rule: FindingForm, says: "2019-09"},
		"a form that says what it is":         {changes: sized(`$schema: "https://json-schema.org/draft/2020-12/schema", `, "")},
		"a fee that a bound excuses":          {changes: sized("", "")},
		"a fee that a bound beside $ref does": {changes: sized("", `$ref: "#/definitions/n", `)},
	} {
		t.Run(name, func(t *testing.T) {
			source := edited(t, levySource, c.changes...)
			d, got := findingsIn(t, source)
			if run := RunTests("w.yaml", []byte(source), d); run.Failed > 0 {
				t.Errorf("the engine does otherwise: %v", run.Problems)
			}
			if c.rule == "" {
				if len(got) > 0 {
					t.Errorf("found %v", got)
				}
				return
			}
			found := slices.IndexFunc(got, func(f Finding) bool { return f.Rule == c.rule && strings.Contains(f.Message, c.says) })
			if found < 0 {
				t.Fatalf("no finding %s of %s, but %v", c.rule, c.says, got)
			}
			if steps := got[found].Story; c.story != "" && (len(steps) == 0 || steps[len(steps)-1] != c.story) {
				t.Errorf("the story does not end with %s: %v", c.story, steps)
			}
		})
	}
}

// findingsIn is a definition with what is found in it, but that it has no service standard.
func findingsIn(t *testing.T, source string) (*Definition, []Finding) {
	t.Helper()
	d, findings, err := Check("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d, slices.DeleteFunc(findings, func(f Finding) bool { return f.Rule == FindingStandard })
}
