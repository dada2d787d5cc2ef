package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
	"github.com/alur-id/alur/workflows/picture"
	"github.com/alur-id/alur/workflows/simulation"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestReadmeShowsTheWorkflowAsItIs(t *testing.T) {
	d, _, err := readDefinition("../../workflows/catalogue/11.71/sip-dokter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := picture.Depict(d, "en", "")
	if err != nil {
		t.Fatal(err)
	}
	want := shown.Mermaid()
	pictures := blocks(readText(t, "README.md"), "mermaid")
	if len(pictures) != 1 || pictures[0] != want {
		t.Errorf("README.md does not show what alur workflow diagram --lang en draws:\n%s", want)
	}
}

func TestReadmeCommandsAreThoseOfCI(t *testing.T) {
	readme := readText(t, "README.md")
	for _, command := range []string{"$ go run ./cmd/alur demo\n", "$ go test ./...\n"} {
		if !strings.Contains(readme, command) {
			t.Errorf("README.md does not say %q", command)
		}
	}
	if ci := readText(t, ".ci/run"); !strings.Contains(ci, `\(go test .*\)`) || !strings.Contains(ci, "README.md") {
		t.Error(".ci/run does not take the test command from README.md")
	}
}

// Every example for agencies is a whole definition, which loads and whose tests pass,
// a whole decree, which is admitted after those before it, or parameters for the SIP of
// a doctor.
func TestExamplesInTheDocumentationRun(t *testing.T) {
	files, err := filepath.Glob("../../docs/agencies/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	n := 0
	for _, file := range files {
		var decrees []calendar.Decree
		for _, example := range blocks(readText(t, strings.TrimPrefix(file, "../../")), "yaml") {
			if strings.HasPrefix(example, "decree:") {
				d, err := workflows.ReadDecree(file, []byte(example))
				if err == nil {
					err = calendar.Admit(decrees, strings.Contains(example, "kind: regional"), *d)
				}
				if err != nil {
					t.Error(err)
					continue
				}
				decrees = append(decrees, *d)
				n++
				continue
			}
			if strings.HasPrefix(example, "simulation:") {
				d, _, err := readDefinition("../../workflows/catalogue/11.71/sip-dokter.yaml")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := simulation.Read(file, []byte(example), d); err != nil {
					t.Error(err)
				}
				n++
				continue
			}
			if strings.HasPrefix(example, "migration:") {
				continue // a map is between two definitions: its page runs it
			}
			d, err := workflows.Read(file, []byte(example))
			if err != nil {
				t.Error(err)
				continue
			}
			if run := workflows.RunTests(file, []byte(example), d); run.Failed > 0 {
				t.Error(run.Problems)
			}
			n++
		}
	}
	if n < 5 {
		t.Errorf("only %d examples", n)
	}
}

// What the tutorial says of its examples is what the check finds.
func TestTheTutorialTellsItsFindings(t *testing.T) {
	want := [][]string{{"standard", "term", "alone"}, {"standard"}, {"standard"}, {"standard"}}
	var got [][]string
	for _, example := range blocks(readText(t, "docs/agencies/tutorial.md"), "yaml") {
		_, findings, err := workflows.Check("tutorial.md", []byte(example))
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, f := range findings {
			rules = append(rules, f.Rule)
		}
		got = append(got, rules)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("findings of the examples (-want +got)\n%s", d)
	}
}

// The demo prints pages that show what it says, leaves nothing behind, and its
// audit command works while it runs.
func TestDemo(t *testing.T) {
	c := child(t, "demo", "--listen", "127.0.0.1:0")
	temporary := t.TempDir()
	c.Env = append(os.Environ(), "TMPDIR="+temporary)
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var pages []string
	var audit []string
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 4 && strings.HasPrefix(fields[0], "http://") {
			pages = append(pages, fields[0])
			if words := map[string]string{
				"approved": "Disetujui", "rejected": "Ditolak", "withdrawn": "Dibatalkan", "in_process": "Sedang diproses",
				"needs_correction": "Perlu perbaikan", "verification": "Menunggu verifikasi",
			}; !strings.Contains(get(t, fields[0]), words[fields[3]]) {
				t.Errorf("%s does not say %s", fields[0], words[fields[3]])
			}
		}
		if _, command, ok := strings.Cut(lines.Text(), "go run ./cmd/alur audit "); ok {
			audit = append([]string{"audit"}, strings.Fields(command)...)
		}
		if strings.HasPrefix(lines.Text(), "Stop with") {
			break
		}
	}
	if len(pages) != 7 {
		t.Errorf("%d pages, want 7", len(pages))
	}
	if out, err := child(t, audit...).CombinedOutput(); err != nil || !strings.Contains(string(out), "RequestSubmitted") {
		t.Errorf("alur %v: %v\n%s", audit, err, out)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the demo did not end cleanly: %v", err)
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The command line in deploy/ is one that this program takes.
func TestComposeCommandIsOneOfOurs(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Image   string
			Command []string
		}
	}
	// A merged map and its own keys are no duplicates, though the library says so.
	text := strings.NewReader(readText(t, "deploy/compose.yaml"))
	if err := yaml.NewDecoder(text, yaml.AllowDuplicateMapKey()).Decode(&file); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, s := range file.Services {
		if !strings.HasPrefix(s.Image, "alur:") {
			continue
		}
		seen++
		verb, rest, err := newRoot().Find(s.Command)
		if err == nil {
			err = verb.ParseFlags(rest)
		}
		if err == nil && verb.Args != nil {
			err = verb.Args(verb, verb.Flags().Args())
		}
		if err != nil || verb.Name() != "serve" {
			t.Errorf("%s: alur %v: %v", name, s.Command, err)
		}
	}
	if seen == 0 {
		t.Error("no service runs alur")
	}
}

// What docs/integrators.md sends is accepted as it stands there.
func TestIntegratorsExamplesAreAccepted(t *testing.T) {
	s := startServer(t, filepath.Join(t.TempDir(), "alur.db"))
	defer s.stop(t)
	text := readText(t, "docs/integrators.md")
	examples := regexp.MustCompile(`(?s)-d '(.*?)' \\\n\s*http://127.0.0.1:8080(\S+)`).FindAllStringSubmatch(text, -1)
	if len(examples) != 4 {
		t.Fatalf("%d examples, want 4", len(examples))
	}
	reference := ""
	for _, i := range []int{0, 2, 3, 1} { // the second withdraws the request; the last records a mandate
		body := strings.NewReplacer("SHA256", strings.Repeat("ab", 32), "HASH", strings.Repeat("ab", 32)).Replace(examples[i][1])
		path := strings.ReplaceAll(examples[i][2], "REFERENCE", reference)
		a, err := post(s.url+path, fmt.Sprint("example-", i), body)
		if err != nil {
			t.Fatal(err)
		}
		if a.Reference != "" {
			reference = a.Reference
		}
	}
}

// What docs/agencies/versions.md runs prints what stands there; times and hashes
// differ each time, and the columns of tables with them.
func TestVersionsPageRuns(t *testing.T) {
	text := readText(t, "docs/agencies/versions.md")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stall.yaml"), []byte(blocks(text, "yaml")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := runPage(t, text, dir, func(string) {}); n != 8 {
		t.Errorf("%d commands, want 8", n)
	}
}

// runPage runs the commands of a page in a directory, in order, and holds that each
// prints what stands there. It returns how many there are.
func runPage(t *testing.T, text, dir string, before func(command string)) int {
	t.Helper()
	plain := func(s string) string {
		s = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WIB|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(s, "TIME")
		s = regexp.MustCompile(`\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b`).ReplaceAllString(s, "HASH")
		s = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`).ReplaceAllString(s, "REFERENCE")
		s = regexp.MustCompile(` by (\d+ (day|hour|minute)s? ?)+`).ReplaceAllString(s, " by SOME TIME")
		return regexp.MustCompile(`  +`).ReplaceAllString(strings.TrimSpace(s), "  ")
	}
	n := 0
	for _, block := range blocks(text, "console") {
		for _, example := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(example, "\n")
			before(command)
			c := exec.CommandContext(t.Context(), "sh", "-c", `alur() { "$ALUR" "$@"; }; `+command)
			c.Dir = dir
			c.Env = append(os.Environ(), "ALUR="+child(t).Path)
			got, err := c.CombinedOutput()
			if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitFault) {
				t.Fatalf("%s: %v\n%s", command, err, got)
			}
			if d := cmp.Diff(plain(want), plain(string(got))); d != "" {
				t.Errorf("%s (-page +printed)\n%s", command, d)
			}
			n++
		}
	}
	return n
}
