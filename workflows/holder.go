package workflows

import (
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// Holder is what the roles are called that have to act where a request stands: those whose
// opinions it waits for, else the owner of the state. Empty for an end, where it rests, and
// in a draft, whose roles are the people of a log.
func (w *Workflow) Holder(r domain.Request) Text {
	if w.Rests(r) {
		return Text{}
	}
	if roles := w.Reviewers(r); len(roles) > 0 {
		var ids, ens []string
		for _, t := range roles {
			ids, ens = append(ids, t.ID), append(ens, t.EN)
		}
		return Text{ID: strings.Join(ids, ", "), EN: strings.Join(ens, ", ")}
	}
	s, _ := w.State(r.State)
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

// actsIn is who has to act in a state that is no end.
func (d *Definition) actsIn(s *State) domain.Holder {
	switch {
	case d.Applicants(s):
		return domain.HeldByApplicant
	case s.Kind == KindWait:
		return domain.HeldByOtherAgency
	}
	return domain.HeldByAgency
}

// Rests reports whether a request is an imported case that nobody has to act on here,
// until something is done with it: its record says that it ended, or leaves it open where
// the workflow has an end.
func (w *Workflow) Rests(r domain.Request) bool {
	s, _ := w.State(r.State)
	return r.ByRecord(w.RecordsEnds()) && (s.Kind == KindEnd || !r.EndedByRecord().IsZero())
}

// Applying reports whether it is the applicant who has to act: the state is theirs, or
// they owe a document or a fee.
func (w *Workflow) Applying(r domain.Request) bool {
	return len(w.tasks(r)) > 0
}

// tasks names what the applicant of a request has to do where it stands: what the state
// asks of them, documents, fees.
func (w *Workflow) tasks(r domain.Request) []string {
	s, ok := w.State(r.State)
	if !ok || s.Kind == KindEnd || w.Rests(r) {
		return nil
	}
	var list []string
	if w.Definition.Applicants(&s) {
		list = append(list, "state:"+string(s.ID))
	}
	for _, x := range w.Wanted(r) {
		list = append(list, "document:"+string(x.Document.ID))
	}
	for _, l := range w.Bill(r.Dossier).Lines {
		if l.Owed > 0 {
			list = append(list, "fee:"+string(l.Fee.ID))
		}
	}
	return list
}
