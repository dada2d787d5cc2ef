package catalogue_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
)

// unbroken says that there was nothing to break.
const unbroken = "-"

// foundBy says who finds a mutant: the reader, the check with a rule, the tests in the
// file, or nobody. The proofs come before the tests: what breaks a rule that is built
// in has to be found without any.
func foundBy(name string, source []byte, m mutant) (string, error) {
	d, err := workflows.Read(name, source)
	if err != nil {
		return "", err
	}
	before, err := workflows.Write(d, "")
	if err != nil {
		return "", err
	}
	m.mutate(d)
	broken, err := workflows.Write(d, "")
	if bytes.Equal(before, broken) {
		return unbroken, nil
	}
	if err != nil {
		return "read", nil
	}
	d, findings, err := workflows.Check(name, broken)
	if err != nil {
		return "", err
	}
	for _, f := range findings {
		if f.Rule != workflows.FindingStandard { // the definition of the language's own tests has none
			return "check: " + f.Rule, nil
		}
	}
	if run := workflows.RunTests(name, broken, d); run.Failed+len(run.Untaken) > 0 {
		return "tests", nil
	}
	return "", nil
}

// excused are the kinds of mutant that may live on, with the reason.
var excused = map[string]string{
	"term dropped":             "a legal term still runs there",
	"expiry dropped":           "a legal term that expires still runs there",
	"never declared complete":  "no decision by law hangs on it, and the term starts with the action all the same",
	"kind dropped":             "out of an end it reopens, whether or not it says so",
	"document not required":    "the law names the documents, and no rule; a test would have to leave each out",
	"documents not needed":     "another gate asks for them",
	"payment not needed":       "another gate asks for it",
	"checklist not needed":     "another gate asks for it, and in between nobody can answer it anew",
	"condition dropped":        "another rule beside it comes to the same: the needs of the other edge, or the form's bound",
	"one person at both gates": "another gate holds the two apart",
}

// Whoever breaks a definition in one of the ways in which real ones are broken is told,
// before it is published. All mutants of the catalogue take minutes: ALUR_MUTANTS=all
// makes them and compares who finds them, and the list of survivors, with
// testdata/mutants.txt; ALUR_MUTANTS=write writes it anew.
func TestMutants(t *testing.T) {
	mode := os.Getenv("ALUR_MUTANTS")
	if end, ends := t.Deadline(); mode != "" && ends && time.Until(end) < 20*time.Minute {
		t.Fatal("all mutants take about five minutes of two processors, and what was found is written at the very end: give the test longer, by -timeout 30m")
	}
	files := []string{"18.72/izin-trayek.yaml"}
	if mode != "" {
		var err error
		if files, err = filepath.Glob("*/*.yaml"); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	by := map[string]map[string]int{}
	var survivors []string
	t.Run("files", func(t *testing.T) {
		for _, file := range append(files, "../testdata/definitions/pbg.yaml") {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				d, err := workflows.Read(file, source)
				if err != nil {
					t.Fatal(err)
				}
				seen := map[string]bool{}
				for _, m := range mutants(d) {
					if mode == "" && seen[m.kind] {
						continue // the first of a kind
					}
					seen[m.kind] = true
					who, err := foundBy(file, source, m)
					if err != nil {
						t.Fatal(err)
					}
					if who == unbroken {
						continue
					}
					mu.Lock()
					if by[m.kind] == nil {
						by[m.kind] = map[string]int{}
					}
					if who == "" {
						who = "nobody"
						survivors = append(survivors, fmt.Sprintf("%s: %s: %s\n", filepath.Base(file), m.kind, m.site))
						if excused[m.kind] == "" {
							t.Errorf("nobody finds %q: %s", m.kind, m.site)
						}
					}
					by[m.kind][who]++
					mu.Unlock()
				}
			})
		}
	})
	if mode != "" {
		compare(t, mode, by, survivors)
	}
}

// compare compares who found what with what is known.
func compare(t *testing.T, mode string, by map[string]map[string]int, survivors []string) {
	text := "who finds them\n\n"
	for _, kind := range slices.Sorted(maps.Keys(by)) {
		text += kind + ":"
		for _, who := range slices.Sorted(maps.Keys(by[kind])) {
			text += fmt.Sprintf(" %d %s;", by[kind][who], who)
		}
		text += "\n"
	}
	text += "\nwhy some live on\n\n"
	for _, kind := range slices.Sorted(maps.Keys(excused)) {
		text += kind + ": " + excused[kind] + "\n"
	}
	slices.Sort(survivors)
	text += "\nwhich do\n\n" + strings.Join(survivors, "")
	golden := filepath.Join("testdata", "mutants.txt")
	if mode == "write" {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
