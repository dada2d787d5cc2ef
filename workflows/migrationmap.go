package workflows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/alur-id/alur/domain"
)

// MapLanguage is the version of the form of migration maps that this program reads.
const MapLanguage = 1

// MigrationMap is what an agency wrote of how running requests go from one version of
// a workflow to another.
type MigrationMap struct {
	Plan   domain.Plan // without ground and approver
	Except []domain.Reference
	Only   []domain.Reference
	Source string
}

// Concerns reports whether the map is for a request.
func (m *MigrationMap) Concerns(ref domain.Reference) bool {
	return !slices.Contains(m.Except, ref) && (len(m.Only) == 0 || slices.Contains(m.Only, ref))
}

// ReadMigrationMap reads a map between two versions strictly: each name must be one of
// the version it belongs to, and whatever the former has and the other has not must be
// named, if only as dropped. The error is [Problems]: all of them, each with its place.
// File is only used to name that place.
func ReadMigrationMap(file string, source []byte, from, to *Workflow) (*MigrationMap, error) {
	y, text, err := newYAMLReader(file, "map", source)
	if err != nil {
		return nil, err
	}
	r := &mapReader{yamlReader: y, from: from, to: to}
	r.m.Source = string(source)
	r.m.Plan = domain.Plan{
		From: from.version, To: to.version, Map: domain.HashOf(string(source)),
		Elsewhere: map[domain.StateID]domain.Basis{}, Take: map[domain.TermID]bool{}, Values: domain.Facts{},
	}
	if root := r.parse(text); root != nil {
		r.root = root
		r.read(root)
		for _, check := range r.later {
			check()
		}
	}
	r.impersonal()
	r.decimal()
	if err := r.told(); err != nil {
		return nil, err
	}
	return &r.m, nil
}

// impersonal holds that the text of the map, its comments too, may be recorded as it is.
func (r *mapReader) impersonal() {
	for i, line := range r.lines {
		if err := domain.CheckImpersonal("this line", line); err != nil {
			r.problemAt(&token.Token{Position: &token.Position{Line: i + 1, Column: 1}}, "%v", err)
		}
	}
}

// clear reads a text that is shown to applicants.
func (r *mapReader) clear(n ast.Node, what string) string {
	s := r.text(n, what)
	if err := domain.CheckClear("the "+what, s); err != nil {
		r.problem(n, "%v", err)
	}
	return s
}

type mapReader struct {
	yamlReader
	from, to *Workflow
	root     ast.Node
	m        MigrationMap
}

func (r *mapReader) read(n ast.Node) {
	p, was, is := &r.m.Plan, r.from.Definition, r.to.Definition
	running := slices.DeleteFunc(slices.Clone(was.States), func(s State) bool { return s.Kind == KindEnd })
	states := namesOf(running, is.States, func(s State) domain.StateID { return s.ID })
	actions := namesOf(was.Actions, is.Actions, func(a Action) domain.ActionID { return a.ID })
	roles := namesOf(was.Roles, is.Roles, func(x Role) domain.RoleID { return x.ID })
	terms := namesOf(was.Terms, is.Terms, func(t LegalTerm) domain.TermID { return domain.TermID(t.ID) })
	reviews := namesOf(was.Reviews, is.Reviews, func(x Review) domain.ReviewID { return x.ID })
	fees := namesOf(was.Fees, is.Fees, func(f Fee) domain.FeeID { return f.ID })
	documents := namesOf(was.Documents, is.Documents, func(d Document) domain.DocumentID { return d.ID })
	lists := namesOf(was.Checklists, is.Checklists, func(c Checklist) domain.ChecklistID { return c.ID })
	systems := namesOf(was.Systems, is.Systems, func(s System) domain.SystemID { return s.ID })
	facts := namesOf(was.Facts, is.Facts, func(f Fact) string { return f.ID })
	p.States, p.Actions, p.Roles, p.Terms, p.Reviews = map[domain.StateID]domain.StateID{}, map[domain.ActionID]domain.ActionID{}, map[domain.RoleID]domain.RoleID{}, map[domain.TermID]domain.TermID{}, map[domain.ReviewID]domain.ReviewID{}
	p.Fees, p.Documents, p.Checklists, p.Systems, p.Facts = map[domain.FeeID]domain.FeeID{}, map[domain.DocumentID]domain.DocumentID{}, map[domain.ChecklistID]domain.ChecklistID{}, map[domain.SystemID]domain.SystemID{}, map[string]string{}
	p.Items = map[domain.ChecklistID]map[domain.CheckID]domain.CheckID{}
	r.mapping(n, "the map", []string{"migration"}, map[string]func(ast.Node){
		"migration": func(n ast.Node) {
			if v := r.integer(n, "migration"); v != MapLanguage && v != 0 {
				r.problem(n, "migration: form %d is not known to this program; it reads %d", v, MapLanguage)
			}
		},
		"states":     func(n ast.Node) { r.states(n, states) },
		"actions":    func(n ast.Node) { renames(r, n, "actions", actions, p.Actions) },
		"roles":      func(n ast.Node) { renames(r, n, "roles", roles, p.Roles) },
		"reviews":    func(n ast.Node) { renames(r, n, "reviews", reviews, p.Reviews) },
		"fees":       func(n ast.Node) { renames(r, n, "fees", fees, p.Fees) },
		"documents":  func(n ast.Node) { renames(r, n, "documents", documents, p.Documents) },
		"checklists": func(n ast.Node) { r.checklists(n, lists) },
		"systems":    func(n ast.Node) { renames(r, n, "systems", systems, p.Systems) },
		"facts":      func(n ast.Node) { renames(r, n, "facts", facts, p.Facts) },
		"values":     func(n ast.Node) { r.values(n) },
		"terms":      func(n ast.Node) { r.later = append(r.later, func() { r.terms(n, terms) }) },
		"except":     func(n ast.Node) { r.m.Except = r.references(n, "except") },
		"only":       func(n ast.Node) { r.m.Only = r.references(n, "only") },
	})
	if len(r.m.Except) > 0 && len(r.m.Only) > 0 {
		r.problem(n, "the map: say except or only, not both")
	}
	r.later = append(r.later, func() {
		const merges = true
		whole(r, "states", states, p.States, merges)
		whole(r, "actions", actions, p.Actions, merges)
		whole(r, "roles", roles, p.Roles, merges)
		whole(r, "terms", terms, p.Terms, !merges)
		whole(r, "reviews", reviews, p.Reviews, !merges)
		whole(r, "fees", fees, p.Fees, !merges)
		whole(r, "documents", documents, p.Documents, !merges)
		whole(r, "checklists", lists, p.Checklists, !merges)
		whole(r, "systems", systems, p.Systems, !merges)
		whole(r, "facts", facts, p.Facts, !merges)
		r.items()
		r.endless(states)
	})
}

// names are those of one kind in the two versions.
type names[K ~string] struct{ was, is []K }

func namesOf[E any, K ~string](was, is []E, id func(E) K) names[K] {
	return names[K]{ids(was, id), ids(is, id)}
}

// keyed reads what stands under the former names of a kind.
func keyed[K ~string](r *mapReader, n ast.Node, what string, was []K, read func(ast.Node, K)) {
	keys := map[string]func(ast.Node){}
	for _, id := range was {
		keys[string(id)] = func(n ast.Node) { read(n, id) }
	}
	r.mapping(n, fmt.Sprintf("version %d, of which %s are mapped,", r.from.version, what), nil, keys)
}

// renames reads the new name of each thing; ~ is none.
func renames[K ~string](r *mapReader, n ast.Node, what string, of names[K], into map[K]K) {
	keyed(r, n, what, of.was, func(n ast.Node, id K) {
		if _, dropped := n.(*ast.NullNode); dropped {
			into[id] = ""
			return
		}
		into[id] = name(r, n, what, of.is)
	})
}

// name reads a name of the other version.
func name[K ~string](r *mapReader, n ast.Node, what string, is []K) K {
	id := K(r.text(n, what))
	if id != "" && !slices.Contains(is, id) {
		r.problem(n, "%s: version %d has no %q%s", what, r.to.version, string(id), meant(string(id), is))
	}
	return id
}

// whole holds that what vanished is named, and that no two things become one, but those
// that may. What keeps its name is taken out of the map.
func whole[K ~string](r *mapReader, what string, of names[K], m map[K]K, merges bool) {
	var lost []K
	by := map[K]K{}
	for _, id := range of.was {
		now, mapped := m[id]
		switch {
		case !mapped && !slices.Contains(of.is, id):
			lost = append(lost, id)
			continue
		case !mapped:
			now = id
		case now == "":
			if keeps := []string{"actions", "roles", "terms"}; slices.Contains(keeps, what) && slices.Contains(of.is, id) {
				r.problem(r.root, "%s: %q cannot be dropped, for version %d has it too: what was done, and the time that ran, would count no more", what, string(id), r.to.version)
			}
			continue
		}
		if other, taken := by[now]; taken && !merges {
			r.problem(r.root, "%s: %q and %q of version %d cannot both be %q: drop one with ~", what, string(other), string(id), r.from.version, string(now))
		}
		by[now] = id
		if now == id {
			delete(m, id)
		}
	}
	if len(lost) > 0 {
		end := "say what each is called now, or ~ for what there is no more"
		if what == "states" {
			end = "say for each in which state its requests go on"
		}
		r.problem(r.root, "%s: version %d has no %s; %s", what, r.to.version, strings.Join(ids(lost, func(k K) string { return string(k) }), ", "), end)
	}
	for id, now := range m {
		if heir, taken := by[id]; now == "" && taken && !merges {
			r.problem(r.root, "%s: %q is dropped, and %q takes its name: what is meant cannot be told apart afterwards", what, string(id), string(heir))
		}
	}
}

func (r *mapReader) states(n ast.Node, of names[domain.StateID]) {
	p := &r.m.Plan
	places := map[domain.StateID]ast.Node{}
	r.later = append(r.later, func() { r.merged(of, places) })
	keyed(r, n, "states", of.was, func(n ast.Node, id domain.StateID) {
		places[id] = n
		var closing domain.Basis
		var as string
		if _, plain := n.(*ast.StringNode); plain {
			p.States[id] = name(r, n, "state", of.is)
		} else {
			r.mapping(n, "a state of the map", []string{"to"}, map[string]func(ast.Node){
				"to":     func(n ast.Node) { p.States[id] = name(r, n, "state", of.is) },
				"as":     func(n ast.Node) { as = word(&r.yamlReader, n, "as", []string{asRenamed, asMoved}) },
				"ground": func(n ast.Node) { closing = r.basis(n) },
			})
		}
		to := r.to.Definition.state(p.States[id])
		if to == nil {
			return
		}
		stays := to.ID == id
		came := !stays && (as == asMoved || as == "" && slices.Contains(of.was, to.ID) || to.Kind == KindEnd)
		switch {
		case stays && as == asMoved:
			r.problem(n, "state %q stays where it is: it cannot be moved to", string(id))
		case to.Kind == KindEnd && stays, to.Kind == KindEnd && as == asRenamed:
			r.problem(n, "state %q is an end in version %d: requests that stand there have not ended", string(to.ID), r.to.version)
		case to.Kind == KindEnd && closing == domain.Basis{}:
			r.problem(n, "state %q is an end: say under ground, in both languages, on what the requests in %q end", string(to.ID), string(id))
		case to.Kind != KindEnd && closing != domain.Basis{}:
			r.problem(n, "state %q is no end: leave ground out", string(to.ID))
		}
		if came {
			p.Elsewhere[id] = closing
		}
	})
}

// merged holds that of the states that become one, at most one is that state under
// another name, or its own: requests from the others move there.
func (r *mapReader) merged(of names[domain.StateID], places map[domain.StateID]ast.Node) {
	same := map[domain.StateID]domain.StateID{}
	for _, id := range of.was {
		now := domain.Called(r.m.Plan.States, id)
		if _, moved := r.m.Plan.Elsewhere[id]; moved || r.to.Definition.state(now) == nil {
			continue
		}
		other, taken := same[now]
		if !taken {
			same[now] = id
			continue
		}
		at := places[id]
		if at == nil { // it keeps its name
			at = places[other]
		}
		r.problem(at, "states: %q and %q of version %d cannot both be %q under another name: say {to: %s, as: %s} of all but one, whose requests do not stay where they are", string(other), string(id), r.from.version, string(now), string(now), asMoved)
	}
}

// How a state of the map goes on.
const (
	asRenamed = "renamed"
	asMoved   = "moved"
)

func (r *mapReader) basis(n ast.Node) domain.Basis {
	var b domain.Basis
	r.mapping(n, "ground", []string{"id", "en"}, map[string]func(ast.Node){
		"id": func(n ast.Node) { b.ID = r.clear(n, "ground in Indonesian") },
		"en": func(n ast.Node) { b.EN = r.clear(n, "ground in English") },
	})
	return b
}

// endless holds that no state in which requests run is an end under the same name.
func (r *mapReader) endless(of names[domain.StateID]) {
	for _, id := range of.was {
		if _, mapped := r.m.Plan.States[id]; mapped {
			continue
		}
		if to := r.to.Definition.state(id); to != nil && to.Kind == KindEnd {
			r.problem(r.root, "states: %q is an end in version %d, and requests of version %d run in it: say where they go on", string(id), r.to.version, r.from.version)
		}
	}
}

func (r *mapReader) terms(n ast.Node, of names[domain.TermID]) {
	p := &r.m.Plan
	known := slices.Clone(of.was)
	for i := range r.from.Definition.States {
		for _, rule := range r.from.terms[r.from.Definition.States[i].ID] {
			if !slices.Contains(known, rule.ID) {
				known = append(known, rule.ID)
			}
		}
	}
	keyed(r, n, "terms", known, func(n ast.Node, id domain.TermID) {
		switch n.(type) {
		case *ast.NullNode, *ast.StringNode:
			if !id.Legal() {
				r.problem(n, "term %q goes with its state or review: say there what becomes of it", string(id))
				return
			}
			if _, dropped := n.(*ast.NullNode); dropped {
				p.Terms[id] = ""
				return
			}
			p.Terms[id] = name(r, n, "term", of.is)
			return
		}
		take, shorter := "", false
		keys := map[string]func(ast.Node){
			"take":    func(n ast.Node) { take = word(&r.yamlReader, n, "take", []string{"new"}) },
			"shorter": func(n ast.Node) { shorter = r.boolean(n, "shorter") },
		}
		if id.Legal() {
			keys["to"] = func(n ast.Node) { p.Terms[id] = name(r, n, "term", of.is) }
		}
		r.mapping(n, "a term of the map", nil, keys)
		if shorter && take == "" {
			r.problem(n, "term %q keeps its own budget: without take: new it is not shorter", string(id))
		}
		now := p.Called(id)
		switch _, ok := r.to.anyTerm(now); {
		case take == "":
		case !ok || now == "":
			r.problem(n, "term %q has no budget in version %d to take", string(id), r.to.version)
		default:
			p.Take[id] = shorter
		}
	})
}

func (r *mapReader) checklists(n ast.Node, of names[domain.ChecklistID]) {
	p := &r.m.Plan
	keyed(r, n, "checklists", of.was, func(n ast.Node, id domain.ChecklistID) {
		switch n.(type) {
		case *ast.NullNode:
			p.Checklists[id] = ""
			return
		case *ast.StringNode:
			p.Checklists[id] = name(r, n, "checklist", of.is)
			return
		}
		p.Checklists[id] = id
		var items ast.Node
		r.mapping(n, "a checklist of the map", nil, map[string]func(ast.Node){
			"to":    func(n ast.Node) { p.Checklists[id] = name(r, n, "checklist", of.is) },
			"items": func(n ast.Node) { items = n },
		})
		if items != nil {
			was, _ := r.from.Checklist(id)
			is, _ := r.to.Checklist(p.Checklists[id])
			p.Items[id] = map[domain.CheckID]domain.CheckID{}
			renames(r, items, "items", names[domain.CheckID]{was.Items, is.Items}, p.Items[id])
		}
	})
}

// items holds that no item of a checklist that goes on vanishes unsaid.
func (r *mapReader) items() {
	p := &r.m.Plan
	for _, c := range r.from.Definition.Checklists {
		is, ok := r.to.Checklist(domain.Called(p.Checklists, c.ID))
		if !ok {
			continue
		}
		was, _ := r.from.Checklist(c.ID)
		if p.Items[c.ID] == nil {
			p.Items[c.ID] = map[domain.CheckID]domain.CheckID{}
		}
		whole(r, "items of checklist "+string(c.ID), names[domain.CheckID]{was.Items, is.Items}, p.Items[c.ID], false)
		if len(p.Items[c.ID]) == 0 {
			delete(p.Items, c.ID)
		}
	}
}

// values reads what facts are for requests that have none.
func (r *mapReader) values(n ast.Node) {
	keys := map[string]func(ast.Node){}
	for i := range r.to.Definition.Facts {
		f := &r.to.Definition.Facts[i]
		keys[f.ID] = func(n ast.Node) {
			v := r.any(n, "value")
			if whole, ok := v.(int); ok {
				v = float64(whole)
			}
			read, err := f.read(v)
			if err == nil {
				err = cmp.Or(f.bounded(read), f.dated(read))
			}
			if err != nil {
				r.problem(n, "values: %v", err)
				return
			}
			r.m.Plan.Values[f.ID] = read
		}
	}
	r.mapping(n, fmt.Sprintf("version %d, of which facts are given values,", r.to.version), nil, keys)
}

func (r *mapReader) references(n ast.Node, what string) []domain.Reference {
	seen := map[domain.Reference]bool{}
	for _, x := range r.list(n, what) {
		s := r.text(x, what)
		if s == "" {
			continue
		}
		ref, err := domain.ParseReference(s)
		switch {
		case err != nil:
			r.problem(x, "%s: %v", what, err)
		case seen[ref]:
			r.problem(x, "%s: %s is listed twice", what, ref)
		default:
			seen[ref] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
