package workflows_test

import (
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows"
)

const surveyed = `alur: 1
id: stall
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: area, type: number, title: {id: Luas, en: Area}, required: true}
  - {id: found, type: string, values: [unseen, fit, unfit], title: {id: Temuan, en: Found}, recorded: true, default: unseen}
  - {id: measured, type: number, title: {id: Hasil ukur, en: Measured}, recorded: true, default: 0}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [applicant]
states:
  - {id: looking, kind: start, public: verification, owner: clerk, title: {id: A, en: A}}
  - {id: back, kind: wait, public: needs_correction, owner: applicant, title: {id: B, en: B}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: C, en: C}}
actions:
  - {id: survey, title: {id: Survei, en: Survey}}
  - {id: return, title: {id: Kembalikan, en: Return}}
  - {id: correct, title: {id: Perbaiki, en: Correct}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: survey, from: [looking], to: looking, roles: [clerk], records: [found, measured]}
  - {action: return, from: [looking], to: back, roles: [clerk]}
  - {action: correct, kind: correct, from: [back], to: looking, roles: [applicant]}
  - {action: issue, from: [looking], to: issued, roles: [clerk], when: facts.found == "fit" && facts.measured <= facts.area}
`

func TestOfficersRecordWhatTheyFoundOut(t *testing.T) {
	source := []byte(surveyed + `
tests:
  - name: asked for before it is known
    given: {facts: {area: 5}}
    when: [{act: issue, refused: guard}]
    then: {state: looking, facts: {area: 5, found: unseen, measured: 0}}
  - name: not the applicant's to say
    given: {facts: {area: 5, found: fit}, refused: facts}
    then: {}
  - name: recorded, and kept when the application is corrected
    given: {facts: {area: 5}}
    when:
      - {act: survey, refused: facts}
      - {act: survey, facts: {found: fit}, refused: facts}
      - {act: survey, facts: {found: fine, measured: 6}, refused: facts}
      - {act: survey, facts: {found: fit, measured: 6, area: 7}, refused: facts}
      - {act: survey, facts: {found: fit, measured: 6}}
      - {act: issue, refused: guard}
      - {act: return}
      - {act: correct, facts: {area: 6, measured: 1}, refused: facts}
      - {act: correct, facts: {area: 6}}
      - {act: issue}
    then: {state: issued, facts: {area: 6, found: fit, measured: 6}}
  - name: recorded anew
    given: {facts: {area: 5}}
    when:
      - {act: survey, facts: {found: unfit, measured: 4}}
      - {act: survey, facts: {found: fit, measured: 5}}
    then: {state: looking, facts: {found: fit, measured: 5}}
`)
	d, err := workflows.Read("stall.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if run := workflows.RunTests("stall.yaml", source, d); run.Failed > 0 || run.Passed != 4 {
		t.Errorf("%d passed\n%v", run.Passed, run.Problems)
	}
}

// A proof takes what asks for such a fact to come out either way: nothing is proved
// impossible that a survey makes possible.
func TestTheProofsDoNotKnowWhatASurveyFinds(t *testing.T) {
	source := surveyed + `
invariants:
  - {never: outcome == "approved", because: {id: tidak, en: it never is}}
  - {never: outcome == "approved" && facts.found != "fit", because: {id: layak, en: only what is fit}}
`
	_, findings, err := workflows.Check("stall.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for _, f := range findings {
		switch f.Rule {
		case workflows.FindingDead, workflows.FindingStuck:
			t.Errorf("%s: %s", f.Rule, f.Message)
		case workflows.FindingInvariant:
			broken++
		}
	}
	if broken != 2 {
		t.Errorf("%d invariants were found that may be broken, want 2", broken)
	}
}

func TestWhatARecordedFactMustBe(t *testing.T) {
	const found = `recorded: true, default: unseen}`
	for name, x := range map[string]struct{ old, with, want string }{
		"no default":          {found, `recorded: true}`, "say its default"},
		"required":            {found, `required: true, ` + found, "leave required and from out"},
		"any text":            {`values: [unseen, fit, unfit], `, "", "list its values"},
		"a submitted fact":    {`records: [found, measured]`, `records: [area]`, `say recorded: true there`},
		"an unknown fact":     {`records: [found, measured]`, `records: [fount, measured]`, `"found"`},
		"by the applicant":    {`roles: [clerk], records`, `roles: [applicant], records`, "not the applicant's to say"},
		"with a correction":   {`kind: correct, from: [back], to: looking, roles: [applicant]}`, `kind: correct, from: [back], to: looking, roles: [clerk], records: [found]}`, "neither automatic nor a correction"},
		"a fee that rests on": {"states:", "payers: [clerk]\nfees:\n  - {id: fee, title: {id: F, en: F}, formula: facts.measured * 2.0, due_in: [looking], basis: {id: P, en: P}}\nstates:", "only the when of a transition and an invariant"},
		"a table by it":       {"states:", "payers: [clerk]\nfees:\n  - {id: fee, title: {id: F, en: F}, table: {fact: measured, rows: [{amount: 1}]}, due_in: [looking], basis: {id: P, en: P}}\nstates:", "only the when of a transition and an invariant"},
		"a document by it":    {"states:", "documents:\n  - {id: map, title: {id: F, en: F}, formats: [pdf], max_size: 1 MB, by: [applicant], required_when: facts.measured > 1.0}\nstates:", "only the when of a transition and an invariant"},
	} {
		t.Run(name, func(t *testing.T) {
			source := strings.Replace(surveyed, x.old, x.with, 1)
			if _, err := workflows.Read("stall.yaml", []byte(source)); source == surveyed || err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("want %q, got\n%v", x.want, err)
			}
		})
	}
}
