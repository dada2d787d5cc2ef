package workflows

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/alur-id/alur/domain"
)

// seeds are definitions that use every word of the language, those with faults, and
// what has caught readers of YAML before.
func seeds(f *testing.F) {
	f.Helper()
	// Those of the catalogue are so large that a fuzzer does little but shorten them.
	whole, err := os.ReadFile("testdata/definitions/pbg.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	files, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	f.Add([]byte("alur: 1\nstates: [{}]\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("a: |\n\n\n  x\n? [b]\n: !!binary c\n"))
}

// maxFuzzed keeps an input small: what grows with its size is looked at elsewhere.
const maxFuzzed = 64 << 10

func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > maxFuzzed {
			t.Skip()
		}
		d, err := Read("w.yaml", source)
		var problems Problems
		switch {
		case err == nil:
			Compile(d, 1)
			if _, err := Write(d, ""); err != nil {
				t.Fatalf("what is read cannot be written: %v", err)
			}
		case !errors.As(err, &problems) || len(problems) == 0:
			t.Fatalf("refused without a problem: %v", err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > maxFuzzed {
			t.Skip()
		}
		d, r, err := read("w.yaml", source)
		if err != nil {
			return
		}
		c := &inspection{definitionReader: r}
		c.standard()
		c.terms()
		c.reasons()
		c.capacities()
		c.alone()
		c.proveWithin(500)
		for _, found := range c.findings {
			if found.Line < 1 || found.Excerpt == "" {
				t.Fatalf("a finding without a place: %+v", found)
			}
		}
		RunTests("w.yaml", source, d)
	})
}

// A condition that is accepted can be judged, whatever the facts are.
func FuzzCondition(f *testing.F) {
	for _, c := range []string{
		`facts.n > 5.0 && !facts.flag || facts.free in ["a", "b"]`, `history.times("go") < 2 ? facts.flag : true`,
		`facts.free.matches("^(a+)+$")`, `facts.free.startsWith("a") && facts.free.size() < 3`, `facts.n / facts.m > 1.0`,
		`int(facts.n) % 2 == 0`, `double(facts.free) > 1.0`, `timestamp(facts.free) < timestamp("2026-01-01T00:00:00Z")`,
		`duration("1h") > duration(facts.free)`, `string(facts.n) + facts.free == "1a"`, `[facts.n][0] > {"a": 1.0}["a"]`, `b"a" < bytes(facts.free)`,
		`history.paid("fee") && history.attached("d0")`, `dyn(facts.n) == "a"`, `type(facts.n) == double`, `null == null`, `-facts.n < 9223372036854775807.0`,
	} {
		f.Add(c, 1.0, 0.0, "a", true)
	}
	source := fmt.Sprintf(charged, "true", "true")
	d, err := Read("w.yaml", []byte(source))
	if err != nil {
		f.Fatal(err)
	}
	env, err := d.environment(overHistory)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, n, m float64, free string, flag bool) {
		c := &Condition{Text: text}
		if len(text) > maxCondition || c.compile(d, env, overHistory) != nil {
			return
		}
		c.exact(d)
		r := domain.Request{Facts: domain.Facts{"n": n, "m": m, "free": free, "flag": flag}, State: "a"}
		if _, err := c.holds(varsOf(&r)); err != nil && err.Error() == "" {
			t.Fatal("an error without a text")
		}
	})
}
