package domain_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// shared is rules where the work of state "checked" is given out to heads, by a rule.
type shared struct {
	rules
	by string
}

func (s shared) Next(r domain.Request) (domain.Body, error) {
	if r.State == "checked" && r.Dossier.Ready == 0 {
		return domain.TaskReady{State: "checked", Role: "head", Rule: s.by}, nil
	}
	return nil, nil
}

func (s shared) Task(state domain.StateID) (domain.TaskRule, bool) {
	return domain.TaskRule{Role: "head", Rule: s.by, Bars: []domain.ActionID{"check"}, Assigner: []domain.RoleID{"deputy"}}, state == "checked"
}

var (
	deputy = domain.Actor{ID: "d-1", Role: "deputy", Capacity: domain.CapacityOfficer}
	system = domain.Actor{ID: "alur", Role: "system", Capacity: domain.CapacitySystem}
)

// history folds what commands lead to, all of which must be let.
func history(t *testing.T, w domain.Workflow, commands ...domain.Command) domain.Request {
	t.Helper()
	var r domain.Request
	for _, c := range commands {
		events, err := domain.Decide(r, c, w)
		if err != nil {
			t.Fatalf("%T: %v", c, err)
		}
		for _, e := range events {
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
		}
	}
	return r
}

func allocation(n byte, a domain.Actor, seed byte, candidates ...domain.Candidate) domain.Allocate {
	return domain.Allocate{Header: header(n, a), Allocation: domain.Allocation{Seed: strings.Repeat(fmt.Sprintf("%02x", seed), 32), Candidates: candidates}}
}

func TestWorkIsGivenOutByItsRule(t *testing.T) {
	pool := []domain.Candidate{{Officer: "h-3", Load: 2}, {Officer: "h-1", Load: 5}, {Officer: "h-2", Load: 4}}
	for name, x := range map[string]struct {
		rule    string
		before  []domain.Command
		command domain.Allocate
		to      string
		refused domain.Rule
	}{
		"the least loaded":              {rule: "least_loaded", command: allocation(2, system, 1, pool...), to: "h-3"},
		"an assigner asks for it":       {rule: "least_loaded", command: allocation(2, deputy, 1, pool...), to: "h-3"},
		"the owner's role may not":      {rule: "least_loaded", command: allocation(2, head, 1, pool...), refused: domain.RuleRole},
		"a system of another role":      {rule: "lottery", command: allocation(2, domain.Actor{ID: "x", Role: "bot", Capacity: domain.CapacitySystem}, 1, pool...), refused: domain.RuleRole},
		"nobody to choose from":         {rule: "lottery", command: allocation(2, system, 1), refused: domain.RuleTask},
		"two lots for one":              {rule: "lottery", command: allocation(2, system, 1, domain.Candidate{Officer: "h-1"}, domain.Candidate{Officer: "h-1", Load: 1}), refused: domain.RuleTask},
		"two lots for one in capitals":  {rule: "lottery", command: allocation(2, system, 1, domain.Candidate{Officer: "h-1"}, domain.Candidate{Officer: "h-2"}, domain.Candidate{Officer: "H-1"}), refused: domain.RuleTask},
		"only who checked, in capitals": {rule: "least_loaded", command: allocation(2, system, 1, domain.Candidate{Officer: "C-1"}), refused: domain.RuleFourEyes},
		"a load below nothing":          {rule: "lottery", command: allocation(2, system, 1, domain.Candidate{Officer: "h-1", Load: -1}), refused: domain.RuleTask},
		"a candidate by their mail":     {rule: "lottery", command: allocation(2, system, 1, domain.Candidate{Officer: "a@b.id"}), refused: domain.RulePersonalData},
		"a candidate of no name":        {rule: "lottery", command: allocation(2, system, 1, domain.Candidate{}), refused: domain.RuleActor},
		"no seed":                       {rule: "lottery", command: domain.Allocate{Header: header(2, system), Allocation: domain.Allocation{Candidates: pool}}, refused: domain.RuleTask},
		"a seed that is too short":      {rule: "lottery", command: domain.Allocate{Header: header(2, system), Allocation: domain.Allocation{Seed: "ab", Candidates: pool}}, refused: domain.RuleTask},
		"work that is picked":           {rule: "order", command: allocation(2, system, 1, pool...), refused: domain.RuleTask},
		"given out before":              {rule: "lottery", before: []domain.Command{allocation(3, system, 1, pool...)}, command: allocation(2, system, 2, pool...), refused: domain.RuleTask},
		"who checked is left out":       {rule: "least_loaded", command: allocation(2, system, 1, domain.Candidate{Officer: "c-1"}, domain.Candidate{Officer: "h-1", Load: 9}), to: "h-1"},
		"only who checked":              {rule: "least_loaded", command: allocation(2, system, 1, domain.Candidate{Officer: "c-1"}), refused: domain.RuleFourEyes},
	} {
		t.Run(name, func(t *testing.T) {
			w := shared{by: x.rule}
			r := history(t, w, append([]domain.Command{submit(0), act(1, clerk, "check", "")}, x.before...)...)
			events, err := domain.Decide(r, x.command, w)
			var refusal *domain.Refusal
			switch {
			case x.refused != "" && (!errors.As(err, &refusal) || refusal.Rule != x.refused):
				t.Fatalf("want rule %q, got %v", x.refused, err)
			case x.refused != "":
				return
			case err != nil:
				t.Fatal(err)
			}
			given := events[0].Body.(domain.TaskAllocated)
			if given.To != x.to || given.Drawn(r.ID) != x.to || given.Ready != r.Dossier.Ready {
				t.Errorf("given to %q (drawn again: %q), offered at %d", given.To, given.Drawn(r.ID), given.Ready)
			}
			if slices.Contains(given.Barred, "c-1") != slices.ContainsFunc(given.Candidates, func(c domain.Candidate) bool { return c.Officer == "c-1" }) {
				t.Errorf("who is barred is not told: %+v", given)
			}
			r = domain.Evolve(r, domain.Recorded{Event: events[0], Version: r.Version + 1})
			if r.Dossier.Picked != x.to {
				t.Errorf("%q has the work", r.Dossier.Picked)
			}
			if again, err := domain.Decide(r, x.command, w); err != nil || len(again) > 0 {
				t.Errorf("the command again: %d events, %v", len(again), err)
			}
			other := x.command
			other.Candidates = append(slices.Clone(other.Candidates), domain.Candidate{Officer: "h-9"})
			if _, err := domain.Decide(r, other, w); !errors.As(err, &refusal) || refusal.Rule != domain.RuleCommandReused {
				t.Errorf("another command under its id: %v", err)
			}
		})
	}
}

// What is wanted was computed from the words of the comment on pick by another program
// (Python's hmac and hashlib).
func TestTheLotteryCanBeDrawnAgainElsewhere(t *testing.T) {
	pool := []domain.Candidate{{Officer: "a"}, {Officer: "b"}, {Officer: "c"}, {Officer: "d"}, {Officer: "e"}}
	request := domain.RequestID(id(0))
	got := ""
	for seed := range byte(12) {
		b := domain.TaskAllocated{Rule: "lottery", Ready: domain.Version(seed) + 3, Seed: strings.Repeat(fmt.Sprintf("%02x", seed), 32), Candidates: pool}
		got += b.Drawn(request)
	}
	if want := "caacdbabeddc"; got != want {
		t.Errorf("drawn %q for %s, want %q", got, request, want)
	}
}

// Whatever order candidates come in, the same one is picked; every one of them can be;
// nobody who is barred ever is, nor anybody with more to do than another.
func TestALotIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "candidates")
		var pool []domain.Candidate
		var barred []string
		for i := range n {
			c := domain.Candidate{Officer: fmt.Sprint("h-", i), Load: rapid.IntRange(0, 2).Draw(t, "load")}
			pool = append(pool, c)
			if i > 0 && rapid.IntRange(0, 3).Draw(t, "barred") == 0 {
				barred = append(barred, c.Officer)
			}
		}
		rule := rapid.SampledFrom([]string{"least_loaded", "lottery"}).Draw(t, "rule")
		could := slices.DeleteFunc(slices.Clone(pool), func(c domain.Candidate) bool { return slices.Contains(barred, c.Officer) })
		least := slices.MinFunc(could, func(a, b domain.Candidate) int { return cmp.Compare(a.Load, b.Load) }).Load
		could = slices.DeleteFunc(could, func(c domain.Candidate) bool { return rule == "least_loaded" && c.Load > least })
		drawn := map[string]int{}
		const draws = 400
		for v := range draws {
			b := domain.TaskAllocated{Rule: rule, Ready: domain.Version(v), Seed: strings.Repeat("07", 32), Candidates: pool, Barred: barred}
			to := b.Drawn(domain.RequestID(id(0)))
			drawn[to]++
			slices.Reverse(pool)
			b.Candidates = pool
			if again := b.Drawn(domain.RequestID(id(0))); again != to {
				t.Fatalf("%q, and in another order %q", to, again)
			}
		}
		if len(drawn) != len(could) {
			t.Fatalf("drawn %v of %v", drawn, could)
		}
		for _, c := range could {
			if got, want := drawn[c.Officer], draws/len(could); got < want/2 || got > want*3/2 {
				t.Errorf("%s was drawn %d times of %d, out of %d", c.Officer, got, draws, len(could))
			}
		}
	})
}

// Who has the task may do what is to be done; the others of its role may not, in no
// role; who is of another role keeps the rights that role has.
func TestAllocationBindsWhoeverIsOfTheOwnersRole(t *testing.T) {
	pool := []domain.Candidate{{Officer: "h-1"}, {Officer: "h-2", Load: 1}}
	as := func(person string, role domain.RoleID) domain.Actor {
		return domain.Actor{ID: person, Role: role, Capacity: domain.CapacityOfficer}
	}
	for name, x := range map[string]struct {
		rule    string
		before  []domain.Command
		actor   domain.Actor
		refused bool
	}{
		"who has it":                          {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("h-1", "head"), false},
		"who has it, in another role":         {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("h-1", "deputy"), false},
		"who has it, in capitals":             {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("H-1", "head"), false},
		"another candidate, in capitals":      {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("H-2", "deputy"), true},
		"to whom it was given, in capitals":   {"least_loaded", []domain.Command{domain.Reassign{Header: header(2, deputy), To: "h-7", Reason: "absent"}, domain.Reassign{Header: header(3, deputy), To: "h-8", Reason: "absent"}}, as("H-7", "deputy"), true},
		"a colleague":                         {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("h-3", "head"), true},
		"another candidate, in another role":  {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("h-2", "deputy"), true},
		"somebody of another role alone":      {"least_loaded", []domain.Command{allocation(2, system, 1, pool...)}, as("d-1", "deputy"), false},
		"from whom it was taken":              {"least_loaded", []domain.Command{allocation(2, system, 1, pool...), domain.Reassign{Header: header(3, deputy), To: "h-7", Reason: "absent"}}, as("h-1", "deputy"), true},
		"to whom it was given in between":     {"least_loaded", []domain.Command{domain.Reassign{Header: header(2, deputy), To: "h-7", Reason: "absent"}, domain.Reassign{Header: header(3, deputy), To: "h-8", Reason: "absent"}}, as("h-7", "deputy"), true},
		"who picked it and had it taken":      {"order", []domain.Command{domain.Pick{Header: header(2, head)}, domain.Reassign{Header: header(3, deputy), To: "h-7", Reason: "absent"}}, as("h-1", "deputy"), true},
		"nobody has it, somebody of the role": {"lottery", nil, as("h-1", "head"), true},
		"nobody has it, another role":         {"lottery", nil, as("d-1", "deputy"), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := shared{by: x.rule}
			r := history(t, w, append([]domain.Command{submit(0), act(1, clerk, "check", "")}, x.before...)...)
			_, err := domain.Decide(r, act(9, x.actor, "refuse", "late"), w)
			var refusal *domain.Refusal
			if x.refused != (errors.As(err, &refusal) && refusal.Rule == domain.RuleTask) || !x.refused && err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWorkThatIsGivenOutByRuleIsNotPicked(t *testing.T) {
	for rule, refused := range map[string]bool{"order": false, "least_loaded": true, "lottery": true} {
		w := shared{by: rule}
		r := history(t, w, submit(0), act(1, clerk, "check", ""))
		_, err := domain.Decide(r, domain.Pick{Header: header(2, head)}, w)
		var refusal *domain.Refusal
		if errors.As(err, &refusal) != refused || refused && refusal.Rule != domain.RuleTask {
			t.Errorf("%s: %v", rule, err)
		}
		if _, err := domain.Decide(r, domain.Reassign{Header: header(3, deputy), To: "h-7", Reason: "absent"}, w); err != nil {
			t.Errorf("%s: an assigner could not give it to somebody: %v", rule, err)
		}
		// Nobody lists the reasons for it, and those who wait are told them.
		for _, reason := range []domain.ReasonCode{"", "ill, see budi@example.org", "Budi is ill", "-", "absent-"} {
			_, err := domain.Decide(r, domain.Reassign{Header: header(3, deputy), To: "h-7", Reason: reason}, w)
			if !errors.As(err, &refusal) || refusal.Rule != domain.RuleReason {
				t.Errorf("%s, %q: %v", rule, reason, err)
			}
		}
	}
}

// A log in which work went to somebody else than was drawn is found out.
func TestAPickThatWasNotDrawnIsFound(t *testing.T) {
	pool := []domain.Candidate{{Officer: "h-1"}, {Officer: "h-2"}, {Officer: "h-3"}}
	request := domain.RequestID(id(0))
	b := domain.TaskAllocated{State: "checked", Rule: "lottery", Ready: 3, Seed: strings.Repeat("ab", 32), Candidates: pool}
	drawn := b.Drawn(request)
	for _, c := range pool {
		b.To = c.Officer
		a, _, err := domain.Enter(domain.RequestStream(request), domain.Tip{}, noon, []domain.Event{event(3, system, b)})
		if err != nil {
			t.Fatal(err)
		}
		a.Entries[0].Position = 1
		_, kinds := faults(a.Entries, nil)
		if found := slices.Contains(kinds, domain.FaultDraw); found != (c.Officer != drawn) {
			t.Errorf("given to %s, drawn %s: %v", c.Officer, drawn, kinds)
		}
	}
}
