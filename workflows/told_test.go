package workflows_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// What led to a step that nobody took is told, and what the office did in the applicant's
// place.
func TestWhatIsToldOfAStep(t *testing.T) {
	const first = "transitions:\n"
	action := func(id, title string) []string {
		return []string{"actions:\n", "actions:\n  - {id: " + id + ", title: {id: " + title + ", en: " + title + "}}\n"}
	}
	attach := domain.Attach{Document: "sketch", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64)}
	accept := domain.Act{Action: "accept"}
	for name, c := range map[string]struct {
		change []string
		facts  domain.Facts
		steps  []any // a command after the role that gives it
		want   []string
	}{
		"a review": {
			steps: []any{"applicant", attach, "clerk", accept, "fire", domain.GiveReview{Review: "fire", Opinion: domain.OpinionRefused, Reason: "bad"}},
			want:  []string{"fire of Fire office: It is bad"},
		},
		"an approval": {
			steps: []any{"applicant", attach, "clerk", accept, "fire", domain.GiveReview{Review: "fire", Opinion: domain.OpinionApproved}},
		},
		"a fact": {
			change: append(action("rule", "Ketentuan"), first, first+"  - {action: rule, from: [submitted], to: refused, automatic: true, when: facts.big}\n"),
			facts:  domain.Facts{"big": true},
			want:   []string{"rule Ketentuan"},
		},
		"a fact, in words": {
			change: append(action("rule", "Ketentuan"), first, first+"  - {action: rule, from: [submitted], to: refused, automatic: true, when: facts.big, because: {id: terlalu besar, en: too big}}\n"),
			facts:  domain.Facts{"big": true},
			want:   []string{"rule too big"},
		},
		"a review, one step before": {
			change: append(action("rule", "Ketentuan"),
				"{action: failed, from: [looking], to: refused,", "{action: failed, from: [looking], to: noted,",
				"  - {id: signing,", "  - {id: noted, kind: work, public: in_process, owner: head, title: {id: Catat, en: Noted}}\n  - {id: signing,",
				first, first+"  - {action: rule, from: [noted], to: refused, automatic: true}\n"),
			steps: []any{"applicant", attach, "clerk", accept, "fire", domain.GiveReview{Review: "fire", Opinion: domain.OpinionRefused, Reason: "bad"}},
			want:  []string{"fire of Fire office: It is bad", "rule Ketentuan"},
		},
		"corrected by the office": {
			change: append(action("amend", "Ubah"), first, first+"  - {action: amend, from: [submitted], to: submitted, roles: [clerk], kind: correct}\n"),
			facts:  domain.Facts{"big": true},
			steps:  []any{"clerk", domain.Act{Action: "amend", Facts: domain.Facts{"big": false}}},
			want:   []string{"by the office", "big true false"},
		},
		"corrected by themselves": {
			change: append(action("amend", "Ubah"), first, first+"  - {action: amend, from: [submitted], to: submitted, roles: [applicant], kind: correct}\n"),
			facts:  domain.Facts{"big": true},
			steps:  []any{"applicant", domain.Act{Action: "amend", Facts: domain.Facts{"big": false}}},
		},
		"withdrawn by the office": {
			change: append(action("drop", "Tarik"), first, first+"  - {action: drop, from: [submitted], to: refused, roles: [clerk], kind: withdraw}\n"),
			steps:  []any{"clerk", domain.Act{Action: "drop"}},
			want:   []string{"by the office"},
		},
		"withdrawn by themselves": {
			change: append(action("drop", "Tarik"), first, first+"  - {action: drop, from: [submitted], to: refused, roles: [applicant], kind: withdraw}\n"),
			steps:  []any{"applicant", domain.Act{Action: "drop"}},
		},
	} {
		b := newBench(t)
		w := b.publish(t, []byte(signedWith(t, c.change...)))
		answer, err := b.engine.Submit(t.Context(), domain.Submit{Header: newHeader(t, "applicant"), Tenant: "11.71", Service: "permit", Facts: c.facts})
		if err != nil {
			t.Fatal(name, err)
		}
		for i := 0; i < len(c.steps); i += 2 {
			h := newHeader(t, domain.RoleID(c.steps[i].(string)))
			var command domain.Command
			switch x := c.steps[i+1].(type) {
			case domain.Attach:
				x.Header = h
				command = x
			case domain.Act:
				x.Header = h
				command = x
			case domain.GiveReview:
				x.Header = h
				command = x
			}
			if answer, err = b.engine.Act(t.Context(), answer.Request.ID, command); err != nil {
				t.Fatal(name, err)
			}
		}
		told, err := b.engine.Told(t.Context(), answer.Request.ID)
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, one := range told {
			got = append(got, inLines(one)...)
		}
		if d := cmp.Diff(c.want, got); d != "" || len(told) > 1 {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		if len(told) > 0 {
			var some bool
			for _, x := range w.Definition.Transitions {
				some = some || w.MayTell(x.Action, x.To)
			}
			if !some {
				t.Errorf("%s: nothing may be told", name)
			}
		}
	}
}

func inLines(one workflows.Told) []string {
	var lines []string
	if one.Office {
		lines = append(lines, "by the office")
	}
	for _, x := range one.Changed {
		lines = append(lines, strings.TrimSpace(strings.Join([]string{x.Fact.ID, fmt.Sprint(x.Was), fmt.Sprint(x.Now)}, " ")))
	}
	for _, x := range one.Opinions {
		lines = append(lines, string(x.Review.ID)+" of "+x.By.EN+": "+x.Title.EN)
	}
	if one.System != nil {
		lines = append(lines, "answer of "+one.System.Title.EN)
	}
	if !one.Rule.IsZero() {
		lines = append(lines, "rule "+one.Rule.EN)
	}
	return lines
}
