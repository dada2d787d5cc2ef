package workflows

import (
	"slices"
	"strings"
	"testing"
)

// Unrecorded is the capacity of imported histories. Whoever has no other can do nothing
// with a request that is submitted now, so nothing that is theirs to do moves one.
func TestNobodyActsAsUnrecorded(t *testing.T) {
	nobody := func(role string) string { return `nobody can act in role "` + role + `"` }
	as := func(role, capacities string) string {
		was := map[string]string{"citizen": "Pemohon, en: Citizen}, capacities: [self]", "desk": "Loket, en: Desk}, capacities: [counter]", "clerk": "Petugas, en: Clerk}, capacities: [officer]", "head": "Kepala, en: Head}, capacities: [officer]"}[role]
		return was + " => " + strings.Split(was, "capacities")[0] + "capacities: [" + capacities + "]"
	}
	till := func(capacity string) []string {
		return []string{"roles: {id: till, title: {id: Kas, en: Till}, capacities: [" + capacity + "]}"}
	}
	needed := func(needs string) string {
		return "needs: {fees: [fee], required_documents: true} => needs: {fees: [fee], required_documents: true, " + needs + "}"
	}
	const (
		stuckSent = `a request can be stuck in "sent"`
		list      = "checklists: {id: list, title: {id: L, en: L}, by: [till], items: [{id: i, title: {id: I, en: I}}]}"
		map1      = "documents: {id: map, title: {id: M, en: M}, formats: [pdf], max_size: 1 KB, required: true, by: [till]}"
	)
	registry := []string{
		"systems: {id: registry, title: {id: R, en: R}, role: till, outcomes: [known]}", action("asked"),
		"states: {id: asking, kind: wait, public: in_process, waits_for: registry, owner: clerk, title: {id: T, en: A}, term: {budget: 2 days, expires: {escalate: [head]}}}",
		"transitions: {action: asked, from: [asking], to: opinions, automatic: true, needs: {answer: known}}",
		"from: [sent], to: opinions, roles: [clerk] => from: [sent], to: asking, roles: [clerk]",
	}
	for name, c := range map[string]struct {
		changes []string
		finds   []string // each in a finding; where there is none, nothing is found
		without string   // no finding says so
	}{
		"a clerk": {
			changes: []string{as("clerk", "unrecorded")},
			finds:   []string{nobody("clerk"), stuckSent, `action "pass" to "opinions" is never possible: nobody can act as clerk`},
		},
		"a head, whose opinion is asked for":         {changes: []string{as("head", "unrecorded")}, finds: []string{nobody("head"), `stuck in "opinions"`}},
		"a clerk who is an officer, too":             {changes: []string{as("clerk", "unrecorded, officer")}},
		"citizens who ask for themselves, too":       {changes: []string{as("citizen", "unrecorded, self")}},
		"a desk that files for somebody, too":        {changes: []string{as("desk", "counter, unrecorded")}},
		"citizens, where a desk files for them":      {changes: []string{as("citizen", "unrecorded")}, finds: []string{nobody("citizen")}, without: "stuck"},
		"citizens and the desk":                      {changes: []string{as("citizen", "unrecorded"), as("desk", "unrecorded")}, finds: []string{nobody("desk"), "no request can be submitted: nobody can act as citizen, desk"}, without: "is never possible"},
		"citizens as machines, and a desk of nobody": {changes: []string{as("citizen", "system"), as("desk", "unrecorded")}, finds: []string{nobody("desk")}, without: "stuck"},
		"citizens who approve, as unrecorded, too": {
			changes: append([]string{as("citizen", "unrecorded, self")}, "to: opinions, roles: [clerk] => to: opinions, roles: [citizen]", "role: head, reasons => role: citizen, reasons", "to: issued, roles: [head] => to: issued, roles: [citizen]", "opinions], to: signing, automatic: true, needs: {reviews: approved} => opinions], to: signing, automatic: true"),
			finds:   []string{"an applicant alone can bring a request"},
		},

		"who records payments":          {changes: append(till("unrecorded"), "payers: [clerk] => payers: [till]"), finds: []string{nobody("till"), stuckSent}},
		"who answers a list":            {changes: append(till("unrecorded"), list, needed("checklists: [list]")), finds: []string{nobody("till"), stuckSent}},
		"who hands in a map":            {changes: append(till("unrecorded"), map1), finds: []string{nobody("till"), stuckSent}},
		"who reports":                   {changes: append(till("unrecorded"), registry...), finds: []string{nobody("till"), `stuck in "asking"`}},
		"a till that records payments":  {changes: append(till("officer"), "payers: [clerk] => payers: [till]")},
		"a till that answers a list":    {changes: append(till("officer"), list, needed("checklists: [list]"))},
		"a till that hands in a map":    {changes: append(till("officer"), map1)},
		"a till that reports":           {changes: append(till("officer"), registry...)},
		"a machine that reports":        {changes: append(till("system"), registry...)},
		"who pays, beside somebody":     {changes: append(till("unrecorded"), "payers: [clerk] => payers: [till, clerk]"), finds: []string{nobody("till")}, without: "stuck"},
		"two gates, of which nobody's ": {changes: append(till("unrecorded"), action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [till]}", "separate: [enter, sign]"), finds: []string{nobody("till")}, without: "one person can take more"},
		"a deed that nobody can refuse": {
			changes: append(till("unrecorded"), "max_size: 1 KB, by: [citizen] => max_size: 1 KB, required: true, by: [citizen], refused_by: [till], reasons: [law]"),
			finds:   []string{nobody("till")}, without: `although document "deed"`,
		},
		"a deed that a till can refuse": {
			changes: append(till("officer"), "max_size: 1 KB, by: [citizen] => max_size: 1 KB, required: true, by: [citizen], refused_by: [till], reasons: [law]"),
			finds:   []string{`although document "deed"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range findingsOf(t, changed(t, c.changes...)) {
				got = append(got, f.Message)
			}
			if len(c.finds) == 0 && len(got) > 0 {
				t.Errorf("found %q", got)
			}
			for _, want := range c.finds {
				if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want) }) {
					t.Errorf("no finding says %q, but %q", want, got)
				}
			}
			if c.without != "" && slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.without) }) {
				t.Errorf("a finding says %q: %q", c.without, got)
			}
		})
	}
}

// A test in a file is refused what the service refuses.
func TestAStepByNobodyIsRefused(t *testing.T) {
	clerk := func(capacities string) string {
		return "Petugas, en: Clerk}, capacities: [officer] => Petugas, en: Clerk}, capacities: [" + capacities + "]"
	}
	played := func(step string) string {
		return "tests: {name: played, " + plainFact + ", when: [{attach: deed}, {pay: fee, by: clerk, as: officer}, " + step + "]"
	}
	for name, c := range map[string]struct{ capacities, test, fails string }{
		"who has nothing else":          {"unrecorded", "tests: {name: x, " + plainFact + ", when: [{act: pass}], then: {state: opinions}}", `refused by rule capacity: role "clerk" may not act in capacity "unrecorded"`},
		"who has nothing else, refused": {"unrecorded", "tests: {name: x, " + plainFact + ", when: [{act: pass, refused: capacity}], then: {state: sent}}", ""},
		"who says so":                   {"officer, unrecorded", played("{act: pass, as: unrecorded}") + ", then: {state: opinions}}", "refused by rule capacity"},
		"who says something else":       {"unrecorded, officer", played("{act: pass, as: officer}") + ", then: {state: opinions}}", ""},
		"who says nothing":              {"unrecorded, officer", played("{act: pass}") + ", then: {state: opinions}}", ""},
		"who submits":                   {"officer", "tests: {name: x, given: {as: unrecorded, " + strings.TrimPrefix(plainFact, "given: {") + ", then: {state: sent}}", "refused by rule capacity"},
	} {
		t.Run(name, func(t *testing.T) {
			source := changed(t, clerk(c.capacities), "Citizen}, capacities: [self] => Citizen}, capacities: [unrecorded, self]", c.test)
			d, err := Read("w.yaml", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			run := RunTests("w.yaml", []byte(source), d)
			if text := run.Problems.Error(); c.fails == "" && run.Failed > 0 || !strings.Contains(text, c.fails) {
				t.Errorf("%d failed: %s, want %q", run.Failed, text, c.fails)
			}
		})
	}
}
