package digit

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// docs/agencies/import-digit.md has every table and every kind as they are, and its
// example is what comes out.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/agencies/import-digit.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	rows := func(words []string, means string) {
		if means = strings.Trim(means, "`"); means == "" {
			means = "tells nothing"
		} else {
			means = "`" + means + "`"
		}
		want = append(want, "| "+strings.Join(words, ", ")+" | "+means+" |")
	}
	for _, row := range digitStatuses {
		rows(row.words, string(row.means))
	}
	for _, row := range digitOutcomes {
		rows(row.words, string(row.means))
	}
	for _, row := range digitRoles {
		want = append(want, fmt.Sprintf("| %s | %s |", strings.Join(row.words, ", "), domain.Listed(row.means)))
	}
	want = append(want, "| and may submit: "+strings.Join(digitProfessions, ", ")+" | professional |")
	source, err := os.ReadFile("digit.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\tFault\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 20 {
		t.Errorf("found only %d kinds of fault", len(kinds))
	}
	for _, k := range kinds {
		want = append(want, "| `"+k[1]+"` | ")
	}
	for _, w := range want {
		if !strings.Contains(string(text), "\n"+w) {
			t.Errorf("the page lacks %s", w)
		}
	}
	block := func(language string) string {
		_, rest, _ := strings.Cut(string(text), "```"+language+"\n")
		inner, _, _ := strings.Cut(rest, "```")
		return inner
	}
	made, err := Import("stall.json", []byte(block("json")), "")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(block("yaml"), made.Definition); d != "" {
		t.Errorf("the example (-page +import)\n%s", d)
	}
	var faults strings.Builder
	for _, f := range made.Faults {
		fmt.Fprintln(&faults, f)
	}
	if d := cmp.Diff(block("text"), faults.String()); d != "" {
		t.Errorf("the faults of the example (-page +import)\n%s", d)
	}
}
