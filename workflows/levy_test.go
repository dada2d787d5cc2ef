package workflows

import (
	_ "embed"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/levy.yaml
var levySource string

// anew has the opinions asked for anew whenever a request comes there again.
const anew = "reviews: [fire], title => reviews: [fire], join: {again: all}, title"

// lawful is a legal term of the permit, and the way to have its end looked at again.
func lawful() []string {
	return []string{
		action("reopen"), "transitions: {action: reopen, from: [issued], to: submitted, roles: [boss], kind: reopen, reasons: [bad]}", anew,
		"terms: {id: law, title: {id: Waktu, en: Time}, budget: 10 working days, suspended_in: [paying], expires: {to: issued, ground: deemed_approval}, basis: {id: UU, en: Law}}",
	}
}

// earlier is another legal term, which ends the request before the permit's does, and what
// a look at that leads to.
func earlier(again ...string) []string {
	return slices.Concat(lawful(), []string{
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

// own are the terms of states.
const (
	ownOfSubmitted = "title: {id: Masuk, en: Submitted}, term: {budget: 1 working days, expires: {escalate: [boss]}}"
	ownOfPaying    = "owner: applicant, title: {id: Bayar, en: Payment}, term: {budget: 5 working days, expires: {to: lapsed, ground: lapse}}"
	ownOfSigning   = "title: {id: Tanda tangan, en: Signing}, term: {budget: 1 working days, expires: {escalate: [boss]}}"
)

// grants is a state's term that approves by running out.
func grants(own string) []string {
	head, _, _ := strings.Cut(own, "term: ")
	return []string{
		own + " => " + strings.Replace(head, "owner: applicant", "owner: clerk", 1) + "term: {budget: 5 working days, expires: {to: issued, ground: deemed_approval, basis: {id: Aturan sendiri, en: Our own rule}}}",
		action("reopen"), "transitions: {action: reopen, from: [issued], to: submitted, roles: [boss], kind: reopen, reasons: [bad]}", anew,
	}
}

// returned is a return of a request whose clock runs, and what brings it back.
func returned(again string) []string {
	return []string{
		action("return"), action("again"), "states: {id: back, kind: wait, public: needs_correction, owner: applicant, title: {id: Kembali, en: Back}, term: {budget: 5 working days, expires: {to: lapsed, ground: lapse}}}",
		"transitions: {action: return, kind: return, from: [looking], to: back, roles: [clerk], reasons: [bad]}", "transitions: {action: again, from: [back], to: looking, roles: [applicant]" + again + "}",
		"suspended_in: [paying] => suspended_in: [paying, back]", "in: [submitted]} => in: [submitted, back]}",
	}
}

// tall is what only some requests have to bring.
var tall = []string{
	"roles: => facts:\n  - {id: tall, type: boolean, title: {id: Tinggi, en: Tall}, default: false}\nroles:",
	"documents: {id: calculation, title: {id: Hitungan, en: Calculation}, formats: [pdf], max_size: 1 MB, required_when: facts.tall, by: [applicant], in: [submitted, back]}",
	"roles: [head], not_by: [accept] => roles: [head], not_by: [accept], needs: {required_documents: true}",
}

// solo is a permit that a clerk accepts and signs.
var solo = []string{
	tall[0], "  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}\n => ", "kind: work, public: in_process, owner: head => kind: work, public: in_process, owner: clerk",
	"kind: complete, not_by: [sign], => kind: complete,", "roles: [head], not_by: [accept] => roles: [clerk]", "separate: [[accept, sign]] => ",
}

// another is an opinion of the clerk's own.
const another = "reviews: {id: other, title: {id: Lain, en: Other}, role: clerk, when: facts.tall, reasons: [bad], term: {budget: 2 working days, expires: {escalate: [boss]}}}"

// other is one more opinion.
const other = "reviews: {id: other, title: {id: Lain, en: Other}, role: boss, reasons: [bad], term: {budget: 2 working days, expires: {escalate: [head]}}}"

// stopping is who may order the terms to stand still.
func stopping(ground, role string) string {
	return "suspensions: {ground: " + ground + ", roles: [" + role + "], reasons: [bad], basis: {id: x, en: x}}"
}

// refusable is a document that an officer may refuse, in some states or wherever.
func refusable(in string) string {
	return "by: [applicant], in => by: [applicant], refused_by: [clerk], reasons: [bad]" + in + ", in"
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
			rule: FindingReview, says: `reviews of "anew" are refused`, story: `The term runs out (deemed approval). It is at "Issued".`,
		},
		"a term does not go on where its own end has led": {
			changes: append(lawful(),
				"expires: {to: issued, ground: deemed_approval}, basis => expires: {to: late, ground: deemed_refusal}, basis", "kind: reopen, reasons: [bad] => kind: reopen, reasons: [bad]}\n  - {action: look, from: [late], to: asking, roles: [boss], kind: reopen, reasons: [bad]", "states: {id: late, kind: end, outcome: rejected, public: rejected, title: {id: Lewat, en: Late}}",
				action("look"), action("tell"), "states: {id: asking, kind: work, public: in_process, owner: boss, title: {id: Tanya, en: Asking}}",
				"transitions: {action: tell, from: [asking], to: looking, roles: [boss]}",
			),
			rule: FindingTerm, says: `"asking"`,
		},

		// Silence stands in for what the agency did not do, and for nothing else.
		"an own term that grants what is not paid": {
			changes: append(grants(ownOfPaying), "  - {id: lapsed, kind: end, outcome: closed, public: completed, title: {id: Gugur, en: Lapsed}}\n => ", "tests: {name: unpaid, when: [{attach: sketch}, {act: accept}, {review: fire, opinion: approved}, {pass: 7 working days}], then: {state: issued, outcome: approved, fees: {levy: 1000}}}"),
			rule:    FindingUnpaid, says: `the term of state "paying" can approve a request by silence while fee "levy" is owed`, story: `The term runs out (deemed approval). It is at "Issued".`,
		},
		"an own term that grants what nobody handed in": {
			changes: append(grants(ownOfSubmitted), "tests: {name: incomplete, when: [{pass: 7 working days}], then: {state: issued, outcome: approved}}"),
			rule:    FindingDocuments, says: `the term of state "submitted" can approve a request by silence although documents are missing or were refused (sketch)`,
		},
		"an own term that grants what nobody declared complete": {changes: append(grants(ownOfSubmitted), "tests: {name: incomplete, when: [{attach: sketch}, {pass: 7 working days}], then: {state: issued, outcome: approved}}"), rule: FindingDeemed, says: "before anybody declared the file complete"},
		"an own term that grants what is complete and paid":     {changes: grants(ownOfSigning)},
		"an own term that grants what is refused there":         {changes: append(grants(ownOfSigning), refusable("")), rule: FindingDocuments, says: `"signing"`},
		"an own term that grants what is refused elsewhere":     {changes: append(grants(ownOfSigning), refusable(", refused_in: [submitted]"))},
		"a review's term that grants what nobody declared complete": {
			changes: append(grants(ownOfSigning), "kind: complete, => ", "reasons: [bad], term: {budget: 2 working days, expires: {escalate: [boss]}} => reasons: [bad], term: {budget: 2 working days, expires: {to: issued, ground: deemed_approval, basis: {id: Aturan sendiri, en: Our own rule}}}"),
			rule:    FindingDeemed, says: `the term of review "fire"`,
		},
		"a term of law that grants what is complete": {changes: lawful()},
		"a term of law that grants what is not complete": {
			changes: append(lawful(), "needs: {required_documents: true} => reasons: [bad]", "roles: [head], not_by: [accept] => roles: [head], not_by: [accept], needs: {required_documents: true}",
				"tests: {name: incomplete, when: [{act: accept, reason: bad}, {pass: 20 working days}], then: {state: issued, outcome: approved}}"),
			rule: FindingDocuments, says: `term "law" can approve a request by silence although documents are missing`, story: `The term runs out (deemed approval). It is at "Issued".`,
		},
		"a term of law that runs while a fee is owed":                                           {changes: append(lawful(), "suspended_in: [paying], => "), rule: FindingUnpaid, says: `term "law"`},
		"a term of law that goes on although a document was refused since, and nothing decided": {changes: append(lawful(), refusable(""), "action: reject, from: [submitted] => action: reject, from: [submitted, signing, looking]", "roles: [head], not_by: [accept] => roles: [head], not_by: [accept], needs: {required_documents: true}")},
		"a term of law that goes on with what was sent back":                                    {changes: slices.Concat(lawful(), returned(""), []string{refusable(""), "roles: [head], not_by: [accept] => roles: [head], not_by: [accept], needs: {required_documents: true}"}), rule: FindingDocuments, says: "(sketch)"},
		"a term of law that goes on with what came back complete":                               {changes: slices.Concat(lawful(), returned(", needs: {required_documents: true}"), []string{refusable(""), "action: reject, from: [submitted] => action: reject, from: [submitted, signing, looking]", "roles: [head], not_by: [accept] => roles: [head], not_by: [accept], needs: {required_documents: true}"})},
		"a term of law that goes on with another request than was complete":                     {changes: slices.Concat(lawful(), returned(", kind: correct"), tall), rule: FindingDocuments, says: "(calculation)"},
		"a term of law that goes on with another request, which is complete": {
			changes: slices.Concat(lawful(), returned(", kind: correct, needs: {required_documents: true}"), tall, []string{
				"tests: {name: asked for by what it is corrected to, when: [{attach: sketch}, {act: accept}, {act: return, reason: bad}, {act: again, facts: {tall: true}, refused: incomplete}, {attach: calculation}, {act: again, facts: {tall: true}}], then: {state: looking}}",
			}),
		},
		"a term of law that grants without what officers hand in": {
			changes: append(lawful(), "documents: {id: draft, title: {id: Naskah, en: Draft}, formats: [pdf], max_size: 1 MB, required: true, by: [head], in: [signing]}",
				"needs: {required_documents: true} => needs: {documents: [sketch]}", "roles: [head], not_by: [accept] => roles: [head], not_by: [accept], needs: {required_documents: true}"),
		},

		// Nobody approves alone, whatever opinions the facts call for.
		"a clerk alone, where no opinion is called for": {
			changes: append(solo, "role: fire, reasons => role: fire, when: facts.tall, reasons",
				"tests: {name: one role, when: [{attach: sketch}, {act: accept, person: ani}, {pay: levy}, {act: sign, person: ani}], then: {state: issued}}"),
			rule: FindingAlone, says: `role "clerk" alone can bring a request (such as with tall false)`,
		},
		"a clerk and an opinion that is always called for": {changes: append(solo, "role: fire, reasons => role: fire, when: facts.tall || !facts.tall, reasons")},
		"a clerk alone, where one opinion of two is enough and is theirs": {
			changes: append(solo, another, "reviews: [fire], title => reviews: [fire, other], join: {need: 1}, title", "when: facts.tall, reasons => reasons"),
			rule:    FindingAlone, says: `role "clerk"`,
		},
		"a clerk alone, where two opinions are asked for, and theirs alone is called for": {
			changes: append(solo, another, "reviews: [fire], title => reviews: [fire, other], join: {need: 2}, title", "role: clerk, when: facts.tall, reasons => role: clerk, reasons", "role: fire, reasons => role: fire, when: facts.tall, reasons"),
			rule:    FindingAlone, says: `tall false`,
		},

		// Opinions are on the documents that were there.
		"a document that is exchanged after the opinions": {
			changes: []string{"in: [submitted]} => in: [submitted, paying]}", "tests: {name: another plan, when: [{attach: sketch}, {act: accept}, {review: fire, opinion: approved}, {attach: sketch}, {pay: levy}, {act: sign}], then: {state: issued}}"},
			rule:    FindingReview, says: `reviews of "looking" that were given before a required document was handed in`,
		},
		"a document that is exchanged while opinions are given": {changes: []string{"in: [submitted]} => in: [submitted, looking]}", "automatic: true, needs: {reviews: approved} => roles: [clerk], needs: {reviews: approved}"}, rule: FindingReview, says: `handed in`},
		"a document that does not concern the opinions":         {changes: []string{", in: [submitted]} => }", "reviews: [fire], title => reviews: [fire], join: {again: refused}, title"}},
		"a document that nobody has to bring":                   {changes: []string{", in: [submitted]} => }", "required: true, by => by"}},
		"a document that officers hand in after the opinions":   {changes: []string{"required: true, by: [applicant], in: [submitted] => required: true, by: [clerk], in: [submitted, paying]"}},
		"a document that is exchanged, and opinions anew": {
			changes: []string{"in: [submitted]} => in: [submitted, paying]}", anew, action("look"), "transitions: {action: look, from: [paying], to: looking, roles: [clerk]}", "to: signing, automatic: true, needs: {fees: [levy]} => to: signing, automatic: true, needs: {fees: [levy]}, when: '!history.did(\"look\")'"},
			rule:    FindingReview, says: "handed in",
		},
		"a document that is exchanged where the opinions are asked anew behind": {
			changes: []string{
				"in: [submitted]} => in: [submitted, changing]}", anew, action("change"), action("changed"), "states: {id: changing, kind: work, public: in_process, owner: clerk, title: {id: Ganti, en: Changing}, " + "term: {budget: 1 working days, expires: {escalate: [boss]}}}",
				"transitions: {action: change, from: [signing], to: changing, roles: [head]}", "transitions: {action: changed, from: [changing], to: looking, roles: [clerk]}",
			},
		},

		// What is said happens, or is found.
		"an escalation beside a move":            {changes: []string{"expires: {to: lapsed, ground: lapse} => expires: {to: lapsed, ground: lapse, escalate: [boss]}"}, rule: FindingExpiry, says: `state paying: when it runs out the request moves to "lapsed" at once`},
		"the ombudsman beside a move of the law": {changes: append(lawful(), "ground: deemed_approval}, basis: {id: UU => ground: deemed_approval, ombudsman: true}, basis: {id: UU"), rule: FindingExpiry, says: "term law"},
		"two rules of who may order a stop on one ground": {
			changes: []string{
				stopping("force_majeure", "boss"), "suspensions: {ground: force_majeure, roles: [fire], reasons: [bad], basis: {id: y, en: y}}",
				"tests: {name: the first is meant, when: [{suspend: force_majeure, by: boss, reason: bad, refused: role}], then: {state: submitted}}",
			},
			rule: FindingUnused, says: "a second rule says who may order a stop on ground force_majeure",
		},
		"rules of who may order stops on two grounds":          {changes: []string{stopping("force_majeure", "boss"), "suspensions: {ground: other_agency, roles: [fire], reasons: [bad], basis: {id: y, en: y}}"}},
		"a stop where no term stops":                           {changes: []string{"suspensions: {ground: other_agency, in: [paying], basis: {id: x, en: x}}"}, rule: FindingUnused, says: `"paying", and none does`},
		"a stop where work is done":                            {changes: []string{"suspensions: {ground: other_agency, in: [signing], basis: {id: x, en: x}}"}, rule: FindingUnused, says: `"signing", and none does`},
		"a stop where a term stops":                            {changes: append(lawful(), "suspensions: {ground: applicant, in: [paying], basis: {id: x, en: x}}")},
		"a stop where no term has started":                     {changes: append(lawful(), "budget: 10 working days, suspended_in => budget: 10 working days, starts: [paid], suspended_in", "action: reopen, from: [issued], to: submitted => action: reopen, from: [issued], to: signing", "suspensions: {ground: applicant, in: [paying], basis: {id: x, en: x}}"), rule: FindingUnused, says: "has started"},
		"two rules of a stop in one state":                     {changes: append(lawful(), "suspensions: {ground: applicant, in: [paying], basis: {id: x, en: x}}", "suspensions: {ground: other_agency, in: [paying], basis: {id: y, en: y}}"), rule: FindingUnused, says: `stand still in "paying": the first one is meant`},
		"a document that is handed in in an end":               {changes: []string{"documents: {id: extra, title: {id: Lain, en: Other}, formats: [pdf], max_size: 1 MB, by: [applicant], in: [issued]}"}, rule: FindingUnused, says: `document "extra" is handed in in "issued"`},
		"a document that is refused in an end":                 {changes: []string{refusable(", refused_in: [issued]")}, rule: FindingUnused, says: `document "sketch" is refused in "issued"`},
		"a refusal that follows by itself and says nothing":    {changes: []string{action("on"), "transitions: {action: on, from: [paying], to: refused, automatic: true, when: '!history.did(\"accept\")'}"}, rule: FindingReason, says: `action "on" follows by itself and leads to "refused"`},
		"a return that follows by itself and says nothing":     {changes: []string{action("on"), "states: {id: back, kind: wait, public: needs_correction, owner: applicant, title: {id: K, en: K}, term: {budget: 1 working days, expires: {to: lapsed, ground: lapse}}}", action("again"), "transitions: {action: again, from: [back], to: submitted, roles: [applicant]}", "transitions: {action: on, from: [submitted], to: back, automatic: true, when: 'history.did(\"accept\")'}"}, rule: FindingReason, says: `leads to "back"`},
		"a refusal that follows by itself and says why":        {changes: []string{action("note"), "transitions: {action: note, from: [submitted], to: submitted, roles: [clerk]}", action("on"), "transitions: {action: on, from: [paying], to: refused, automatic: true, when: 'history.did(\"note\")', because: {id: T, en: T}}"}},
		"a refusal that follows what is needed, and says why":  {changes: []string{action("on"), "checklists: {id: bad, title: {id: L, en: L}, by: [clerk], in: [paying], items: [{id: i, title: {id: I, en: I}}]}", "transitions: {action: on, from: [paying], to: refused, automatic: true, needs: {checklists: [bad]}, because: {id: T, en: T}}"}},
		"a refusal that follows what is needed, and says none": {changes: []string{action("on"), "checklists: {id: bad, title: {id: L, en: L}, by: [clerk], in: [paying], items: [{id: i, title: {id: I, en: I}}]}", "transitions: {action: on, from: [paying], to: refused, automatic: true, needs: {checklists: [bad]}}"}, rule: FindingReason, says: "say why under because"},
		"any review is enough, and another refuses later":      {changes: []string{other, "reviews: [fire], title => reviews: [fire, other], join: {need: any}, title"}, rule: FindingReview, says: `against a review of "looking": a refusal counts also when it comes after the 1 that are enough: wait for all (join need: all), or say join outvote: true`},
		"any review is enough whatever another says":           {changes: []string{other, "reviews: [fire], title => reviews: [fire, other], join: {need: any, outvote: true}, title"}},
		"an owner who can do nothing":                          {changes: []string{"owner: head, title: {id: Tanda tangan => owner: fire, title: {id: Tanda tangan"}, rule: FindingIdle, says: `"signing" is the work of role "fire"`},
		"an owner of what goes on by what was done": {
			changes: []string{"owner: head, title: {id: Tanda tangan => owner: fire, title: {id: Tanda tangan", action("note"), "transitions: {action: note, from: [submitted], to: submitted, roles: [clerk]}", action("on"), "transitions: {action: on, from: [signing], to: refused, automatic: true, when: 'history.did(\"note\")', because: {id: T, en: T}}"},
		},
		"an owner of what waits for somebody else": {
			changes: []string{"owner: head, title: {id: Tanda tangan => owner: fire, title: {id: Tanda tangan", action("on"), "transitions: {action: on, from: [signing], to: looking, automatic: true, when: '!history.paid(\"levy\")'}"}, rule: FindingIdle, says: `role "fire"`,
		},
		"an owner who answers what leads on by itself": {
			changes: []string{
				"owner: head, title: {id: Tanda tangan => owner: fire, title: {id: Tanda tangan", "checklists: {id: seen, title: {id: L, en: L}, by: [fire], in: [signing], items: [{id: i, title: {id: I, en: I}}]}",
				action("back"), "transitions: {action: back, from: [signing], to: refused, automatic: true, needs: {checklists: [seen]}, because: {id: T, en: T}}",
			},
		},
		"an escalation to whoever is late":      {changes: []string{"owner: head, title: {id: Tanda tangan, en: Signing}, term: {budget: 1 working days, expires: {escalate: [boss]}} => owner: head, title: {id: Tanda tangan, en: Signing}, term: {budget: 1 working days, expires: {escalate: [head]}}"}, rule: FindingExpiry, says: "nobody is told but head"},
		"a return to a colleague":               {changes: []string{action("return"), "transitions: {action: return, from: [signing], to: submitted, roles: [head], kind: return, reasons: [bad]}"}, rule: FindingReturn, says: `leads to "submitted", where it is not the applicant`},
		"an applicant who declares it complete": {changes: []string{"to: looking, roles: [clerk], kind: complete => to: looking, roles: [applicant], kind: complete"}, rule: FindingCapacity, says: `who declares the file complete by "accept" is role "applicant"`},

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
