package workflows

import (
	"slices"
	"strings"
	"testing"
)

// limited is a permit that asks of what is larger than a limit a levy, unless that was
// waived, by conditions of that name.
func limited(t *testing.T, changes ...string) string {
	t.Helper()
	const over = `facts.area > facts.limit && !history.did("waive")`
	return changed(t, append([]string{
		action("large"), action("small"), action("issue"), action("waive"), action("levied"),
		"facts: {id: area, type: number, title: {id: A, en: Area}, required: true}",
		"facts: {id: limit, type: number, title: {id: L, en: Limit}, required: true}",
		"states: {id: big, kind: work, public: in_process, owner: head, title: {id: B, en: Big}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}}",
		"transitions: {action: waive, from: [signing], to: sent, roles: [head]}",
		"transitions: {action: levied, from: [big], to: signing, roles: [head]}",
		"transitions: {action: issue, from: [big], to: issued, roles: [head], when: '!(" + over + ")'}",
		"transitions: {action: large, from: [sent], to: big, roles: [clerk], when: '" + over + "'}",
		"transitions: {action: small, from: [sent], to: signing, roles: [clerk], when: '!(" + over + ")'}",
	}, changes...)...)
}

// What a condition supposes of facts holds until these change, also where it asks what was
// done before: no request that is large is small in the next step.
func TestWhatIsSupposedOfFactsLasts(t *testing.T) {
	dead := func(got []Finding, action string) bool {
		return slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == FindingDead && strings.Contains(f.Message, `"`+action+`"`) })
	}
	const area = `facts.area > facts.limit`
	by := func(other string) []string { // in each condition
		return slices.Repeat([]string{area + " => " + other}, 3)
	}
	for name, c := range map[string]struct {
		changes []string
		alive   bool // issue is
	}{
		"nothing between":       {},
		"written otherwise":     {changes: []string{`!(` + area + ` && !history.did("waive"))` + "'}" + " => " + `facts.limit >= facts.area || history.did("waive")` + "'}"}},
		"corrected":             {changes: []string{action("anew"), "transitions: {action: anew, from: [big], to: big, roles: [citizen], kind: correct}"}, alive: true},
		"waived":                {changes: []string{"action: waive, from: [signing], to: sent => action: waive, from: [big], to: big"}, alive: true},
		"waived behind":         {changes: []string{"action: waive, from: [signing], to: sent => action: waive, from: [signing], to: big"}, alive: true},
		"asked elsewhere":       {changes: []string{"levied, from: [big], to: signing, roles: [head] => levied, from: [big], to: signing, roles: [head], when: " + area}},
		"with what is recorded": {changes: append(by(`facts.limit < facts.area && facts.seen`), "facts: {id: seen, type: boolean, title: {id: S, en: S}, recorded: true, default: true}"), alive: true},
		"a guarded quotient":    {changes: by(`facts.limit > 0.0 && facts.area / facts.limit > 1.0`)},
		"a quotient":            {changes: by(`facts.area / facts.limit > 1.0`)},
		"by facts and counts":   {changes: by(`facts.area > double(history.times("small"))`), alive: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, limited(t, c.changes...))
			if slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == FindingGaveUp }) {
				t.Fatal(got)
			}
			if dead(got, "issue") == c.alive {
				t.Errorf("issue is to be possible: %v; %v", c.alive, got)
			}
			for _, a := range []string{"large", "small"} {
				if dead(got, a) {
					t.Errorf("%s is dead; %v", a, got)
				}
			}
		})
	}
	// What the story says is so: it is waived before it is issued, and no fact changes.
	got := findingsOf(t, limited(t, "action: waive, from: [signing], to: sent => action: waive, from: [big], to: big",
		`invariants: {never: 'outcome == "approved" && history.did("large") && !history.did("levied")', because: {id: P, en: P}}`))
	i := slices.IndexFunc(got, func(f Finding) bool { return f.Rule == FindingInvariant })
	if i < 0 {
		t.Fatal(got)
	}
	all := strings.Join(got[i].Story, "\n")
	if !strings.Contains(all, `takes "waive"`) || strings.Count(all, "supposing") != 1 || !strings.HasPrefix(all, `A request is submitted (supposing that "facts.area > facts.limit" holds).`) {
		t.Errorf("the story is not so:\n%s", all)
	}
}
