package workflows_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows"
)

// What a reviewer made of a sound definition, and what is found: the second and the
// fourth example of the tutorial, changed in one place.
func TestFindingsOfBrokenExamples(t *testing.T) {
	text, err := os.ReadFile("../docs/agencies/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	two, four := examples[1][1], examples[3][1]
	for name, c := range map[string]struct{ from, old, new, rule string }{
		"a refusal that its own officer turns into an approval": {
			two, "transitions:\n", "transitions:\n  - {action: again, kind: reopen, from: [refused], to: granted, roles: [head]}\n  - {action: early, from: [submitted], to: refused, roles: [head], reasons: [place-taken]}\n", "alone",
		},
		"an applicant who decides": {two, "roles: [head], not_by: [accept]}", "roles: [applicant], not_by: [accept]}", "alone"},
		"a citizen told of an approval too early": {
			two, "kind: work\n    public: in_process", "kind: work\n    public: approved", "public",
		},
		"a withdrawal that is not recorded as one": {
			strings.NewReplacer("outcome: rejected, public: rejected", "outcome: withdrawn, public: withdrawn").Replace(two),
			"transitions:\n", "transitions:\n  - {action: early, from: [submitted], to: refused, roles: [applicant]}\n  - {action: again, from: [submitted], to: granted, roles: [head]}\n", "public",
		},
		"a refusal told as an approval": {two, "outcome: rejected, public: rejected", "outcome: rejected, public: approved", "public"},
		"a lapse that grants":           {two, "ground: deemed_approval", "ground: lapse", "expiry"},
		"a review that nobody asks for": {four, "reviews: [traffic, health]", "reviews: [traffic]", "review"},
		"one review by the same clerk is enough": {
			strings.NewReplacer("role: traffic", "role: head", "by: [traffic]", "by: [head]", "not_by: [accept]", "", "roles: [clerk]}", "roles: [head]}").Replace(four),
			"reviews: [traffic, health],", "reviews: [traffic, health], join: {need: any},", "alone",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(c.from, c.old) == 0 {
				t.Fatalf("%q stands nowhere", c.old)
			}
			changed := strings.Replace(c.from, c.old, c.new, 1)
			changed = strings.Replace(changed, "actions:\n", "actions:\n  - {id: again, title: {id: Lagi, en: Again}}\n  - {id: early, title: {id: Awal, en: Early}}\n", 1)
			if !strings.Contains(changed, "action: again") {
				changed = strings.NewReplacer("  - {id: again, title: {id: Lagi, en: Again}}\n", "", "  - {id: early, title: {id: Awal, en: Early}}\n", "").Replace(changed)
			}
			_, findings, err := workflows.Check("x.yaml", []byte(changed))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(findings, func(f workflows.Finding) bool { return f.Rule == c.rule }) {
				t.Errorf("no finding %s, but %v", c.rule, findings)
			}
		})
	}
}

// A comparison with a word that there is not proves nothing, so it is not read.
func TestComparisonsWithUnknownWordsAreRefused(t *testing.T) {
	three := thirdExample(t)
	for _, typo := range []string{`state == "grantd"`, `outcome == "aproved"`, `state in ["granted", "grantd"]`} {
		_, err := workflows.Read("x.yaml", []byte(strings.Replace(three, `state == "granted"`, typo, 1)))
		if err == nil || !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: %v", typo, err)
		}
	}
}

// What is wrong with a form is told by the names in its schema, and by nothing that
// was filled in, keys included; what is missing is named.
func TestAFormsFaultsRepeatNothing(t *testing.T) {
	d, err := workflows.Read("x.yaml", []byte(strings.Replace(thirdExample(t), "properties:\n", "additionalProperties: {type: integer}\n  properties:\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = workflows.Compile(d, 1).CheckFacts(nil, map[string]any{"Cut Rekaan 1171019999990001": "x", "area": "Cut Rekaan"})
	if err == nil || strings.Contains(err.Error(), "Rekaan") || strings.Contains(err.Error(), "1171") {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"required (name)", "/area breaks type"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %v", want, err)
		}
	}
}

func thirdExample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/agencies/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)[2][1]
}
