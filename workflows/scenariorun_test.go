package workflows_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
)

const looked = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
form: {type: object, properties: {area: {type: integer, personal: false}}}
facts:
  - {id: area, type: number, title: {id: Luas, en: Area}, required: true, from: form.area * 0.15}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: one, title: {id: Satu, en: One}, capacities: [officer]}
  - {id: two, title: {id: Dua, en: Two}, capacities: [officer]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
reasons:
  - {code: bad, title: {id: Buruk, en: Bad}}
fees:
  - {id: fee, title: {id: Retribusi, en: Retribution}, formula: facts.area * 1000.0, due_in: [looked], basis: {id: Perda, en: By-law}}
reviews:
  - {id: one, title: {id: Satu, en: One}, role: one, reasons: [bad]}
  - {id: two, title: {id: Dua, en: Two}, role: two, reasons: [bad]}
states:
  - {id: looked, kind: start, public: in_process, owner: one, title: {id: A, en: A}}
  - {id: reviews, kind: gather, public: in_process, owner: one, reviews: [one, two], JOIN title: {id: B, en: B}}
  - {id: back, kind: wait, public: needs_correction, owner: applicant, title: {id: C, en: C}}
  - {id: yes, kind: end, outcome: approved, public: approved, title: {id: D, en: D}}
  - {id: no, kind: end, outcome: rejected, public: rejected, title: {id: E, en: E}}
actions:
  - {id: go, title: {id: Maju, en: Go}}
  - {id: ask, title: {id: Minta, en: Ask}}
  - {id: again, title: {id: Lagi, en: Again}}
  - {id: passed, title: {id: Lolos, en: Passed}}
  - {id: failed, title: {id: Gagal, en: Failed}}
transitions:
  - {action: go, from: [looked], to: reviews, roles: [one]}
  - {action: ask, from: [reviews], to: back, roles: [one], reasons: [bad], when: history.times("ask") < 1, because: {id: sekali, en: once}}
  - {action: again, from: [back], to: reviews, roles: [applicant]}
  - {action: passed, from: [reviews], to: yes, automatic: true, needs: {reviews: approved, fees: [fee]}}
  - {action: failed, from: [reviews], to: no, automatic: true, needs: {reviews: refused}}
invariants:
  - {never: history.times("ask") > 1, because: {id: sekali, en: once}}
tests:
`

func scenarios(t *testing.T, join, tests string) (workflows.TestRun, []workflows.Finding) {
	t.Helper()
	source := []byte(strings.Replace(looked, "JOIN ", join, 1) + tests)
	d, findings, err := workflows.Check("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	return workflows.RunTests("w.yaml", source, d), findings
}

// A review that was open when the request left is asked for anew when it is back,
// and what it then comes to counts, whichever are asked for again.
func TestAReviewThatWasLeftOpen(t *testing.T) {
	for _, join := range []string{"", "join: {again: all}, "} {
		run, _ := scenarios(t, join, `
  - name: approved
    given: {form: {area: 36}}
    when: [{act: go}, {pay: fee}, {review: one, opinion: approved}, {act: ask, reason: bad}, {act: again}, {review: two, opinion: approved}`+
			map[bool]string{true: "", false: ", {review: one, opinion: approved}"}[join == ""]+`]
    then: {state: "yes", reviews: {one: approved, two: approved}}
  - name: refused
    given: {form: {area: 36}}
    when: [{act: go}, {act: ask, reason: bad}, {act: again}, {review: one, opinion: refused, reason: bad}]
    then: {state: "no"}
`)
		for _, p := range run.Problems {
			t.Error(join, p.String())
		}
	}
}

// What no test takes is named; a form's whole number is reckoned with as any other,
// and its long fraction is nobody's number.
func TestTransitionsThatNoTestTakes(t *testing.T) {
	run, _ := scenarios(t, "", `
  - name: back
    given: {form: {area: 36}}
    when: [{act: go}, {act: ask, reason: bad}, {act: again}]
    then: {state: reviews, fees: {fee: 5400}}
`)
	for _, p := range run.Problems {
		t.Error(p.String())
	}
	if d := cmp.Diff([]string{"passed from reviews to yes", "failed from reviews to no"}, run.Untaken); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Of two transitions of one action between the same states, the one that was taken is
// covered, and not the other.
func TestOneTransitionIsNotCoveredByAnother(t *testing.T) {
	source := []byte(signedWith(t,
		"  - {action: sign, from: [signing], to: issued,", "  - {action: sign, from: [signing], to: issued, roles: [boss], when: facts.big}\n  - {action: sign, from: [signing], to: issued,",
		"  - {action: failed,", "  - {action: failed, from: [looking], to: refused, automatic: true, when: facts.big, needs: {reviews: refused}}\n  - {action: failed,",
		"required: true, by: [head]", "by: [head]",
	) + `tests:
  - name: small
    when: [{attach: sketch}, {act: accept}, {review: fire, opinion: approved}, {attach: proof}, {pay: levy}, {act: sign}]
    then: {state: issued}
  - name: small, refused
    when: [{attach: sketch}, {act: accept}, {review: fire, opinion: refused, reason: bad}]
    then: {state: refused}
`)
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	run := workflows.RunTests("w.yaml", source, d)
	want := []string{"reject from submitted to refused", "failed from looking to refused when facts.big", "sign from signing to issued when facts.big"}
	if diff := cmp.Diff(want, run.Untaken); diff != "" || run.Failed > 0 {
		t.Errorf("(-want +got)\n%s%v", diff, run.Problems)
	}
}

// Of a transition out of several states each way is to be taken, and so is what a term that
// runs out leads to.
func TestEachWayIsToBeTaken(t *testing.T) {
	source := []byte(signedWith(t,
		"  - {action: reject, from: [submitted],", "  - {action: reject, from: [submitted, signing],",
		"  - {id: looking, kind: gather,", "  - {id: asked, kind: wait, public: needs_correction, owner: applicant, title: {id: T, en: Asked}, term: {budget: 2 days, expires: {to: refused, ground: lapse}}}\n  - {id: looking, kind: gather,",
		"transitions:", "transitions:\n  - {action: ask, from: [submitted], to: asked, roles: [clerk]}\n  - {action: answer, from: [asked], to: submitted, roles: [applicant]}",
		"actions:", "actions:\n  - {id: ask, title: {id: T, en: T}}\n  - {id: answer, title: {id: T, en: T}}",
		"required: true, by: [head]", "by: [head]",
	) + `tests:
  - name: refused at once
    when: [{act: ask}, {act: answer}, {act: reject, reason: bad}]
    then: {state: refused}
  - name: refused late
    when: [{attach: sketch}, {act: accept}, {review: fire, opinion: refused, reason: bad}]
    then: {state: refused}
`)
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	run := workflows.RunTests("w.yaml", source, d)
	want := []string{"paid from paying to signing", "passed from looking to paying", "sign from signing to issued", "reject from signing to refused", "the time that runs out from asked to refused"}
	slices.Sort(want)
	slices.Sort(run.Untaken)
	if diff := cmp.Diff(want, run.Untaken); diff != "" || run.Failed > 0 {
		t.Errorf("(-want +got)\n%s%v", diff, run.Problems)
	}
}

// That a tariff multiplies makes no count of actions vague to the proofs.
func TestATariffMakesNoCountVague(t *testing.T) {
	_, findings := scenarios(t, "", "  - {name: x, given: {form: {area: 1}}, then: {state: looked}}\n")
	if i := slices.IndexFunc(findings, func(f workflows.Finding) bool { return f.Rule == workflows.FindingInvariant }); i >= 0 {
		t.Error(findings[i])
	}
}

// Where a test goes another way is told in its line, with what was expected and what
// was found, and what may have been meant.
func TestWhatATestTellsWhenItFails(t *testing.T) {
	base, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base = bytes.Replace(base, []byte("facts.area > 0.0 && facts.area < 1000.0 ? facts.area * 1000.0 : 0.0"), []byte("7000 / (9 - int(facts.area))"), 1)
	for test, want := range map[string][]string{
		`given: {facts: {area: 2}}, then: {state: asking}`: {
			`state: asking | the request is in state submitted, and the test expects asking; it went by submitted`,
		},
		`given: {facts: {area: 2}}, when: [{attach: sketch}, {pick: submitted}, {check: formal}, {pay: retribution}, {act: forward}], then: {state: granted}`: {
			`state: granted | the request is in state asking, and the test expects granted; it went by submitted, asking`,
		},
		`given: {facts: {area: 2}}, then: {outcome: closed, public: received}`: {
			`outcome: closed | outcome is open, and the test expects closed`,
			`public: received | public is verification, and the test expects received`,
		},
		`given: {facts: {area: 2}}, then: {fees: {retribution: 5, retributon: 5}, reviews: {hygiene: open, hygien: open}, facts: {area: 3, people: 1, aera: 2}}`: {
			`retribution: 5 | fee retribution is Rp 1000, and the test expects Rp 5`,
			`retributon: 5 | there is no fee "retributon"; did you mean "retribution"?`,
			`hygiene: open | review hygiene was not asked for, and the test expects open`,
			`hygien: open | there is no review "hygien"; did you mean "hygiene"?`,
			`area: 3 | fact area is 2, and the test expects 3`,
			`aera: 2 | there is no fact "aera"; did you mean "area"?`,
		},
		`given: {facts: {area: 2}}, when: [{pick: submitted}, {attach: sketch, refused: document}], then: {}`: {
			`attach: sketch | step 2 is carried out, and the test expects that rule document refuses it`,
		},
		`given: {facts: {area: 2}}, when: [{pick: submitted}, {act: forward, refused: unpaid}], then: {}`: {
			`act: forward | step 2 is refused by rule incomplete, and not by rule unpaid as the test expects: the file is not complete: sketch is missing or was refused; hand in what is missing`,
		},
		`given: {facts: {area: 2}}, when: [{act: grant}], then: {}`: {
			`act: grant | step 1 is refused by rule not_from_here: action "grant" is not possible in state "submitted"; possible now: forward (if that is right, the test says so by refused: not_from_here)`,
		},
		`given: {facts: {area: big}}, then: {}`: {
			`facts: {area: big} | the submission is refused by rule facts: fact "area" is not a number; its facts are area, people (if that is right, the test says so by refused: facts)`,
		},
		`given: {facts: {area: 2}, refused: facts}, then: {}`: {
			`facts: {area: 2} | the submission is carried out, and the test expects that rule facts refuses it`,
		},
		`then: {}`: {
			`name: x | the submission is refused by rule facts: fact "area" is missing; its facts are area, people (if that is right, the test says so by refused: facts)`,
		},
		`given: {facts: {area: 2}}, when: [{check: formale}], then: {}`: {
			`check: formale | step 1 answers a checklist "formale" that there is not; did you mean "formal"?`,
		},
		`given: {facts: {area: 2}}, when: [{check: formal/signd}], then: {}`: {
			`check: formal/signd | step 1 answers an item "signd" that checklist formal does not have; did you mean "signed"?`,
		},
		`given: {facts: {area: 9}}, then: {}`: {
			`facts: {area: 9} | the submission is refused by rule condition: workflow stall version 1: fee "retribution", formula (line 24) cannot be judged: it divides by zero; look whether fact area (9) is right and, if not, correct it; otherwise the agency has to mend the condition: 7000 / (9 - int(facts.area)) (if that is right, the test says so by refused: condition)`,
		},
		`given: {facts: {area: 9}, refused: condition}, then: {}`: nil,
	} {
		source := append(slices.Clone(base), "tests:\n  - {name: x, "+test+"}\n"...)
		d, err := workflows.Read("w.yaml", source)
		if err != nil {
			t.Fatal(err)
		}
		run := workflows.RunTests("w.yaml", source, d)
		var got []string
		for i, p := range run.Problems {
			at := strings.Split(string(source), "\n")[p.Line-1][p.Column-1:]
			if i < len(want) {
				if place, _, _ := strings.Cut(want[i], " | "); strings.HasPrefix(at, place) {
					at = place
				}
			}
			got = append(got, at+" | "+strings.TrimPrefix(p.Message, `test "x": `))
		}
		if d := cmp.Diff(want, got); d != "" || run.Failed > 1 {
			t.Errorf("%s: %d failed (-want +got)\n%s", test, run.Failed, d)
		}
	}
}
