package workflows_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows"
)

// A title that nobody can see is none.
func TestTextsThatNobodySees(t *testing.T) {
	for _, title := range []string{`"\u200b\u200c\u200d"`, `"\u00ad\u2060"`, `"\u3164"`, `"\u2800"`, `"\ufe0f \u034f"`} {
		_, findings, err := workflows.Check("w.yaml", []byte(strings.Replace(tiny(nil), "en: Permit", "en: "+title, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(findings, func(f workflows.Finding) bool { return f.Rule == workflows.FindingText && f.Line == 3 }) {
			t.Errorf("%s is a title: %v", title, findings)
		}
	}
}

// The reference has every key of a standard, and a definition without one is told of them.
func TestTheKeysOfAStandardAreTold(t *testing.T) {
	text, err := os.ReadFile("../docs/agencies/workflow-language.md")
	if err != nil {
		t.Fatal(err)
	}
	_, findings, err := workflows.Check("w.yaml", []byte(tiny(nil)))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(findings, func(f workflows.Finding) bool { return f.Rule == workflows.FindingStandard })
	for _, c := range new(workflows.Standard).Components() {
		if row := "| `" + c.Key + "` | " + c.Name.ID + " | " + c.Name.EN + " |"; !strings.Contains(string(text), row) {
			t.Errorf("the reference has no %s", row)
		}
		if !strings.Contains(findings[i].Message, c.Key) {
			t.Errorf("%q does not name %s", findings[i].Message, c.Key)
		}
	}
	for _, word := range []string{"`retention`", "`suspend: ", "`lift: "} {
		if !strings.Contains(string(text), word) {
			t.Errorf("the reference has no %s", word)
		}
	}
}
