package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
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

// What parts come to together is what CEL makes of them, also where some fail. Of some that
// are not known nothing is said but what is so whatever they come to.
func TestPartsComeToWhatTheWholeDoes(t *testing.T) {
	d, err := Read("w.yaml", []byte(plainSource))
	if err != nil {
		t.Fatal(err)
	}
	env, err := d.environment(overFacts)
	if err != nil {
		t.Fatal(err)
	}
	words := map[truth]string{yes: "facts.n == 0.0", no: "facts.n != 0.0", fails: "1.0 / facts.n > 0.0"}
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.SliceOfN(rapid.SampledFrom([]truth{yes, no, fails}), 4, 4).Draw(t, "leaves")
		unknown := rapid.IntRange(-1, 3).Draw(t, "unknown")
		var draw func(depth int) string
		draw = func(depth int) string {
			switch n := rapid.IntRange(0, 3).Draw(t, "joined by"); {
			case depth == 0 || n == 0:
				return fmt.Sprintf("L%d", rapid.IntRange(0, 3).Draw(t, "leaf"))
			case n == 1:
				return "!(" + draw(depth-1) + ")"
			default:
				return "(" + draw(depth-1) + []string{" && ", " || "}[n-2] + draw(depth-1) + ")"
			}
		}
		text := draw(3)
		whole := func(leaves []truth) truth {
			var pairs []string
			for i, is := range leaves {
				pairs = append(pairs, fmt.Sprintf("L%d", i), words[is])
			}
			c := &Condition{Text: strings.NewReplacer(pairs...).Replace(text)}
			if err := c.compile(d, env, overFacts); err != nil {
				t.Fatal(err)
			}
			return vars{facts: domain.Facts{"n": 0.0}}.judge(c)
		}
		// The parts are told apart by a fact each, which is not asked for.
		var pairs []string
		for i := range leaves {
			pairs = append(pairs, fmt.Sprintf("L%d", i), fmt.Sprintf("facts.n == %d.0", i))
		}
		c := &Condition{Text: strings.NewReplacer(pairs...).Replace(text)}
		if err := c.compile(d, env, overFacts); err != nil {
			t.Fatal(err)
		}
		p, err := (&parting{d: d, known: map[string]*Condition{}}).piece(c, c.checked.NativeRep().Expr())
		if err != nil {
			t.Fatal(err)
		}
		got := p.truth(func(c *Condition) truth {
			i := int(c.Text[len("facts.n == ")] - '0')
			if i == unknown {
				return either
			}
			return leaves[i]
		})
		all := []truth{yes, no}
		if unknown < 0 {
			all = []truth{yes}
		}
		for _, is := range all {
			if unknown >= 0 {
				leaves[unknown] = is
			}
			if want := whole(leaves); got != want && got != either || got == either && unknown < 0 {
				t.Fatalf("%s of %v comes to %v, and the parts to %v", text, leaves, want, got)
			}
		}
	})
}

// Where parts tell apart more combinations of facts than a proof holds, it says so.
func TestTooManyPartsAreTold(t *testing.T) {
	var changes []string
	for i := range 13 {
		changes = append(changes, action(fmt.Sprint("go", i)),
			fmt.Sprintf(`transitions: {action: go%d, from: [sent], to: sent, roles: [clerk], when: 'facts.n * %d.0 > 7.0 && history.did("pass")'}`, i, i+2))
	}
	got := findingsOf(t, changed(t, changes...))
	if !slices.ContainsFunc(got, func(f Finding) bool {
		return f.Rule == FindingGaveUp && strings.Contains(f.Message, "more than 4096 combinations of facts")
	}) {
		t.Error(got)
	}
}
