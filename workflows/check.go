package workflows

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// distinct notes every name that is defined twice, and every action that leads
// two ways out of one state.
func (r *definitionReader) distinct() {
	r.twice("facts", "id", "fact")
	r.twice("facts", "recorded_as", "fact recorded as")
	r.twice("roles", "id", "role")
	r.twice("roles", "recorded_as", "role recorded as")
	r.twice("reasons", "code", "reason")
	r.twice("states", "id", "state")
	r.twice("documents", "id", "document")
	r.twice("checklists", "id", "checklist")
	r.twice("fees", "id", "fee")
	r.twice("reviews", "id", "review")
	r.twice("systems", "id", "system")
	r.twice("terms", "id", "term")
	r.twice("notifications", "id", "notification")
	r.twice("tests", "name", "test")
	r.twice("actions", "id", "action")
	r.twice("actions", "recorded_as", "action recorded as")

	used := r.edges()
	for i, n := range r.items("actions") {
		if a := r.d.Actions[i]; a.ID != "" && !used[a.ID] {
			r.problem(n, "action %q has no transition", a.ID)
		}
	}
}

// edges notes every action that leads two ways out of one state where nothing says
// which is meant: only the last may have no condition. It returns the actions that
// have a transition.
func (r *definitionReader) edges() map[domain.ActionID]bool {
	seen := map[edge]int{}
	used := map[domain.ActionID]bool{}
	nodes := r.items("transitions")
	for i, t := range r.d.Transitions {
		used[t.Action] = true
		if t.Automatic {
			continue
		}
		for _, from := range t.From {
			e := edge{from, t.Action}
			if before, ok := seen[e]; ok && r.d.Transitions[before].When == nil {
				r.problem(nodes[i], "duplicate transition: action %q already leads from state %q to %q", t.Action, from, r.d.Transitions[before].To)
				continue
			}
			seen[e] = i
		}
	}
	return used
}

// twice notes every value of a key that two items of a list share.
func (r *definitionReader) twice(list, key, what string) {
	r.twiceIn(valueOf(r.root, list), key, what)
}

func (r *definitionReader) twiceIn(list ast.Node, key, what string) {
	seen := map[string]int{}
	for _, item := range values(list) {
		n := valueOf(item, key)
		if n == nil {
			continue
		}
		name := n.GetToken().Value
		if line, ok := seen[name]; ok {
			r.problem(n, "%s %q is defined twice, first in line %d", what, name, line)
			continue
		}
		seen[name] = n.GetToken().Position.Line
	}
}

func values(list ast.Node) []ast.Node {
	if s, ok := list.(*ast.SequenceNode); ok {
		return s.Values
	}
	return nil
}

func (r *definitionReader) items(list string) []ast.Node { return values(valueOf(r.root, list)) }

func valueOf(n ast.Node, key string) ast.Node {
	values, _ := entries(n)
	for _, v := range values {
		if v.Key.GetToken().Value == key {
			return v.Value
		}
	}
	return nil
}

func (r *definitionReader) oneStart() {
	var starts []domain.StateID
	for _, s := range r.d.States {
		if s.Kind == KindStart {
			starts = append(starts, s.ID)
		}
	}
	switch {
	case len(r.d.States) > 0 && len(starts) == 0:
		r.problem(valueOf(r.root, "states"), "no state is the start: give one state kind start")
	case len(starts) > 1:
		r.problem(r.states[starts[1]], "state %q is a second start; the first is %q", starts[1], starts[0])
	}
}

// graph notes every state that no request can get to, and every state that no
// request can get out of to an end. It needs a definition whose names resolve.
func (r *definitionReader) graph() {
	r.ways = newRoutes(&r.d)
	back := make([][]int, len(r.d.States))
	var ends []int
	for from, list := range r.ways.onward {
		for _, to := range list {
			back[to] = append(back[to], from)
		}
		if r.d.States[from].Kind == KindEnd {
			ends = append(ends, from)
		}
	}
	reached := r.ways.closure(r.ways.onward, r.ways.start())
	ending := r.ways.closure(back, ends...)
	for _, s := range r.d.States {
		at := r.ways.states[s.ID]
		if !reached[at] {
			r.problem(r.states[s.ID], "state %q cannot be reached from the start", s.ID)
		}
		if !ending[at] {
			r.problem(r.states[s.ID], "state %q leads to no end", s.ID)
		}
	}
}

// fits notes what does not belong together.
func (r *definitionReader) fits() {
	nodes := r.items("transitions")
	states := map[domain.StateID]*State{}
	for i := range slices.Backward(r.d.States) { // of two of a name, the first
		states[r.d.States[i].ID] = &r.d.States[i]
	}
	for i, t := range r.d.Transitions {
		for _, from := range t.From {
			if s := states[from]; s != nil {
				r.transitionFits(nodes[i], &t, s)
			}
		}
	}
	for i, n := range r.items("states") {
		r.stateFits(n, &r.d.States[i])
	}
	if len(r.d.Fees) > 0 && len(r.d.Payers) == 0 {
		r.problem(valueOf(r.root, "fees"), "there are fees: say under payers which roles may record a payment")
	}
	for i, n := range r.items("facts") {
		r.factFits(n, &r.d.Facts[i])
	}
	r.recordedFits()
}

func (r *definitionReader) transitionFits(n ast.Node, t *Transition, from *State) {
	switch {
	case from.Kind == KindEnd && t.Automatic:
		r.problem(n, "action %q leads out of the end %q by itself: whoever reopens a request decides to", t.Action, from.ID)
	case from.Kind != KindEnd && t.Kind == domain.ActionReopen:
		r.problem(n, "action %q reopens, and state %q is not an end", t.Action, from.ID)
	case from.Kind == KindEnd && t.Kind != domain.ActionReopen && t.Kind != "":
		r.problem(n, "action %q leads out of the end %q: it reopens, whatever else it is", t.Action, from.ID)
	case t.Needs == nil:
	case t.Needs.Reviews != "" && from.Kind != KindGather:
		r.problem(n, "action %q needs reviews, and state %q gathers none", t.Action, from.ID)
	case t.Needs.Answer != "" && from.WaitsFor == "":
		r.problem(n, "action %q needs an answer, and state %q waits for no system", t.Action, from.ID)
	case t.Needs.Answer != "":
		if s := r.d.system(from.WaitsFor); s != nil && !slices.Contains(s.Outcomes, t.Needs.Answer) {
			r.problem(n, "%q is not an outcome of system %q%s", t.Needs.Answer, s.ID, meant(t.Needs.Answer, s.Outcomes))
		}
	}
}

// stateFits notes outcomes that a state waits for and does nothing about.
func (r *definitionReader) stateFits(n ast.Node, s *State) {
	system := r.d.system(s.WaitsFor)
	if system == nil {
		return
	}
	for _, o := range system.Outcomes {
		handled := slices.ContainsFunc(r.d.Transitions, func(t Transition) bool {
			return slices.Contains(t.From, s.ID) && t.Needs != nil && t.Needs.Answer == o
		})
		if !handled {
			r.problem(n, "state %q: nothing follows when system %q answers %q", s.ID, system.ID, o)
		}
	}
}

// factFits holds that a fact, which is kept in the clear, copies nothing personal.
func (r *definitionReader) factFits(n ast.Node, f *Fact) {
	if f.From == nil {
		return
	}
	if r.d.Form == nil {
		r.problem(n, "fact %q is computed from a form, and there is none", f.ID)
		return
	}
	r.conditions = append(r.conditions, func() {
		fields := r.d.Form.fields()
		for _, path := range f.From.uses.forms {
			if !fields[path].clear && f.Type != FactBoolean {
				r.problem(n, "fact %q is kept in the clear, and field %q of the form is personal: mark it personal: false if it is not, or compute yes or no from it", f.ID, path)
			}
		}
		if got := f.From.result; got != nil && f.From.program != nil && got.String() != celTypes[f.Type].String() && (f.Type != FactNumber || got.String() != "int") {
			r.problem(n, "fact %q is a %s, and what it is computed by comes to a %s", f.ID, f.Type, got)
		}
	})
}
