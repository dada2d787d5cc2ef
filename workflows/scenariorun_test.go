package workflows_test

import (
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

// That a tariff multiplies makes no count of actions vague to the proofs.
func TestATariffMakesNoCountVague(t *testing.T) {
	_, findings := scenarios(t, "", "  - {name: x, given: {form: {area: 1}}, then: {state: looked}}\n")
	if i := slices.IndexFunc(findings, func(f workflows.Finding) bool { return f.Rule == workflows.FindingInvariant }); i >= 0 {
		t.Error(findings[i])
	}
}
