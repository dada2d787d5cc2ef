package workflows

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sample is a definition as it was drawn and read.
type sample struct {
	*Definition
	source string
}

// GoString is what a counterexample shows: the text without titles, and without what
// all have.
func (d sample) GoString() string {
	_, text, _ := strings.Cut(d.source, "\nreasons:")
	text = regexp.MustCompile(`\n +(title|basis|text|because):\n +id: .*\n +en: .*`).ReplaceAllString(text, "")
	if d.Form != nil {
		text += "\n# with a form"
	}
	return text[strings.Index(text, "\n"):]
}

// definitions draws definitions: none is refused.
func definitions() *rapid.Generator[sample] { return drawn(false, false) }

func drawn(busy, fallible bool) *rapid.Generator[sample] {
	return rapid.Custom(func(t *rapid.T) sample {
		source, err := Write(randomDefinition(t, busy, fallible), "")
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read("w.yaml", source)
		if err != nil {
			t.Fatal(err)
		}
		return sample{d, string(source)}
	})
}

// What is drawn is accepted, and written again as it was read.
func TestRandomDefinitionsAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := definitions().Draw(t, "definition")
		again, err := Write(d.Definition, "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d.source, string(again)); diff != "" {
			t.Fatal(diff)
		}
	})
}
