package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// makeMovable records requests that run under the first of two versions, the second of
// which calls a state otherwise, and returns the verb that moves them.
func makeMovable(t *testing.T, db string, n int) (verb []string) {
	t.Helper()
	h, err := openHouse(t.Context(), stores{db: db}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	}()
	service := h.publishTimed(t)[0]
	if service != "sip-mppdn" {
		t.Fatal(service)
	}
	for i := range n {
		header := func(role domain.RoleID) domain.Header {
			capacity := domain.CapacityOfficer
			if role == "applicant" {
				capacity = domain.CapacitySelf
			}
			return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: capacity}}
		}
		a, err := h.engine.Submit(t.Context(), domain.Submit{Header: header("applicant"), Tenant: sweptTenant, Service: service})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range [][]domain.Command{
			nil,
			{domain.Act{Header: header("clerk"), Action: "accept"}},
			{domain.Act{Header: header("clerk"), Action: "return", Reason: "unreadable"}},
			{domain.Act{Header: header("clerk"), Action: "accept"}, domain.OrderSuspension{Header: header("head"), Ground: domain.StopForceMajeure, Reason: "flood"}},
			{domain.Act{Header: header("clerk"), Action: "accept"}, domain.Act{Header: header("head"), Action: "issue"}}, // has ended
		}[i%5] {
			if _, err := h.engine.Act(t.Context(), a.Request.ID, c); err != nil {
				t.Fatal(err)
			}
		}
	}
	source, err := os.ReadFile(filepath.Join("..", "..", "workflows", "testdata", "clock", "sip.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(source), "\ntests:")
	text = strings.NewReplacer("id: review\n", "id: study\n", "to: review", "to: study", "[review]", "[study]", "[review, ", "[study, ", ", review]", ", study]").Replace(text)
	d, err := workflows.Read("sip.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.library.Publish(t.Context(), workflows.Publication{
		Tenant: sweptTenant, Source: []byte(text), Definition: d, Occurred: time.Now(), At: time.Now(), Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "map.yaml")
	if err := os.WriteFile(file, []byte("migration: 1\nstates:\n  review: study\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"workflow", "migrate", service, "--tenant", string(sweptTenant), "--from", "1", "--to", "2", "--map", file, "--ground", "Perwal 9/2026", "--by", "legal-1", "--approver", "head-1"}
}

// moved is every event of every request by what it is, and what it says where it moves
// the request: figures of terms depend on when that was done.
func moved(t *testing.T, db string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, e := range recordedIn(t, db) {
		if domain.StreamKind(e.Stream) != "request" {
			continue
		}
		line := fmt.Sprintf("%d %T", e.Version, e.Body)
		if _, ok := e.Body.(domain.RequestMigrated); ok {
			line += fmt.Sprintf(" %+v %v %v", e.Body, e.Workflow, e.Actor)
		}
		all[e.Stream] = append(all[e.Stream], line)
	}
	return all
}

// A migration is killed at any moment of it, again and again, on its own or beside
// another that does the same, and run again as it was. Each request is moved once, as by
// a migration that nobody disturbed; there is one order.
func TestKillDuringMigrations(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	base, undisturbed := filepath.Join(t.TempDir(), "alur.db"), filepath.Join(t.TempDir(), "alur.db")
	verb := makeMovable(t, base, 150+50*rounds(t, 3))
	must(t, t.TempDir(), "", "log", "copy", "--from", base, "--to", undisturbed)
	before := len(recordedIn(t, undisturbed))
	must(t, t.TempDir(), "", append(verb, "--db", undisturbed)...)
	want, total := moved(t, undisturbed), len(recordedIn(t, undisturbed))
	if total < before+200 {
		t.Fatalf("only %d events follow", total-before)
	}
	file := func(t *testing.T) string { return filepath.Join(t.TempDir(), "alur.db") }
	server := func(t *testing.T) string { return pgserver.Start(t).NewDatabase(t) }
	for _, x := range []struct {
		name    string
		workers int
		open    func(*testing.T) string
	}{
		{"a file", 1, file},
		{"PostgreSQL", 1, server},
		{"two, PostgreSQL", 2, server},
	} {
		t.Run(x.name, func(t *testing.T) {
			db := x.open(t)
			args := append(verb, "--db", db)
			must(t, t.TempDir(), "", "log", "copy", "--from", base, "--to", db)
			work := killed{db: db, total: domain.Position(total), workers: x.workers}
			work.start = func(int) *exec.Cmd {
				c := child(t, args...)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				return c
			}
			work.run(t, rounds(t, 3), func() { must(t, t.TempDir(), "", args...) })
			if d := cmp.Diff(want, moved(t, db)); d != "" {
				t.Fatalf("(-undisturbed +killed)\n%s", d)
			}
			orders := 0
			for _, e := range recordedIn(t, db) {
				if _, ok := e.Body.(domain.MigrationOrdered); ok {
					orders++
				}
			}
			if orders != 1 {
				t.Errorf("%d orders", orders)
			}
			h := openWhole(t, db)
			ledgersHold(t, h, db)
			left, err := h.status.Under(context.Background(), sweptTenant, "sip-mppdn", 1)
			if err != nil || len(left) > 0 {
				t.Errorf("%d are left under the first version, %v", len(left), err)
			}
			viewsAgreeWithARebuild(t, h, db)
		})
	}
}
