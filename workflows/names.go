package workflows

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

func each[T any](r *definitionReader, n ast.Node, what string, read func(ast.Node) T) []T {
	var out []T
	for _, item := range r.list(n, what) {
		out = append(out, read(item))
	}
	return out
}

// ref notes that a name must be defined somewhere in the file. Of one kind, the same
// names are defined wherever it is asked.
func ref[T ~string](r *definitionReader, n ast.Node, what, kind string, defined func() []T) T {
	name := T(r.text(n, what))
	r.later = append(r.later, func() {
		known := r.known[kind]
		if known == nil {
			known = map[string]bool{}
			for _, id := range defined() {
				known[string(id)] = true
			}
			r.known[kind] = known
		}
		if name != "" && !known[string(name)] {
			r.torn = r.torn || kind == "state"
			hint := ""
			if len(r.problems) < maxProblems {
				hint = meant(string(name), defined())
			}
			r.problem(n, "%s %q is not defined%s", kind, string(name), hint)
		}
	})
	return name
}

// gateRefs are names under not_by and separate. That of a review, review:ID, is one word
// as YAML has it; the parser takes it for a key and a value inside of brackets.
func (r *definitionReader) gateRefs(n ast.Node, what string) []domain.ActionID {
	if list, ok := n.(*ast.SequenceNode); ok {
		for i, item := range list.Values {
			list.Values[i] = oneWord(item)
		}
	}
	return refs(r, n, what, gateKinds, r.gateIDs)
}

func oneWord(n ast.Node) ast.Node {
	m, ok := n.(*ast.MappingNode)
	if ok && len(m.Values) == 1 {
		n = m.Values[0]
	}
	v, ok := n.(*ast.MappingValueNode)
	if !ok {
		return n
	}
	key, value := v.Key.GetToken(), v.Value.GetToken()
	if key.Value != "review" || value.Position.Line != key.Position.Line || value.Position.Column != key.Position.Column+len("review:") {
		return n
	}
	word := *key
	word.Value += ":" + value.Value
	return ast.String(&word)
}

func refs[T ~string](r *definitionReader, n ast.Node, what, kind string, defined func() []T) []T {
	var out []T
	seen := map[T]bool{}
	for _, item := range r.list(n, what) {
		name := ref(r, item, what, kind, defined)
		if seen[name] {
			r.problem(item, "%s: %q is listed twice", what, string(name))
		}
		seen[name] = true
		out = append(out, name)
	}
	return out
}

func (r *definitionReader) stateIDs() []domain.StateID {
	return ids(r.d.States, func(s State) domain.StateID { return s.ID })
}

func (r *definitionReader) checklistIDs() []domain.ChecklistID {
	return ids(r.d.Checklists, func(c Checklist) domain.ChecklistID { return c.ID })
}

func (r *definitionReader) actionIDs() []domain.ActionID {
	return ids(r.d.Actions, func(a Action) domain.ActionID { return a.ID })
}

// startKinds is what starts a term.
const startKinds = "action or submission"

func (r *definitionReader) startIDs() []domain.ActionID { return append(r.actionIDs(), submitting) }

// gateKinds is what not_by and separate list.
const gateKinds = "action, submission or review (review:ID)"

func (r *definitionReader) gateIDs() []domain.ActionID {
	list := append(r.actionIDs(), submitting)
	for i := range r.d.Reviews {
		list = append(list, domain.Reviewing(r.d.Reviews[i].ID))
	}
	return list
}

func (r *definitionReader) reasonCodes() []domain.ReasonCode {
	return ids(r.d.Reasons, func(x Reason) domain.ReasonCode { return x.Code })
}

func (r *definitionReader) factIDs() []string {
	return ids(r.d.Facts, func(f Fact) string { return f.ID })
}

func (r *definitionReader) reviewIDs() []domain.ReviewID {
	return ids(r.d.Reviews, func(x Review) domain.ReviewID { return x.ID })
}

func (r *definitionReader) systemIDs() []domain.SystemID {
	return ids(r.d.Systems, func(s System) domain.SystemID { return s.ID })
}

func (r *definitionReader) roleIDs() []domain.RoleID {
	return ids(r.d.Roles, func(x Role) domain.RoleID { return x.ID })
}

func ids[E any, T ~string](list []E, id func(E) T) []T {
	out := make([]T, len(list))
	for i, x := range list {
		out[i] = id(x)
	}
	return out
}
