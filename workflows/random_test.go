package workflows

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// drawing draws a definition over the whole language that [Read] accepts. Draws are
// small numbers whose zero is the plainest choice, so that a counterexample shrinks to
// little more than what it shows.
type drawing struct {
	t *rapid.T
	d *Definition

	busy     bool   // it has more of everything
	fallible bool   // conditions may fail
	both     string // what was asked of facts and the past before
}

func (g *drawing) upTo(n int, what string) int { return rapid.IntRange(0, n).Draw(g.t, what) }

// one in so many says yes, and every other one where it is busy.
func (g *drawing) rarely(n int, what string) bool {
	if g.busy {
		n = min(n, 2)
	}
	return g.upTo(n-1, what) == n-1
}

func pick[T any](g *drawing, what string, from ...T) T { return from[g.upTo(len(from)-1, what)] }

// some is a part of a list that is not empty, in its order.
func some[T any](g *drawing, what string, from []T) []T {
	first := g.upTo(len(from)-1, what)
	out := []T{from[first]}
	for _, x := range from[first+1:] {
		if g.rarely(2, what+" too") {
			out = append(out, x)
		}
	}
	return out
}

func label(s string) Text { return Text{ID: s, EN: s} }

var officers = []domain.RoleID{"clerk", "head", "fire"}

func randomDefinition(t *rapid.T, busy, fallible bool) *Definition {
	g := &drawing{t: t, busy: busy, fallible: fallible, d: &Definition{
		Language: Language, ID: "w", Title: label("W"), Agency: label("A"), Office: "o",
		Submit: []domain.RoleID{"citizen"}, Payers: []domain.RoleID{"bot", "citizen"},
		Reasons: []Reason{{"why", label("why")}, {"law", label("law")}},
		Roles: []Role{
			{ID: "citizen", Title: label("citizen"), Capacities: []domain.Capacity{domain.CapacitySelf, domain.CapacityProxy}},
			{ID: "bot", Title: label("bot"), Capacities: []domain.Capacity{domain.CapacitySystem}},
		},
	}}
	if g.rarely(3, "at the counter") {
		g.d.Roles[0].Capacities = append(g.d.Roles[0].Capacities, domain.CapacityCounter)
	}
	for _, r := range officers {
		g.d.Roles = append(g.d.Roles, Role{ID: r, Title: label(string(r)), Capacities: []domain.Capacity{domain.CapacityOfficer}})
	}
	g.facts()
	reviews := g.upTo(3, "reviews")
	if g.busy {
		reviews = max(reviews, 1)
	}
	for i := range reviews {
		x := Review{ID: domain.ReviewID(fmt.Sprint("r", i)), Title: label(fmt.Sprint("r", i)), Role: pick(g, "reviewer", officers...), Reasons: []domain.ReasonCode{"why"}}
		if g.rarely(3, "review when") {
			x.When = g.condition(overFacts)
		}
		g.d.Reviews = append(g.d.Reviews, x)
	}
	for i := range g.upTo(1, "systems") {
		id := fmt.Sprint("y", i)
		g.d.Systems = append(g.d.Systems, System{ID: domain.SystemID(id), Title: label(id), Role: "bot", Outcomes: []string{"good", "bad"}})
	}
	g.states()
	g.dossier()
	g.transitions()
	if g.busy {
		g.turns()
	}
	g.ways()
	g.laws()
	return g.d
}

// facts: n may come from a form, whose field may be left out.
func (g *drawing) facts() {
	g.d.Facts = []Fact{
		{ID: "n", Type: FactNumber, Title: label("n"), Required: true},
		{ID: "m", Type: FactNumber, Title: label("m"), Default: 1.0},
		{ID: "flag", Type: FactBoolean, Title: label("flag"), Default: false},
		{ID: "kind", Type: FactString, Title: label("kind"), Values: []string{"x", "y"}, Default: "x"},
		{ID: "free", Type: FactString, Title: label("free"), Default: "a"},
		{ID: "seen", Type: FactBoolean, Title: label("seen"), Default: false, Recorded: true},
	}
	if g.rarely(4, "form") {
		g.d.Form = &Form{Schema: map[string]any{"type": "object", "properties": map[string]any{
			"size": map[string]any{"type": "number", "personal": false, "minimum": 0},
		}}}
		g.d.Facts[0].From = &Condition{Text: pick(g, "from", "form.size * 1.0", "form.size")}
		if size := g.d.Form.Schema["properties"].(map[string]any)["size"].(map[string]any); g.rarely(2, "bounded") {
			size["minimum"], size["maximum"] = 5, pick(g, "maximum", 6.0, 7.25)
		}
	}
}

func (g *drawing) states() {
	add := func(s State) { s.Title = label(string(s.ID)); g.d.States = append(g.d.States, s) }
	start := State{ID: "start", Kind: KindStart, Public: domain.StatusReceived, Owner: "clerk"}
	g.allocate(&start)
	add(start)
	for i := range 1 + g.upTo(3, "middle states") {
		s := State{ID: domain.StateID(fmt.Sprint("s", i)), Kind: KindWork, Public: domain.StatusInProcess, Owner: "head"}
		kinds := []Kind{KindWork, KindWait}
		if len(g.d.Reviews) > 0 {
			kinds = append(kinds, KindGather)
		}
		switch s.Kind = pick(g, "kind", kinds...); s.Kind {
		case KindGather:
			s.Reviews = some(g, "gathered", g.reviewIDs())
			g.join(&s)
		case KindWait:
			s.Owner = "citizen"
			if len(g.d.Systems) > 0 && g.rarely(2, "waits for a system") {
				s.WaitsFor, s.Owner = g.d.Systems[0].ID, "bot"
			}
		default:
			g.allocate(&s)
		}
		add(s)
	}
	add(State{ID: "issued", Kind: KindEnd, Public: domain.StatusApproved, Outcome: domain.OutcomeApproved})
	if g.rarely(2, "refusable") {
		add(State{ID: "refused", Kind: KindEnd, Public: domain.StatusRejected, Outcome: domain.OutcomeRejected})
	}
	for i := range g.d.States {
		if s := &g.d.States[i]; s.Kind != KindEnd && g.rarely(4, "term") {
			s.Term = &Term{Budget: Budget{Amount: 2, Unit: "days", Working: true}, Expires: g.expiry()}
		}
	}
}

func (g *drawing) expiry() *Expiry {
	if g.rarely(2, "moves by law") {
		return &Expiry{To: pick(g, "moves to", g.stateIDs()...), Ground: pick(g, "ground", Lapse, DeemedRefusal, DeemedApproval)}
	}
	return &Expiry{Escalate: []domain.RoleID{"head"}}
}

func (g *drawing) allocate(s *State) {
	if g.rarely(4, "allocated") {
		s.Allocate = &Allocation{Rule: pick(g, "rule", domain.AllocationRules()...), Assigner: []domain.RoleID{"head"}}
	}
}

func (g *drawing) join(s *State) {
	if !g.rarely(2, "join") {
		return
	}
	s.Join = &Join{Need: pick(g, "need", "all", "any", fmt.Sprint(len(s.Reviews))), Outvote: g.rarely(2, "outvote"), Again: pick(g, "again", "", "all", "refused")}
}

func (g *drawing) reviewIDs() []domain.ReviewID {
	return ids(g.d.Reviews, func(x Review) domain.ReviewID { return x.ID })
}

func (g *drawing) stateIDs() []domain.StateID {
	return ids(g.d.States, func(s State) domain.StateID { return s.ID })
}

// dossier draws what is handed in, checked and paid.
func (g *drawing) dossier() {
	var open []domain.StateID
	for _, s := range g.d.States {
		if s.Kind != KindEnd {
			open = append(open, s.ID)
		}
	}
	for i := range g.upTo(2, "documents") {
		x := Document{ID: domain.DocumentID(fmt.Sprint("d", i)), Title: label(fmt.Sprint("d", i)), Formats: []string{"pdf"}, MaxSize: "1 KB", By: []domain.RoleID{"citizen"}}
		switch g.upTo(2, "required") {
		case 0:
			x.Required = true
		case 1:
			x.RequiredWhen = g.condition(overFacts)
		}
		if g.rarely(2, "can be refused") {
			x.RefusedBy, x.Reasons = []domain.RoleID{"clerk"}, []domain.ReasonCode{"why"}
			if g.rarely(3, "refused only in") {
				x.RefusedIn = some(g, "refused in", open)
			}
		}
		if g.rarely(3, "only in") {
			x.In = some(g, "in", open)
		}
		g.d.Documents = append(g.d.Documents, x)
	}
	if g.rarely(3, "checklist") {
		c := Checklist{ID: "list", Title: label("list"), By: []domain.RoleID{"clerk"}, Items: []CheckItem{{"i0", label("i0")}}}
		if g.rarely(2, "two items") {
			c.Items = append(c.Items, CheckItem{"i1", label("i1")})
		}
		if g.rarely(3, "list only in") {
			c.In = some(g, "list in", open)
		}
		g.d.Checklists = []Checklist{c}
	}
	for i := range g.upTo(2, "fees") {
		f := Fee{ID: domain.FeeID(fmt.Sprint("f", i)), Title: label(fmt.Sprint("f", i)), DueIn: some(g, "due in", g.stateIDs()), Basis: label("law")}
		switch g.upTo(3, "way of the fee") {
		case 0:
			f.Amount = 10
		case 1:
			f.Table = &FeeTable{Fact: "kind", Rows: []FeeRow{{Value: "x"}, {Value: "y", Amount: 7}}}
		case 2:
			bound := 5.5
			f.Table = &FeeTable{Fact: "n", Rows: []FeeRow{{UpTo: &bound, Amount: 3}, {}}}
		case 3:
			f.Formula = &Condition{Text: "facts.n * 2.0"}
		}
		if g.rarely(3, "fee when") {
			f.When = g.condition(overFacts)
		}
		g.d.Fees = append(g.d.Fees, f)
	}
	if g.rarely(3, "notice") {
		g.d.Notices = []Notice{{ID: "told", On: some(g, "told on", g.stateIDs()), To: "citizen", Text: label("told")}}
	}
}

// turns draws what is easily forgotten: corrections and overrides behind reviews.
func (g *drawing) turns() {
	for _, s := range g.d.States {
		if s.Kind != KindGather {
			continue
		}
		on := g.stateIDs()[:len(g.d.States)-1] // what follows it may be any
		from := pick(g, "corrected from", slices.DeleteFunc(slices.Clone(on), func(id domain.StateID) bool { return g.d.state(id).Kind == KindEnd })...)
		g.add(Transition{From: []domain.StateID{from}, To: pick(g, "corrected to", on...), Kind: domain.ActionCorrect})
		g.add(Transition{From: []domain.StateID{s.ID}, To: pick(g, "ordered to", on...), Kind: domain.ActionOverride})
		g.add(Transition{From: []domain.StateID{s.ID}, To: g.stateIDs()[len(on)-1], Needs: &Needs{Reviews: domain.OpinionApproved}})
	}
}

// ways draws what only some requests need.
func (g *drawing) ways() {
	actions := ids(g.d.Actions, func(a Action) domain.ActionID { return a.ID })
	for i := range g.d.States {
		if g.d.States[i].Kind == KindGather && g.rarely(3, "reviews only after") {
			g.d.States[i].OnlyAfter = some(g, "after what", actions)
		}
	}
	for i := range g.d.Fees {
		if g.rarely(3, "fee only after") {
			g.d.Fees[i].OnlyAfter = some(g, "fee after what", actions)
		}
	}
}

// laws draws what must never be, who may not do both, and terms.
func (g *drawing) laws() {
	actions := ids(g.d.Actions, func(a Action) domain.ActionID { return a.ID })
	if len(actions) > 1 && g.rarely(3, "separate") {
		g.d.Separate = [][]domain.ActionID{actions[:2]}
		if actions[0] != "submit" && g.rarely(3, "from submitting") {
			g.d.Separate[0] = []domain.ActionID{"submit", actions[0]}
		}
		if len(g.d.Reviews) > 0 && g.rarely(3, "from reviewing") {
			g.d.Separate[0] = []domain.ActionID{"review:r0", actions[0]}
		}
	}
	for i := range g.d.Reviews {
		if len(actions) > 0 && g.rarely(4, "review not by") {
			g.d.Reviews[i].NotBy = []domain.ActionID{actions[0]}
		}
	}
	for range max(0, g.upTo(5, "invariants")-3) {
		x := Invariant{Because: label("law")}
		switch g.upTo(2, "way of the invariant") {
		case 0:
			x.Never = g.condition(overAll)
		case 1:
			x.Always = g.condition(overAll)
		case 2:
			x.Before = &Before{First: pick(g, "first", actions...), Then: pick(g, "then", actions...)}
		}
		g.d.Invariants = append(g.d.Invariants, x)
	}
	if g.busy { // a proof then tells apart what came before these and what came after
		for _, a := range some(g, "told apart", actions) {
			g.d.Invariants = append(g.d.Invariants, Invariant{Always: &Condition{Text: fmt.Sprintf("history.did(%q) || !history.did(%[1]q)", a)}, Because: label("law")})
		}
	}
	if g.rarely(4, "legal term") {
		x := LegalTerm{ID: "legal", Title: label("legal"), Budget: Budget{Amount: 5, Unit: "days"}, Starts: actions[:1], Basis: label("law"), Expires: g.expiry()}
		for _, s := range g.d.States {
			if s.Kind == KindWait {
				x.SuspendedIn = append(x.SuspendedIn, s.ID)
			}
		}
		g.d.Terms = []LegalTerm{x}
	}
}

// condition draws a condition of a scope.
func (g *drawing) condition(s scope) *Condition { return &Condition{Text: g.expression(s, 2)} }

func (g *drawing) expression(s scope, depth int) string {
	if depth > 0 {
		switch g.upTo(5, "joined by") {
		case 3:
			return "!(" + g.expression(s, depth-1) + ")"
		case 4:
			return "(" + g.expression(s, depth-1) + " && " + g.expression(s, depth-1) + ")"
		case 5:
			return "(" + g.expression(s, depth-1) + " || " + g.expression(s, depth-1) + ")"
		}
	}
	if s == overAll && g.rarely(2, "of the state") {
		return pick(g, "state", `outcome == "approved"`, fmt.Sprintf("state == %q", pick(g, "which", g.stateIDs()...)))
	}
	if s != overFacts && g.rarely(6, "of what was seen") {
		return "facts.seen"
	}
	if s != overFacts && g.rarely(2, "of the past") {
		return g.question()
	}
	if s != overFacts && g.rarely(3, "of both") {
		return g.mixed()
	}
	return pick(g, "of facts",
		`facts.flag`, `facts.kind == "x"`, `facts.kind in ["y"]`, `facts.n > 5.0`, `facts.n <= 7`, `facts.n == 6.0`, `5.5 > facts.n`,
		`facts.free == "b"`, `(facts.n > 5.0 && facts.n < 5.5)`, `facts.n > facts.m`, `facts.n * 2.0 > 15.0`,
		`facts.free.contains("b")`, `facts.free < "b"`, `facts.n + facts.m == 9.0`, `(facts.n > 0.0 && facts.m / facts.n < 0.15)`)
}

// mixed is a condition over facts that cannot be told and over the past; often one that was
// drawn before, or its opposite.
func (g *drawing) mixed() string {
	if g.both != "" && g.rarely(2, "as before") {
		return g.both
	}
	if g.both != "" && g.rarely(2, "the opposite") {
		return "!" + g.both
	}
	of := []string{`facts.n > facts.m`, `facts.n * 2.0 > 15.0`, `facts.n * 2.0 <= 15.0`, `(facts.n > 0.0 && facts.m / facts.n < 0.15)`, `facts.n == 6.0`}
	if g.fallible {
		of = append(of, `facts.m / facts.n < 0.15`, `facts.m / facts.n >= 0.15`, `facts.n / facts.m > 6.0`)
	}
	facts, past := pick(g, "facts that cannot be told", of...), g.question()
	g.both = pick(g, "asked together", "("+facts+" && !("+past+"))", "("+facts+" || "+past+")", "(!("+facts+") || "+past+")", "("+past+" && "+facts+" && !facts.flag)")
	return g.both
}

// question is something that is asked of the past.
func (g *drawing) question() string {
	actions := ids(g.d.Actions, func(a Action) domain.ActionID { return a.ID })
	var all []string
	if len(actions) > 0 {
		a, b := pick(g, "asked of", actions...), actions[0]
		all = append(all, fmt.Sprintf("history.did(%q)", a), fmt.Sprintf("history.times(%q) < 2", a), fmt.Sprintf("history.times(%q) >= 2.5", a), fmt.Sprintf("history.times(%q) + history.times(%q) > 3", a, b),
			fmt.Sprintf("history.times(%q) > history.times(%q)", a, b), fmt.Sprintf("double(history.times(%q)) < facts.n", a))
	}
	for _, x := range g.d.Reviews {
		all = append(all, fmt.Sprintf("history.review(%q) == %q", x.ID, pick(g, "opinion", "approved", "refused", "open", "")))
	}
	for _, x := range g.d.Fees {
		all = append(all, fmt.Sprintf("history.paid(%q)", x.ID))
	}
	for _, x := range g.d.Documents {
		all = append(all, fmt.Sprintf("history.attached(%q)", x.ID))
	}
	if len(g.d.Documents) > 1 {
		all = append(all, `(history.attached("d0") && !history.attached("d1"))`)
	}
	for _, x := range g.d.Systems {
		all = append(all, fmt.Sprintf("history.answer(%q) == \"good\"", x.ID))
	}
	if len(all) == 0 {
		return "facts.flag"
	}
	return pick(g, "question", all...)
}

// named returns an action for a transition: one that leads out of these states
// already only where the earlier ones have a condition.
func (g *drawing) named(from []domain.StateID, automatic bool) domain.ActionID {
	id := domain.ActionID(fmt.Sprint("a", g.upTo(4, "action")))
	if id == "a4" && g.rarely(3, "called submit") {
		id = "submit"
	}
	taken := slices.ContainsFunc(g.d.Transitions, func(t Transition) bool {
		return t.Action == id && !t.Automatic && t.When == nil && slices.ContainsFunc(from, func(s domain.StateID) bool { return slices.Contains(t.From, s) })
	})
	if taken && !automatic {
		id = domain.ActionID(fmt.Sprint("b", len(g.d.Transitions)))
	}
	if !slices.ContainsFunc(g.d.Actions, func(a Action) bool { return a.ID == id }) {
		g.d.Actions = append(g.d.Actions, Action{ID: id, Title: label(string(id))})
	}
	return id
}
