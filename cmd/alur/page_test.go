package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

// The page tells its reader of a document that was sent back, and why, and of what is
// to be paid, and not that there is nothing to do; and it stops when it is done.
func TestThePageTellsWhatTheApplicantHasToDo(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	entries, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	var skck catalogue.Entry
	for _, e := range entries {
		if e.Definition.ID == "skck" {
			skck = e
		}
	}
	if _, err := s.library.Publish(t.Context(), workflows.Publication{
		Tenant: skck.Tenant, Source: skck.Source, Definition: skck.Definition, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}, Why: "to be tried",
	}); err != nil {
		t.Fatal(err)
	}
	c := &citizen{site: s, tenant: skck.Tenant}
	do := func(role domain.RoleID, as domain.Capacity, command func(domain.Header) domain.Command) {
		t.Helper()
		h := domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: as}}
		if _, err := c.carryOut(t, command(h)); err != nil {
			t.Fatal(err)
		}
	}
	attach := func(ids ...domain.DocumentID) {
		t.Helper()
		for _, id := range ids {
			do("applicant", domain.CapacitySelf, func(h domain.Header) domain.Command {
				format := map[bool]string{true: "jpg", false: "pdf"}[id == "photograph"]
				return domain.Attach{Header: h, Document: id, Format: format, Bytes: 1, SHA256: strings.Repeat("0", 64)}
			})
		}
	}
	tells := func(want, not string) {
		t.Helper()
		text := s.pageOf(t, c.path)
		if !strings.Contains(text, want) || not != "" && strings.Contains(text, not) {
			t.Errorf("the page does not say %q, or says %q:\n%s", want, not, text)
		}
	}
	const nothing = "There is nothing you need to do now."
	do("applicant", domain.CapacitySelf, func(h domain.Header) domain.Command {
		return domain.Submit{Header: h, Service: "skck", Form: domain.Personal{
			"name": "Warga Contoh", "nik": "3510019999990001", "born_on": "2000-01-02", "kind": "new", "purpose": "Kerja", "has_fingerprints": false, "lived_elsewhere": false,
		}}
	})
	tells(nothing, "sent back")
	attach("identity-card", "family-card", "birth-certificate", "questions", "photograph")
	rule := skck.Definition.Documents[0]
	do(rule.RefusedBy[0], domain.CapacityOfficer, func(h domain.Header) domain.Command {
		return domain.RefuseDocument{Header: h, Document: rule.ID, Reason: rule.Reasons[0]}
	})
	tells("Document sent back, hand in a new one: "+rule.Title.EN, nothing)
	for _, reason := range skck.Definition.Reasons {
		if reason.Code == rule.Reasons[0] {
			tells(reason.Title.EN, nothing)
		}
	}
	attach(rule.ID)
	tells(nothing, "sent back")
	do("counter", domain.CapacityOfficer, func(h domain.Header) domain.Command { return domain.Act{Header: h, Action: "accept"} })
	tells("Rp 30,000", nothing)
}

// pageOf is the English page of a request, which the views have to have seen.
func (s *site) pageOf(t *testing.T, path string) string {
	t.Helper()
	if err := s.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL + strings.Replace(path, "/api/v1/requests/", "/lacak/", 1) + "?lang=en")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(text)
}
