package digit_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/digit"
)

func importDigit(t *testing.T, file, source string) *digit.Imported {
	t.Helper()
	made, err := digit.Import(file, []byte(source), "")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// digitFiles are the real services beside the checkout, which its terms keep out
// of it.
func digitFiles(t *testing.T) []string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "workflows-digit")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("the real DIGIT services are missing in CI: nothing in %s", dir)
		}
		t.Skip("THE REAL DIGIT SERVICES ARE NOT BESIDE THE CHECKOUT: not tested")
	}
	return files
}

// Every real service gives a definition that loads and in which each role can
// submit and each transition can be taken; what they get wrong is in the golden
// file, by kind.
func TestImportRealDigitServices(t *testing.T) {
	files := digitFiles(t)
	if len(files) != 68 {
		t.Errorf("%d files, want 68", len(files))
	}
	faults, findings := tally{}, tally{}
	states, transitions := 0, 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		made := importDigit(t, name, string(source))
		for _, f := range made.Faults {
			faults.add(f.Kind, name)
			if f.Line < 1 || f.Column < 1 || f.Message == "" {
				t.Errorf("%s: a fault without a place: %+v", name, f)
			}
		}
		for _, f := range made.Findings {
			findings.add(f.Rule, name)
		}
		d, err := workflows.Read(name, []byte(made.Definition))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		states += len(d.States)
		transitions += len(d.Transitions)
		playAll(t, name, d)
	}
	got := fmt.Sprintf("files %d, states %d, transitions %d\n\nfaults of the import\n%s\nfindings of alur workflow check\n%s", len(files), states, transitions, faults, findings)
	want, err := os.ReadFile(filepath.Join("testdata", "faults.golden"))
	if err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("testdata/faults.golden (-want +got)\n%s\nthe whole is\n%s", d, got)
	}
}

// tally counts by kind: how often, in which files.
type tally map[string]map[string]int

func (c tally) add(kind, file string) {
	if c[kind] == nil {
		c[kind] = map[string]int{}
	}
	c[kind][file]++
}

func (c tally) String() string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		n := 0
		for _, k := range c[kind] {
			n += k
		}
		fmt.Fprintf(&b, "%-16s %4d in %2d files\n", kind, n, len(c[kind]))
	}
	return b.String()
}

// digitPlayer is a *testing.T, or a *rapid.T.
type digitPlayer interface {
	Helper()
	Errorf(format string, args ...any)
}

// playAll submits as each role that may, and takes each transition by each of its
// roles, by the shortest way to it.
func playAll(t digitPlayer, name string, d *workflows.Definition) {
	t.Helper()
	d.Tests = nil
	first := []workflows.Step{}
	for _, doc := range d.Documents {
		first = append(first, workflows.Step{Attach: doc.ID})
	}
	start := domain.StateID("")
	for _, s := range d.States {
		if s.Kind == workflows.KindStart {
			start = s.ID
		}
	}
	for _, role := range d.Submit {
		d.Tests = append(d.Tests, workflows.Scenario{Name: "submitted by " + string(role), Given: workflows.ScenarioFile{By: role}, Then: workflows.Expected{State: start}})
	}
	ways := map[domain.StateID][]workflows.Step{start: first}
	for todo := []domain.StateID{start}; len(todo) > 0; todo = todo[1:] {
		for _, tr := range d.Transitions {
			if !slices.Contains(tr.From, todo[0]) {
				continue
			}
			for _, role := range tr.Roles {
				way := append(slices.Clone(ways[todo[0]]), workflows.Step{Act: tr.Action, By: role})
				d.Tests = append(d.Tests, workflows.Scenario{
					Name: fmt.Sprintf("%s from %s by %s", tr.Action, todo[0], role), When: way, Then: workflows.Expected{State: tr.To},
				})
				if ways[tr.To] == nil && tr.To != start {
					ways[tr.To] = way
					todo = append(todo, tr.To)
				}
			}
		}
	}
	if run := workflows.RunTests(name, nil, d); run.Failed > 0 || run.Passed < len(d.Transitions)+len(d.Submit) {
		t.Errorf("%s: %d passed, %d failed\n%s", name, run.Passed, run.Failed, run.Problems)
	}
}

// What is no BusinessService is refused at its place.
func TestImportRefuses(t *testing.T) {
	one := `{"businessService": "A", "states": []}`
	for name, c := range map[string]struct{ source, service, want string }{
		"nothing":          {"", "", "f.json:1:1: not JSON: unexpected end of JSON input"},
		"rubbish behind":   {"{}\n  x", "", "f.json:2:3: not JSON: invalid character 'x' after top-level value"},
		"half":             {"{\"BusinessServices\": [\n{", "", "f.json:2:1: not JSON: unexpected end of JSON input"},
		"a comma too many": {`{"BusinessServices": [],}`, "", "f.json:1:25: not JSON: invalid character '}' looking for beginning of object key string"},
		"not UTF-8":        {"{\"a\":\n \"\xff\"}", "", "f.json:2:3: the file is not UTF-8 here"},
		"too deep":         {strings.Repeat("[", 100) + strings.Repeat("]", 100), "", "f.json:1:66: not JSON: nested deeper than any such file is"},
		"a number":         {"1", "", "f.json:1:1: want BusinessServices, a list of them, or one of them here"},
		"another object":   {`{"a": 1}`, "", "f.json:1:1: want BusinessServices, a list of them, or one of them here"},
		"an empty list":    {"[]", "", "f.json:1:1: there is no service in the file"},
		"services of text": {`{"BusinessServices": ["é", 1]}`, "", "f.json:1:23: a service: want an object here, found text"},
		"two":              {"[" + one + ", " + strings.ReplaceAll(one, "A", "B") + "]", "", "f.json:1:1: there are 2 services, and a definition is one: name one of A, B"},
		"another name":     {one, "B", `f.json:1:1: there is no service "B"; there are A`},
		"no name":          {`{"businessService": null, "states": []}`, "", "f.json:1:1: businessService: there is no name"},
		"states":           {`{"businessService": "A", "states": {}}`, "", "f.json:1:36: states: want a list here, found object"},
		"a name":           {`{"businessService": "A\nB", "states": []}`, "", "f.json:1:21: businessService: want a name of at most 200 bytes that can be printed"},
		"a flag":           {`{"businessService": "A", "states": [{"isStartState": "true"}]}`, "", "f.json:1:54: isStartState: want true or false here, found text"},
		"roles":            {`{"businessService": "A", "states": [{"actions": [{"action": "X", "roles": "CITIZEN"}]}]}`, "", "f.json:1:75: roles: want a list here, found text"},
		"no action":        {`{"businessService": "A", "states": [{"actions": [{"roles": []}]}]}`, "", "f.json:1:50: action: there is no name"},
		"sla":              {`{"businessService": "A", "businessServiceSla": [1], "states": []}`, "", "f.json:1:48: businessServiceSla: want milliseconds here, found list"},
		"sla in words":     {`{"businessService": "A", "businessServiceSla": "soon", "states": []}`, "", `f.json:1:48: businessServiceSla: "soon" are no milliseconds`},
		"half an sla":      {`{"businessService": "A", "businessServiceSla": 0.5, "states": []}`, "", `f.json:1:48: businessServiceSla: "0.5" are no milliseconds`},
		"huge sla":         {`{"businessService": "A", "businessServiceSla": 1e99999, "states": []}`, "", `f.json:1:48: businessServiceSla: "1e99999" are no milliseconds`},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := digit.Import("f.json", []byte(c.source), c.service)
			var problems workflows.Problems
			if !errors.As(err, &problems) || made != nil {
				t.Fatalf("got %v, %v", made, err)
			}
			if got := problems[0].String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// All that is wrong is told at once.
func TestImportTellsEveryProblem(t *testing.T) {
	_, err := digit.Import("f.json", []byte("{\"businessService\": \"A\", \"businessServiceSla\": true,\n \"states\": [{\"sla\": {}},\n 2]}"), "")
	const want = `f.json:1:48: businessServiceSla: want milliseconds here, found true
>    1 | {"businessService": "A", "businessServiceSla": true,
                                                        ^
f.json:2:21: sla: want milliseconds here, found object
     1 | {"businessService": "A", "businessServiceSla": true,
>    2 |  "states": [{"sla": {}},
                             ^
f.json:3:2: a state: want an object here, found a number
     2 |  "states": [{"sla": {}},
>    3 |  2]}
          ^`
	if d := cmp.Diff(want, fmt.Sprint(err)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// One of several is taken by its name, from every shape that a file may have.
func TestImportChooses(t *testing.T) {
	service := func(name string) string { return strings.Replace(digitSource(""), "TRY", name, 1) }
	for name, source := range map[string]string{
		"wrapped":           fmt.Sprintf(`{"BusinessServices": [%s, %s]}`, service("A"), service("B")),
		"a list":            fmt.Sprintf("[%s, %s]", service("A"), service("B")),
		"bare":              service("B"),
		"a byte order mark": "\uFEFF" + service("B"),
	} {
		t.Run(name, func(t *testing.T) {
			made, err := digit.Import("f.json", []byte(source), "B")
			if err != nil || made.Service != "B" || made.ID != "b" || made.Definition == "" {
				t.Errorf("got %+v, %v", made, err)
			}
		})
	}
}

// A file at the limits is read, and one beyond them refused, in no time.
func TestImportLimits(t *testing.T) {
	service := func(states, actions int) string {
		var b strings.Builder
		b.WriteString(`{"businessService": "BIG", "states": [{"state": null, "actions": [{"action": "APPLY", "nextState": "S0", "roles": ["R0"]}]}`)
		for i := range states {
			fmt.Fprintf(&b, `,{"state": "S%d", "isTerminateState": %v, "actions": [`, i, i == states-1)
			for k := 0; k < actions && i < states-1; k++ { // the last one ends
				if k > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, `{"action": "A%d", "nextState": "S%d", "roles": ["R%d"], "x": 1}`, k, (i+k)%states, (i+k)%99)
			}
			b.WriteString("]}")
		}
		return b.String() + "]}"
	}
	if made := importDigit(t, "f.json", service(199, 24)); made.Definition == "" {
		t.Error("no definition")
	}
	for _, source := range []string{service(200, 1), service(199, 30), strings.Replace(service(150, 50), `"A7"`, strings.Repeat(" ", workflows.MaxDefinition), 1)} {
		if _, err := digit.Import("f.json", []byte(source), ""); err == nil {
			t.Errorf("read %d bytes", len(source))
		}
	}
}
