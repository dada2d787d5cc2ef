// Package picture draws a workflow definition: as a Graphviz or a Mermaid diagram, and
// in sentences.
package picture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Picture is a definition as a diagram shows it, in a language: what stands in
// each state and at each arrow. How that is drawn is for [Picture.DOT] and
// [Picture.Mermaid]. The same definition gives the same bytes.
type Picture struct {
	d    *workflows.Definition
	lang string
	here domain.StateID // where a request stands, if one is shown
	all  []arrow
}

// Depict makes a picture, in "id" or "en", that shows a request in the state here;
// none when that is empty.
func Depict(d *workflows.Definition, lang string, here domain.StateID) (*Picture, error) {
	if here != "" {
		if _, err := d.State(here); err != nil {
			return nil, err
		}
	}
	p := &Picture{d: d, lang: lang, here: here}
	p.all = p.arrows()
	return p, nil
}

// Lang is the language of the picture.
func (p *Picture) Lang() string { return p.lang }

// Here is the state in which the picture shows a request, and how it says so.
func (p *Picture) Here() (domain.StateID, string) { return p.here, p.say("here") }

// Size is the number of boxes and arrows.
func (p *Picture) Size() (boxes, arrows int) { return len(p.d.States), len(p.all) }

// Title names the picture.
func (p *Picture) Title() string { return p.say("diagram", p.text(p.d.Title)) }

// Description says in sentences all that the picture shows, for those who cannot
// see it.
func (p *Picture) Description() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n", strings.Join(append([]string{p.Title(), p.text(p.d.Agency)}, p.legalTerms()...), ". "))
	for i := range p.d.States {
		s := &p.d.States[i]
		lines := append([]string{p.text(s.Title)}, p.box(s)...)
		if s.ID == p.here {
			lines = append(lines, p.say("here"))
		}
		fmt.Fprintf(&b, "%s.\n", strings.Join(lines, "; "))
		for _, a := range p.all {
			if a.from == s.ID {
				fmt.Fprintf(&b, "- %s → %s\n", strings.Join(append([]string{a.title}, a.lines...), "; "), p.state(a.to))
			}
		}
	}
	return b.String()
}

func (p *Picture) say(phrase string, fill ...any) string { return say(p.lang, phrase, fill...) }
func (p *Picture) text(t workflows.Text) string          { return shown(t.In(p.lang)) }

func (p *Picture) state(id domain.StateID) string { return p.text(p.at(id).Title) }

// at is a state that there is: only such get into a definition.
func (p *Picture) at(id domain.StateID) *workflows.State {
	return find(p.d.States, func(s *workflows.State) bool { return s.ID == id })
}

func (p *Picture) start() *workflows.State {
	return find(p.d.States, func(s *workflows.State) bool { return s.Kind == workflows.KindStart })
}

func (p *Picture) review(id domain.ReviewID) *workflows.Review {
	return find(p.d.Reviews, func(r *workflows.Review) bool { return r.ID == id })
}

func find[T any](all []T, is func(*T) bool) *T {
	for i := range all {
		if is(&all[i]) {
			return &all[i]
		}
	}
	return nil
}

// titled is the title of what has an id, in a list of them.
func titled[T any, ID ~string](p *Picture, all []T, id ID, of func(*T) (ID, workflows.Text)) string {
	for i := range all {
		if have, title := of(&all[i]); have == id {
			return p.text(title)
		}
	}
	return string(id)
}

func (p *Picture) action(id domain.ActionID) string {
	return titled(p, p.d.Actions, id, func(a *workflows.Action) (domain.ActionID, workflows.Text) { return a.ID, a.Title })
}

// deed is an action, or the submission itself.
func (p *Picture) deed(id domain.ActionID) string {
	if p.d.Submits(id) {
		return p.say("submitting")
	}
	if review, ok := strings.CutPrefix(string(id), string(domain.Reviewing(""))); ok {
		return p.text(p.review(domain.ReviewID(review)).Title)
	}
	return p.action(id)
}

func (p *Picture) role(id domain.RoleID) string {
	return titled(p, p.d.Roles, id, func(r *workflows.Role) (domain.RoleID, workflows.Text) { return r.ID, r.Title })
}

func (p *Picture) system(id domain.SystemID) string {
	return titled(p, p.d.Systems, id, func(s *workflows.System) (domain.SystemID, workflows.Text) { return s.ID, s.Title })
}

func (p *Picture) roles(all []domain.RoleID) string { return listed(all, p.role) }

func listed[ID any](all []ID, title func(ID) string) string {
	titles := make([]string, len(all))
	for i, id := range all {
		titles[i] = title(id)
	}
	return strings.Join(titles, ", ")
}

// box is what stands in a state under its title.
func (p *Picture) box(s *workflows.State) []string {
	kind := p.say(string(s.Kind))
	if s.Kind == workflows.KindEnd {
		kind += ": " + p.say("outcome "+string(s.Outcome))
	}
	lines := []string{kind}
	if s.Owner != "" {
		lines = append(lines, p.say("owner", p.role(s.Owner)))
	}
	if s.Allocate != nil && len(s.Allocate.Assigner) > 0 {
		lines = append(lines, p.say("assigned", p.roles(s.Allocate.Assigner)))
	}
	if s.WaitsFor != "" {
		lines = append(lines, p.say("waits", p.system(s.WaitsFor)))
	}
	for i := range p.d.Fees {
		if f := &p.d.Fees[i]; slices.Contains(f.DueIn, s.ID) {
			lines = append(lines, p.say("due", p.text(f.Title)+p.condition(f.When)))
		}
	}
	lines = append(lines, p.reviews(s)...)
	switch {
	case s.Term != nil:
		lines = append(lines, p.say("term", p.term(s.Term)))
	case !s.Promise.IsZero():
		lines = append(lines, p.say("promise", p.text(s.Promise)))
	}
	return lines
}

func (p *Picture) reviews(s *workflows.State) []string {
	var lines []string
	for _, id := range s.Reviews {
		r := p.review(id)
		line := fmt.Sprintf("• %s (%s", p.text(r.Title), p.role(r.Role))
		if r.Term != nil {
			line += "; " + p.term(r.Term)
		}
		lines = append(lines, line+")"+p.condition(r.When))
	}
	if len(s.Reviews) < 2 {
		return lines
	}
	join := workflows.Join{Need: "all"}
	if s.Join != nil && s.Join.Need != "" {
		join = *s.Join
	}
	switch join.Need {
	case "all":
		return append(lines, p.say("join all"))
	case "any":
		join.Need = "1"
	}
	if join.Outvote {
		return append(lines, p.say("join outvote", join.Need))
	}
	return append(lines, p.say("join n", join.Need))
}

// term is a budget, what is promised, and who is told of it when. A move is an arrow.
func (p *Picture) term(t *workflows.Term) string {
	return strings.Join(append([]string{t.Budget.In(p.lang)}, p.watched(t)...), "; ")
}

// watched is what a term has beside its budget: what is promised, who is reminded and,
// when it has run out, told: nobody where the request then moves.
func (p *Picture) watched(t *workflows.Term) []string {
	var parts []string
	if t.Promise != nil {
		parts = append(parts, p.say("promised", t.Promise.In(p.lang)))
	}
	if t.Remind != nil {
		parts = append(parts, p.say("reminded", t.Remind.In(p.lang)))
	}
	if x := t.Expires; x != nil && x.To == "" && len(x.Escalate) > 0 {
		parts = append(parts, p.say("told", p.roles(x.Escalate)))
	}
	if x := t.Expires; x != nil && x.To == "" && x.Ombudsman {
		parts = append(parts, p.say("ombudsman"))
	}
	return parts
}

// lasts is how long a term is: its budget, or by a word the date that it is due at.
func (p *Picture) lasts(word string, t *workflows.LegalTerm) string {
	if t.Due == "" {
		return t.Budget.In(p.lang)
	}
	return p.say(word, titled(p, p.d.Facts, t.Due, func(f *workflows.Fact) (string, workflows.Text) { return f.ID, f.Title }))
}

// legalTerms are the terms over several states, each in a line, and what stops them.
func (p *Picture) legalTerms() []string {
	var lines []string
	for i := range p.d.Terms {
		t := &p.d.Terms[i]
		parts := []string{p.say("from", p.text(t.Title)+" "+p.lasts("until", t), listed(t.Starts, p.deed))}
		if len(t.SuspendedIn) > 0 {
			parts = append(parts, p.say("paused", listed(t.SuspendedIn, p.state)))
		}
		if x := t.Extension; x != nil {
			parts = append(parts, p.say("extension", x.By.In(p.lang), p.roles(x.Roles), p.text(x.Basis)))
		}
		parts = append(parts, p.watched(&workflows.Term{Promise: t.Promise, Remind: t.Remind, Expires: t.Expires})...)
		if x := t.Expires; x != nil && x.To != "" {
			parts = append(parts, p.say("after", p.lasts("date", t), p.say(string(x.Ground)))+" → "+p.state(x.To))
		}
		lines = append(lines, strings.Join(parts, "; ")+" ("+p.text(t.Basis)+")")
	}
	for i := range p.d.Suspensions {
		x := &p.d.Suspensions[i]
		line := p.say("stands still", listed(x.In, p.state), p.say(string(x.Ground)))
		if len(x.Roles) > 0 {
			line = p.say("may stop", p.roles(x.Roles), p.say(string(x.Ground)))
		}
		lines = append(lines, line+" ("+p.text(x.Basis)+")")
	}
	return lines
}

func (p *Picture) condition(c *workflows.Condition) string {
	if c == nil {
		return ""
	}
	return ", " + p.say("if", shown(c.Text))
}

// arrow is one way from one state to another.
type arrow struct {
	id       string
	from, to domain.StateID
	title    string
	lines    []string
	way      way
}

// way is how a request comes to go along an arrow.
type way string

const (
	byHand   way = "hand"   // somebody acts
	byItself way = "auto"   // it follows from what is there
	byTime   way = "expiry" // a term has run out
)

func (p *Picture) arrows() []arrow {
	var all []arrow
	for i := range p.d.Transitions {
		t := &p.d.Transitions[i]
		for _, from := range t.From {
			a := arrow{
				id: fmt.Sprintf("t%d-%s", i+1, from), from: from, to: t.To,
				title: p.action(t.Action), lines: p.label(t, from), way: byHand,
			}
			if t.Automatic {
				a.way = byItself
			}
			all = append(all, a)
		}
	}
	for i := range p.d.States {
		s := &p.d.States[i]
		all = append(all, p.expiry(s.ID, string(s.ID), "", s.Term)...)
		for _, id := range s.Reviews {
			r := p.review(id)
			all = append(all, p.expiry(s.ID, string(s.ID)+"-"+string(id), p.text(r.Title)+": ", r.Term)...)
		}
	}
	return all
}

// expiry is the arrow along which a request moves when a term has run out.
func (p *Picture) expiry(from domain.StateID, id, whose string, t *workflows.Term) []arrow {
	if t == nil || t.Expires == nil || t.Expires.To == "" {
		return nil
	}
	return []arrow{{
		id: "expiry-" + id, from: from, to: t.Expires.To, way: byTime,
		title: whose + p.say("after", t.Budget.In(p.lang), p.say(string(t.Expires.Ground))),
	}}
}

// key is the same for arrows that say the same and lead to the same state.
func (a *arrow) key() string {
	return strings.Join(append([]string{string(a.way), string(a.to), a.title}, a.lines...), "\n")
}

// label is what stands at a transition under its action.
func (p *Picture) label(t *workflows.Transition, from domain.StateID) []string {
	var lines []string
	kind := t.Kind
	switch {
	case t.Automatic:
		kind = domain.ActionAuto
	case p.at(from).Kind == workflows.KindEnd:
		kind = domain.ActionReopen // as [workflows.Compile] has it
	}
	who := p.roles(t.Roles)
	if kind != "" {
		who = strings.TrimLeft(who+", "+p.say(string(kind)), ", ")
	}
	if len(t.Reasons) > 0 {
		who += ", " + p.say("reason")
	}
	if who != "" {
		lines = append(lines, "("+who+")")
	}
	if len(t.Consent) > 0 {
		lines = append(lines, p.say("consent", p.roles(t.Consent)))
	}
	switch otherwise := p.otherwise(t, from); {
	case t.When != nil && otherwise:
		lines = append(lines, p.say("otherwise if", shown(t.When.Text)))
	case t.When != nil:
		lines = append(lines, p.say("if", shown(t.When.Text)))
	case otherwise:
		lines = append(lines, p.say("otherwise"))
	}
	if needs := p.needs(t.Needs, from); len(needs) > 0 {
		lines = append(lines, p.say("needs", strings.Join(needs, ", ")))
	}
	if len(t.NotBy) > 0 {
		lines = append(lines, p.say("not by", listed(t.NotBy, p.deed)))
	}
	return lines
}

// otherwise reports whether a transition is taken only where one that stands before it is
// not: of those of one action, and of those that follow by themselves, the first whose
// condition holds. Where what they need tells them apart, it goes without saying.
func (p *Picture) otherwise(t *workflows.Transition, from domain.StateID) bool {
	for i := range p.d.Transitions {
		before := &p.d.Transitions[i]
		switch {
		case before == t:
			return false
		case before.Automatic != t.Automatic || !slices.Contains(before.From, from):
		case t.Automatic && !apart(before.Needs, t.Needs), !t.Automatic && before.Action == t.Action:
			return true
		}
	}
	return false
}

// apart reports whether what one transition needs is never there together with what another
// does: another result of the reviews, or another answer.
func apart(a, b *workflows.Needs) bool {
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	return a != nil && b != nil && (differ(string(a.Reviews), string(b.Reviews)) || differ(a.Answer, b.Answer))
}

func (p *Picture) needs(n *workflows.Needs, from domain.StateID) []string {
	var all []string
	if n == nil {
		return nil
	}
	if n.Required {
		all = append(all, p.say("required"))
	}
	for _, id := range n.Documents {
		all = append(all, titled(p, p.d.Documents, id, func(d *workflows.Document) (domain.DocumentID, workflows.Text) { return d.ID, d.Title }))
	}
	for _, id := range n.Checklists {
		all = append(all, p.say("checklist", titled(p, p.d.Checklists, id, func(c *workflows.Checklist) (domain.ChecklistID, workflows.Text) { return c.ID, c.Title })))
	}
	for _, id := range n.Fees {
		all = append(all, p.say("paid", titled(p, p.d.Fees, id, func(f *workflows.Fee) (domain.FeeID, workflows.Text) { return f.ID, f.Title })))
	}
	if n.Reviews != "" {
		all = append(all, p.say("reviews "+string(n.Reviews)))
	}
	if n.Answer != "" {
		all = append(all, strings.TrimSpace(p.say("answer", p.system(p.at(from).WaitsFor))+" = "+shown(n.Answer)))
	}
	return all
}
