package workflows

import (
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
	told := map[string]bool{}
	for _, called := range c.called() {
		for _, role := range roles {
			reached := c.ways.closure(c.edgesOf(role, called), c.ways.start())
			for i := range c.d.States {
				s := &c.d.States[i]
				if once := fmt.Sprint(role, " ", s.ID); s.Outcome != domain.OutcomeApproved || !reached[i] || told[once] {
					continue
				} else {
					told[once] = true
				}
				if role == "" {
					c.find(FindingAlone, c.node("states", i), "an applicant alone can bring a request%s to %q: have an officer check and decide", called.such(), s.ID)
					return
				}
				c.find(FindingAlone, c.node("states", i), "role %q alone can bring a request%s to %q: have another role check or decide", role, called.such(), s.ID)
			}
		}
	}
}

// calledFor is the reviews that some facts call for.
type calledFor struct {
	joins map[domain.StateID]domain.Join // of each gather
	facts domain.Facts                   // such as these; none where all facts call for the same
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
	for _, in := range values {
		x := calledFor{joins: map[domain.StateID]domain.Join{}, facts: domain.Facts{}}
		for _, id := range ids {
			if v, ok := in.facts[id]; ok {
				x.facts[id] = v
			}
		}
		key := ""
		for i := range c.d.States {
			s := &c.d.States[i]
			if s.Kind != KindGather {
				continue
			}
			j, err := c.d.join(s, in)
			if err != nil {
				continue // that a condition fails is found by itself
			}
			x.joins[s.ID] = j
			key += fmt.Sprint(j)
		}
		if !known[key] {
			known[key] = true
			list = append(list, x)
		}
	}
	return list
}

// reviewed are facts that stand for all that conditions of reviews tell apart.
func (c *inspection) reviewed() []vars {
	if values, err := c.d.valuations(); err == nil {
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

// edgesOf is where a request can go by one role of the staff and by those who ask.
func (c *inspection) edgesOf(role domain.RoleID, called calledFor) [][]int {
	forth := make([][]int, len(c.d.States))
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		if !t.Automatic && !slices.ContainsFunc(t.Roles, func(id domain.RoleID) bool { return id == role || c.citizen(id) }) {
			continue
		}
		for _, id := range t.From {
			if from := c.ways.states[id]; !c.needsOthers(t, &c.d.States[from], role, called) {
				forth[from] = append(forth[from], c.ways.states[t.To])
			}
		}
	}
	return forth
}

// needsOthers reports whether a transition waits for reviews, an answer, a checklist or a
// document that others give than this role and those who ask.
func (c *inspection) needsOthers(t *Transition, from *State, role domain.RoleID, called calledFor) bool {
	if t.Needs == nil {
		return false
	}
	if t.Needs.Answer != "" {
		return c.d.system(from.WaitsFor).Role != role
	}
	if c.bringOthers(t.Needs, role) {
		return true
	}
	if t.Needs.Reviews == "" {
		return false
	}
	j := called.joins[from.ID]
	given := map[domain.ReviewID]domain.Review{}
	for _, id := range j.Reviews {
		if c.d.review(id).Role == role {
			given[id] = domain.Review{Opinion: t.Needs.Reviews}
		}
	}
	return j.Result(given) != t.Needs.Reviews
}

// bringOthers reports whether a checklist or a document is needed that neither this role nor
// those who ask may answer or hand in. Of documents that are required of some requests only,
// nothing is told: there are those without.
func (c *inspection) bringOthers(needs *Needs, role domain.RoleID) bool {
	mine := func(id domain.RoleID) bool { return id == role || c.citizen(id) }
	return slices.ContainsFunc(c.d.Checklists, func(x Checklist) bool {
		return slices.Contains(needs.Checklists, x.ID) && !slices.ContainsFunc(x.By, mine)
	}) || slices.ContainsFunc(c.d.Documents, func(x Document) bool {
		return (slices.Contains(needs.Documents, x.ID) || needs.Required && x.Required) && !slices.ContainsFunc(x.By, mine)
	})
}
