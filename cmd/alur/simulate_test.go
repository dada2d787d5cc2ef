package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows/simulation"
)

// output is what the program prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	c := child(t, args...)
	var stderr strings.Builder
	c.Stderr = &stderr
	b, err := c.Output()
	if err != nil {
		t.Fatalf("alur %v: %v\n%s", args, err, stderr.String())
	}
	return string(b)
}

// The example of docs/agencies/simulate.md comes to what the page shows of it.
func TestTheSimulatedExampleIsAsTold(t *testing.T) {
	page := readText(t, "docs/agencies/simulate.md")
	staff := filepath.Join(t.TempDir(), "staff.yaml")
	if err := os.WriteFile(staff, []byte(blocks(page, "yaml")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	got := output(t, "workflow", "simulate", "../../workflows/catalogue/11.71/sip-dokter.yaml", "--with", staff, "--seed", "1", "--lang", "en", "--what-if", "head=+1")
	shown := blocks(page, "text")[1]
	for line := range strings.Lines(shown) {
		if strings.TrimSpace(line) != "..." && !strings.Contains(got, line) {
			t.Errorf("the page shows\n%s\nand the program prints\n%s", line, got)
		}
	}
	if strings.Contains(got, "assumed") && !strings.Contains(got, "assumed  cases") {
		t.Error("the example leaves something to be assumed beside the cases")
	}
}

// What a simulation fitted to half of a real log comes to is what the page tells: how
// many end a day is that of the half, and the rest is off by as much as is said.
func TestTheSimulationOfARealLogIsToldAsItIs(t *testing.T) {
	log := filepath.Join("..", "..", "..", "shared", "data", "logs", "receipt.xes.gz")
	if _, err := os.Stat(log); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("THE REAL LOGS ARE NOT BESIDE THE CHECKOUT: not tested")
	}
	draft := filepath.Join(t.TempDir(), "receipt.yaml")
	if err := os.WriteFile(draft, []byte(output(t, "workflow", "discover", log, "--role", "org:group")), 0o600); err != nil {
		t.Fatal(err)
	}
	by := map[string]simulatedJSON{}
	for _, basis := range []string{"sojourn", "service"} {
		var x simulatedJSON
		if err := json.Unmarshal([]byte(output(t, "workflow", "simulate", draft, "--log", log, "--holdout", "0.5", "--basis", basis, "--json")), &x); err != nil {
			t.Fatal(err)
		}
		by[basis] = x
	}
	sojourn, service, c := by["sojourn"].Whole, by["service"].Whole, by["sojourn"].Compared
	page := readText(t, "docs/agencies/simulate.md")
	row := func(name string, a, b *simulation.Interval, fitted, held float64) {
		line := fmt.Sprintf("| %s | %s | %s | %s | %s |\n", name, number(a), number(b), figures(fitted), figures(held))
		if !strings.Contains(page, line) {
			t.Errorf("docs/agencies/simulate.md does not have the line\n%s", line)
		}
	}
	row("requests that came per day", sojourn.Came, service.Came, c.Fitted.Came, c.Held.Came)
	row("ended per day", sojourn.Ended, service.Ended, c.Fitted.PerDay, c.Held.PerDay)
	row("turnaround, mean (days)", sojourn.Mean, service.Mean, c.Fitted.Mean, c.Held.Mean)
	row("turnaround, median (days)", sojourn.Median, service.Median, c.Fitted.Median, c.Held.Median)
	row("turnaround, nine of ten (days)", sojourn.P90, service.P90, c.Fitted.P90, c.Held.P90)
	if c.Fitted.Requests != 717 || c.Held.Requests != 717 {
		t.Errorf("%+v", c)
	}
	// The log's own throughput is inside of the interval, and its mean not far.
	for basis, w := range map[string]simulation.Whole{"sojourn": sojourn, "service": service} {
		if c.Fitted.PerDay < w.Ended.Low || c.Fitted.PerDay > w.Ended.High {
			t.Errorf("%s: %v end a day, simulated %+v", basis, c.Fitted.PerDay, w.Ended)
		}
	}
	if math.Abs(sojourn.Mean.Mean/c.Fitted.Mean-1) > 0.2 || math.Abs(sojourn.P90.Mean/c.Fitted.P90-1) > 0.1 {
		t.Errorf("turnaround %+v %+v, recorded %+v", sojourn.Mean, sojourn.P90, c.Fitted)
	}
}
