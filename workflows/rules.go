package workflows

import (
	"slices"
	"strconv"

	"github.com/alur-id/alur/domain"
)

// Document implements [domain.Workflow].
func (w *Workflow) Document(id domain.DocumentID) (domain.DocumentRule, bool) {
	for i := range w.Definition.Documents {
		if d := &w.Definition.Documents[i]; d.ID == id {
			return domain.DocumentRule{Formats: d.Formats, MaxBytes: d.bytes, Roles: d.By, Refusers: d.RefusedBy, Reasons: d.Reasons, States: d.In, Refused: d.RefusedIn}, true
		}
	}
	return domain.DocumentRule{}, false
}

// Checklist implements [domain.Workflow].
func (w *Workflow) Checklist(id domain.ChecklistID) (domain.ChecklistRule, bool) {
	for _, c := range w.Definition.Checklists {
		if c.ID == id {
			return domain.ChecklistRule{Items: ids(c.Items, func(i CheckItem) domain.CheckID { return i.ID }), Roles: c.By, States: c.In}, true
		}
	}
	return domain.ChecklistRule{}, false
}

// Review implements [domain.Workflow].
func (w *Workflow) Review(id domain.ReviewID) (domain.ReviewRule, bool) {
	r := w.Definition.review(id)
	if r == nil {
		return domain.ReviewRule{}, false
	}
	return domain.ReviewRule{Role: r.Role, Reasons: r.Reasons, NotBy: w.Definition.acts(w.Definition.notGivenBy(r))}, true
}

// notGivenBy lists what nobody did who gives a review: what the definition says, and the
// other reviews that are asked for together with it. Two opinions are of two people.
func (d *Definition) notGivenBy(x *Review) []domain.ActionID {
	list := slices.Clone(x.NotBy)
	for i := range d.States {
		if !slices.Contains(d.States[i].Reviews, x.ID) {
			continue
		}
		for _, id := range d.States[i].Reviews {
			if gate := domain.Reviewing(id); id != x.ID && !slices.Contains(list, gate) {
				list = append(list, gate)
			}
		}
	}
	return list
}

// Payers implements [domain.Workflow].
func (w *Workflow) Payers() []domain.RoleID { return w.Definition.Payers }

// System implements [domain.Workflow].
func (w *Workflow) System(r domain.Request, id domain.SystemID) (domain.SystemRule, bool) {
	state, s := w.Definition.state(r.State), w.Definition.system(id)
	if state == nil || s == nil || state.WaitsFor != id {
		return domain.SystemRule{}, false
	}
	return domain.SystemRule{Role: s.Role, Outcomes: s.Outcomes}, true
}

// Task implements [domain.Workflow].
func (w *Workflow) Task(id domain.StateID) (domain.TaskRule, bool) {
	s := w.Definition.state(id)
	if s == nil || s.Allocate == nil {
		return domain.TaskRule{}, false
	}
	return domain.TaskRule{Role: s.Owner, Rule: s.Allocate.Rule, Assigner: s.Allocate.Assigner, Bars: w.states[id].bars}, true
}

// bars lists the actions that four eyes hold apart from what the owner of a state may
// do there: by not_by, and as gates that no one person passes together.
func (d *Definition) bars(s *State) []domain.ActionID {
	var list []domain.ActionID
	bar := func(does domain.ActionID, notBy []domain.ActionID) {
		for _, gate := range d.Separate {
			if slices.Contains(gate, does) {
				others := slices.DeleteFunc(slices.Clone(gate), func(a domain.ActionID) bool { return a == does })
				notBy = append(slices.Clip(notBy), others...)
			}
		}
		for _, a := range notBy {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	for i := range d.Transitions {
		t := &d.Transitions[i]
		if !slices.Contains(t.From, s.ID) || !slices.Contains(t.Roles, s.Owner) {
			continue
		}
		bar(t.Action, t.NotBy)
	}
	for _, id := range s.Reviews {
		if x := d.review(id); x != nil && x.Role == s.Owner {
			bar(domain.Reviewing(id), x.NotBy)
		}
	}
	return d.acts(list)
}

// submitting is what not_by and separate call the submission itself.
const submitting domain.ActionID = "submit"

// Submits reports whether a name under not_by or separate is the submission: it is not
// where an action is called so.
func (d *Definition) Submits(a domain.ActionID) bool {
	return a == submitting && !slices.ContainsFunc(d.Actions, func(x Action) bool { return x.ID == a })
}

// acts is names under not_by or separate as the engine has them.
func (d *Definition) acts(names []domain.ActionID) []domain.ActionID {
	i := slices.IndexFunc(names, d.Submits)
	if i < 0 {
		return names
	}
	acts := slices.Clone(names)
	acts[i] = domain.Submitting
	return acts
}

// join is how the reviews of a gather state are counted for a request: those that
// its facts call for.
func (d *Definition) join(s *State, in vars) (domain.Join, error) {
	var j domain.Join
	for _, id := range s.Reviews {
		asked, err := d.asked(id, in)
		if err != nil {
			return j, err
		}
		if asked {
			j.Reviews = append(j.Reviews, id)
		}
	}
	j.AtLeast = len(j.Reviews)
	if s.Join == nil {
		return j, nil
	}
	j.Outvote = s.Join.Outvote
	switch s.Join.Need {
	case "any":
		j.AtLeast = min(1, len(j.Reviews))
	case "", "all":
	default:
		n, _ := strconv.Atoi(s.Join.Need) // read as one
		j.AtLeast = min(n, len(j.Reviews))
	}
	return j, nil
}

// asked reports whether a review is asked for.
func (d *Definition) asked(id domain.ReviewID, in vars) (bool, error) {
	r := d.review(id)
	if r == nil || r.When == nil {
		return r != nil, nil
	}
	return r.When.holds(in)
}

// needs is what a transition demands of a request with these facts.
func (d *Definition) needs(t *Transition, from domain.StateID, in vars) (domain.Needs, error) {
	n := domain.Needs{}
	if t.Needs == nil || t.Kind == domain.ActionOverride {
		return n, nil
	}
	n.Documents, n.Fees = t.Needs.Documents, t.Needs.Fees
	if t.Needs.Required {
		required, err := d.required(in)
		if err != nil {
			return n, err
		}
		n.Documents = append(slices.Clip(n.Documents), required...)
	}
	for _, id := range t.Needs.Checklists {
		for _, c := range d.Checklists {
			if c.ID != id {
				continue
			}
			for _, item := range c.Items {
				n.Checks = append(n.Checks, domain.Check{Checklist: id, Item: item.ID})
			}
		}
	}
	s := d.state(from)
	if t.Needs.Reviews != "" {
		j, err := d.join(s, in)
		if err != nil {
			return n, err
		}
		n.Reviews = domain.ReviewNeed{Join: j, Result: t.Needs.Reviews}
	}
	if t.Needs.Answer != "" {
		n.Answer = &domain.Answer{System: s.WaitsFor, Outcome: t.Needs.Answer}
	}
	return n, nil
}

// required lists the documents that a request with these facts must have.
func (d *Definition) required(in vars) ([]domain.DocumentID, error) {
	var list []domain.DocumentID
	for i := range d.Documents {
		doc := &d.Documents[i]
		required := doc.Required
		if doc.RequiredWhen != nil {
			var err error
			if required, err = doc.RequiredWhen.holds(in); err != nil {
				return nil, err
			}
		}
		if required {
			list = append(list, doc.ID)
		}
	}
	return list, nil
}
