package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
	"github.com/alur-id/alur/workflows/sample"
)

// publishAs publishes a source for a tenant; whose hand it was is what matters.
func publishAs(t *testing.T, l *workflows.Library, tenant domain.TenantCode, by domain.Actor, source []byte) *workflows.Workflow {
	t.Helper()
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.Publish(t.Context(), workflows.Publication{
		Tenant: tenant, Source: source, Definition: d, Actor: by, Why: "to be tried", Trial: "a trial", Occurred: time.Now(), At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var agency = domain.Actor{ID: "legal-1", Role: "publisher", Capacity: domain.CapacityOfficer}

// What an agency published or retired is never superseded by what ships; what was
// shipped is, once, by what ships now.
func TestWhatShipsSupersedesOnlyWhatShipped(t *testing.T) {
	h, err := openHouse(t.Context(), stores{db: filepath.Join(t.TempDir(), "alur.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}()
	entries, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	edited := func(e catalogue.Entry) []byte { return append([]byte("# edited\n"), e.Source...) }
	const own, older, brought, retired = 0, 1, 2, 3
	publishAs(t, h.library, entries[own].Tenant, agency, edited(entries[own]))
	publishAs(t, h.library, entries[older].Tenant, shipper, edited(entries[older]))
	publishAs(t, h.library, entries[brought].Tenant, shipper, entries[brought].Source)
	publishAs(t, h.library, entries[brought].Tenant, shipper, edited(entries[brought])) // by a newer program
	publishAs(t, h.library, entries[retired].Tenant, shipper, edited(entries[retired]))
	if _, err := h.library.Retire(t.Context(), workflows.Retirement{
		Tenant: entries[retired].Tenant, Workflow: entries[retired].Definition.ID, Actor: agency, Why: "no", Occurred: time.Now(), At: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if err := h.publishCatalogue(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range entries {
		list, err := h.library.Versions(t.Context(), e.Tenant, e.Definition.ID)
		if err != nil {
			t.Fatal(err)
		}
		newest := list[len(list)-1]
		isShipped := newest.Hash == domain.HashOf(string(e.Source)) && newest.By == shipper
		want := map[int]int{older: 2, brought: 2}[i]
		if want == 0 {
			want = 1
		}
		if len(list) != want || isShipped != (i > retired || i == older) {
			t.Errorf("%s: %d versions, want %d; the newest is what ships: %v", e.Path, len(list), want, isShipped)
		}
		if isShipped && (!strings.HasPrefix(newest.Why, "shipped with version ") || newest.Check == nil || newest.Check.Findings != 0 || newest.Check.Tests == 0 || len(newest.Waivers) > 0) {
			t.Errorf("%s: %q, %+v", e.Path, newest.Why, newest.Check)
		}
	}
}

// Over the API: what runs goes on under its version while another is published and
// all are retired; then the service is closed, and the list of services says so. The
// views say the same when they are built anew.
func TestVersionsOverTheAPI(t *testing.T) {
	s := newSite(t)
	type listed struct {
		Services []struct {
			Service  string
			Title    struct{ EN string }
			InForce  int `json:"in_force"`
			Versions []struct {
				Version  int
				Standing string
				Hash     string
				Retired  time.Time
			}
		}
	}
	services := func() (l listed) {
		t.Helper()
		s.waitForViews(t)
		a := s.ask(t, http.MethodGet, "/api/v1/services?tenant=11.71", "")
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || len(l.Services) != 1 {
			t.Fatalf("%v: %s\n%s", err, a.Status, a.body)
		}
		return l
	}
	second := bytes.Replace(sample.Licence, []byte("en: Doctor's practice licence"), []byte("en: Licence of a doctor"), 1)
	if bytes.Equal(second, sample.Licence) {
		t.Fatal("the sample has another title")
	}
	old := s.submit(t)
	publishAs(t, s.library, sample.Tenant, agency, second)
	young := s.submit(t)
	l := services()
	if x := l.Services[0]; x.Service != "sip-dokter" || x.InForce != 2 || x.Title.EN != "Licence of a doctor" || len(x.Versions) != 2 ||
		x.Versions[0].Standing != "superseded" || x.Versions[1].Standing != "in_force" || x.Versions[1].Hash != domain.HashOf(string(second)) {
		t.Errorf("%+v", x)
	}
	if _, err := s.library.Retire(t.Context(), workflows.Retirement{
		Tenant: sample.Tenant, Workflow: "sip-dokter", Actor: agency, Why: "moved", Occurred: time.Now(), At: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	if x := services().Services[0]; x.InForce != 0 || x.Versions[0].Standing != "retired" || x.Versions[1].Retired.IsZero() {
		t.Errorf("%+v", x)
	}
	a := s.ask(t, http.MethodPost, "/api/v1/requests", `{"tenant":"11.71","service":"sip-dokter","facts":{"kind":"new"},"actor":{"id":"a-9","role":"applicant","capacity":"self"}}`,
		"Idempotency-Key", "too-late")
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, `"code":"closed"`) || !strings.Contains(a.body, "publishing a version") {
		t.Errorf("%s\n%s", a.Status, a.body)
	}
	for ref, version := range map[string]int{old: 1, young: 2} {
		s.act(t, ref, "accept", "", "front-office")
		s.waitForViews(t)
		found, err := s.finder.Find(t.Context(), ref)
		if err != nil || found.State != "health-check" || found.WorkflowVersion != version {
			t.Errorf("%+v, %v", found, err)
		}
		_, lines, err := s.replay(t.Context(), found.Request, func(domain.Recorded) bool { return true })
		for _, line := range lines {
			if err != nil || line.Workflow != (domain.WorkflowRef{ID: "sip-dokter", Version: version}) {
				t.Errorf("the audit names %+v, %v", line.Workflow, err)
			}
		}
	}
	s.waitForViews(t)
	running, err := s.status.Running(t.Context(), sample.Tenant, "sip-dokter")
	if d := cmp.Diff(map[int]int{1: 1, 2: 1}, running); d != "" || err != nil {
		t.Errorf("running %v (-want +got)\n%s", err, d)
	}
	anew, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "anew.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer anew.Close()
	views, err := projections.NewViews(t.Context(), s.log, anew.Writer, slog.New(slog.DiscardHandler),
		everyProjection(s.library)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rowsOf(t, s.viewsDB.reader), rowsOf(t, anew.Reader)); d != "" {
		t.Errorf("views (-live +rebuilt)\n%s", d)
	}
}
