package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// Holder is what the role is called that has to act in a state; empty for an end, and in
// a draft, whose roles are the people of a log.
func (w *Workflow) Holder(id domain.StateID) Text {
	s, _ := w.State(id)
	return w.Definition.roleShown(s.Owner)
}

func (d *Definition) roleShown(id domain.RoleID) Text {
	for _, role := range d.Roles {
		if role.ID == id && role.RecordedAs == "" {
			return role.Title
		}
	}
	return Text{}
}

// Reviewers are what the roles are called whose opinions a request waits for where it
// stands, each once.
func (w *Workflow) Reviewers(r domain.Request) []Text {
	s, _ := w.State(r.State)
	var list []Text
	for _, id := range s.Reviews {
		if x := w.Definition.review(id); x != nil && r.Dossier.Reviews[id].Opinion == domain.OpinionOpen {
			if t := w.Definition.roleShown(x.Role); !t.IsZero() && !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
	}
	return list
}

// Applying reports whether it is the applicant who has to act: the state is theirs, or
// they owe a document or a fee.
func (w *Workflow) Applying(r domain.Request) bool {
	s, ok := w.State(r.State)
	if !ok || s.Kind == KindEnd {
		return false
	}
	if w.Definition.Applicants(&s) || len(w.Wanted(r)) > 0 {
		return true
	}
	return slices.ContainsFunc(w.Bill(r.Dossier).Lines, func(l BillLine) bool { return l.Owed > 0 })
}
