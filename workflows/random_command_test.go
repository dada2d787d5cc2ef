package workflows

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// order is a command as a counterexample shows it.
type order struct{ domain.Command }

func (o order) GoString() string {
	h := o.Head()
	v := reflect.ValueOf(o.Command)
	var b strings.Builder
	fmt.Fprintf(&b, "%s as %s (%s): %s", h.Actor.ID, h.Actor.Role, h.Actor.Capacity, v.Type().Name())
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if f := v.Field(i); name != "Header" && name != "SHA256" && name != "Tenant" && name != "Service" && name != "Reference" && !f.IsZero() {
			fmt.Fprintf(&b, " %s=%v", name, f.Interface())
		}
	}
	return b.String()
}

// commands draws what somebody might ask of a request. Most of it is possible;
// about a third is wrong in one way or another.
func commands(d *Definition, w *Workflow, r domain.Request, number int) *rapid.Generator[order] {
	return rapid.Custom(func(t *rapid.T) order {
		g := &ordering{drawing{t: t, d: d}, w, r, number}
		if !r.Exists() {
			return order{g.submit()}
		}
		if choices := g.choices(); len(choices) > 0 {
			return order{pick(&g.drawing, "which command", choices...)()}
		}
		return order{g.act()}
	})
}

type ordering struct {
	drawing
	w      *Workflow
	r      domain.Request
	number int
}

// choices are the kinds of command that may make sense now, the likeliest often.
func (g *ordering) choices() []func() domain.Command {
	list := []func() domain.Command{g.act, g.act, g.act}
	add := func(times int, f func() domain.Command) {
		for range times {
			list = append(list, f)
		}
	}
	wild := g.rarely(8, "out of turn")
	open := 0
	for _, x := range g.r.Dossier.Reviews {
		if x.Opinion == domain.OpinionOpen {
			open++
		}
	}
	if len(g.d.Reviews) > 0 && (open > 0 || wild) {
		add(4, g.review)
	}
	if len(g.d.Documents) > 0 {
		add(2, g.attach)
		add(1, g.refuse)
	}
	if len(g.d.Checklists) > 0 {
		add(2, g.check)
	}
	if len(g.d.Fees) > 0 && (len(g.r.Dossier.Fees) > 0 || wild) {
		add(2, g.pay)
	}
	s := g.d.state(g.r.State)
	if s.WaitsFor != "" || wild && len(g.d.Systems) > 0 {
		add(2, g.answer)
	}
	if s.Allocate != nil || wild {
		add(2, g.take)
		add(2, g.allocation)
		add(1, g.reassign)
	}
	return list
}

func (g *ordering) head(roles ...domain.RoleID) domain.Header {
	role := pick(&g.drawing, "role", roles...)
	if g.rarely(10, "another role") {
		role = pick[domain.RoleID](&g.drawing, "which role", "citizen", "clerk", "head", "fire", "bot")
	}
	as := g.w.Capacities(role)[0]
	if g.rarely(20, "another capacity") {
		as = pick(&g.drawing, "which capacity", domain.Capacities()...)
	}
	return domain.Header{
		ID:       uuid.NewSHA1(uuid.Nil, fmt.Append(nil, g.number)),
		Actor:    domain.Actor{ID: fmt.Sprint("p", g.upTo(1, "person")), Role: role, Capacity: as},
		Occurred: time.Date(2026, 1, 1, 0, g.number, 0, 0, time.UTC),
	}
}

func (g *ordering) seen() domain.Version {
	return pick(&g.drawing, "seen", 0, 0, 0, 0, 0, 0, 0, 0, g.r.Version, g.r.Version+1)
}

func (g *ordering) facts() domain.Facts {
	f := domain.Facts{}
	numbers := []float64{5, 6, 0, 1, 4, 5.25, 7, 7.5, 8, 100}
	if g.d.Form == nil && !g.rarely(40, "n left out") {
		f["n"] = pick(&g.drawing, "n", numbers...)
	}
	if g.rarely(3, "m") {
		f["m"] = pick(&g.drawing, "m is", numbers...)
	}
	if g.rarely(2, "flag") {
		f["flag"] = g.rarely(2, "flag is")
	}
	if g.rarely(2, "kind") {
		f["kind"] = pick(&g.drawing, "kind is", "y", "x", "z")
	}
	if g.rarely(3, "free") {
		f["free"] = pick(&g.drawing, "free is", "b", "ab", "", "~", "c")
	}
	if g.rarely(40, "seen too early") {
		f["seen"] = true
	}
	if g.rarely(40, "unknown fact") {
		f["other"] = true
	}
	return f
}

func (g *ordering) form() domain.Personal {
	if g.d.Form == nil || g.rarely(20, "no form") {
		return nil
	}
	return domain.Personal{"size": pick(&g.drawing, "size", 5.0, 6, 0, 1, 5.25, 7, 7.5, 8, -1)}
}

func (g *ordering) submit() domain.Command {
	return domain.Submit{Header: g.head("citizen"), Tenant: "11.71", Service: "w", Reference: "0000-0000-0000", Facts: g.facts(), Form: g.form()}
}

func (g *ordering) act() domain.Command {
	var here []*Transition
	for i := range g.d.Transitions {
		if t := &g.d.Transitions[i]; !t.Automatic {
			for _, from := range t.From {
				if from == g.r.State {
					here = append(here, t)
				}
			}
		}
	}
	if len(here) == 0 || g.rarely(20, "not from here") {
		t := &g.d.Transitions[g.upTo(len(g.d.Transitions)-1, "which transition")]
		here = []*Transition{t}
		if g.rarely(5, "unknown") {
			here = []*Transition{{Action: "zzz"}}
		}
	}
	t := pick(&g.drawing, "transition", here...)
	roles := t.Roles
	if len(roles) == 0 {
		roles = officers
	}
	c := domain.Act{Header: g.head(roles...), Action: t.Action, Expected: g.seen()}
	if len(t.Reasons) > 0 != g.rarely(15, "wrong about reasons") {
		c.Reason = pick(&g.drawing, "reason", append(t.Reasons, "why", "what")...)
	}
	if t.Kind == domain.ActionOverride && !g.rarely(8, "no remark") {
		c.Remark = "because"
	}
	if (t.Kind == domain.ActionCorrect) != g.rarely(30, "wrong about facts") {
		c.Facts, c.Form = g.facts(), g.form()
	}
	if len(t.Records) > 0 && !g.rarely(15, "nothing recorded") {
		c.Facts = domain.Facts{"seen": pick[any](&g.drawing, "seen is", true, true, true, false, false, 1.0)}
	}
	return c
}

func (g *ordering) document() domain.DocumentID {
	if g.rarely(20, "no such document") {
		return "zzz"
	}
	return pick(&g.drawing, "document", ids(g.d.Documents, func(x Document) domain.DocumentID { return x.ID })...)
}

func (g *ordering) attach() domain.Command {
	return domain.Attach{
		Header: g.head("citizen"), Document: g.document(), Format: pick(&g.drawing, "format", "pdf", "pdf", "pdf", "pdf", "jpg"),
		Bytes: pick[int64](&g.drawing, "bytes", 1, 1024, 1024, 1025), SHA256: strings.Repeat("0", 64), Expected: g.seen(),
	}
}

func (g *ordering) refuse() domain.Command {
	return domain.RefuseDocument{Header: g.head("clerk"), Document: g.document(), Reason: pick[domain.ReasonCode](&g.drawing, "reason", "why", "why", "why", ""), Expected: g.seen()}
}

func (g *ordering) check() domain.Command {
	return domain.AnswerCheck{
		Header: g.head("clerk"), Check: domain.Check{Checklist: "list", Item: pick[domain.CheckID](&g.drawing, "item", "i0", "i0", "i1", "i1", "zzz")},
		Yes: !g.rarely(4, "no"), Expected: g.seen(),
	}
}

func (g *ordering) pay() domain.Command {
	fee := pick(&g.drawing, "fee", ids(g.d.Fees, func(x Fee) domain.FeeID { return x.ID })...)
	c := domain.Pay{Header: g.head("bot", "citizen"), Fee: fee, Amount: g.r.Dossier.Fees[fee].Owed(), Receipt: "r", Expected: g.seen()}
	if other := pick(&g.drawing, "other fee", ids(g.d.Fees, func(x Fee) domain.FeeID { return x.ID })...); other != fee && g.rarely(2, "together") || g.rarely(20, "twice") {
		c.Also = []domain.Payment{{Fee: other, Amount: g.r.Dossier.Fees[other].Owed()}}
	}
	if g.rarely(10, "another amount") {
		c.Amount++
	}
	if g.rarely(20, "no receipt") {
		c.Receipt = ""
	}
	return c
}

func (g *ordering) review() domain.Command {
	x := pick(&g.drawing, "review", g.d.Reviews...)
	c := domain.GiveReview{Header: g.head(x.Role), Review: x.ID, Opinion: pick(&g.drawing, "opinion", domain.OpinionApproved, domain.OpinionApproved, domain.OpinionRefused), Expected: g.seen()}
	if c.Opinion == domain.OpinionRefused != g.rarely(10, "wrong about the reason") {
		c.Reason = "why"
	}
	return c
}

func (g *ordering) answer() domain.Command {
	return domain.ReportAnswer{
		Header: g.head("bot"), Answer: domain.Answer{System: "y0", Outcome: pick(&g.drawing, "outcome", "good", "good", "bad", "bad", "ugly")}, Expected: g.seen(),
	}
}

func (g *ordering) take() domain.Command {
	return domain.Pick{Header: g.head("head", "clerk"), Expected: g.seen()}
}

func (g *ordering) allocation() domain.Command {
	c := domain.Allocate{Header: g.head("head"), Expected: g.seen()}
	if g.rarely(2, "by the system") {
		c.Actor = domain.Actor{ID: "alur", Role: "system", Capacity: domain.CapacitySystem}
	}
	c.Seed = strings.Repeat(pick(&g.drawing, "seed", "00", "01", "02", "1"), 32)
	for i := range g.upTo(3, "candidates") {
		c.Candidates = append(c.Candidates, domain.Candidate{Officer: fmt.Sprint("p", i), Load: g.upTo(2, "load")})
		if g.rarely(20, "named before") {
			c.Candidates[i].Officer = "p0"
		}
		if g.rarely(20, "less than none") {
			c.Candidates[i].Load = -1
		}
	}
	if g.rarely(2, "the other way round") {
		slices.Reverse(c.Candidates)
	}
	return c
}

func (g *ordering) reassign() domain.Command {
	return domain.Reassign{Header: g.head("head"), To: fmt.Sprint("p", g.upTo(1, "to")), Reason: "absent", Expected: g.seen()}
}
