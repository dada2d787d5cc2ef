// Package discovery learns from an event log how a service is worked: it drafts a
// definition of its workflow, measures how well a definition fits the log, and tells
// what is done again, side by side, by whom and how fast.
package discovery

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// Draft is a definition that was learnt from an event log, and what it was learnt
// from. It replays the log it came from and is meant to be edited by somebody
// who knows the service.
type Draft struct {
	Definition *workflows.Definition `json:"-"`
	Cases      int                   `json:"cases"`
	Events     int                   `json:"events"`
	Unnamed    int                   `json:"unnamed,omitempty"` // events without a concept:name: nothing is learnt of them, and their cases are not replayed
	Activities int                   `json:"activities"`
	Resources  int                   `json:"resources"`
	Roles      int                   `json:"roles"`
	Edges      int                   `json:"edges"`    // different steps from one activity to the next
	LeftOut    []string              `json:"left_out"` // case attributes that are not kept as facts, and why
	Learnt     *Learnt               `json:"learnt"`
}

// Options says how a draft is made.
type Options struct {
	ID   string // of the definition
	Role string // the event attribute that becomes the roles; one of [workflows.RoleAttributes]
	Kept int    // entries of each table of the report, at most; 0 for MaxKept
}

// ErrEmptyLog says that there is nothing to learn from.
var ErrEmptyLog = errors.New("the log has no events with a concept:name")

// A case attribute is drafted as a fact when it sorts cases into few kinds: no
// more different values than this, and each shared by two cases or more, all in
// all. One with more values is likely to describe a person or a place.
const maxFactValues = 50

// Limits beyond which a log is no record of a process.
const (
	maxNames = 10_000 // different activities, roles or attributes
	maxName  = 500    // bytes of one
)

// personalWords in the name of an attribute keep it from being drafted as a fact,
// in Indonesian and English.
var personalWords = []string{
	"name", "nama", "nik", "ktp", "mail", "phone", "telp", "telepon", "ponsel", "alamat", "address", "lahir", "birth", "born", "npwp", "passport", "paspor",
}

// Learn drafts a definition: an action for each activity, a state for "after
// this activity", a transition for each order that was observed, a role for each
// resource. It reads the traces once and holds only counts.
func Learn(traces iter.Seq2[workflows.Trace, error], o Options) (*Draft, error) {
	l := &learner{
		o: o, activities: map[string]*activity{}, roles: map[string]int{},
		resources: map[string]bool{}, attributes: map[string]*attribute{}, first: newActivity(), observer: newObserver(o),
	}
	for t, err := range traces {
		if err != nil {
			return nil, err
		}
		if err := l.trace(t); err != nil {
			return nil, fmt.Errorf("case %q: %w", t.Name, err)
		}
	}
	if len(l.activities) == 0 {
		return nil, ErrEmptyLog
	}
	return l.draft(), nil
}

type learner struct {
	o             Options
	cases, events int
	unnamed       int
	first         *activity // what stands before the first event of a case
	activities    map[string]*activity
	roles         map[string]int
	resources     map[string]bool
	attributes    map[string]*attribute
	observer      *observer
}

// activity is what was seen of one: who did it, what came next and by whom, and
// how often a case ended there.
type activity struct {
	id        string
	seen      int
	last      int
	by        map[string]int
	next      map[string]int // activity
	nextRoles map[string]int
	end       bool
}

func newActivity() *activity {
	return &activity{by: map[string]int{}, next: map[string]int{}, nextRoles: map[string]int{}}
}

type attribute struct {
	kind   workflows.AttributeKind
	mixed  bool
	seen   int
	values map[string]bool // not of dates; one more than maxFactValues at most
}

func (l *learner) trace(t workflows.Trace) error {
	l.cases++
	for _, a := range t.Attributes {
		if len(a.Key) > maxName {
			return fmt.Errorf("an attribute's name is longer than %d bytes", maxName)
		}
		l.attribute(a)
	}
	before := l.first
	steps := make([]step, 0, len(t.Events))
	for _, e := range t.Events {
		l.events++
		if e.Name == "" {
			l.unnamed++
			continue // nothing to learn; an import will refuse the case
		}
		name, role := e.Activity(), e.RoleBy(l.o.Role)
		if max(len(name), len(role), len(e.Resource)) > maxName {
			return fmt.Errorf("the name of an activity or a resource is longer than %d bytes", maxName)
		}
		if r := e.RoleBy("org:resource"); r != workflows.Unrecorded {
			l.resources[r] = true
		}
		at, ok := l.activities[name]
		if !ok {
			at = newActivity()
			l.activities[name] = at
		}
		at.seen++
		at.by[role]++
		l.roles[role]++
		before.next[name]++
		before.nextRoles[role]++
		before = at
		steps = append(steps, l.observer.step(name, role, e))
	}
	before.last++
	l.observer.trace(steps)
	if max(len(l.activities), len(l.roles), len(l.resources), len(l.attributes)) > maxNames {
		return fmt.Errorf("more than %d different activities, resources or attributes: this is no record of a process", maxNames)
	}
	return nil
}

func (l *learner) attribute(a workflows.Attribute) {
	if a.Key == "concept:name" {
		return
	}
	seen, ok := l.attributes[a.Key]
	if !ok {
		seen = &attribute{kind: a.Kind, values: map[string]bool{}}
		l.attributes[a.Key] = seen
	}
	seen.mixed = seen.mixed || seen.kind != a.Kind
	seen.seen++
	if a.Kind != workflows.AttributeDate && len(seen.values) <= maxFactValues {
		seen.values[a.Value[:min(len(a.Value), maxName)]] = true
	}
}

func (l *learner) draft() *Draft {
	names := slices.SortedFunc(maps.Keys(l.activities), func(a, b string) int {
		return cmp.Or(-cmp.Compare(l.activities[a].seen, l.activities[b].seen), cmp.Compare(a, b))
	})
	slugs := workflows.NewSlugs("submitted", "submit") // the state, and what starts a term
	for _, n := range names {
		l.activities[n].id = slugs.Of(n)
	}
	l.markEnds()

	d := &workflows.Definition{
		Language: workflows.Language, ID: l.o.ID, Office: "unknown",
		Title:   workflows.Text{ID: l.o.ID, EN: l.o.ID},
		Agency:  workflows.Text{ID: "(belum diisi)", EN: "(to be filled in)"},
		History: &workflows.History{Role: l.o.Role},
		Submit:  []domain.RoleID{"import"},
	}
	roleIDs := l.draftRoles(d)
	leftOut := l.draftFacts(d)
	d.States = append(d.States, workflows.State{
		ID: "submitted", Kind: workflows.KindStart, Public: domain.StatusReceived,
		Title: workflows.Text{ID: "Diterima", EN: "Received"}, Owner: roleIDs[mostly(l.first.nextRoles)],
	})
	from := map[string][]domain.StateID{}
	edges := 0
	for n := range l.first.next {
		from[n] = append(from[n], "submitted")
	}
	for _, n := range names {
		a := l.activities[n]
		d.States = append(d.States, a.state(n, roleIDs))
		d.Actions = append(d.Actions, workflows.Action{ID: domain.ActionID(a.id), Title: titleOf(n, a.id), RecordedAs: n})
		for next := range a.next {
			from[next] = append(from[next], domain.StateID(a.id))
			edges++
		}
	}
	for _, n := range names {
		t := workflows.Transition{Action: domain.ActionID(l.activities[n].id), To: domain.StateID(l.activities[n].id), From: from[n]}
		slices.Sort(t.From)
		for role := range l.activities[n].by {
			t.Roles = append(t.Roles, roleIDs[role])
		}
		slices.Sort(t.Roles)
		d.Transitions = append(d.Transitions, t)
	}
	return &Draft{
		Definition: d, Cases: l.cases, Events: l.events, Unnamed: l.unnamed, Activities: len(names),
		Resources: len(l.resources), Roles: len(l.roles), Edges: edges, LeftOut: leftOut,
		Learnt: l.observer.learnt(),
	}
}

func (a *activity) state(name string, roleIDs map[string]domain.RoleID) workflows.State {
	s := workflows.State{ID: domain.StateID(a.id), Kind: workflows.KindWork, Public: domain.StatusInProcess, Title: titleOf(name, a.id)}
	if a.end {
		s.Kind, s.Public, s.Outcome = workflows.KindEnd, domain.StatusCompleted, domain.OutcomeClosed
	} else {
		s.Owner = roleIDs[mostly(a.nextRoles)]
	}
	return s
}

// markEnds makes an end of each activity that more than half of its cases ended
// with, and then of those that cases ended with and that lead to no other end:
// in a draft every request can be closed.
func (l *learner) markEnds() {
	back := map[domain.StateID][]domain.StateID{}
	var ends []domain.StateID
	for _, a := range l.activities {
		if a.end = 2*a.last > a.seen; a.end {
			ends = append(ends, domain.StateID(a.id))
		}
		for next := range a.next {
			to := domain.StateID(l.activities[next].id)
			back[to] = append(back[to], domain.StateID(a.id))
		}
	}
	ending := graph.Closure(back, ends...)
	for _, n := range slices.Sorted(maps.Keys(l.activities)) {
		a := l.activities[n]
		if id := domain.StateID(a.id); a.last > 0 && !ending[id] {
			a.end = true
			maps.Copy(ending, graph.Closure(back, id))
		}
	}
}

// titleOf is a name as a title, in both languages; the id where it is blank.
func titleOf(name, id string) workflows.Text {
	title := cmp.Or(strings.TrimSpace(name), id)
	return workflows.Text{ID: title, EN: title}
}

func (l *learner) draftRoles(d *workflows.Definition) map[string]domain.RoleID {
	d.Roles = append(d.Roles, workflows.Role{ID: "import", Title: workflows.Text{ID: "Impor", EN: "Import"}, Capacities: []domain.Capacity{domain.CapacitySystem}})
	slugs := workflows.NewSlugs("import")
	roleIDs := map[string]domain.RoleID{}
	for _, name := range slices.Sorted(maps.Keys(l.roles)) {
		roleIDs[name] = domain.RoleID(slugs.Of(name))
		d.Roles = append(d.Roles, workflows.Role{
			ID: roleIDs[name], Title: titleOf(name, string(roleIDs[name])), RecordedAs: name,
			Capacities: []domain.Capacity{domain.CapacityUnrecorded},
		})
	}
	return roleIDs
}

// draftFacts declares the case attributes that are safe to keep in the clear, as
// far as their values tell, and says why it left the others out.
func (l *learner) draftFacts(d *workflows.Definition) []string {
	leftOut := []string{}
	slugs := workflows.NewSlugs()
	for _, key := range slices.Sorted(maps.Keys(l.attributes)) {
		a := l.attributes[key]
		kind, ok := map[workflows.AttributeKind]workflows.FactType{
			workflows.AttributeString: workflows.FactString, workflows.AttributeDate: workflows.FactTime, workflows.AttributeInt: workflows.FactNumber,
			workflows.AttributeFloat: workflows.FactNumber, workflows.AttributeBoolean: workflows.FactBoolean,
		}[a.kind]
		why := ""
		switch {
		case a.mixed || !ok:
			why = "has no single type"
		case slices.ContainsFunc(personalWords, func(w string) bool { return strings.Contains(strings.ToLower(key), w) }):
			why = "may be about a person"
		case slices.ContainsFunc(slices.Collect(maps.Keys(a.values)), func(v string) bool { return l.resources[v] }):
			why = "names people"
		case len(a.values) > maxFactValues:
			why = fmt.Sprintf("has more than %d different values", maxFactValues)
		case kind != workflows.FactTime && kind != workflows.FactBoolean && 2*len(a.values) > a.seen:
			why = "hardly any two cases share a value"
		}
		if why != "" {
			leftOut = append(leftOut, key+": "+why)
			continue
		}
		id := slugs.Of(key)
		d.Facts = append(d.Facts, workflows.Fact{ID: id, Type: kind, Title: titleOf(key, id), RecordedAs: key})
	}
	d.History.Started = factNamed(d, "startdate", "started", "receiptdate")
	d.History.Due = factNamed(d, "deadline", "duedate", "due", "enddateplanned")
	d.History.Ended = factNamed(d, "enddate", "ended", "closedate")
	draftTerm(d)
	return leftOut
}

// draftTerm makes a term of the due dates that the log has.
func draftTerm(d *workflows.Definition) {
	for _, f := range d.Facts {
		if f.ID == d.History.Due {
			d.Terms = append(d.Terms, workflows.LegalTerm{
				ID: f.ID, Title: f.Title, Due: f.ID, Starts: []domain.ActionID{"submit"},
				Basis: workflows.Text{ID: "(belum diisi)", EN: "(to be filled in)"},
			})
		}
	}
}

// factNamed finds a time fact by the names that logs give it, the first that
// there is.
func factNamed(d *workflows.Definition, names ...string) string {
	for _, name := range names {
		for _, f := range d.Facts {
			if f.Type == workflows.FactTime && strings.NewReplacer("-", "", "_", "").Replace(f.ID) == name {
				return f.ID
			}
		}
	}
	return ""
}

func mostly(counts map[string]int) string {
	best := ""
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if best == "" || counts[k] > counts[best] {
			best = k
		}
	}
	return best
}
