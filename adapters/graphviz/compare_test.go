//go:build compare

package graphviz

import (
	"bytes"
	"context"
	"testing"

	upstream "github.com/goccy/go-graphviz"
)

// Our way of calling the program gives the bytes that go-graphviz's does:
// go test -tags compare ./adapters/graphviz. Only with this tag is go-graphviz
// linked in, for what it does to the process that imports it.
func TestSameBytesAsGoGraphviz(t *testing.T) {
	g, err := upstream.New(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range services {
		dot := depict(t, read(t, path), "id", "").DOT()
		graph, err := upstream.ParseBytes([]byte(dot))
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := g.Render(context.Background(), graph, upstream.SVG, &want); err != nil {
			t.Fatal(err)
		}
		got, err := New().layout(t.Context(), dot)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: other bytes (%v)", path, err)
		}
	}
}
