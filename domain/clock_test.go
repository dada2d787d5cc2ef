package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// timed is the workflow of rules with a term: two hours from the check on, then it is
// issued by law. The applicant has an hour where it was sent back.
type timed struct {
	rules
	calendar string
}

func (timed) Fire(r domain.Request, action domain.ActionID) (domain.Transition, error) {
	t := domain.Transition{ID: string(action), Action: action, From: r.State, Public: domain.StatusInProcess, Roles: []domain.RoleID{"clerk"}}
	switch string(action) + " " + string(r.State) {
	case "check new":
		t.To = "checked"
	case "return new", "return checked":
		t.To, t.Kind, t.Reasons, t.Consent = "returned", domain.ActionReturn, []domain.ReasonCode{"unread", "false"}, []domain.RoleID{"head"}
	case "answer returned":
		t.To, t.Roles = "checked", []domain.RoleID{"applicant"}
	case "refuse checked":
		t.To, t.Outcome, t.Public = "refused", domain.OutcomeRejected, domain.StatusRejected
	case "reopen refused":
		t.To, t.Kind = "checked", domain.ActionReopen
	default:
		return t, domain.NewRefusal(domain.RuleNotFromHere, "not from here", "")
	}
	return t, nil
}

func (timed) Terms(s domain.StateID) []domain.TermRule {
	law := domain.TermRule{
		ID: "law", Budget: "2h", Starts: []domain.ActionID{"check"}, Steps: []domain.StepRule{{Step: domain.StepExpire}},
		To: "issued", Public: domain.StatusApproved, Outcome: domain.OutcomeApproved, Ground: domain.DeemedApproval, Basis: basis,
		Extension: &domain.ExtensionRule{By: "1h", Roles: []domain.RoleID{"head"}, Reasons: []domain.ReasonCode{"late"}},
	}
	if s != "returned" {
		return []domain.TermRule{law}
	}
	law.Stop = domain.StopApplicant
	return []domain.TermRule{law, {
		ID: domain.StateTerm("returned"), Budget: "1h", Fresh: true, Steps: []domain.StepRule{{Step: domain.StepExpire}},
		To: "lapsed", Public: domain.StatusCompleted, Outcome: domain.OutcomeClosed, Ground: domain.Lapse,
	}}
}

func (timed) Order(g domain.StopGround) (domain.OrderRule, bool) {
	return domain.OrderRule{Roles: []domain.RoleID{"head"}, Reasons: []domain.ReasonCode{"late"}}, g == domain.StopForceMajeure
}

func (w timed) Clock() domain.Clock { return wall(w.calendar) }

// wall is a clock by which every hour counts. The calendar named slow gives an hour more.
type wall string

func (c wall) Version() string { return string(c) }

func (c wall) Supersedes(version string) bool { return c == "slow" && version != "slow" }

// Alike goes by the unit.
func (wall) Alike(budget, other string) bool {
	return budget[len(budget)-1] == other[len(other)-1]
}

func (c wall) Reckon(_ domain.TermRule, t domain.Term, at time.Time) (domain.Reckoning, error) {
	budget, err := time.ParseDuration(t.Budget)
	if c == "slow" {
		budget += time.Hour
	}
	for _, x := range t.Extended {
		by, _ := time.ParseDuration(x.By)
		budget += by
	}
	stood := time.Duration(0)
	for _, s := range t.Stops {
		to := s.To
		if to.IsZero() {
			to = at
		}
		stood += to.Sub(s.From)
	}
	used := at.Sub(t.Started) - stood
	k := domain.Reckoning{Consumed: int64(used), Remaining: int64(budget - used), Suspended: int64(stood), Calendar: string(c)}
	if t.Stopped() == "" {
		k.Due = t.Started.Add(budget + stood)
		if t.Expired.IsZero() {
			k.Wakes = k.Due
		}
	}
	return k, err
}

// told is what follows for the terms of a request, shortly.
func told(events []domain.Event) []string {
	var list []string
	for _, e := range events {
		at := " " + e.Occurred.Format("15:04")
		switch b := e.Body.(type) {
		case domain.TermStarted:
			list = append(list, "started "+string(b.Term)+" due "+b.Due.Format("15:04"))
		case domain.TermSuspended:
			list = append(list, "suspended "+string(b.Term)+" "+string(b.Ground))
		case domain.TermResumed:
			list = append(list, "resumed "+string(b.Term)+" "+string(b.Ground)+" due "+b.Due.Format("15:04"))
		case domain.TermExtended:
			list = append(list, "extended due "+b.Due.Format("15:04"))
		case domain.TermRecomputed:
			list = append(list, "recomputed "+string(b.Term)+" due "+b.Due.Format("15:04"))
		case domain.TermExpired:
			list = append(list, "expired "+string(b.Term)+at)
		case domain.TermEnded:
			list = append(list, "ended "+string(b.Term))
		case domain.DecisionDeemed:
			list = append(list, "deemed "+string(b.To)+at)
		case domain.RequestLapsed:
			list = append(list, "lapsed "+string(b.To)+at)
		}
	}
	return list
}

// What follows for the clock, one command after the other. A step is refused where it
// names a rule.
func TestTheClock(t *testing.T) {
	type step struct {
		at       string
		do       any // a role and an action, or a command
		calendar string
		refused  domain.Rule
		then     []string
	}
	when := func(clock string) time.Time {
		at, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 11, 23, at.Hour(), at.Minute(), 0, 0, time.UTC)
	}
	type by struct {
		actor  domain.Actor
		action domain.ActionID
		reason domain.ReasonCode
	}
	check, answer := by{clerk, "check", ""}, by{applicant, "answer", ""}
	sendBack := by{clerk, "return", "unread"}
	expire := func(id domain.TermID, clock string) domain.Expire {
		return domain.Expire{Header: domain.Header{Actor: domain.System()}, Term: id, Due: when(clock)}
	}
	for name, steps := range map[string][]step{
		"runs out, once": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "10:00", do: expire("law", "10:00"), then: []string{"expired law 10:00", "deemed issued 10:00"}},
			{at: "10:00", do: expire("law", "10:00"), refused: domain.RuleTerm},
		},
		"an act at the last moment is in time, one after it comes too late": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "10:01", do: by{clerk, "refuse", ""}, refused: domain.RuleTerm},
			{at: "10:00", do: by{clerk, "refuse", ""}, then: []string{"ended law"}},
		},
		"only the system has a term run out, and not before": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "10:00", do: with(expire("law", "10:00"), func(x *domain.Expire) { x.Actor = clerk }), refused: domain.RuleRole},
			{at: "09:00", do: expire("law", "09:00"), refused: domain.RuleTerm},
			{at: "10:00", do: expire("none", "10:00"), refused: domain.RuleTerm},
		},
		"stands still while the applicant has to act, whose own time is new each time": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "09:00", do: sendBack, then: []string{"suspended law applicant", "started state:returned due 10:00"}},
			{at: "09:30", do: answer, then: []string{"resumed law applicant due 10:30"}},
			{at: "09:40", do: by{clerk, "return", "unread"}, refused: domain.RuleReturn},
			{at: "09:40", do: domain.ConsentReturn{Header: domain.Header{Actor: head}, Action: "return", Reason: "unread"}, refused: domain.RuleReturn},
			{at: "09:40", do: domain.ConsentReturn{Header: domain.Header{Actor: clerk}, Action: "return", Reason: "false"}, refused: domain.RuleRole},
			{at: "09:40", do: domain.ConsentReturn{Header: domain.Header{Actor: head}, Action: "return", Reason: "false"}},
			{at: "09:45", do: by{domain.Actor{ID: strings.ToUpper(head.ID), Role: clerk.Role, Capacity: clerk.Capacity}, "return", "false"}, refused: domain.RuleFourEyes},
			{at: "09:50", do: by{clerk, "return", "false"}, then: []string{"suspended law applicant", "started state:returned due 10:50"}},
			{at: "10:50", do: expire("state:returned", "10:50"), then: []string{"expired state:returned 10:50", "lapsed lapsed 10:50", "ended law"}},
		},
		"what was left is left when the request is reopened": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "09:00", do: by{clerk, "refuse", ""}, then: []string{"ended law"}},
			{at: "12:00", do: by{clerk, "reopen", ""}, then: []string{"resumed law closed due 13:00"}},
		},
		"more time once, for a reason": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "08:30", do: domain.ExtendTerm{Header: domain.Header{Actor: clerk}, Term: "law", Reason: "late"}, refused: domain.RuleRole},
			{at: "08:30", do: domain.ExtendTerm{Header: domain.Header{Actor: head}, Term: "law", Reason: "mood"}, refused: domain.RuleReason},
			{at: "08:30", do: domain.ExtendTerm{Header: domain.Header{Actor: head}, Term: "law", Reason: "late"}, then: []string{"extended due 11:00"}},
			{at: "08:30", do: domain.ExtendTerm{Header: domain.Header{Actor: head}, Term: "law", Reason: "late"}, refused: domain.RuleTerm},
		},
		"an order stops it, whatever else happens": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "08:30", do: domain.OrderSuspension{Header: domain.Header{Actor: clerk}, Ground: domain.StopForceMajeure, Reason: "late"}, refused: domain.RuleRole},
			{at: "08:30", do: domain.OrderSuspension{Header: domain.Header{Actor: head}, Ground: domain.StopApplicant, Reason: "late"}, refused: domain.RuleTerm},
			{at: "08:30", do: domain.LiftSuspension{Header: domain.Header{Actor: head}}, refused: domain.RuleTerm},
			{at: "08:30", do: domain.OrderSuspension{Header: domain.Header{Actor: head}, Ground: domain.StopForceMajeure, Reason: "late"}, then: []string{"suspended law force_majeure"}},
			{at: "08:30", do: domain.OrderSuspension{Header: domain.Header{Actor: head}, Ground: domain.StopForceMajeure, Reason: "late"}, refused: domain.RuleTerm},
			{at: "09:00", do: sendBack, then: []string{"started state:returned due 10:00", "suspended state:returned force_majeure"}},
			{at: "20:00", do: answer},
			{at: "21:00", do: domain.LiftSuspension{Header: domain.Header{Actor: head}}, then: []string{"resumed law force_majeure due 22:30"}},
		},
		"another calendar is told before anything else, once": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "09:00", calendar: "slow", do: sendBack, then: []string{"recomputed law due 11:00", "suspended law applicant", "started state:returned due 11:00"}},
			{at: "09:30", calendar: "slow", do: answer, then: []string{"resumed law applicant due 11:30"}},
			{at: "09:30", calendar: "slow", do: domain.RecomputeTerms{Header: domain.Header{Actor: domain.System()}}, refused: domain.RuleTerm},
		},
		"a decree that comes in time keeps a term from running out": {
			{at: "08:00", do: check, then: []string{"started law due 10:00"}},
			{at: "10:00", calendar: "slow", do: expire("law", "10:00"), then: []string{"recomputed law due 11:00"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := given(submitted())
			for i, s := range steps {
				h := domain.Header{ID: id(byte(i + 1)), Occurred: when(s.at)}
				w := timed{rules{version: 3}, "plain"}
				if s.calendar != "" {
					w.calendar = s.calendar
				}
				var c domain.Command
				switch x := s.do.(type) {
				case by:
					h.Actor = x.actor
					c = domain.Act{Header: h, Action: x.action, Reason: x.reason}
				case domain.Expire:
					h.Actor = x.Actor
					x.Header = h
					c = x
				case domain.ConsentReturn:
					h.Actor = x.Actor
					x.Header = h
					c = x
				case domain.ExtendTerm:
					h.Actor = x.Actor
					x.Header = h
					c = x
				case domain.OrderSuspension:
					h.Actor = x.Actor
					x.Header = h
					c = x
				case domain.LiftSuspension:
					h.Actor = x.Actor
					x.Header = h
					c = x
				case domain.RecomputeTerms:
					h.Actor = x.Actor
					x.Header = h
					c = x
				}
				events, err := domain.Decide(r, c, w)
				var refusal *domain.Refusal
				if errors.As(err, &refusal) && refusal.Rule == s.refused {
					continue
				}
				if err != nil || s.refused != "" {
					t.Fatalf("step %d: got %v, want a refusal by %q", i+1, err, s.refused)
				}
				if d := cmp.Diff(s.then, told(events)); d != "" {
					t.Fatalf("step %d (-want +got)\n%s", i+1, d)
				}
				for _, e := range events {
					r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
				}
			}
		})
	}
}
