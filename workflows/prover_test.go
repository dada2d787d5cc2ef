package workflows

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// A proof tells counts apart only as far as a condition asks for them: each more
// doubles the situations, or triples them.
func TestAProofCountsNoFurtherThanConditions(t *testing.T) {
	source, err := os.ReadFile("testdata/definitions/pbg.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		condition string
		most      uint64
	}{
		"whether":                  {`'!history.did("return")'`, 1},
		"less than 1":              {`history.times("return") < 1`, 2},
		"less than 3":              {`history.times("return") < 3`, 4},
		"whether, and less than 3": {`'history.times("return") < 3 || history.did("return")'`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(source), `history.times("return") < 1`, c.condition, 1)
			_, r, err := read("pbg.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			p, err := newProver(&inspection{definitionReader: r})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.most[slices.Index(p.watched, "return")]; got != c.most {
				t.Errorf("returns are counted to %d, want %d", got, c.most)
			}
			if got := p.most[slices.Index(p.watched, "sign")]; got != 1 {
				t.Errorf("signatures, of which only whether is asked, are counted to %d", got)
			}
		})
	}
}
