package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// rules is a workflow of two steps, by hand: checked, then decided. A note may
// be made at any time.
type rules struct {
	nothing
	version int
}

// nothing is a workflow that has nothing beside states and actions.
type nothing struct{}

func (nothing) Next(domain.Request) (domain.Body, error) { return nil, nil }
func (nothing) Recorded(string) bool                     { return false }
func (nothing) RecordFacts([]string, domain.Facts) (domain.Facts, error) {
	return nil, nil
}
func (nothing) AdoptFacts(f domain.Facts) (domain.Facts, error) { return f, nil }
func (nothing) Needs(_ domain.Request, t domain.Transition) (domain.Needs, error) {
	return t.Needs, nil
}
func (nothing) Shown(domain.StateID) (domain.Shown, bool) { return domain.Shown{}, false }
func (nothing) Broken(domain.Request) error               { return nil }
func (nothing) Document(domain.DocumentID) (domain.DocumentRule, bool) {
	return domain.DocumentRule{}, false
}

func (nothing) Checklist(domain.ChecklistID) (domain.ChecklistRule, bool) {
	return domain.ChecklistRule{}, false
}

func (nothing) Review(domain.ReviewID) (domain.ReviewRule, bool) { return domain.ReviewRule{}, false }
func (nothing) Payers() []domain.RoleID                          { return nil }
func (nothing) System(domain.Request, domain.SystemID) (domain.SystemRule, bool) {
	return domain.SystemRule{}, false
}
func (nothing) Task(domain.StateID) (domain.TaskRule, bool) { return domain.TaskRule{}, false }
func (nothing) Terms(domain.StateID) []domain.TermRule      { return nil }
func (nothing) Clock() domain.Clock                         { return nil }
func (nothing) Order(domain.StopGround) (domain.OrderRule, bool) {
	return domain.OrderRule{}, false
}

func (r rules) Ref() domain.WorkflowRef { return domain.WorkflowRef{ID: "permit", Version: r.version} }
func (rules) Office() string            { return "office-1" }
func (rules) Submission() domain.Submission {
	return domain.Submission{State: "new", Public: domain.StatusReceived, Roles: []domain.RoleID{"applicant"}}
}

func (rules) CheckTimes(domain.Facts) error { return nil }
func (rules) CheckFacts(f domain.Facts, _ domain.Personal) (domain.Facts, error) {
	if _, ok := f["wrong"]; ok {
		return nil, domain.NewRefusal(domain.RuleFacts, "no such fact", "")
	}
	return f, nil
}

func (rules) Capacities(r domain.RoleID) []domain.Capacity {
	if r == "applicant" {
		return []domain.Capacity{domain.CapacitySelf, domain.CapacityCounter}
	}
	return []domain.Capacity{domain.CapacityOfficer}
}

func (rules) Fire(r domain.Request, action domain.ActionID) (domain.Transition, error) {
	from := r.State
	t := domain.Transition{ID: string(action), Action: action, From: from, Public: domain.StatusInProcess}
	switch {
	case action == "check" && from == "new":
		t.To, t.Roles = "checked", []domain.RoleID{"clerk"}
	case action == "refuse" && from == "checked":
		t.To, t.Roles, t.Reasons = "refused", []domain.RoleID{"head", "deputy"}, []domain.ReasonCode{"late", "false"}
		t.Public, t.Outcome = domain.StatusRejected, domain.OutcomeRejected
	case action == "note":
		t.To, t.Roles = from, []domain.RoleID{"clerk"}
	case action == "check" || action == "refuse":
		return t, domain.NewRefusal(domain.RuleNotFromHere, "not from here", "")
	default:
		return t, domain.NewRefusal(domain.RuleUnknownAction, "unknown", "")
	}
	return t, nil
}

var (
	noon      = time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("WIB", 7*3600))
	applicant = domain.Actor{ID: "p-1", Role: "applicant", Capacity: domain.CapacitySelf}
	clerk     = domain.Actor{ID: "c-1", Role: "clerk", Capacity: domain.CapacityOfficer}
	head      = domain.Actor{ID: "h-1", Role: "head", Capacity: domain.CapacityOfficer}
)

// id is the n-th command id of a test.
func id(n byte) uuid.UUID {
	return domain.CommandID(noon, string(rune('a'+n)))
}

func header(n byte, a domain.Actor) domain.Header {
	return domain.Header{ID: id(n), Actor: a, Occurred: noon}
}

func submit(n byte) domain.Submit {
	return domain.Submit{
		Header: header(n, applicant), Tenant: "11.71", Service: "permit",
		Reference: "7K3M-Q9XT-2WPN", Facts: domain.Facts{"area": 40.0},
	}
}

func act(n byte, a domain.Actor, action domain.ActionID, reason domain.ReasonCode) domain.Act {
	return domain.Act{Header: header(n, a), Action: action, Reason: reason}
}

// event is what the n-th command of a test leads to.
func event(n byte, a domain.Actor, body domain.Body) domain.Event {
	return domain.Event{
		Envelope: domain.Envelope{
			ID: domain.EventID(id(n), 0), Tenant: "11.71", Service: "permit", Office: "office-1", Actor: a,
			Workflow: domain.WorkflowRef{ID: "permit", Version: 3}, Command: id(n), Correlation: id(n), Occurred: noon.UTC(),
		},
		Body: body,
	}
}

func submitted() domain.Event {
	return event(0, applicant, domain.RequestSubmitted{
		Request: domain.RequestID(id(0)), Reference: "7K3M-Q9XT-2WPN", State: "new",
		Public: domain.StatusReceived, Facts: domain.Facts{"area": 40.0},
	})
}

func checked(n byte) domain.Event {
	return event(n, clerk, domain.ActionTaken{Action: "check", From: "new", To: "checked", Public: domain.StatusInProcess})
}

func refused() domain.Event {
	return event(2, head, domain.ActionTaken{
		Action: "refuse", From: "checked", To: "refused", Public: domain.StatusRejected,
		Outcome: domain.OutcomeRejected, Reason: "late",
	})
}

// given folds events as a log would have recorded them.
func given(events ...domain.Event) domain.Request {
	var r domain.Request
	for i, e := range events {
		r = domain.Evolve(r, domain.Recorded{Event: e, Version: domain.Version(i + 1), Position: domain.Position(10 * (i + 1))})
	}
	return r
}

func at(version domain.Version, c domain.Act) domain.Act {
	c.Expected = version
	return c
}

func with[C any](c C, change func(*C)) C {
	change(&c)
	return c
}

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		given []domain.Event
		when  domain.Command
		then  []domain.Event
	}{
		"submits a request":         {nil, submit(0), []domain.Event{submitted()}},
		"takes an action":           {[]domain.Event{submitted()}, act(1, clerk, "check", ""), []domain.Event{checked(1)}},
		"takes an action to an end": {[]domain.Event{submitted(), checked(1)}, act(2, head, "refuse", "late"), []domain.Event{refused()}},
		"takes an action at the version the actor saw": {
			[]domain.Event{submitted()}, at(1, act(1, clerk, "check", "")), []domain.Event{checked(1)},
		},
		"records an action that stays where it is": {
			[]domain.Event{submitted()},
			act(1, clerk, "note", ""),
			[]domain.Event{event(1, clerk, domain.ActionTaken{Action: "note", From: "new", To: "new", Public: domain.StatusInProcess})},
		},
		"records nothing for a submission known already":            {[]domain.Event{submitted(), checked(1)}, submit(0), nil},
		"records nothing for an action known already":               {[]domain.Event{submitted(), checked(1)}, act(1, clerk, "check", ""), nil},
		"records nothing for a known action at a version that went": {[]domain.Event{submitted(), checked(1)}, at(1, act(1, clerk, "check", "")), nil},
		"keeps the correlation it is given": {
			nil, with(submit(0), func(s *domain.Submit) { s.Correlation = id(9) }),
			[]domain.Event{with(submitted(), func(e *domain.Event) { e.Correlation = id(9) })},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := domain.Decide(given(c.given...), c.when, rules{version: 3})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.then, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			again, err := domain.Decide(given(c.given...), c.when, rules{version: 3})
			if err != nil || !cmp.Equal(got, again) {
				t.Errorf("decided otherwise the second time: %v, %v", again, err)
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	open := []domain.Event{submitted()}
	asActor := func(a domain.Actor) domain.Command {
		return with(submit(0), func(s *domain.Submit) { s.Actor = a })
	}
	for name, c := range map[string]struct {
		given  []domain.Event
		when   domain.Command
		rule   domain.Rule
		remedy string // a part of it
	}{
		"an actor without an id":              {nil, asActor(domain.Actor{Role: "applicant", Capacity: "self"}), domain.RuleActor, "pseudonym"},
		"an actor without a role":             {nil, asActor(domain.Actor{ID: "x", Capacity: "self"}), domain.RuleActor, "role"},
		"an actor in no capacity":             {nil, asActor(domain.Actor{ID: "x", Role: "applicant"}), domain.RuleActor, "self, proxy"},
		"an actor in an invented capacity":    {nil, asActor(domain.Actor{ID: "x", Role: "applicant", Capacity: "friend"}), domain.RuleActor, "self, proxy"},
		"an actor named by a NIK":             {nil, asActor(domain.Actor{ID: "1171 0123 0190 0001", Role: "applicant", Capacity: "self"}), domain.RulePersonalData, "pseudonym"},
		"an actor named by an e-mail address": {nil, asActor(domain.Actor{ID: "someone@example.org", Role: "applicant", Capacity: "self"}), domain.RulePersonalData, "pseudonym"},
		"an actor with control characters":    {nil, asActor(domain.Actor{ID: "a\x1b[2J", Role: "applicant", Capacity: "self"}), domain.RuleActor, "printable"},
		"an endless actor":                    {nil, asActor(domain.Actor{ID: strings.Repeat("x", 129), Role: "applicant", Capacity: "self"}), domain.RuleActor, "128"},
		"a command without a time":            {nil, with(submit(0), func(s *domain.Submit) { s.Occurred = time.Time{} }), domain.RuleTime, "time"},
		"a command from the year 10000": {
			nil, with(submit(0), func(s *domain.Submit) {
				s.Occurred = time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -5*3600))
			}), domain.RuleTime, "between 1900 and 9999",
		},
		"a submission by another role":     {nil, asActor(clerk), domain.RuleRole, "applicant"},
		"a submission in another capacity": {nil, asActor(domain.Actor{ID: "x", Role: "applicant", Capacity: domain.CapacityProxy}), domain.RuleCapacity, "self, counter"},
		"a wrong fact":                     {nil, with(submit(0), func(s *domain.Submit) { s.Facts = domain.Facts{"wrong": true} }), domain.RuleFacts, ""},
		"a NIK as a fact": {
			nil, with(submit(0), func(s *domain.Submit) { s.Facts = domain.Facts{"area": 1171012304900001.0} }), domain.RulePersonalData, "in the clear",
		},
		"an e-mail address as a fact": {
			nil, with(submit(0), func(s *domain.Submit) { s.Facts = domain.Facts{"area": "someone@example.org"} }), domain.RulePersonalData, "in the clear",
		},
		"somebody in a case": {
			nil, with(submit(0), func(s *domain.Submit) { s.Imported = &domain.Imported{Case: "case of 081234567890"} }), domain.RulePersonalData, "leave that out",
		},
		"a case named by a NIK": {
			nil, with(submit(0), func(s *domain.Submit) { s.Imported = &domain.Imported{Case: "1171012304900001"} }), domain.RulePersonalData, "another name",
		},
		"a second submission":                  {open, submit(1), domain.RuleAlreadySubmitted, "new one"},
		"an action on nothing":                 {nil, act(1, clerk, "check", ""), domain.RuleNotSubmitted, "submit"},
		"an action the workflow does not have": {open, act(1, clerk, "dance", ""), domain.RuleUnknownAction, ""},
		"an action from another state":         {open, act(1, head, "refuse", "late"), domain.RuleNotFromHere, ""},
		"an action of another role":            {open, act(1, head, "check", ""), domain.RuleRole, "clerk"},
		"an action of the applicant's own":     {[]domain.Event{submitted(), checked(1)}, act(2, applicant, "refuse", "late"), domain.RuleRole, "head, deputy"},
		"a role in a capacity it has not":      {open, act(1, domain.Actor{ID: "x", Role: "clerk", Capacity: domain.CapacitySelf}, "check", ""), domain.RuleCapacity, "officer"},
		"a decision without a reason":          {[]domain.Event{submitted(), checked(1)}, act(2, head, "refuse", ""), domain.RuleReason, "late, false"},
		"a decision for another reason":        {[]domain.Event{submitted(), checked(1)}, act(2, head, "refuse", "mood"), domain.RuleReason, "late, false"},
		"a reason where none is wanted":        {open, act(1, clerk, "check", "late"), domain.RuleReason, "leave"},
		"a command id used by somebody else":   {[]domain.Event{submitted(), checked(1)}, act(1, head, "check", ""), domain.RuleCommandReused, "new id"},
		"a command id used for another action": {[]domain.Event{submitted(), checked(1)}, act(1, clerk, "note", ""), domain.RuleCommandReused, "new id"},
		"a command id of the submission":       {open, act(0, applicant, "note", ""), domain.RuleCommandReused, "new id"},
		"a submission id with other facts": {
			open, with(submit(0), func(s *domain.Submit) { s.Facts = domain.Facts{"area": 41.0} }), domain.RuleCommandReused, "new id",
		},
		"a submission id for another tenant": {
			open, with(submit(0), func(s *domain.Submit) { s.Tenant = "11.72" }), domain.RuleCommandReused, "new id",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := domain.Decide(given(c.given...), c.when, rules{version: 3})
			var refusal *domain.Refusal
			if !errors.As(err, &refusal) || got != nil {
				t.Fatalf("got %v, %v; want a refusal", got, err)
			}
			if refusal.Rule != c.rule || !strings.Contains(refusal.Remedy, c.remedy) {
				t.Errorf("refused by %s: %v; want %s and %q in the remedy", refusal.Rule, refusal, c.rule, c.remedy)
			}
		})
	}
}

func TestDecideTellsOfAConflict(t *testing.T) {
	_, err := domain.Decide(given(submitted(), checked(1)), at(1, act(2, head, "refuse", "late")), rules{version: 3})
	want := &domain.ConflictError{Stream: domain.RequestStream(domain.RequestID(id(0))), Expected: 1, Actual: 2}
	var got *domain.ConflictError
	if !errors.As(err, &got) || *got != *want {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestEvolve(t *testing.T) {
	r := given(submitted(), checked(1), refused())
	if r.State != "refused" || r.Public != domain.StatusRejected || r.Outcome != domain.OutcomeRejected || r.Version != 3 {
		t.Errorf("ends as %+v", r)
	}
	if r.ID != domain.RequestID(id(0)) || r.Workflow.Version != 3 || r.Tenant != "11.71" || r.Facts["area"] != 40.0 {
		t.Errorf("begins as %+v", r)
	}
	if answer, ok := r.Answer(id(1)); !ok || answer.Version != 2 || answer.Position != 20 {
		t.Errorf("the second command was answered %+v, %v", answer, ok)
	}
	if _, ok := r.Answer(id(7)); ok {
		t.Error("a command that was never given has an answer")
	}
}

// Two futures of one past must not disturb each other: states share memory.
func TestEvolveLeavesThePastAlone(t *testing.T) {
	past := given(submitted())
	record := func(e domain.Event) domain.Recorded { return domain.Recorded{Event: e, Version: 2} }
	one := domain.Evolve(past, record(checked(1)))
	other := domain.Evolve(past, record(checked(2)))
	if _, ok := past.Answer(id(1)); ok || past.State != "new" || past.Version != 1 {
		t.Errorf("the past changed: %+v", past)
	}
	if _, ok := one.Answer(id(2)); ok {
		t.Error("one future knows the other's command")
	}
	if _, ok := other.Answer(id(1)); ok {
		t.Error("one future knows the other's command")
	}
}

// A service that takes no payments says so to whoever brings one.
func TestAPaymentWhereThereAreNone(t *testing.T) {
	r := history(t, rules{}, submit(0))
	_, err := domain.Decide(r, domain.Pay{Header: header(1, clerk), Fee: "fee", Amount: 1, Receipt: "r"}, rules{})
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) || refusal.Rule != domain.RuleFee || !strings.Contains(refusal.Remedy, "give the money back") {
		t.Error(err)
	}
}

// apart is rules where who submitted a request does not check it, nor has work given
// that follows.
type apart struct{ rules }

func (apart) Fire(r domain.Request, action domain.ActionID) (domain.Transition, error) {
	t, err := rules{}.Fire(r, action)
	t.NotBy = []domain.ActionID{domain.Submitting}
	return t, err
}

// Whoever filed a request for somebody is kept from deciding it; an action of any name
// is another matter.
func TestWhoSubmitsIsHeldApart(t *testing.T) {
	desk := domain.Actor{ID: clerk.ID, Role: applicant.Role, Capacity: applicant.Capacity}
	for name, x := range map[string]struct {
		by, then domain.Actor
		w        domain.Workflow
		refused  bool
	}{
		"the same person":               {desk, clerk, apart{}, true},
		"another":                       {applicant, clerk, apart{}, false},
		"where nothing is held against": {desk, clerk, rules{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			filed := submit(0)
			filed.Actor = x.by
			_, err := domain.Decide(history(t, x.w, filed), act(1, x.then, "check", ""), x.w)
			var refusal *domain.Refusal
			if x.refused != (errors.As(err, &refusal) && refusal.Rule == domain.RuleFourEyes) || !x.refused && err != nil {
				t.Errorf("got %v", err)
			}
			if x.refused && !strings.Contains(err.Error(), "submitted the request") {
				t.Errorf("it is not said who: %v", err)
			}
		})
	}
}

// reviewed is rules of two reviews, neither of which is given by who gave the other, or
// checked the request before.
type reviewed struct{ rules }

func (reviewed) Review(id domain.ReviewID) (domain.ReviewRule, bool) {
	return domain.ReviewRule{Role: clerk.Role, NotBy: []domain.ActionID{"check", domain.Reviewing(map[domain.ReviewID]domain.ReviewID{"fire": "water", "water": "fire"}[id])}}, true
}

// Two opinions are of two people, and neither is of who worked on the request before.
func TestAReviewIsHeldApart(t *testing.T) {
	other := clerk
	other.ID = "somebody-else"
	asked := func(r domain.Request) domain.Request {
		r.Dossier.Reviews = map[domain.ReviewID]domain.Review{"fire": {Opinion: domain.OpinionOpen}, "water": {Opinion: domain.OpinionOpen}}
		return r
	}
	give := func(n byte, by domain.Actor, id domain.ReviewID) domain.GiveReview {
		return domain.GiveReview{Header: header(n, by), Review: id, Opinion: domain.OpinionApproved}
	}
	for name, x := range map[string]struct {
		before, then domain.Command
		says         string
	}{
		"both":                   {give(1, clerk, "fire"), give(2, clerk, "water"), `review "fire"`},
		"one each":               {give(1, clerk, "fire"), give(2, other, "water"), ""},
		"checked, and one":       {act(1, clerk, "check", ""), give(2, clerk, "water"), `"check"`},
		"checked by another":     {act(1, other, "check", ""), give(2, clerk, "water"), ""},
		"nothing before the one": {act(1, other, "note", ""), give(2, clerk, "fire"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := reviewed{}
			r := asked(history(t, w, submit(0)))
			events, err := domain.Decide(r, x.before, w)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
			}
			_, err = domain.Decide(asked(r), x.then, w)
			var refusal *domain.Refusal
			if got := errors.As(err, &refusal) && refusal.Rule == domain.RuleFourEyes; got != (x.says != "") || got && !strings.Contains(err.Error(), x.says) || !got && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
