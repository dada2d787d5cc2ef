package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/alur-id/alur/"

// layers are the parts of the house from the inside out; each may import only
// what stands before it. Adapters do not import each other: cmd wires them. What
// deploys the program knows nothing of what is in it.
var layers = []string{"domain", "workflows", "projections", "adapters", "cmd", "deploy"}

// may says which layers a layer may import beside itself.
var may = map[string][]string{
	"domain":      {},
	"workflows":   {"domain"},
	"projections": {"domain"},
	"adapters":    {"domain", "workflows", "projections"},
	"cmd":         {"domain", "workflows", "projections", "adapters"},
	"deploy":      {},
}

// leaves stand on the language and the engine: nothing else in the layer imports them,
// and none another.
var leaves = []string{"workflows/difference", "workflows/digit", "workflows/discovery", "workflows/erasure", "workflows/picture", "workflows/simulation"}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointInward(t *testing.T) {
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	command.Dir = "../.."
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		layer, _, _ := strings.Cut(from, "/")
		seen[layer], seen[from] = true, true
		if !slices.Contains(layers, layer) {
			t.Errorf("%s is in no layer", p.ImportPath)
		}
		for _, to := range p.Imports {
			if fault := wrongImport(from, to); fault != "" {
				t.Errorf("%s imports %s: %s", from, to, fault)
			}
		}
	}
	for _, part := range append(slices.Clone(layers), leaves...) {
		if !seen[part] {
			t.Errorf("%s has no package", part)
		}
	}
}

// wrongImport says why a package may not import another.
func wrongImport(from, to string) string {
	layer, _, _ := strings.Cut(from, "/")
	inside, ours := strings.CutPrefix(to, module)
	if !ours {
		standard := !strings.Contains(strings.Split(to, "/")[0], ".")
		impure := []string{"os", "net", "net/http", "database/sql", "io/fs", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "syscall"}
		pure := layer == "domain" || from == "workflows/calendar"
		switch {
		case pure && !standard && to != "github.com/google/uuid":
			return "the domain and the calendar have the standard library and uuid"
		case pure && slices.Contains(impure, to):
			return "the domain and the calendar do no input or output and draw nothing at random"
		}
		return ""
	}
	target, _, _ := strings.Cut(inside, "/")
	switch {
	case target == layer && layer == "adapters" && adapterOf(from) != adapterOf(inside):
		return "adapters do not import each other"
	case target == layer && slices.Contains(leaves, inside):
		return "nothing in " + layer + " stands on " + inside
	case target != layer && !slices.Contains(may[layer], target):
		return layer + " may not import " + target
	}
	return ""
}

func adapterOf(path string) string { return strings.Split(path, "/")[1] }

// The test above must be able to fail.
func TestWrongImportsAreNoticed(t *testing.T) {
	for _, c := range [][2]string{
		{"domain", "net/http"},
		{"domain", "github.com/looplab/fsm"},
		{"domain", module + "workflows"},
		{"workflows/calendar", "os"},
		{"workflows/calendar", "github.com/goccy/go-yaml"},
		{"workflows", module + "adapters/sqlite"},
		{"workflows/catalogue", module + "projections"},
		{"projections", module + "adapters/memory"},
		{"adapters/web", module + "adapters/httpapi"},
		{"adapters/xes", module + "cmd/alur"},
		{"workflows/catalogue", module + "workflows/picture"},
		{"workflows/digit", module + "workflows/discovery"},
	} {
		if wrongImport(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	for _, c := range [][2]string{
		{"domain", "time"},
		{"domain", "github.com/google/uuid"},
		{"workflows/catalogue", module + "workflows"},
		{"workflows/digit", module + "workflows/internal/graph"},
		{"adapters/graphviz", module + "workflows/picture"},
		{"adapters/web", module + "projections"},
		{"cmd/alur", module + "adapters/web"},
	} {
		if fault := wrongImport(c[0], c[1]); fault != "" {
			t.Errorf("%s may not import %s: %s", c[0], c[1], fault)
		}
	}
}

// The domain reads no clock and draws no id: both come in with the command.
func TestDomainReadsNoClock(t *testing.T) {
	entries, err := os.ReadDir("../../domain")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		b, err := os.ReadFile("../../domain/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"time.Now(", "time.Since(", "time.Until(", "uuid.New", "uuid.Must(uuid.New"} {
			if strings.Contains(string(b), call) {
				t.Errorf("%s calls %s", e.Name(), call)
			}
		}
	}
}
