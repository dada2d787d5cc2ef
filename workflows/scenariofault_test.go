package workflows_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
)

// A test that cannot fail, or that is refused for a slip of its own, is told as a fault
// of the test, by the runner and where it stands in the file also by check.
func TestTestsThatSayNothing(t *testing.T) {
	change := []string{
		"owner: clerk, title: {id: Masuk", "owner: clerk, allocate: {rule: order, assigner: [boss]}, title: {id: Masuk",
		"owner: head, title: {id: Tanda", "owner: head, allocate: {rule: lottery, assigner: [boss]}, title: {id: Tanda",
		"states:\n", `systems:
  - {id: register, title: {id: Daftar, en: Register}, role: bank, outcomes: [free, full]}
checklists:
  - {id: formal, title: {id: Formal, en: Formal}, by: [clerk], items: [{id: ok, title: {id: Ok, en: Ok}}]}
suspensions:
  - {ground: force_majeure, roles: [boss], reasons: [bad], basis: {id: x, en: x}}
  - {ground: other_agency, roles: [boss], reasons: [bad], basis: {id: x, en: x}}
states:
`,
	}
	const begun = "when: [{pick: submitted}, {attach: sketch}, {act: accept}, "
	for test, want := range map[string]struct {
		told  string // by the runner; "": it passes
		found bool   // by check, too
	}{
		`then: {}`: {"expects nothing: say how the request then stands, or by which rule a step is refused", true},
		`given: {refused: facts, facts: {big: 7}}, then: {}`:                                                {"", false},
		`when: [{act: sign, refused: not_from_here}], then: {}`:                                             {"", false},
		`when: [{pick: signing, by: clerk}], then: {worker: clerk-1}`:                                       {`step 1 picks the work of signing, and the request stands at submitted`, false},
		`when: [{pick: signing, refused: role, by: head}], then: {state: submitted}`:                        {`step 1 picks the work of signing, and the request stands at submitted`, false},
		`when: [{allocate: signing, refused: task}], then: {state: submitted}`:                              {`step 1 gives out the work of signing, and the request stands at submitted`, false},
		`when: [{suspend: force_majeure, reason: bad}, {lift: other_agency}], then: {state: submitted}`:     {`step 2 lifts a suspension on the ground other_agency, and the terms stand still on the ground force_majeure`, false},
		`when: [{suspend: force_majeure, reason: bad}, {lift: force_majeure}], then: {state: submitted}`:    {"", false},
		`when: [{pick: submitted}, {act: reject, reason: baad, refused: reason}], then: {state: submitted}`: {`step 2 gives a reason "baad" that there is not; did you mean "bad"?`, true},
		begun + `{review: fire, opinion: aproved, refused: review}], then: {state: looking}`:                {`step 4 gives an opinion "aproved" that there is not; did you mean "approved"?`, true},
		begun + `{report: register, outcome: fre, refused: answer}], then: {state: looking}`:                {`step 4 reports an outcome "fre" that there is not; did you mean "free"?`, true},
		`when: [{check: formal/okay, refused: checklist}], then: {state: submitted}`:                        {`step 1 answers an item "okay" that checklist formal does not have`, true},
		`given: {facts: {bigg: true}, refused: facts}, then: {}`:                                            {`the submission gives a fact "bigg" that there is not; did you mean "big"?`, true},
	} {
		source := []byte(signedWith(t, change...) + "tests:\n  - {name: x, " + test + "}\n")
		d, findings, err := workflows.Check("w.yaml", source)
		if err != nil {
			t.Fatal(test, err)
		}
		run := workflows.RunTests("w.yaml", source, d)
		told := ""
		for _, p := range run.Problems {
			told += strings.TrimPrefix(p.Message, `test "x": `)
		}
		if diff := cmp.Diff(want.told, told); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test, diff)
		}
		found := ""
		for _, f := range findings {
			if f.Rule == workflows.FindingTest {
				found += strings.TrimPrefix(f.Message, `test "x": `)
			}
		}
		if want.found != (found != "") || found != "" && found != told {
			t.Errorf("%s: check finds %q", test, found)
		}
	}
}
