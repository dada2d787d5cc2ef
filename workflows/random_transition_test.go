package workflows

import (
	"reflect"
	"slices"

	"github.com/alur-id/alur/domain"
)

// transitions draws edges so that every state is reached and leads to an end, as
// far as the graph goes; conditions and needs may say otherwise.
func (g *drawing) transitions() {
	d := g.d
	for i := range d.States {
		if s := &d.States[i]; s.Kind == KindGather {
			for _, opinion := range []domain.Opinion{domain.OpinionApproved, domain.OpinionRefused} {
				if !g.rarely(5, "no join") {
					g.add(Transition{From: []domain.StateID{s.ID}, To: g.later(i), Automatic: true, Needs: &Needs{Reviews: opinion}})
				}
			}
		} else if system := d.system(s.WaitsFor); system != nil {
			for _, o := range system.Outcomes {
				g.add(Transition{From: []domain.StateID{s.ID}, To: g.later(i), Automatic: !g.rarely(3, "by hand"), Needs: &Needs{Answer: o}})
			}
		}
	}
	for i := 1; i < len(d.States); i++ {
		j := g.upTo(i-1, "reached from")
		for d.States[j].Kind == KindEnd {
			j--
		}
		g.any([]domain.StateID{d.States[j].ID}, d.States[i].ID)
	}
	for i := range d.States {
		if d.States[i].Kind != KindEnd && !slices.ContainsFunc(d.Transitions, func(t Transition) bool {
			return slices.Contains(t.From, d.States[i].ID) && slices.Index(g.stateIDs(), t.To) > i
		}) {
			g.any([]domain.StateID{d.States[i].ID}, g.later(i))
		}
	}
	for range g.upTo(4, "more transitions") {
		from := []domain.StateID{pick(g, "from", g.stateIDs()...)}
		if other := pick(g, "from too", g.stateIDs()...); g.rarely(4, "two from") && other != from[0] {
			from = append(from, other)
		}
		g.any(from, pick(g, "to", g.stateIDs()...))
	}
}

func (g *drawing) later(i int) domain.StateID {
	return pick(g, "to later", g.stateIDs()[min(i+1, len(g.d.States)-1):]...)
}

// add adds a transition under some action, with roles unless it is automatic.
func (g *drawing) add(t Transition) {
	t.Action = g.named(t.From, t.Automatic)
	if !t.Automatic {
		t.Roles = some(g, "roles", []domain.RoleID{"clerk", "head", "citizen", "fire"})
		if len(t.Records) > 0 {
			t.Roles = some(g, "officers", officers)
		}
	}
	g.d.Transitions = append(g.d.Transitions, t)
}

// any adds a transition with all that one may have.
func (g *drawing) any(from []domain.StateID, to domain.StateID) {
	ends := slices.ContainsFunc(from, func(id domain.StateID) bool { return g.d.state(id).Kind == KindEnd })
	t := Transition{From: from, To: to, Automatic: !ends && g.rarely(5, "automatic")}
	if !t.Automatic && g.rarely(3, "of a kind") {
		kinds := []domain.ActionKind{domain.ActionCorrect, domain.ActionOverride, domain.ActionWithdraw, domain.ActionComplete}
		if ends {
			kinds = []domain.ActionKind{""}
			if len(from) == 1 {
				kinds = append(kinds, domain.ActionReopen)
			}
		}
		t.Kind = pick(g, "transition kind", kinds...)
	}
	if !t.Automatic && g.rarely(3, "reasons") {
		t.Reasons = some(g, "reason", []domain.ReasonCode{"why", "law"})
	}
	if actions := ids(g.d.Actions, func(a Action) domain.ActionID { return a.ID }); !t.Automatic && len(actions) > 0 && g.rarely(4, "not by") {
		if !slices.Contains(actions, "submit") {
			actions = append(actions, "submit")
		}
		for _, x := range g.d.Reviews {
			actions = append(actions, "review:"+domain.ActionID(x.ID))
		}
		t.NotBy = some(g, "not by whom", actions)
	}
	if !t.Automatic && t.Kind != domain.ActionCorrect && g.rarely(4, "records") {
		t.Records = []string{"seen"}
	}
	if len(g.d.Checklists) > 0 && !t.Automatic && g.rarely(3, "clears") {
		t.Clears = []domain.ChecklistID{"list"}
	}
	if t.Kind != domain.ActionOverride {
		if g.rarely(3, "when") {
			t.When = g.condition(overHistory)
		}
		if g.rarely(2, "needs") {
			t.Needs = g.needs(from)
		}
	}
	g.add(t)
}

func (g *drawing) needs(from []domain.StateID) *Needs {
	n := &Needs{}
	if len(g.d.Documents) > 0 && g.rarely(2, "required documents") {
		n.Required = true
	}
	if len(g.d.Documents) > 0 && g.rarely(4, "a document") {
		n.Documents = some(g, "documents needed", ids(g.d.Documents, func(x Document) domain.DocumentID { return x.ID }))
	}
	if len(g.d.Fees) > 0 && g.rarely(2, "needs fees") {
		n.Fees = some(g, "fees needed", ids(g.d.Fees, func(x Fee) domain.FeeID { return x.ID }))
	}
	if len(g.d.Checklists) > 0 && g.rarely(3, "needs a checklist") {
		n.Checklists = []domain.ChecklistID{"list"}
	}
	if !slices.ContainsFunc(from, func(id domain.StateID) bool { return g.d.state(id).Kind != KindGather }) && g.rarely(2, "needs reviews") {
		n.Reviews = pick(g, "needs opinion", domain.OpinionApproved, domain.OpinionRefused)
	}
	if reflect.DeepEqual(n, &Needs{}) {
		return nil
	}
	return n
}
