package workflows

import (
	"os"
	"path/filepath"
	"testing"
)

func TestZZPoints(t *testing.T) {
	files, _ := filepath.Glob("catalogue/*/*.yaml")
	for _, f := range files {
		src, _ := os.ReadFile(f)
		_, r, err := read(f, src)
		if err != nil {
			t.Fatal(err)
		}
		c := &inspection{definitionReader: r}
		w := c.proveWithin(3_000_000)
		t.Log(filepath.Base(f), len(w.points), "reviews", len(w.p.reviews), "groups", len(w.p.ofGroup), "lists", len(w.p.lists), "values", len(w.p.values))
	}
}
