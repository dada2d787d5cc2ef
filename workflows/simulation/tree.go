package simulation

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// tree is the histories that requests can have, as far as any had them: each place in
// it is a request that [domain.Decide] and [domain.Evolve] made, and simulated requests
// that did the same stand at the same place. That is sound because neither looks at the
// clock; and each command in it is given by somebody else, so that four eyes are held
// by the simulation, which knows who did what. A simulation is
// then seventeen times as fast as with every command of every request decided anew
// (BenchmarkShared, BenchmarkDecidedAnew).
//
// A tree is not safe for concurrent use.
type tree struct {
	w        *workflows.Workflow
	cases    []Case
	roots    []*place
	commands uint64
	places   int
	most     int // places that are kept
}

// place is a history: the request as it stands, or why it cannot be.
type place struct {
	request domain.Request
	kase    int // of which it is a history
	why     *domain.Refusal
	next    map[step]*place

	// What is found out of it once: see [model.ways].
	looked   bool
	ways     []way
	refusals []*domain.Refusal
}

// step is what leads from one place to the next.
type step struct {
	kind stepKind
	of   int // index into what the kind is about
	word int
}

type stepKind uint8

const (
	stepAct stepKind = iota
	stepSettle
	stepReview
	stepAnswer
	stepExpiry
)

// maxPlaces is how many places one tree keeps; beyond, histories are decided anew.
const maxPlaces = 100_000

func newTree(d *workflows.Definition, cases []Case) (*tree, error) {
	t := &tree{w: workflows.Compile(d, 1), cases: cases, most: maxPlaces}
	for i := range cases {
		c := &cases[i]
		h := t.header(cmp.Or(c.By, d.Submit[0]), c.As)
		r, why := t.give(domain.Request{}, domain.Submit{
			Header: h, Service: d.ID, Reference: "0000-0000-0000", Facts: c.Facts, Form: c.Form,
		})
		if why != nil {
			return nil, fmt.Errorf("case %d cannot be submitted: %w; say under cases what is handed in", i+1, why)
		}
		t.roots = append(t.roots, &place{request: r, kase: i})
	}
	return t, nil
}

// A Monday morning: no rule looks at it.
var played = time.Date(2026, time.January, 5, 1, 0, 0, 0, time.UTC)

// header is of a command by somebody who never gave one before.
func (t *tree) header(role domain.RoleID, as domain.Capacity) domain.Header {
	t.commands++
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], t.commands)
	if as == "" {
		as = domain.CapacityOfficer
		if allowed := t.w.Capacities(role); len(allowed) > 0 && !slices.Contains(allowed, as) {
			as = allowed[0]
		}
	}
	return domain.Header{ID: id, Occurred: played, Actor: domain.Actor{ID: fmt.Sprint("p-", t.commands), Role: role, Capacity: as}}
}

// give has a command carried out.
func (t *tree) give(r domain.Request, c domain.Command) (domain.Request, *domain.Refusal) {
	events, err := domain.Decide(r, c, t.w)
	if err != nil {
		return r, refusalOf(err)
	}
	for _, e := range events {
		r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
	}
	return r, nil
}

func refusalOf(err error) *domain.Refusal {
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return domain.NewRefusal("", err.Error(), "")
}

// to is the place that a step leads to.
func (t *tree) to(p *place, s step, make func(domain.Request) (domain.Request, *domain.Refusal)) *place {
	if next, ok := p.next[s]; ok {
		return next
	}
	r, why := make(p.request)
	next := &place{request: r, kase: p.kase, why: why}
	if t.places < t.most {
		t.places++
		if p.next == nil {
			p.next = map[step]*place{}
		}
		p.next[s] = next
	}
	return next
}

// settled is where all that is owed is paid and all that can be asked for here is
// handed in.
func (t *tree) settled(p *place) *place {
	return t.to(p, step{kind: stepSettle}, func(r domain.Request) (domain.Request, *domain.Refusal) {
		return t.pay(r, nil), nil
	})
}

// pay pays what is owed of some fees, or of all.
func (t *tree) pay(r domain.Request, only []domain.FeeID) domain.Request {
	state := r.State
	for _, f := range t.w.Definition.Fees {
		owed := r.Dossier.Fees[f.ID].Owed()
		if owed == 0 || r.State != state || only != nil && !slices.Contains(only, f.ID) || len(t.w.Payers()) == 0 {
			continue
		}
		c := domain.Pay{Header: t.header(t.w.Payers()[0], ""), Fee: f.ID, Amount: owed}
		c.Receipt = fmt.Sprint("receipt-", t.commands)
		if after, why := t.give(r, c); why == nil {
			r = after
		}
	}
	return r
}

// act is where an action leads, with everything done that it needs. Of facts that are
// recorded with it, the word says which values.
func (t *tree) act(p *place, of int, role domain.RoleID, word int) *place {
	action := t.w.Definition.Actions[of].ID
	return t.to(p, step{stepAct, of, word}, func(r domain.Request) (domain.Request, *domain.Refusal) {
		edge, err := t.w.Fire(r, action)
		if err != nil {
			return r, refusalOf(err)
		}
		state := r.State
		if r = t.supply(r, edge.Needs); r.State != state {
			return r, nil // what was supplied moved it
		}
		r, h, why := t.works(r, role)
		if why != nil {
			return r, why
		}
		c := domain.Act{Header: h, Action: action}
		if len(edge.Reasons) > 0 {
			c.Reason = edge.Reasons[0]
		}
		if edge.Kind == domain.ActionOverride {
			c.Remark = "simulated"
		}
		if len(edge.Records) > 0 {
			c.Facts = t.recorded(edge.Records, word)
		}
		if edge.Kind == domain.ActionCorrect {
			c.Facts, c.Form = t.cases[p.kase].Facts, t.cases[p.kase].Form
		}
		return t.give(r, c)
	})
}

// works is the header of a command that is work of a state: by whoever has it, who takes
// it first if nobody does.
func (t *tree) works(r domain.Request, role domain.RoleID) (domain.Request, domain.Header, *domain.Refusal) {
	h := t.header(role, "")
	task, ok := t.w.Task(r.State)
	if !ok || task.Role != role {
		return r, h, nil
	}
	if r.Dossier.Picked == "" {
		r, why := t.give(r, t.take(task, h.Actor))
		return r, h, why
	}
	h.Actor.ID = r.Dossier.Picked
	return r, h, nil
}

// take is the command by which somebody gets the work of a state.
func (t *tree) take(task domain.TaskRule, a domain.Actor) domain.Command {
	h := t.header(task.Role, "")
	if task.Rule == domain.AllocateByOrder {
		h.Actor = a
		return domain.Pick{Header: h}
	}
	h.Actor = domain.Actor{ID: "alur", Role: "system", Capacity: domain.CapacitySystem}
	return domain.Allocate{Header: h, Allocation: domain.Allocation{
		Seed: fmt.Sprintf("%064x", t.commands), Candidates: []domain.Candidate{{Officer: a.ID}},
	}}
}

// supply hands in, pays and checks what an action needs.
func (t *tree) supply(r domain.Request, n domain.Needs) domain.Request {
	state := r.State
	try := func(c domain.Command) {
		if r.State != state {
			return
		}
		if after, why := t.give(r, c); why == nil {
			r = after
		}
	}
	for _, id := range n.Documents {
		rule, ok := t.w.Document(id)
		if doc, there := r.Dossier.Documents[id]; !ok || there && !doc.Refused {
			continue
		}
		try(domain.Attach{Header: t.header(rule.Roles[0], ""), Document: id, Format: rule.Formats[0], Bytes: 1, SHA256: strings.Repeat("0", 64)})
	}
	for _, c := range n.Checks {
		if rule, ok := t.w.Checklist(c.Checklist); ok && !r.Dossier.Checks[c.Checklist][c.Item] {
			after, h, why := t.works(r, rule.Roles[0])
			if why != nil {
				continue
			}
			r = after
			try(domain.AnswerCheck{Header: h, Check: c, Yes: true})
		}
	}
	if len(n.Fees) > 0 && r.State == state {
		r = t.pay(r, n.Fees)
	}
	return r
}

// recorded is values of facts that are recorded with an action; the word picks them.
func (t *tree) recorded(names []string, word int) domain.Facts {
	facts := domain.Facts{}
	for _, name := range names {
		values := t.values(name)
		facts[name] = values[word%len(values)]
		word /= len(values)
	}
	return facts
}

// values lists what a recorded fact may come to.
func (t *tree) values(name string) []any {
	for i := range t.w.Definition.Facts {
		f := &t.w.Definition.Facts[i]
		if f.ID != name {
			continue
		}
		switch {
		case len(f.Values) > 0:
			list := make([]any, len(f.Values))
			for i, v := range f.Values {
				list[i] = v
			}
			return list
		case f.Type == workflows.FactBoolean:
			return []any{true, false}
		case f.Default != nil:
			return []any{workflows.FactsOf(map[string]any{"": f.Default})[""]}
		}
		return []any{anyValue(f)}
	}
	return []any{nil}
}

// words is in how many ways the facts can come that an action records.
func (t *tree) words(names []string) int {
	n := 1
	for _, name := range names {
		n *= len(t.values(name))
	}
	return n
}

// review is where an opinion leads.
func (t *tree) review(p *place, of int, refused bool) *place {
	word := 0
	if refused {
		word = 1
	}
	return t.to(p, step{stepReview, of, word}, func(r domain.Request) (domain.Request, *domain.Refusal) {
		x := &t.w.Definition.Reviews[of]
		r, h, why := t.works(r, x.Role)
		if why != nil {
			return r, why
		}
		c := domain.GiveReview{Header: h, Review: x.ID, Opinion: domain.OpinionApproved}
		if refused {
			c.Opinion = domain.OpinionRefused
			if len(x.Reasons) > 0 {
				c.Reason = x.Reasons[0]
			}
		}
		after, why := t.give(r, c)
		if why != nil && why.Rule == domain.RuleFourEyes {
			c.Header = t.header(x.Role, "") // two opinions are of two people
			return t.give(r, c)
		}
		return after, why
	})
}

// answer is where an answer of a system leads.
func (t *tree) answer(p *place, of, word int) *place {
	return t.to(p, step{stepAnswer, of, word}, func(r domain.Request) (domain.Request, *domain.Refusal) {
		s := &t.w.Definition.Systems[of]
		return t.give(r, domain.ReportAnswer{Header: t.header(s.Role, ""), Answer: domain.Answer{System: s.ID, Outcome: s.Outcomes[word]}})
	})
}

// expired is where a term that ran out brings a request by law, whatever it lacks, and
// what follows of that by itself.
func (t *tree) expired(p *place, to int, ground workflows.ExpiryGround) *place {
	word := 0
	if ground == workflows.Lapse {
		word = 1
	}
	return t.to(p, step{stepExpiry, to, word}, func(r domain.Request) (domain.Request, *domain.Refusal) {
		s := &t.w.Definition.States[to]
		e := domain.Event{Envelope: domain.Envelope{Occurred: played, Workflow: t.w.Ref()}}
		var body domain.Body = domain.DecisionDeemed{Ground: ground, From: r.State, To: s.ID, Public: s.Public, Outcome: s.Outcome}
		if ground == workflows.Lapse {
			body = domain.RequestLapsed{From: r.State, To: s.ID, Public: s.Public, Outcome: s.Outcome}
		}
		for n := 0; body != nil && n < domain.MaxFollowing; n++ {
			e.Body = body
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
			var err error
			if body, err = t.w.Next(r); err != nil {
				return r, nil // it stalls where it came to
			}
		}
		return r, nil
	})
}
