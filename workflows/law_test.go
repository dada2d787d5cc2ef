package workflows

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn is a definition as it was drawn and read. A counterexample shows its text.
type drawn struct {
	*Definition

	source   string
	findings []Finding
}

func (d drawn) GoString() string { return "\n" + d.source }

// definitions draws definitions and has them read and checked: none is refused.
func definitions() *rapid.Generator[drawn] {
	return rapid.Custom(func(t *rapid.T) drawn {
		source, err := Write(randomDefinition(t), "")
		if err != nil {
			t.Fatal(err)
		}
		d, findings, err := Check("w.yaml", source)
		if err != nil {
			t.Fatal(err)
		}
		return drawn{d, string(source), findings}
	})
}

// What is drawn is accepted, and written again as it was read. Every rule of the
// check is broken by some.
func TestRandomDefinitionsAreRead(t *testing.T) {
	found := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		d := definitions().Draw(rt, "definition")
		for _, f := range d.findings {
			found[f.Rule]++
		}
		again, err := Write(d.Definition, "")
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(d.source, string(again)); diff != "" {
			rt.Fatal(diff)
		}
	})
	t.Log(found)
}
