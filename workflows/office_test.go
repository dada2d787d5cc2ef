package workflows_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
)

// What the office does in the applicant's place, and closing a request, takes a reason;
// giving one up leads to where it is given up.
func TestWhatTheOfficeDoesForTheApplicantTakesAReason(t *testing.T) {
	const ends = `  - {id: refused, kind: end,`
	with := func(transition string) []string {
		return []string{
			ends, "  - {id: withdrawn, kind: end, outcome: withdrawn, public: withdrawn, title: {id: Ditarik, en: Withdrawn}}\n  - {id: lapsed, kind: end, outcome: closed, public: completed, title: {id: Gugur, en: Lapsed}}\n" + ends,
			"actions:\n", "actions:\n  - {id: act, title: {id: Aksi, en: Act}}\n  - {id: drop, title: {id: Tarik, en: Withdraw}}\n  - {id: end, title: {id: Tutup, en: Close}}\n",
			"transitions:\n", "transitions:\n  - " + transition + "\n  - {action: drop, from: [paying], to: withdrawn, roles: [applicant], kind: withdraw}\n  - {action: end, from: [signing], to: lapsed, roles: [head], reasons: [bad]}\n",
		}
	}
	const unsaid = " and does not say why: give it reason codes"
	for transition, want := range map[string]string{
		"{action: act, from: [looking], to: withdrawn, roles: [head], kind: withdraw}":                                            `reason: role "head" gives up what somebody else asks for by action "act"` + unsaid,
		"{action: act, from: [looking], to: withdrawn, roles: [head]}":                                                            `reason: role "head" gives up what somebody else asks for by action "act"` + unsaid,
		"{action: act, from: [looking], to: withdrawn, roles: [head], kind: withdraw, reasons: [bad]}":                            "",
		"{action: act, from: [looking], to: withdrawn, roles: [applicant], kind: withdraw}":                                       "",
		"{action: act, from: [signing], to: issued, roles: [applicant], kind: withdraw}":                                          `public: action "act" gives the request up and leads to "issued", which ends as approved: lead it to an end with outcome withdrawn, or leave kind: withdraw out`,
		"{action: act, from: [signing], to: paying, roles: [applicant], kind: withdraw}":                                          `public: action "act" gives the request up and leads to "paying", which is no end: lead it to an end with outcome withdrawn, or leave kind: withdraw out`,
		"{action: act, from: [looking], to: lapsed, roles: [head]}":                                                               `reason: role "head" closes the request by action "act"` + unsaid,
		"{action: act, from: [looking], to: lapsed, roles: [head], reasons: [bad]}":                                               "",
		"{action: act, from: [looking], to: lapsed, roles: [applicant]}":                                                          "",
		"{action: act, from: [looking], to: lapsed, automatic: true, when: facts.big}":                                            `reason: action "act" follows by itself and leads to "lapsed", and neither a review nor an answer is behind it: say why under because, for whoever is refused or sent back is told`,
		"{action: act, from: [looking], to: lapsed, automatic: true, when: facts.big, because: {id: Terlalu besar, en: Too big}}": "",
		"{action: act, from: [submitted], to: submitted, roles: [clerk], kind: correct}":                                          `reason: role "clerk" corrects what whoever asks has said by action "act"` + unsaid,
		"{action: act, from: [submitted], to: submitted, roles: [clerk], kind: correct, reasons: [bad]}":                          "",
		"{action: act, from: [submitted], to: submitted, roles: [applicant], kind: correct}":                                      "",
	} {
		_, findings, err := workflows.Check("w.yaml", []byte(signedWith(t, with(transition)...)))
		if err != nil {
			t.Fatal(transition, err)
		}
		findings = slices.DeleteFunc(findings, func(f workflows.Finding) bool {
			return f.Rule != workflows.FindingReason && f.Rule != workflows.FindingPublic
		})
		got := ""
		for _, f := range findings {
			got += f.Rule + ": " + f.Message
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", transition, d)
		}
	}
}
