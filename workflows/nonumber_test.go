package workflows

import (
	"slices"
	"strings"
	"testing"
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
