package graphviz

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program is the one in the module that go.sum vouches for. Where that module
// is not on this machine, its hash stands in for it.
func TestProgramIsThatOfTheModule(t *testing.T) {
	const want = "7cc5b0a5f176aeaa69760ed5dc3282ceda2b1b04229b22de77bb0a5eab45578e"
	sum := sha256.Sum256(program)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("graphviz.wasm has the SHA-256 %s, want %s", got, want)
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/goccy/go-graphviz").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal", "wasm", "graphviz.wasm"))
	if err != nil {
		t.Skip("THE MODULE github.com/goccy/go-graphviz IS NOT ON THIS MACHINE (go mod download)")
	}
	if !bytes.Equal(theirs, program) {
		t.Error("graphviz.wasm is not that of github.com/goccy/go-graphviz")
	}
}
