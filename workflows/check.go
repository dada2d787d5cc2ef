package workflows

import (
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
	r.twice("actions", "id", "action")
	r.twice("actions", "recorded_as", "action recorded as")

	type edge struct {
		from   domain.StateID
		action domain.ActionID
	}
	seen := map[edge]domain.StateID{}
	used := map[domain.ActionID]bool{}
	nodes := r.items("transitions")
	for i, t := range r.d.Transitions {
		used[t.Action] = true
		for _, from := range t.From {
			e := edge{from, t.Action}
			if to, ok := seen[e]; ok {
				r.problem(nodes[i], "duplicate transition: action %q already leads from state %q to %q", t.Action, from, to)
				continue
			}
			seen[e] = t.To
		}
	}
	for i, n := range r.items("actions") {
		if a := r.d.Actions[i]; a.ID != "" && !used[a.ID] {
			r.problem(n, "action %q has no transition", a.ID)
		}
	}
}

// twice notes every value of a key that two items of a list share.
func (r *definitionReader) twice(list, key, what string) {
	seen := map[string]int{}
	for _, item := range r.items(list) {
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

func (r *definitionReader) items(list string) []ast.Node {
	if s, ok := valueOf(r.root, list).(*ast.SequenceNode); ok {
		return s.Values
	}
	return nil
}

func valueOf(n ast.Node, key string) ast.Node {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	}
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
	forth := map[domain.StateID][]domain.StateID{}
	back := map[domain.StateID][]domain.StateID{}
	for _, t := range r.d.Transitions {
		for _, from := range t.From {
			forth[from] = append(forth[from], t.To)
			back[t.To] = append(back[t.To], from)
		}
	}
	var ends []domain.StateID
	for _, s := range r.d.States {
		if s.Kind == KindEnd {
			ends = append(ends, s.ID)
		}
	}
	reached := closure(forth, r.d.start().ID)
	ending := closure(back, ends...)
	for _, s := range r.d.States {
		if !reached[s.ID] {
			r.problem(r.states[s.ID], "state %q cannot be reached from the start", s.ID)
		}
		if !ending[s.ID] {
			r.problem(r.states[s.ID], "state %q leads to no end", s.ID)
		}
	}
}

// closure is every node that can be reached along the edges, the roots included.
func closure(edges map[domain.StateID][]domain.StateID, roots ...domain.StateID) map[domain.StateID]bool {
	seen := map[domain.StateID]bool{}
	for todo := roots; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		todo = append(todo, edges[at]...)
	}
	return seen
}
