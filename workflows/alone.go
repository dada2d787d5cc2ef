package workflows

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/alur-id/alur/domain"
)

// alone holds that no single role of the staff brings a request from its submission
// to its approval, nor the applicant with nobody's help: no request, whatever opinions
// its facts call for.
func (c *inspection) alone() {
	roles := []domain.RoleID{""} // nobody among the staff
	for _, r := range c.d.Roles {
		if !c.citizen(r.ID) && slices.Contains(r.Capacities, domain.CapacityOfficer) {
			roles = append(roles, r.ID)
		}
	}
	type approval struct{ called, role, state int }
	var found []approval
	s := c.newByOneRole()
	for k, role := range roles {
		for i, under := range s.reach(role) {
			if first := under.first(); first >= 0 && c.d.States[i].Outcome == domain.OutcomeApproved {
				found = append(found, approval{first, k, i})
			}
		}
	}
	slices.SortFunc(found, func(a, b approval) int {
		return cmp.Or(cmp.Compare(a.called, b.called), cmp.Compare(a.role, b.role), cmp.Compare(a.state, b.state))
	})
	for _, x := range found {
		n, such, state := c.node("states", x.state), s.called[x.called].such(), c.d.States[x.state].ID
		if x.role == 0 {
			c.find(FindingAlone, n, "an applicant alone can bring a request%s to %q: have an officer check and decide", such, state)
			return
		}
		c.find(FindingAlone, n, "role %q alone can bring a request%s to %q: have another role check or decide", roles[x.role], such, state)
	}
}

// byOneRole is where requests can go by one role of the staff and by those who ask, for every
// set of reviews that facts call for at once.
type byOneRole struct {
	*inspection
	called []calledFor
	askers map[domain.RoleID]bool
	free   []bool                   // by transition: it follows by itself, or those who ask take it
	bring  []map[domain.RoleID]bool // by transition: who has to be there for what others bring; nil where nobody has
	given  map[opining]sets         // where it was asked
}

// opining is what the reviews of a state come to when a role gives its own.
type opining struct {
	role    domain.RoleID
	state   int
	opinion domain.Opinion
}

// sets is a set of sets of reviews that are called for, by their places in a list.
type sets []uint64

// first is the lowest place; -1 where there is none.
func (s sets) first() int {
	for i := range len(s) * 64 {
		if s[i/64]>>(i%64)&1 == 1 {
			return i
		}
	}
	return -1
}

func (s sets) add(i int) { s[i/64] |= 1 << (i % 64) }

func (c *inspection) newByOneRole() *byOneRole {
	s := &byOneRole{inspection: c, called: c.called(), askers: map[domain.RoleID]bool{}, given: map[opining]sets{}}
	for _, r := range c.d.Roles {
		s.askers[r.ID] = c.citizen(r.ID)
	}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		s.free = append(s.free, t.Automatic || s.asked(t.Roles))
		s.bring = append(s.bring, s.bringing(t.Needs))
	}
	return s
}

// asked reports whether those who ask have one of some roles.
func (s *byOneRole) asked(roles []domain.RoleID) bool {
	return slices.ContainsFunc(roles, func(id domain.RoleID) bool { return s.askers[id] })
}

// bringing is the roles each of which may answer all checklists and hand in all documents
// that are needed and are not for those who ask; nil where there are none of these. Of
// documents that are required of some requests only, nothing is told: there are those
// without.
func (s *byOneRole) bringing(needs *Needs) map[domain.RoleID]bool {
	if needs == nil {
		return nil
	}
	var all map[domain.RoleID]bool
	note := func(by []domain.RoleID) {
		if s.asked(by) {
			return
		}
		some := map[domain.RoleID]bool{}
		for _, id := range by {
			if all == nil || all[id] {
				some[id] = true
			}
		}
		all = some
	}
	for i := range s.d.Checklists {
		if x := &s.d.Checklists[i]; slices.Contains(needs.Checklists, x.ID) {
			note(x.By)
		}
	}
	for i := range s.d.Documents {
		if x := &s.d.Documents[i]; slices.Contains(needs.Documents, x.ID) || needs.Required && x.Required {
			note(x.By)
		}
	}
	return all
}

// reach is, by state, for which reviews that are called for a request can come there by one
// role and those who ask.
func (s *byOneRole) reach(role domain.RoleID) []sets {
	reached, waits := make([]sets, len(s.d.States)), make([]bool, len(s.d.States))
	start := s.ways.start()
	reached[start] = make(sets, (len(s.called)+63)/64)
	for i := range s.called {
		reached[start].add(i)
	}
	for todo := []int{start}; len(todo) > 0; {
		at := todo[0]
		todo, waits[at] = todo[1:], false
		for _, k := range s.ways.leaving[at] {
			t := &s.d.Transitions[k]
			if !s.free[k] && !slices.Contains(t.Roles, role) || s.needsOthers(k, at, role) {
				continue
			}
			to := s.ways.states[t.To]
			if spread(&reached[to], reached[at], s.opined(t, at, role)) && !waits[to] {
				todo, waits[to] = append(todo, to), true
			}
		}
	}
	return reached
}

// spread adds to one set what is in another and, unless it is nil, in a third. It reports
// whether that was more.
func spread(to *sets, from, within sets) bool {
	if *to == nil {
		*to = make(sets, len(from))
	}
	more := false
	for i, w := range from {
		if within != nil {
			w &= within[i]
		}
		more = more || w&^(*to)[i] != 0
		(*to)[i] |= w
	}
	return more
}

// needsOthers reports whether a transition waits for what others do than this role and those who ask.
func (s *byOneRole) needsOthers(transition, from int, role domain.RoleID) bool {
	t := &s.d.Transitions[transition]
	switch {
	case t.Kind != domain.ActionOverride && t.When != nil && t.When.checked != nil && s.sure(t.When.checked.NativeRep().Expr(), true, role):
		return true
	case t.Needs == nil:
		return false
	}
	if t.Needs.Answer != "" {
		return s.d.system(s.d.States[from].WaitsFor).Role != role
	}
	return s.bring[transition] != nil && !s.bring[transition][role]
}

// opined is for which reviews that are called for a transition has the opinions that it
// needs, when the role gives those that are its own; nil where it needs none.
func (s *byOneRole) opined(t *Transition, at int, role domain.RoleID) sets {
	if t.Needs == nil || t.Needs.Reviews == "" || t.Needs.Answer != "" {
		return nil
	}
	gather := &s.d.States[at]
	of := make([]int, len(gather.Reviews)) // by place
	var own []domain.ReviewID
	for i, id := range gather.Reviews {
		of[i] = slices.IndexFunc(s.d.Reviews, func(x Review) bool { return x.ID == id })
		if s.d.Reviews[of[i]].Role == role {
			own = append(own, id)
		}
	}
	key := opining{role, at, t.Needs.Reviews}
	if len(own) == 0 {
		key.role = ""
	}
	if known, ok := s.given[key]; ok {
		return known
	}
	list := make(sets, (len(s.called)+63)/64)
	results := map[[3]int]domain.Opinion{} // what they come to goes by how many there are
	for i := range s.called {
		x := &s.called[i]
		var many [3]int // that are called for, of these the role's own, and that cannot be told
		for _, r := range of {
			switch x.reviews[r] {
			case 'y':
				many[0]++
				if s.d.Reviews[r].Role == role {
					many[1]++
				}
			case '?':
				many[2] = 1
			}
		}
		result, known := results[many]
		if !known {
			result = s.result(gather, x, own, t.Needs.Reviews)
			results[many] = result
		}
		if result == t.Needs.Reviews {
			list.add(i)
		}
	}
	s.given[key] = list
	return list
}

// result is what the reviews of a state come to with one opinion in some.
func (s *byOneRole) result(gather *State, called *calledFor, own []domain.ReviewID, opinion domain.Opinion) domain.Opinion {
	j, err := s.d.join(gather, called.in)
	if err != nil {
		j = domain.Join{} // that a condition fails is found by itself
	}
	given := map[domain.ReviewID]domain.Review{}
	for _, id := range own {
		given[id] = domain.Review{Opinion: opinion}
	}
	return j.Result(given)
}

// calledFor is the reviews that some facts call for.
type calledFor struct {
	reviews string       // of each y, n, or ? where its condition fails
	in      vars         // the first facts that do
	facts   domain.Facts // those of them that do; none where all facts call for the same
}

func (c *calledFor) such() string {
	if len(c.facts) == 0 {
		return ""
	}
	return fmt.Sprintf(" (such as with %s)", suchAs(c.facts))
}

// called lists the sets of reviews that facts call for. Where facts are too many to look
// at, there are two: all of them, and those that are always called for.
func (c *inspection) called() []calledFor {
	var ids []string
	for i := range c.d.Reviews {
		if w := c.d.Reviews[i].When; w != nil {
			ids = append(ids, w.uses.facts...)
		}
	}
	values := []vars{{}}
	if slices.ContainsFunc(c.d.Reviews, func(x Review) bool { return x.When != nil }) {
		values = c.reviewed()
	}
	known := map[string]bool{}
	var list []calledFor
	reviews := make([]byte, len(c.d.Reviews))
	for _, in := range values {
		for i := range c.d.Reviews {
			asked, err := c.d.asked(c.d.Reviews[i].ID, in)
			switch {
			case err != nil:
				reviews[i] = '?'
			case asked:
				reviews[i] = 'y'
			default:
				reviews[i] = 'n'
			}
		}
		if known[string(reviews)] {
			continue
		}
		x := calledFor{reviews: string(reviews), in: in, facts: domain.Facts{}}
		known[x.reviews] = true
		for _, id := range ids {
			if v, ok := in.facts[id]; ok {
				x.facts[id] = v
			}
		}
		list = append(list, x)
	}
	return list
}

// reviewed are facts that stand for all that conditions of reviews tell apart.
func (c *inspection) reviewed() []vars {
	if values, err := c.d.valuations(nil); err == nil {
		return values
	}
	var values []vars
	for _, is := range []bool{true, false} {
		v := vars{supposed: map[string]bool{}}
		for i := range c.d.Reviews {
			if w := c.d.Reviews[i].When; w != nil {
				v.supposed[w.Text] = is
			}
		}
		values = append(values, v)
	}
	return values
}
