package workflows

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alur-id/alur/domain"
)

// naive interprets a definition straight from what its words mean: it keeps the list
// of what happened and looks through it again for every question. It shares the
// conditions' programs and the form's schema with the engine, and nothing else.
type naive struct {
	d    *Definition
	log  []said
	anew domain.Facts // that a correction would lead to

	fallible bool // a condition that fails does not hold: the engine refuses what needs it
}

type said struct {
	by   domain.Actor
	body domain.Body
}

// last is the newest event of a type whose first fields are these, and where it stands;
// -1 for none.
func last[B domain.Body](n *naive, fields ...any) (B, int) {
	return lastThat(n, func(b B) bool {
		for i, want := range fields {
			if reflect.ValueOf(b).Field(i).Interface() != want {
				return false
			}
		}
		return true
	})
}

func lastThat[B domain.Body](n *naive, suits func(B) bool) (B, int) {
	for i := len(n.log) - 1; i >= 0; i-- {
		if b, ok := n.log[i].body.(B); ok && suits(b) {
			return b, i
		}
	}
	var none B
	return none, -1
}

// entered is where the log says that the request came to the state it is in.
func (n *naive) entered() int {
	_, i := lastThat(n, func(b domain.ActionTaken) bool { return b.From != b.To })
	return max(i, 0)
}

func (n *naive) state() *State {
	if b, i := last[domain.ActionTaken](n); i >= 0 {
		return n.d.state(b.To)
	}
	return n.d.state("start")
}

func (n *naive) corrected() (domain.RequestCorrected, int) {
	return last[domain.RequestCorrected](n)
}

func (n *naive) facts() domain.Facts {
	if n.anew != nil {
		return n.anew
	}
	facts := maps.Clone(n.log[0].body.(domain.RequestSubmitted).Facts)
	if b, i := n.corrected(); i >= 0 {
		facts = maps.Clone(b.Facts)
	}
	if b, i := last[domain.FactsRecorded](n); i >= 0 {
		facts["seen"] = b.Facts["seen"]
	}
	return facts
}

// fee is what is owed of what was last assessed and not forgotten by a correction.
func (n *naive) fee(id domain.FeeID) (owed int64, known, paid bool) {
	b, i := last[domain.FeeAssessed](n, id)
	_, c := n.corrected()
	owed = b.Amount
	for _, e := range n.log {
		if p, ok := e.body.(domain.FeePaid); ok && p.Fee == id {
			owed -= p.Amount
		}
	}
	owed = max(owed, 0)
	return owed, i >= 0 && i > c, i >= 0 && i > c && owed == 0
}

func (n *naive) times(a domain.ActionID) (count int) {
	for _, s := range n.log {
		if b, ok := s.body.(domain.ActionTaken); ok && b.Action == a {
			count++
		}
	}
	return count
}

func (n *naive) review(id domain.ReviewID) domain.Opinion {
	_, asked := last[domain.ReviewRequested](n, id)
	b, given := last[domain.ReviewGiven](n, id)
	switch {
	case given > asked:
		return b.Opinion
	case asked >= 0:
		return domain.OpinionOpen
	}
	return ""
}

func (n *naive) paid(id domain.FeeID) bool { _, _, paid := n.fee(id); return paid }

func (n *naive) attached(id domain.DocumentID) bool {
	_, came := last[domain.DocumentAttached](n, id)
	_, went := last[domain.DocumentRefused](n, id)
	return came > went
}

func (n *naive) answer(id domain.SystemID) string {
	if b, i := last[domain.AnswerReported](n, id); i > n.entered() {
		return b.Outcome
	}
	return ""
}

func (n *naive) checked(list domain.ChecklistID, item domain.CheckID) bool {
	b, i := last[domain.CheckAnswered](n, list, item)
	return b.Yes && i > n.cleared(list)
}

// cleared is where a checklist was last cleared.
func (n *naive) cleared(list domain.ChecklistID) int {
	_, i := last[domain.ChecklistCleared](n, list)
	return i
}

// answered reports whether anything was answered of a checklist since.
func (n *naive) answered(list domain.ChecklistID) bool {
	_, i := last[domain.CheckAnswered](n, list)
	return i > n.cleared(list)
}

// worker is who has the work of the state.
func (n *naive) worker() string {
	for i := len(n.log) - 1; i > n.entered(); i-- {
		switch b := n.log[i].body.(type) {
		case domain.TaskPicked:
			return n.log[i].by.ID
		case domain.TaskReassigned:
			return b.To
		case domain.TaskAllocated:
			return b.To
		}
	}
	return ""
}

func (n *naive) holds(c *Condition) bool {
	if c == nil {
		return true
	}
	s := n.state()
	ok, err := c.holds(vars{facts: n.facts(), past: n, state: string(s.ID), outcome: string(s.Outcome)})
	if err != nil && !n.fallible {
		panic(err) // no condition that is drawn fails
	}
	return ok
}

// opinion is what the reviews of a state come to.
func (n *naive) opinion(s *State) domain.Opinion { return n.together(s, n.review) }

// since is what they come to by what was said since the last correction.
func (n *naive) since(s *State) domain.Opinion {
	return n.together(s, func(id domain.ReviewID) domain.Opinion {
		_, given := last[domain.ReviewGiven](n, id)
		_, corrected := n.corrected()
		if is := n.review(id); is != domain.OpinionApproved || given > corrected {
			return is
		}
		return domain.OpinionOpen
	})
}

func (n *naive) together(s *State, said func(domain.ReviewID) domain.Opinion) domain.Opinion {
	asked, yes, nay := 0, 0, 0
	for _, id := range s.Reviews {
		if !n.holds(n.d.review(id).When) {
			continue
		}
		asked++
		switch said(id) {
		case domain.OpinionApproved:
			yes++
		case domain.OpinionRefused:
			nay++
		default:
		}
	}
	need, outvote := asked, false
	if s.Join != nil {
		outvote = s.Join.Outvote
		if s.Join.Need == "any" {
			need = min(1, asked)
		} else if s.Join.Need != "all" && s.Join.Need != "" {
			number, _ := strconv.Atoi(s.Join.Need)
			need = min(number, asked)
		}
	}
	switch {
	case nay > 0 && !outvote || nay > asked-need:
		return domain.OpinionRefused
	case yes >= need:
		return domain.OpinionApproved
	}
	return domain.OpinionOpen
}

// lacks is the first rule by which the needs of a transition are not met.
func (n *naive) lacks(t *Transition) domain.Rule {
	if t.Needs == nil {
		return ""
	}
	for _, x := range n.d.Documents {
		needed := slices.Contains(t.Needs.Documents, x.ID) || t.Needs.Required && (x.Required || x.RequiredWhen != nil && n.holds(x.RequiredWhen))
		if needed && !n.attached(x.ID) {
			return domain.RuleIncomplete
		}
	}
	for _, list := range n.d.Checklists {
		for _, item := range list.Items {
			if slices.Contains(t.Needs.Checklists, list.ID) && !n.checked(list.ID, item.ID) {
				return domain.RuleChecklist
			}
		}
	}
	for _, id := range t.Needs.Fees {
		if !n.paid(id) {
			return domain.RuleUnpaid
		}
	}
	s := n.state()
	switch {
	case t.Needs.Reviews != "" && n.opinion(s) != t.Needs.Reviews:
		return domain.RuleReview
	case t.Needs.Answer != "" && n.answer(s.WaitsFor) != t.Needs.Answer:
		return domain.RuleAnswer
	}
	return ""
}

// due is what a fee comes to.
func (n *naive) due(f *Fee) int64 {
	if !n.holds(f.When) {
		return 0
	}
	if f.Formula != nil {
		amount, err := f.Formula.amount(vars{facts: n.facts()})
		if err != nil {
			panic(err)
		}
		return amount
	}
	if f.Table == nil {
		return int64(f.Amount)
	}
	for _, row := range f.Table.Rows {
		v, number := n.facts()[f.Table.Fact].(float64)
		if number && (row.UpTo == nil || v <= *row.UpTo) || !number && row.Value == n.facts()[f.Table.Fact] {
			return int64(row.Amount)
		}
	}
	panic("no row")
}

// next is what follows by itself, nil when nothing does.
func (n *naive) next() domain.Body {
	s, since := n.state(), n.entered()
	for _, id := range s.Reviews {
		_, asked := last[domain.ReviewRequested](n, id)
		is := n.review(id)
		stays := is == domain.OpinionApproved && (s.Join == nil || s.Join.Again != "all")
		if n.holds(n.d.review(id).When) && asked <= since && !stays {
			return domain.ReviewRequested{Review: id, Role: n.d.review(id).Role}
		}
	}
	for i := range n.d.Fees {
		f := &n.d.Fees[i]
		if _, known, _ := n.fee(f.ID); !known && slices.Contains(f.DueIn, s.ID) {
			return domain.FeeAssessed{Fee: f.ID, Amount: n.due(f)}
		}
	}
	if _, i := last[domain.TaskReady](n); s.Allocate != nil && i <= since {
		return domain.TaskReady{State: s.ID, Role: s.Owner, Rule: s.Allocate.Rule}
	}
	for _, x := range n.d.Notices {
		if _, i := last[domain.NoticeDue](n, x.ID); slices.Contains(x.On, s.ID) && i <= since {
			return domain.NoticeDue{Notice: x.ID, State: s.ID, To: x.To}
		}
	}
	for i := range n.d.Transitions {
		if t := &n.d.Transitions[i]; t.Automatic && slices.Contains(t.From, s.ID) && n.holds(t.When) && n.lacks(t) == "" {
			return n.taken(t, "", domain.ActionAuto)
		}
	}
	return nil
}

func (n *naive) taken(t *Transition, reason domain.ReasonCode, kind domain.ActionKind) domain.ActionTaken {
	to := n.d.state(t.To)
	return domain.ActionTaken{Action: t.Action, From: n.state().ID, To: t.To, Public: to.Public, Outcome: to.Outcome, Reason: reason, Kind: kind}
}

// broken reports whether something is that must never be.
func (n *naive) broken() bool {
	return slices.ContainsFunc(n.d.Invariants, func(x Invariant) bool {
		switch {
		case x.Never != nil:
			return n.holds(x.Never)
		case x.Always != nil:
			return !n.holds(x.Always)
		}
		return n.times(x.Before.Then) > 0 && n.times(x.Before.First) == 0
	})
}

// follow adds what follows from what was said, until nothing does.
func (n *naive) follow(first ...said) ([]said, domain.Rule) {
	after := &naive{d: n.d, log: append(slices.Clip(n.log), first...)}
	for {
		b := after.next()
		if _, moves := b.(domain.ActionTaken); (moves || b == nil) && after.broken() {
			return nil, domain.RuleInvariant
		}
		if b == nil {
			return after.log[len(n.log):], ""
		}
		if len(after.log)-len(n.log) == 100 {
			return nil, domain.RuleEndless
		}
		after.log = append(after.log, said{domain.Actor{ID: "alur", Role: "system", Capacity: domain.CapacitySystem}, b})
	}
}

// clear is the facts that are recorded.
func (n *naive) clear(given domain.Facts, form domain.Personal) (domain.Facts, domain.Rule) {
	if n.d.Form.check(form) != nil {
		return nil, domain.RuleForm
	}
	facts := domain.Facts{}
	for _, f := range n.d.Facts {
		v, ok := given[f.ID]
		if size, filled := form["size"]; (f.From != nil || f.Recorded) && ok {
			return nil, domain.RuleFacts
		} else if f.From != nil && filled {
			v, ok = size, true
		}
		if !ok && f.Default != nil {
			v, ok = f.Default, true
		}
		kind := strings.NewReplacer("float64", "number", "bool", "boolean").Replace(fmt.Sprintf("%T", v))
		if !ok || kind != string(f.Type) || len(f.Values) > 0 && !slices.Contains(f.Values, v.(string)) {
			return nil, domain.RuleFacts
		}
		facts[f.ID] = v
	}
	for id := range given {
		if n.d.fact(id) == nil {
			return nil, domain.RuleFacts
		}
	}
	return facts, ""
}
