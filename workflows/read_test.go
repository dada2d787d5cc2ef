package workflows_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/sample"
)

// Each file of testdata/problems holds a definition and the problems it has, as
// an agency sees them.
func TestReadTellsEveryProblemWithItsPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source, want := a.Files[0].Data, string(a.Files[1].Data)
			_, err = workflows.Read("w.yaml", source)
			var problems workflows.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want problems", err)
			}
			if d := cmp.Diff(want, problems.Error()+"\n"); d != "" {
				t.Errorf("(-want +got)\n%s\nas told:\n%s", d, problems)
			}
		})
	}
}

func example(t *testing.T) []byte {
	t.Helper()
	return slices.Clone(sample.Licence)
}

func TestReadAcceptsWindowsLinesAndAByteOrderMark(t *testing.T) {
	source := string(example(t))
	want, err := workflows.Read("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	for name, variant := range map[string]string{
		"CRLF": strings.ReplaceAll(source, "\n", "\r\n"),
		"BOM":  "\uFEFF" + source,
	} {
		got, err := workflows.Read("w.yaml", []byte(variant))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}

// A number may have an exponent, as in JSON, wherever it is wanted. Where a text is wanted
// it is one.
func TestReadTakesANumberWithAnExponent(t *testing.T) {
	source := tiny(map[string]string{"top": numberFact(`  - {id: many, type: number, title: {id: M, en: M}, default: 1e3}
  - {id: word, type: string, title: {id: W, en: W}, values: [1e3, 2e3], default: 1e3}
form: {type: object, properties: {n: {type: number, minimum: -1e-7, maximum: 1E+21, enum: [1e1, "1e1", 2e1]}, code: {type: string, enum: [1e1, 2e1]}}}
payers: [clerk]
fees: [{id: f, title: {id: F, en: F}, table: {fact: n, rows: [{up_to: 5e-7, amount: 2e3}, {amount: 0}]}, due_in: [a], basis: {id: L, en: L}}]
`)})
	const want = `{"code":{"enum":["1e1","2e1"],"type":"string"},"n":{"enum":[10,"1e1",20],"maximum":1e+21,"minimum":-1e-7,"type":"number"}} 1000 "1e3" 5e-7 2000`
	read := func(source string) *workflows.Definition {
		d, err := workflows.Read("w.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range []any{d.Form.Schema["properties"], d.Facts[2].Default, d.Facts[3].Default, *d.Fees[0].Table.Rows[0].UpTo, d.Fees[0].Table.Rows[0].Amount} {
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(text))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("want %s\n got %s", want, got)
		}
		return d
	}
	written, err := workflows.Write(read(source), "")
	if err != nil {
		t.Fatal(err)
	}
	read(string(written))
}

// Who says at the wrong place how many must approve is told where it stands, and all that
// it may be.
func TestHowManyMustApproveIsToldWhereItStands(t *testing.T) {
	for said, want := range map[string]string{
		"join: {need: two}":         `join need: "two" is not all, any or a number of reviews (without quotes)`,
		`join: {need: "1"}`:         `join need: "1" is not all, any or a number of reviews (without quotes)`,
		"join: {need: anny}":        `join need: "anny" is not all, any or a number of reviews (without quotes); did you mean "any"?`,
		"needs: {reviews: any}":     "needs reviews: say approved or refused, which is what the reviews come to together; how many must approve stands at the state that gathers them, such as join: {need: any}",
		"needs: {reviews: approve}": `needs reviews: "approve" is not one of approved, refused; did you mean "approved"?`,
		"join: {need: any}":         "",
		"join: {need: 1}":           "",
	} {
		in := map[string]string{
			"top":    "reviews: [{id: r, title: {id: R, en: R}, role: clerk, reasons: [no]}]\nreasons: [{code: no, title: {id: T, en: N}}]\n",
			"states": "  - {id: g, kind: gather, public: in_process, owner: clerk, reviews: [r], title: {id: G, en: G}}\n",
		}
		needs := "needs: {reviews: approved}"
		if strings.HasPrefix(said, "needs") {
			needs = said
		} else {
			in["states"] = strings.Replace(in["states"], "reviews: [r]", "reviews: [r], "+said, 1)
		}
		in["transitions"] = "  - {action: go, from: [g], to: b, automatic: true, " + needs + "}\n  - {action: go, from: [a], to: g, roles: [clerk]}\n"
		in["transition"] = ", when: 'history.did(\"go\")'"
		_, err := workflows.Read("w.yaml", []byte(tiny(in)))
		var problems workflows.Problems
		got := ""
		if errors.As(err, &problems) {
			got = problems[0].Message
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", said, d)
		}
	}
}

// What follows from a name that is listed twice is told once.
func TestADoubledOutcomeIsToldOnce(t *testing.T) {
	_, err := workflows.Read("w.yaml", []byte(tiny(map[string]string{
		"top":         "systems: [{id: data, title: {id: D, en: D}, role: clerk, outcomes: [yes, lost, lost]}]\n",
		"states":      "  - {id: w, kind: wait, public: in_process, owner: clerk, waits_for: data, title: {id: W, en: W}}\n",
		"transitions": "  - {action: go, from: [w], to: b, automatic: true, needs: {answer: yes}}\n  - {action: go, from: [a], to: w, roles: [clerk]}\n",
		"transition":  ", when: 'history.did(\"go\")'",
	})))
	var problems workflows.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Message)
	}
	if d := cmp.Diff([]string{`system outcomes: "lost" is listed twice`, `state "w": nothing follows when system "data" answers "lost"`}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestReadRefusesWhatIsTooLarge(t *testing.T) {
	if _, err := workflows.Read("w.yaml", make([]byte, workflows.MaxDefinition+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("got %v", err)
	}
}

// A few kilobytes of brackets would make the parser take gigabytes.
func TestReadRefusesWhatIsTooDeep(t *testing.T) {
	for name, source := range map[string]string{
		"lists in lists":       strings.Repeat("[", 20_000),
		"mappings in mappings": strings.Repeat("{a: ", 20_000),
		"items in items":       strings.Repeat("- ", 20_000) + "a",
		"keys in keys":         strings.Repeat("? ", 20_000) + "a",
		"blocks in blocks":     deepBlock(2000),
	} {
		_, err := workflows.Read("w.yaml", []byte(source))
		var problems workflows.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), "nested deeper") {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestReadRefusesWhatIsNotUTF8(t *testing.T) {
	source := strings.Replace(string(example(t)), "Pemohon", "Pemoh\xf6n", 1)
	if _, err := workflows.Read("w.yaml", []byte(source)); err == nil || !strings.HasPrefix(err.Error(), "w.yaml:41:22:") || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("got %v", err)
	}
}

// What is written is read back the same, whatever the texts hold.
func TestWriteThenRead(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) workflows.Text {
		word := rapid.OneOf(
			rapid.SampledFrom([]string{"yes", "null", "1.0", "0x1F", "~", "- a", "a: b", "# c", "'", `"`, "*x", "&y", "!z", "{a}", "[b]", "|", ">", "%", "@", "`", "2026-11-23", "a #b", "x\ny", "é ü", "<<", "="}),
			rapid.StringMatching(`[ -~]{1,30}`),
		)
		clean := func(s string) string {
			if s = strings.TrimSpace(s); s == "" {
				return "x"
			}
			return s
		}
		return workflows.Text{ID: clean(word.Draw(t, "id")), EN: clean(word.Draw(t, "en"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		d := &workflows.Definition{
			Language: workflows.Language, ID: "w", Title: text.Draw(t, "title"), Agency: text.Draw(t, "agency"), Office: "o",
			Promise: text.Draw(t, "promise"),
			History: &workflows.History{Role: "org:role", Due: "due"},
			Facts: []workflows.Fact{
				{ID: "due", Type: workflows.FactTime, Title: text.Draw(t, "fact"), RecordedAs: text.Draw(t, "attribute").EN},
				{ID: "kind", Type: workflows.FactString, Title: text.Draw(t, "kind"), Required: true, Values: []string{"a", text.Draw(t, "value").EN}},
			},
			Roles:  []workflows.Role{{ID: "r", Title: text.Draw(t, "role"), Capacities: []domain.Capacity{"self", "officer"}}},
			Submit: []domain.RoleID{"r"},
			States: []workflows.State{
				{ID: "a", Kind: workflows.KindStart, Public: domain.StatusReceived, Title: text.Draw(t, "state"), Owner: "r"},
				{ID: "b", Kind: workflows.KindEnd, Public: domain.StatusCompleted, Title: text.Draw(t, "end"), Outcome: domain.OutcomeClosed},
			},
			Actions:     []workflows.Action{{ID: "go", Title: text.Draw(t, "action"), RecordedAs: text.Draw(t, "activity").EN}},
			Transitions: []workflows.Transition{{Action: "go", From: []domain.StateID{"a"}, To: "b", Roles: []domain.RoleID{"r"}}},
		}
		source, err := workflows.Write(d, "one\ntwo\n")
		if err != nil {
			t.Fatal(err)
		}
		got, err := workflows.Read("w.yaml", source)
		if err != nil {
			t.Fatalf("%v\n%s", err, source)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Fatalf("(-written +read)\n%s\n%s", diff, source)
		}
	})
}
