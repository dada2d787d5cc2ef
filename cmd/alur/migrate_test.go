package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/sample"
)

// Over HTTP: the applicant reads that their request goes on under another version, on
// which ground, and what came before under the names it had then; views say the same
// when they are built anew; the count of what runs under each version is right.
func TestAMigrationOverHTTP(t *testing.T) {
	s := newSite(t)
	ref, other := s.submit(t), s.submit(t)
	s.act(t, ref, "accept", "", "front-office")
	second := bytes.ReplaceAll(sample.Licence, []byte("health-check"), []byte("fitness"))
	second = bytes.ReplaceAll(second, []byte("recorded_as: fitness"), []byte("recorded_as: health-check"))
	publishAs(t, s.library, sample.Tenant, agency, second)
	m := s.migrator()
	x, err := m.Prepare(t.Context(), sample.Tenant, "sip-dokter", 1, 2, "map.yaml", []byte("migration: 1\nstates: {health-check: fitness}\n"))
	if err != nil {
		t.Fatal(err)
	}
	x.Ground, x.Approver, x.Actor = domain.Basis{ID: "Perwal 9/2026 <b>", EN: "Regulation 9/2026"}, "head-9", agency
	done, err := m.Run(t.Context(), x)
	if err != nil || done.Migrated != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	s.waitForViews(t)
	for lang, words := range map[string][]string{
		"id": {"Permohonan dilanjutkan menurut versi alur yang baru", "Perwal 9/2026 &lt;b&gt;", "Menunggu verifikasi"},
		"en": {"The request goes on under another version of its workflow", "Regulation 9/2026"},
	} {
		a := s.ask(t, http.MethodGet, "/lacak/"+ref+"?lang="+lang, "")
		for _, w := range words {
			if !strings.Contains(a.body, w) {
				t.Errorf("%s: the page does not say %q", lang, w)
			}
		}
		// Each line has a title, though the state of one is gone.
		if strings.Contains(a.body, "<h3></h3>") || strings.Contains(a.body, "head-9") || strings.Contains(a.body, agency.ID) {
			t.Errorf("%s\n%s", lang, a.body)
		}
		was, _ := sampleState(t, sample.Licence, "health-check")
		if !strings.Contains(a.body, was.In(lang)) {
			t.Errorf("%s: what came before is not told by its name of then, %q", lang, was.In(lang))
		}
	}
	a := s.ask(t, http.MethodGet, "/api/v1/requests/"+ref+"/timeline", "")
	var line struct {
		Steps []projections.Step
	}
	if err := json.Unmarshal([]byte(a.body), &line); err != nil {
		t.Fatal(err)
	}
	i := len(line.Steps) - 1
	for ; i > 0 && line.Steps[i].Kind != projections.StepMigrated; i-- {
	}
	if last := line.Steps[i]; last.Kind != "migrated" || last.Basis != x.Ground || last.State != "fitness" || last.Workflow != 2 || line.Steps[0].Workflow != 1 {
		t.Errorf("%s", a.body)
	}
	running, err := s.status.Running(t.Context(), sample.Tenant, "sip-dokter")
	if d := cmp.Diff(map[int]int{2: 2}, running); d != "" || err != nil {
		t.Errorf("running %v (-want +got)\n%s", err, d)
	}
	s.act(t, ref, "recommend", "", "health-office")
	if found, err := s.finder.Find(t.Context(), other); err != nil || found.WorkflowVersion != 2 {
		t.Errorf("%+v, %v", found, err)
	}
	s.waitForViews(t)
	if d := cmp.Diff(append(rowsOf(t, s.viewsDB.reader), termRows(t, s.viewsDB)...), rebuilt(t, s.house)); d != "" {
		t.Errorf("views (-live +rebuilt)\n%s", d)
	}
	for _, r := range []string{ref, other} {
		sameTerms(t, s.house, r)
	}
}

func sampleState(t *testing.T, source []byte, id domain.StateID) (workflows.Text, error) {
	t.Helper()
	d, err := workflows.Read("w", source)
	if err != nil {
		t.Fatal(err)
	}
	state, err := d.State(id)
	return state.Title, err
}

func termRows(t *testing.T, db viewsDB) []string {
	t.Helper()
	return storetest.Rows(t, db.reader, "SELECT * FROM term ORDER BY 1, 2")
}

func rebuilt(t *testing.T, h *house) []string {
	t.Helper()
	anew, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "anew.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer anew.Close()
	views, err := projections.NewViews(t.Context(), h.log, anew.Writer, slog.New(slog.DiscardHandler),
		everyProjection(workflows.NewLibrary(h.log))...)
	if err == nil {
		err = views.CatchUp(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(rowsOf(t, anew.Reader), storetest.Rows(t, anew.Reader, "SELECT * FROM term ORDER BY 1, 2")...)
}

// sameTerms holds that the view of a request's terms is what its events come to.
func sameTerms(t *testing.T, h *house, ref string) {
	t.Helper()
	r, err := h.find(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.terms.List(t.Context(), projections.TermFilter{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[domain.TermID]projections.Term{}
	for _, x := range list {
		if x.Request == r.ID {
			got[x.Term] = x
		}
	}
	for id, term := range r.Terms {
		row := got[id]
		if row.Budget != term.Budget || !row.Due.Equal(term.Due.Truncate(time.Microsecond)) || !row.Wakes.Equal(term.Wakes) || row.Ended.IsZero() != term.Ended.IsZero() || row.Expired.IsZero() != term.Expired.IsZero() {
			t.Errorf("%s: the view has %+v, the events come to %+v", id, row, term)
		}
	}
	if len(got) != len(r.Terms) {
		t.Errorf("the view has %d terms, the events come to %d", len(got), len(r.Terms))
	}
}

// What docs/agencies/migration.md runs prints what stands there, for three requests
// that somebody made meanwhile.
func TestMigrationPageRuns(t *testing.T) {
	text := readText(t, "docs/agencies/migration.md")
	dir := t.TempDir()
	for name, block := range map[string]int{"stall.yaml": 0, "map.yaml": 1, "shorter.yaml": 2} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(blocks(text, "yaml")[block]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n := runPage(t, text, dir, func(command string) {
		if !strings.Contains(command, "workflow publish next.yaml") {
			return
		}
		h, err := openHouse(t.Context(), stores{db: filepath.Join(dir, "alur.db")}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			a, err := h.engine.Submit(t.Context(), domain.Submit{
				Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: fmt.Sprint("applicant-", i), Role: "applicant", Capacity: domain.CapacitySelf}},
				Tenant: "11.71", Service: "street-stall",
			})
			if err == nil && i > 0 {
				_, err = h.engine.Act(context.Background(), a.Request.ID, domain.Act{
					Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "clerk-1", Role: "clerk", Capacity: domain.CapacityOfficer}}, Action: "check",
				})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 8 {
		t.Errorf("%d commands, want 8", n)
	}
	// The log is whole, and each ledger is what its calendar gives.
	db := filepath.Join(dir, "alur.db")
	if out, err := child(t, "log", "verify", "--db", db).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := child(t, "request", "list", "--db", db).Output()
	if err != nil {
		t.Fatal(err)
	}
	references := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindAllString(string(out), -1)
	for _, ref := range references {
		for _, verb := range [][]string{{"term", "show"}, {"audit"}, {"replay"}} {
			if out, err := child(t, append(verb, ref, "--db", db)...).CombinedOutput(); err != nil || verb[0] == "audit" && !strings.Contains(string(out), "RequestMigrated") {
				t.Errorf("%v %s: %v\n%s", verb, ref, err, out)
			}
		}
	}
	if len(references) != 3 {
		t.Errorf("%d requests", len(references))
	}
}
