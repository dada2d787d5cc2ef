package workflows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// pbg is the definition for tests that uses the whole language.
func pbg(t testing.TB) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", "definitions", "pbg.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// onTheWay is a command of a building approval that is issued, with the request as
// it stood before.
type onTheWay struct {
	name    string
	before  domain.Request
	command domain.Command
}

// issuing plays a building approval from its submission to its issue.
func issuing(t testing.TB, w *workflows.Workflow) []onTheWay {
	t.Helper()
	var all []onTheWay
	var r domain.Request
	head := func(role domain.RoleID, as domain.Capacity) domain.Header {
		return domain.Header{
			ID: uuid.NewSHA1(uuid.Nil, []byte{byte(len(all))}), Occurred: time.Date(2026, 11, 27, 8, len(all), 0, 0, time.UTC),
			Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: as},
		}
	}
	give := func(name string, c domain.Command) {
		all = append(all, onTheWay{name, r, c})
		events, err := domain.Decide(r, c, w)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, e := range events {
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
		}
	}
	give("submit", domain.Submit{
		Header: head("applicant", domain.CapacitySelf), Tenant: "18.72", Service: "pbg", Reference: "0000-0000-0000",
		Form: domain.Personal{"owner": "X", "floor_area": 600.0, "use": "business"},
	})
	for _, document := range []domain.DocumentID{"land-title", "structure"} {
		give("attach "+string(document), domain.Attach{
			Header: head("applicant", domain.CapacitySelf), Document: document, Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64),
		})
	}
	give("accept", domain.Act{Header: head("front-office", domain.CapacityOfficer), Action: "accept"})
	give("review technical", domain.GiveReview{Header: head("technical", domain.CapacityOfficer), Review: "technical", Opinion: domain.OpinionApproved})
	give("review fire", domain.GiveReview{Header: head("fire", domain.CapacityOfficer), Review: "fire", Opinion: domain.OpinionApproved})
	give("pay", domain.Pay{Header: head("bank", domain.CapacitySystem), Fee: "retribution", Amount: 15_000_000, Receipt: "r-1"})
	give("pick", domain.Pick{Header: head("head", domain.CapacityOfficer)})
	give("sign", domain.Act{Header: head("head", domain.CapacityOfficer), Action: "sign"})
	if r.Outcome != domain.OutcomeApproved {
		t.Fatalf("the request is in %q", r.State)
	}
	return all
}

// Each command on the way to a building approval, decided alone, with its terms run by a
// calendar and without. Decide checks the command and everything that follows from it, by
// itself.
func BenchmarkDecidePBG(b *testing.B) {
	d, err := workflows.Read("pbg.yaml", pbg(b))
	if err != nil {
		b.Fatal(err)
	}
	cal, err := calendar.Compile(domain.TenantCode("18.72").Zone(), nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	w := workflows.Compile(d, 1)
	for name, w := range map[string]*workflows.Workflow{"terms": w.On(cal), "no-terms": w} {
		for _, step := range issuing(b, w) {
			b.Run(name+"/"+strings.ReplaceAll(step.name, " ", "-"), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := domain.Decide(step.before, step.command, w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
