package workflows

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/alur-id/alur/domain"
)

// Of two opposite conditions that may fail neither holds where they do: a request is then
// stuck, and check says so. What is guarded does not fail.
func TestOppositeConditionsMayFailTogether(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		condition     bool // and examples show that it fails
		stuck         bool
	}{
		"a division by a fact":           {first: `facts.n / facts.n <= 0.6`, second: `facts.n / facts.n > 0.6`, condition: true, stuck: true},
		"a divisor that is computed":     {first: `1.0 / (facts.n - 7.0) <= 0.6`, second: `1.0 / (facts.n - 7.0) > 0.6`, condition: true, stuck: true},
		"what no example shows":          {first: `1.0 / (facts.n * 3.0 - 20.0) <= 0.6`, second: `1.0 / (facts.n * 3.0 - 20.0) > 0.6`, stuck: true},
		"with the past":                  {first: `facts.n / facts.n <= 0.6 + double(history.times("pass"))`, second: `facts.n / facts.n > 0.6 + double(history.times("pass"))`, condition: true, stuck: true},
		"only where it is not zero":      {first: `facts.n > 0.0 && 1.0 / facts.n <= 0.6`, second: `!(facts.n > 0.0 && 1.0 / facts.n <= 0.6)`},
		"what is computed and not small": {first: `facts.n * 2.0 <= 0.6`, second: `facts.n * 2.0 > 0.6`},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, changed(t, sorted(c.first, c.second)...))
			is := func(rule string) bool {
				return slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == rule })
			}
			if is(FindingCondition) != c.condition || is(FindingStuck) != c.stuck {
				t.Errorf("condition: %v, stuck: %v; %v", is(FindingCondition), is(FindingStuck), got)
			}
			for _, f := range got {
				if f.Rule == FindingCondition && !strings.Contains(f.Message, "it divides by zero") {
					t.Error(f.Message)
				}
			}
		})
	}
}

// A number that is kept leaves room to compute with it: it is 0, or between 1e-100 and 1e100
// in size.
func TestNumbersThatAreKeptLeaveRoom(t *testing.T) {
	d, err := Read("w.yaml", []byte(plainSource))
	if err != nil {
		t.Fatal(err)
	}
	w := Compile(d, 1)
	for n, kept := range map[float64]bool{
		0: true, 1: true, -1: true, 1e100: true, -1e100: true, 1e-100: true, -1e-100: true,
		math.Nextafter(1e100, math.Inf(1)): false, math.Nextafter(-1e100, math.Inf(-1)): false, math.Nextafter(1e-100, 0): false, math.Nextafter(-1e-100, 0): false,
		math.MaxFloat64: false, math.SmallestNonzeroFloat64: false,
	} {
		_, err := w.CheckFacts(domain.Facts{"n": n, "at": "2026-01-01T00:00:00Z"}, nil)
		if (err == nil) != kept || err != nil && !isRefusal(err, domain.RuleFacts) {
			t.Errorf("%v: %v", n, err)
		}
	}
}
