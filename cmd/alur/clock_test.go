package main

import (
	"encoding/json"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// The tests of the licence with the clock go the same way over HTTP, in each zone; what
// is shown of a request tells how its time stands, and its page tells its applicant.
func TestTheClockOverHTTP(t *testing.T) {
	source, err := os.ReadFile("../../workflows/testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := workflows.Read("sip.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	published := time.Date(2025, time.December, 1, 0, 0, 0, 0, time.UTC)
	var clock atomic.Int64
	clock.Store(published.UnixNano())
	s := newSite(t, func(s *stores) { s.now = func() time.Time { return time.Unix(0, clock.Load()).UTC() } })
	for _, tenant := range []domain.TenantCode{"33.14", "64.72", "91.71"} {
		w, err := s.library.Publish(t.Context(), workflows.Publication{
			Tenant: tenant, Source: source, Definition: d, Occurred: published, At: published,
			Actor: domain.Actor{ID: "admin", Role: "admin", Capacity: domain.CapacityOfficer}, Why: "to be tried", Trial: "to be tried",
		})
		if err != nil {
			t.Fatal(err)
		}
		cal, err := s.calendars.Known(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		var last *citizen
		for i := range d.Tests {
			t.Run(string(tenant)+"/"+d.Tests[i].Name, func(t *testing.T) {
				last = &citizen{site: s, tenant: tenant}
				if err := w.Play(&d.Tests[i], cal, func(c domain.Command) (domain.Request, error) {
					clock.Store(c.Head().Occurred.UnixNano())
					return last.carryOut(t, c)
				}); err != nil {
					t.Error(err)
				}
			})
		}
		var shown struct {
			Terms []struct{ Term, Standing, Budget, Promise string }
		}
		if err := json.Unmarshal([]byte(s.ask(t, "GET", last.path, "").body), &shown); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]struct{ Term, Standing, Budget, Promise string }{
			{"decision", "running", "5 working days", "3 working days"},
			{"state:review", "running", "3 working days", ""},
			{"state:submitted", "ended", "1 working day", ""},
		}, shown.Terms); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		reference := strings.TrimPrefix(last.path, "/api/v1/requests/")
		at, err := s.log.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.views.WaitFor(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		page := s.ask(t, "GET", "/lacak/"+reference+"?lang=en", "").body
		for _, want := range []string{"A decision is due by", "Promised by", "The time for a decision was extended", "Nobody can work on it (force majeure).", cal.Zone().String()} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		if strings.Contains(page, "state:") {
			t.Error("the page tells of the staff's own time")
		}
	}
}
