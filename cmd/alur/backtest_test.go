package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// seedStalls publishes the definition of the page and plays its three requests. The
// process goes on to hold the log, as a server does.
func seedStalls(t *testing.T, dir string, source []byte) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	h, err := openHouse(ctx, stores{db: filepath.Join(dir, "alur.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	d, err := workflows.Read("stall.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.library.Publish(ctx, workflows.Publication{
		Tenant: "11.71", Source: source, Definition: d, Occurred: time.Now(), At: time.Now(), Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "legal-1", Role: "publisher", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	applicant := domain.Actor{ID: "a-1", Role: "applicant", Capacity: domain.CapacitySelf}
	for _, x := range []struct {
		day, after int
		action     domain.ActionID
		reason     domain.ReasonCode
	}{{2, 2, "grant", ""}, {3, 3, "refuse", "place-taken"}, {4, 0, "", ""}} {
		at := time.Date(2026, time.November, x.day, 9, 0, 0, 0, domain.TenantCode("11.71").Zone())
		header := func(a domain.Actor, after time.Duration) domain.Header {
			return domain.Header{ID: uuid.New(), Actor: a, Occurred: at.Add(after)}
		}
		a, err := h.engine.Submit(ctx, domain.Submit{Header: header(applicant, 0), Tenant: "11.71", Service: "street-stall"})
		if err != nil {
			t.Fatal(err)
		}
		id := a.Request.ID
		commands := []domain.Command{
			domain.Attach{Header: header(applicant, 5*time.Minute), Document: "photo", Format: "jpg", Bytes: 1, SHA256: strings.Repeat("0", 64)},
			domain.Pay{Header: header(domain.Actor{ID: "b-1", Role: "bank", Capacity: domain.CapacitySystem}, 10*time.Minute), Fee: "levy", Amount: 50000, Receipt: "NTPN-1"},
			domain.Act{Header: header(domain.Actor{ID: "c-1", Role: "clerk", Capacity: domain.CapacityOfficer}, time.Hour), Action: "check"},
		}
		if x.action != "" {
			head := domain.Actor{ID: "h-1", Role: "head", Capacity: domain.CapacityOfficer}
			commands = append(commands, domain.Act{Header: header(head, time.Duration(x.after)*24*time.Hour+time.Hour), Action: x.action, Reason: x.reason})
		}
		for _, c := range commands {
			if _, err := h.engine.Act(ctx, id, c); err != nil {
				t.Fatal(err)
			}
		}
		for {
			r, err := h.engine.Load(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			term, due, ok := r.Overdue(time.Now())
			if !ok {
				break
			}
			if _, err := h.engine.Expire(ctx, id, term, due); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What docs/agencies/backtest.md runs prints what stands there, references apart.
func TestBacktestPageRuns(t *testing.T) {
	text := readText(t, "docs/agencies/backtest.md")
	dir := t.TempDir()
	source := []byte(blocks(text, "yaml")[0])
	if err := os.WriteFile(filepath.Join(dir, "stall.yaml"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	seedStalls(t, dir, source)
	plain := func(s string) string {
		s = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`).ReplaceAllString(s, "REFERENCE")
		return strings.TrimSpace(s)
	}
	n := 0
	for _, block := range blocks(text, "console") {
		for _, example := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(example, "\n")
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
	if n != 7 {
		t.Errorf("%d commands, want 7", n)
	}
}
