package workflows

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// playing is one request, as the engine has it and as the naive interpreter has it.
type playing struct {
	t *rapid.T
	d sample
	w *Workflow

	r     domain.Request // folded from what was stored
	naive *naive
	tip   domain.Tip
	given []domain.Command // that led to something
	story []domain.Recorded
}

func play(t *rapid.T) *playing {
	d := definitions().Draw(t, "definition")
	return &playing{t: t, d: d, w: Compile(d.Definition, 1), naive: &naive{d: d.Definition}}
}

// decide is what the engine makes of a command: events, or a rule against it.
func (p *playing) decide(r domain.Request, c domain.Command) ([]domain.Event, domain.Rule) {
	events, err := domain.Decide(r, c, p.w)
	var refusal *domain.Refusal
	var conflict *domain.ConflictError
	switch {
	case errors.As(err, &conflict):
		return nil, ruleConflict
	case errors.As(err, &refusal):
		return nil, refusal.Rule
	case err != nil:
		p.t.Fatalf("neither events nor a rule: %v", err)
	}
	return events, ""
}

// step draws a command and gives it to both.
func (p *playing) step(number int) (domain.Command, domain.Rule) {
	c := commands(p.d.Definition, p.w, p.r, number).Draw(p.t, "command").Command
	events, rule := p.decide(p.r, c)
	want, wantRule := p.naive.give(c)
	var got []said
	for _, e := range events {
		got = append(got, said{e.Actor, e.Body})
	}
	if rule != wantRule || !cmp.Equal(want, got, cmp.AllowUnexported(said{})) {
		p.t.Fatalf("the engine says %q, the naive interpreter %q\n(-naive +engine)\n%s", rule, wantRule, cmp.Diff(want, got, cmp.AllowUnexported(said{})))
	}
	if rule != "" {
		return c, rule
	}
	p.store(events)
	p.naive.log = append(p.naive.log, want...)
	p.given = append(p.given, c)
	return c, ""
}

// store folds events into the request, once as they are and once as they come back
// from JSON.
func (p *playing) store(events []domain.Event) {
	entered, tip, err := domain.Enter("s", p.tip, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), events)
	if err != nil {
		p.t.Fatal(err)
	}
	p.tip = tip
	direct, read := p.r, p.r
	for i, entry := range entered.Entries {
		back, err := domain.Decode(entry)
		if err != nil {
			p.t.Fatal(err)
		}
		p.story = append(p.story, back)
		direct = domain.Evolve(direct, domain.Recorded{Event: events[i], Version: entry.Version})
		read = domain.Evolve(read, back)
	}
	if !reflect.DeepEqual(direct, read) {
		p.t.Fatalf("after JSON the request is another\n%+v\n%+v", direct, read)
	}
	p.r = read
}

// The engine and an interpreter that was written from the words of the language alone
// come to the same events, or the same rule against a command, at every step.
func TestTheEngineAgreesWithANaiveInterpreter(t *testing.T) {
	refused := map[domain.Rule]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := play(t)
		for i := range rapid.IntRange(1, 30).Draw(t, "commands") {
			c, rule := p.step(i)
			refused[rule]++
			if holds, known := reallyHolds[rule]; rule != "" && (!known || !holds(p, c)) {
				t.Fatalf("the rule %q was named and does not hold", rule)
			}
		}
	})
	t.Log(refused)
}

// A command that is given again, whenever, leads to nothing; another one under its id
// is refused. The request is the same when it is folded anew from the first event.
func TestEveryCommandMayBeRepeated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := play(t)
		for i := range rapid.IntRange(1, 15).Draw(t, "commands") {
			p.step(i)
		}
		var anew domain.Request
		for _, e := range p.story {
			anew = domain.Evolve(anew, e)
		}
		if !reflect.DeepEqual(anew, p.r) {
			t.Fatalf("folded anew the request is another\n%+v\n%+v", anew, p.r)
		}
		for i, c := range p.given {
			if events, rule := p.decide(p.r, c); rule != "" || len(events) > 0 {
				t.Fatalf("%#v again: %d events, rule %q", order{c}, len(events), rule)
			}
			for _, other := range alike(c) {
				if events, rule := p.decide(p.r, other); rule != domain.RuleCommandReused {
					t.Fatalf("%#v under the id of command %d, %#v: %d events, rule %q", order{other}, i, order{c}, len(events), rule)
				}
			}
		}
	})
}

// alike are other commands under the same id.
func alike(c domain.Command) []domain.Command {
	h := c.Head()
	somebody := h
	somebody.Actor.ID = "px"
	list := []domain.Command{domain.Act{Header: h}, domain.Act{Header: h, Action: "zzz"}, domain.Attach{Header: h, Document: "zzz"}}
	if _, picked := c.(domain.Pick); !picked {
		list = append(list, domain.Pick{Header: h})
	}
	switch c := c.(type) {
	case domain.Submit:
		other := c
		other.Facts = domain.Facts{"n": 77.0}
		third := c
		third.Header = somebody
		return append(list, other, third)
	case domain.Act:
		other, third := c, c
		other.Facts = domain.Facts{"n": 77.0}
		if len(c.Facts) == 1 && c.Facts["seen"] != nil {
			other.Facts = domain.Facts{"seen": c.Facts["seen"] == false}
		}
		third.Reason += "x"
		return append(list, other, third)
	case domain.Attach:
		other := c
		other.Bytes++
		return append(list, other)
	case domain.AnswerCheck:
		other := c
		other.Yes = !c.Yes
		return append(list, other)
	case domain.Pay:
		other, third, fourth := c, c, c
		other.Receipt += "x"
		third.Also = append(slices.Clone(c.Also), domain.Payment{Fee: "zzz", Amount: 1})
		fourth.Also = nil
		if list = append(list, other, third); len(c.Also) > 0 {
			list = append(list, fourth)
		}
		return list
	case domain.ReportAnswer:
		other := c
		other.Outcome = "ugly"
		return append(list, other)
	case domain.Reassign:
		other := c
		other.To = "px"
		return append(list, other)
	case domain.Allocate:
		other, third := c, c
		other.Seed = strings.Repeat("f", 64)
		third.Candidates = slices.Clone(c.Candidates)
		third.Candidates[0].Load++
		return append(list, other, third)
	case domain.Pick:
		other := c
		other.Header = somebody
		return append(list, other)
	}
	return append(list, domain.Pay{Header: h, Fee: "zzz"})
}
