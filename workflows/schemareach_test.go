package workflows

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("alur.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("alur.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func fitsSchema(schema *jsonschema.Schema, source []byte) error {
	text, err := yaml.YAMLToJSON(source)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

var fenced = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// projectDefinitions are all that stand in the project, by where they stand.
func projectDefinitions(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".yaml":
			all[path] = b
		case ".txtar":
			for _, f := range txtar.Parse(b).Files {
				all[path+"/"+f.Name] = f.Data
			}
		case ".md":
			for i, m := range fenced.FindAllSubmatch(b, -1) {
				all[fmt.Sprint(path, "/", i+1)] = m[1]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What can be read is what the schema lets.
func TestTheSchemaLetsWhatIsRead(t *testing.T) {
	schema := compiledSchema(t)
	n := 0
	for place, source := range projectDefinitions(t) {
		if _, err := Read(place, source); err != nil {
			continue
		}
		n++
		if err := fitsSchema(schema, source); err != nil {
			t.Errorf("%s: %v", place, err)
		}
		if broken := bytes.Replace(source, []byte("\nstates:"), []byte("\nstaets:"), 1); fitsSchema(schema, broken) == nil {
			t.Errorf("%s with a misspelt key fits", place)
		}
	}
	if n < 25 {
		t.Errorf("only %d definitions were found", n)
	}
}

func TestTheSchemaLetsWhateverIsRead(t *testing.T) {
	schema := compiledSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		source, err := Write(randomDefinition(t, false, false), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read("w.yaml", source); err != nil {
			t.Skip(err) // said elsewhere
		}
		if err := fitsSchema(schema, source); err != nil {
			t.Errorf("%v\n%s", err, source)
		}
	})
}

// Of the definitions that are known to be wrong the golden list says which the schema
// refuses too and, of those that it lets, why it cannot.
func TestHowFarTheSchemaReaches(t *testing.T) {
	schema := compiledSchema(t)
	golden, err := os.ReadFile("testdata/schema-reach.golden")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(golden)) {
		if name, verdict, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(line, "#") {
			said[name] = verdict
		}
	}
	files, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(files) != len(said) {
		t.Fatalf("%d files, %d of them told of, %v", len(files), len(said), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		verdict, reason, _ := strings.Cut(said[name], ": ")
		want := "let"
		if fitsSchema(schema, a.Files[0].Data) != nil {
			want = "refused"
		}
		if verdict != want || (want == "let") != (reason != "") {
			t.Errorf("%s: %s, and the list says %q", name, want, said[name])
		}
	}
}

// What a definition may be wrong in: text that is replaced, and what it is replaced by.
type wrong struct{ name, old, new string }

func (w wrong) in(t *testing.T, source string) []byte {
	t.Helper()
	if !strings.Contains(source, w.old) {
		t.Fatalf("%s: there is no %q", w.name, w.old)
	}
	return []byte(strings.Replace(source, w.old, w.new, 1))
}

// Each fault that a schema can say, alone in a definition that is right otherwise, is
// refused by both.
func TestTheSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	schema := compiledSchema(t)
	b, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source := string(b)
	const (
		wait   = "kind: wait, public: in_process, owner: registry, waits_for: register,"
		work   = "{id: deciding, kind: work, public: in_process, owner: officer,"
		gather = "reviews: [hygiene], title: {id: Rekomendasi"
		end    = "{id: granted, kind: end, outcome: approved,"
		grant  = "to: granted, roles: [officer]"
		sketch = "required: true, by: [applicant]"
		levy   = "formula: 'facts.area > 0.0 && facts.area < 1000.0 ? facts.area * 1000.0 : 0.0'"
		tests  = "\ntests:\n  - {name: a, then: {state: submitted}, when: [{act: forward, "
	)
	for _, w := range []wrong{
		{"another language", "alur: 1", "alur: 2"},
		{"an id in capitals", "id: stall\n", "id: Stall\n"},
		{"an id that begins with a dash", "office: trade-office", "office: -office"},
		{"an id that is too long", "office: trade-office", "office: " + strings.Repeat("o", 65)},
		{"a reference that is no id", "submit: [applicant]", "submit: [The applicant]"},
		{"a reference twice", "submit: [applicant]", "submit: [applicant, applicant]"},
		{"an empty text", "en: Street stall permit", `en: " "`},
		{"a number for a text", "en: Street stall permit", "en: 5"},
		{"an empty list", "capacities: [self]", "capacities: []"},
		{"a capacity there is not", "capacities: [self]", "capacities: [oneself]"},
		{"two starts", work, strings.Replace(work, "work", "start", 1)},
		{"no start", "kind: start", "kind: work"},
		{"an end without an outcome", "outcome: approved, ", ""},
		{"an end with an owner", end, end + " owner: officer,"},
		{"an end with a term", end, end + " term: {budget: 1 day},"},
		{"an end with work to give out", end, end + " allocate: {rule: order},"},
		{"an end with reviews", end, end + " reviews: [hygiene],"},
		{"an outcome that is no end's", work, work + " outcome: closed,"},
		{"work without an owner", work, strings.Replace(work, ", owner: officer", "", 1)},
		{"work that gathers", work, work + " reviews: [hygiene],"},
		{"work that joins", work, work + " join: {need: all},"},
		{"work that waits", work, work + " waits_for: register,"},
		{"a wait with work to give out", wait, wait + " allocate: {rule: order},"},
		{"a wait that gathers", wait, wait + " reviews: [hygiene],"},
		{"a wait without an owner", wait, strings.Replace(wait, " owner: registry,", "", 1)},
		{"a gather without reviews", gather, strings.Replace(gather, "reviews: [hygiene], ", "", 1)},
		{"a gather that waits for a system", gather, "waits_for: register, " + gather},
		{"a join of none", gather, "join: {need: 0}, " + gather},
		{"a join of some", gather, "join: {need: some}, " + gather},
		{"another again", gather, "join: {again: never}, " + gather},
		{"another rule of allocation", "rule: order", "rule: fair"},
		{"nobody's action", grant, "to: granted"},
		{"an automatic action of a role", "automatic: true", "automatic: true, roles: [officer]"},
		{"an automatic action with a reason", "automatic: true", "automatic: true, reasons: [unclear]"},
		{"an automatic action of a kind", "automatic: true", "automatic: true, kind: withdraw"},
		{"an automatic action not by somebody", "automatic: true", "automatic: true, not_by: [grant]"},
		{"an automatic action that clears", "automatic: true", "automatic: true, clears: [formal]"},
		{"a consent to what is no return", grant, grant + ", consent: [assessor]"},
		{"work that is due on an action", work, work + " only_after: [grant],"},
		{"an end that is due on an action", end, end + " only_after: [grant],"},
		{"nothing but no ombudsman on expiry", work, work + " term: {budget: 1 day, expires: {ombudsman: false}},"},
		{"a suspension of nobody", "actions:\n", "suspensions: [{ground: force_majeure, basis: {id: A, en: A}}]\nactions:\n"},
		{"a suspension without a reason", "actions:\n", "suspensions: [{ground: force_majeure, roles: [assessor], basis: {id: A, en: A}}]\nactions:\n"},
		{"a suspension in a state and by order", "actions:\n", "suspensions: [{ground: force_majeure, in: [asking], roles: [assessor], reasons: [unclear], basis: {id: A, en: A}}]\nactions:\n"},
		{"a need of any reviews", "needs: {reviews: approved}", "needs: {reviews: any}"},
		{"because of nothing", grant, grant + ", because: {id: A, en: A}"},
		{"an override with a condition", grant, grant + ", kind: override, when: 'true'"},
		{"an override with needs", grant, grant + ", kind: override, needs: {checklists: [formal]}"},
		{"another kind of action", grant, grant + ", kind: cancel"},
		{"an empty condition", grant, grant + ", when: ' '"},
		{"required twice over", sketch, "required_when: 'true', " + sketch},
		{"refused for no reason", "refused_by: [officer], reasons: [unclear]", "refused_by: [officer]"},
		{"a size without a unit", "max_size: 1 MB", "max_size: '1'"},
		{"a size of nothing", "max_size: 1 MB", "max_size: 0 MB"},
		{"a size that is too large", "max_size: 1 MB", "max_size: 101 MB"},
		{"a format that is none", "formats: [pdf]", "formats: [.PDF]"},
		{"a fee of nothing said", levy + ", ", ""},
		{"a fee said twice", levy, levy + ", amount: 5"},
		{"a fee below nothing", levy, "amount: -5"},
		{"a fee in sen", levy, "amount: 5.5"},
		{"a row of two kinds", levy, "table: {fact: area, rows: [{up_to: 5, value: a, amount: 5}, {amount: 6}]}"},
		{"fees that nobody may record", "payers: [officer]\n", ""},
		{"outcomes twice", "outcomes: [free, taken]", "outcomes: [free, taken, free]"},
		{"another budget", work, work + " term: {budget: a week},"},
		{"nothing on expiry", work, work + " term: {budget: 1 day, expires: {}},"},
		{"a move without a ground", work, work + " term: {budget: 1 day, expires: {to: refused}},"},
		{"a term of neither", "\nactions:\n", "\nterms: [{id: a, title: {id: A, en: A}, starts: [grant], basis: {id: A, en: A}}]\nactions:\n"},
		{"a term of both", "\nactions:\n", "\nterms: [{id: a, title: {id: A, en: A}, budget: 1 day, due: area, starts: [grant], basis: {id: A, en: A}}]\nactions:\n"},
		{"a date that is promised", "\nactions:\n", "\nterms: [{id: a, title: {id: A, en: A}, due: area, promise: 1 day, starts: [grant], basis: {id: A, en: A}}]\nactions:\n"},
		{"a ground without a move", work, work + " term: {budget: 1 day, expires: {escalate: [assessor], ground: lapse}},"},
		{"values of a number", "type: number, title: {id: Luas", "values: [a], type: number, title: {id: Luas"},
		{"a default of another type", "default: 1", "default: one"},
		{"a fact of no form", "default: 1", "from: 'form.people'"},
		{"a form that is a list", "facts:\n", "form: {type: array}\nfacts:\n"},
		{"kept for ever", "facts:\n", "retention: {class: permit, years: 101, ground: {id: A, en: A}}\nfacts:\n"},
		{"another attribute", "facts:\n", "history: {role: org:name}\nfacts:\n"},
		{"one gate apart", "actions:\n", "separate: [[grant]]\nactions:\n"},
		{"an invariant of nothing", "actions:\n", "invariants: [{because: {id: A, en: A}}]\nactions:\n"},
		{"an invariant of two", "actions:\n", "invariants: [{never: 'false', always: 'true', because: {id: A, en: A}}]\nactions:\n"},
		{"a step of two", "\nactions:\n", tests + "pay: retribution}]}\nactions:\n"},
		{"a step of none", "\nactions:\n", strings.Replace(tests, "act: forward, ", "by: officer", 1) + "}]}\nactions:\n"},
		{"a rule there is not", "\nactions:\n", tests + "refused: never}]}\nactions:\n"},
		{"an answer that is neither", "\nactions:\n", strings.Replace(tests, "act: forward, ", "check: formal, answer: maybe", 1) + "}]}\nactions:\n"},
		{"another outcome", "\nactions:\n", "\ntests: [{name: a, then: {outcome: done}}]\nactions:\n"},
	} {
		text := w.in(t, source)
		_, err := Read("w.yaml", text)
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: the reader lets it", w.name)
		}
		if fitsSchema(schema, text) == nil {
			t.Errorf("%s: the schema lets it", w.name)
		}
	}
}

// What is only half of a fault is none, for both.
func TestTheSchemaLetsWhatTheReaderLets(t *testing.T) {
	schema := compiledSchema(t)
	b, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const (
		work   = "{id: deciding, kind: work, public: in_process, owner: officer,"
		gather = "reviews: [hygiene], title: {id: Rekomendasi"
	)
	for _, w := range []wrong{
		{"an automatic action with a reason in words", "automatic: true", "automatic: true, because: {id: A, en: A}"},
		{"the ombudsman alone", work, work + " term: {budget: 1 day, expires: {ombudsman: true}},"},
		{"a suspension by order", "actions:\n", "suspensions: [{ground: force_majeure, roles: [assessor], reasons: [unclear], basis: {id: A, en: A}}]\nactions:\n"},
		{"a suspension in a state", "actions:\n", "suspensions: [{ground: other_agency, in: [asking], basis: {id: A, en: A}}]\nactions:\n"},
		{"a join of any", gather, "join: {need: any}, " + gather},
		{"a join of one", gather, "join: {need: 1}, " + gather},
	} {
		text := w.in(t, string(b))
		if _, err := Read("w.yaml", text); err != nil {
			t.Errorf("%s: the reader: %v", w.name, err)
		}
		if err := fitsSchema(schema, text); err != nil {
			t.Errorf("%s: the schema: %v", w.name, err)
		}
	}
}

// Sizes of documents are read as the schema lets them.
func TestTheSchemaReadsSizesAsTheReaderDoes(t *testing.T) {
	form := regexp.MustCompile(sizeForm)
	try := func(s string) {
		n := parseSize(s)
		if read := n >= 1 && n <= maxDocument; read != form.MatchString(s) {
			t.Errorf("%q: the reader lets it: %t, the schema does not agree", s, read)
		}
	}
	for n := range 110_000 {
		try(fmt.Sprint(n, " KB"))
		try(fmt.Sprint(n, " MB"))
	}
	for _, s := range []string{"", "5", "5MB", "5  MB", "+5 MB", "-5 MB", "005 KB", "5 GB", "5 mb", "5 MB ", " 5 MB", "1_0 MB", "0x5 MB", "99999999999999999999 KB"} {
		try(s)
	}
}

// How terms are expected to stand, and when they are due, is said in the same words to both.
func TestTheSchemaReadsExpectedTermsAsTheReaderDoes(t *testing.T) {
	schema := compiledSchema(t)
	for then, fits := range map[string]bool{
		"terms: {'state:signing': running}": true, "terms: {'state:signing': soon}": false, "terms: {'state:signing': 1.5}": false,
		"due: {'state:signing': 2026-03-12 09:30}": true, "due: {'state:signing': '2026-03-12 9:30'}": true, "due: {'state:signing': 7}": false,
		"due: {'state:signing': tomorrow}": false, "due: {'state:signing': 2026-13-12 09:30}": false, "due: {'state:signing': 2026-03-12 24:30}": false,
	} {
		source := []byte(changed(t, "tests: {name: x, "+plainFact+", then: {"+then+"}}"))
		if _, err := Read("w.yaml", source); (err == nil) != fits {
			t.Errorf("%s: the reader: %v", then, err)
		}
		if err := fitsSchema(schema, source); (err == nil) != fits {
			t.Errorf("%s: the schema: %v", then, err)
		}
	}
}
