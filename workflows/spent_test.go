package workflows_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Each hour of a request is somebody's, once: that of whoever has to act, and of nobody
// while it is closed.
func TestSpent(t *testing.T) {
	b := newBench(t)
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-100) * time.Hour) }
	submit := b.submission(t)
	submit.Occurred = at(0)
	a, err := b.engine.Submit(t.Context(), submit)
	if err != nil {
		t.Fatal(err)
	}
	act := func(hour int, role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) {
		t.Helper()
		h := newHeader(t, role)
		h.Occurred = at(hour)
		if _, err := b.engine.Act(t.Context(), a.Request.ID, domain.Act{Header: h, Action: action, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	act(3, "front-office", "return", "str-missing")
	act(8, "applicant", "resubmit", "")
	act(9, "front-office", "accept", "")
	act(11, "health-office", "advise-against", "three-places")
	act(12, "head", "refuse", "three-places")
	hours := func(agency, applicant int) workflows.Spent {
		return workflows.Spent{Agency: time.Duration(agency) * time.Hour, Applicant: time.Duration(applicant) * time.Hour}
	}
	for until, want := range map[int]workflows.Spent{-1: {}, 2: hours(2, 0), 7: hours(3, 4), 10: hours(5, 5), 90: hours(7, 5)} {
		got, err := b.engine.Spent(t.Context(), a.Request.ID, at(until))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("until hour %d: %v (-want +got)\n%s", until, err, d)
		}
	}
}

// While opinions are waited for, it is those who give them that have a request, and not the
// owner of the state.
func TestARequestIsWithThoseWhoseOpinionsItWaitsFor(t *testing.T) {
	b := newSealedBench(t)
	source, err := os.ReadFile("testdata/levy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := b.publish(t, source)
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-100) * time.Hour) }
	header := func(hour int, role domain.RoleID) domain.Header {
		h := newHeader(t, role)
		h.Occurred = at(hour)
		return h
	}
	a, err := b.engine.Submit(t.Context(), domain.Submit{Header: header(0, "applicant"), Tenant: "11.71", Service: "permit", Form: domain.Personal{"phone": "0811-000-0000"}})
	if err != nil {
		t.Fatal(err)
	}
	holders := []string{w.Holder(a.Request).EN}
	for _, c := range []domain.Command{
		domain.Attach{Header: header(1, "applicant"), Document: "sketch", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("ab", 32)},
		domain.Act{Header: header(2, "clerk"), Action: "accept"},
		domain.GiveReview{Header: header(5, "fire"), Review: "fire", Opinion: domain.OpinionApproved},
	} {
		answer, err := b.engine.Act(t.Context(), a.Request.ID, c)
		if err != nil {
			t.Fatalf("%T: %v", c, err)
		}
		holders = append(holders, w.Holder(answer.Request).EN)
	}
	if d := cmp.Diff([]string{"Clerk", "Clerk", "Fire office", "Applicant"}, holders); d != "" {
		t.Errorf("who has it (-want +got)\n%s", d)
	}
	for until, want := range map[int]workflows.Spent{
		4: {Agency: 2 * time.Hour, Others: 2 * time.Hour}, 7: {Agency: 2 * time.Hour, Others: 3 * time.Hour, Applicant: 2 * time.Hour},
	} {
		got, err := b.engine.Spent(t.Context(), a.Request.ID, at(until))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("until hour %d: %v (-want +got)\n%s", until, err, d)
		}
	}
}

// Terms were ordered to stand still before the term of law has begun: for whom is the time?
func TestSpentWhileOrderedToStandStill(t *testing.T) {
	for _, ground := range []string{"applicant", "other_agency", "force_majeure"} {
		b := newTimedBench(t, "11.71", "ground: force_majeure", "ground: "+ground, "lift: force_majeure", "lift: "+ground, "suspend: force_majeure", "suspend: "+ground)
		b.at("2026-03-02 09:00").submits()
		h := newHeader(t, "head")
		h.Occurred = b.when("2026-03-02 10:00")
		b.at("2026-03-02 10:00")
		if _, err := b.engine.Act(t.Context(), b.r.ID, domain.OrderSuspension{Header: h, Ground: domain.StopGround(ground), Reason: "flood"}); err != nil {
			t.Fatal(err)
		}
		got, err := b.engine.Spent(t.Context(), b.r.ID, b.when("2026-03-02 15:00"))
		want := workflows.Spent{Agency: time.Hour, Others: 5 * time.Hour}
		if ground == "applicant" {
			want = workflows.Spent{Agency: time.Hour, Applicant: 5 * time.Hour}
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", ground, err, d)
		}
	}
}
