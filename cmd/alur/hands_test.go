package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// With whom a request was is told alike by its page and by statistics: while it waits for
// the answer of a register, for opinions, and for the applicant to come.
func TestThePageAndStatisticsTellAlikeWithWhomARequestWas(t *testing.T) {
	s := newSite(t, func(at *stores) { at.sealing = true })
	s.stall(t, "  - {id: granted,", "  - {id: made, kind: wait, public: in_process, owner: applicant, title: {id: Diambil, en: To be collected}}\n  - {id: granted,",
		"from: [deciding], to: granted, roles: [officer]}", "from: [deciding], to: made, roles: [officer]}\n  - {action: clear, from: [made], to: granted, roles: [applicant]}")
	hour := func(n int) time.Time { return time.Now().Add(time.Duration(n-100) * time.Hour).Truncate(time.Second) }
	by := func(n int, id string, role domain.RoleID, c domain.Capacity) domain.Header {
		return domain.Header{ID: uuid.New(), Correlation: uuid.New(), Occurred: hour(n), Actor: domain.Actor{ID: id, Role: role, Capacity: c}}
	}
	officer := func(n int) domain.Header { return by(n, "officer-1", "officer", domain.CapacityOfficer) }
	a, err := s.engine.Submit(t.Context(), domain.Submit{Header: by(0, "p-1", "applicant", domain.CapacitySelf), Tenant: "11.71", Service: "stall", Facts: domain.Facts{"area": 2.0}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []domain.Command{
		domain.Attach{Header: by(1, "p-1", "applicant", domain.CapacitySelf), Document: "sketch", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("ab", 32)},
		domain.Pick{Header: officer(1)},
		domain.AnswerCheck{Header: officer(1), Check: domain.Check{Checklist: "formal", Item: "signed"}, Yes: true},
		domain.Pay{Header: officer(1), Fee: "retribution", Amount: 2000, Receipt: "R-1"},
		domain.Act{Header: officer(2), Action: "forward"},
		domain.ReportAnswer{Header: by(7, "registry-1", "registry", domain.CapacitySystem), Answer: domain.Answer{System: "register", Outcome: "free"}},
		domain.GiveReview{Header: by(10, "health-1", "health", domain.CapacityOfficer), Review: "hygiene", Opinion: domain.OpinionApproved},
		domain.Act{Header: officer(11), Action: "grant"},
		domain.Act{Header: by(15, "p-1", "applicant", domain.CapacitySelf), Action: "clear"},
	} {
		if _, err := s.engine.Act(t.Context(), a.Request.ID, c); err != nil {
			t.Fatalf("%T: %v", c, err)
		}
	}
	s.waitForViews(t)
	took, err := s.engine.Spent(t.Context(), a.Request.ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	hours := func(context.Context, domain.TenantCode) (func(from, to time.Time) (float64, bool), error) {
		return func(from, to time.Time) (float64, bool) { return to.Sub(from).Hours(), true }, nil
	}
	list, err := projections.NewStatisticsView(s.viewsDB.reader, hours, s.agency).Of(t.Context(), projections.StatisticsFilter{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	got := list[0]
	if took.Agency != 3*time.Hour || took.Applicant != 4*time.Hour || took.Others != 8*time.Hour {
		t.Errorf("the page: %+v", took)
	}
	if !near(got.Held[domain.HeldByAgency].Total, 3) || !near(got.Held[domain.HeldByApplicant].Total, 4) || !near(got.Others.Total, 8) || !near(got.Held[domain.HeldByReviewer].Total, 3) {
		t.Errorf("statistics: %+v, %+v", got.Held, got.Others)
	}
}
