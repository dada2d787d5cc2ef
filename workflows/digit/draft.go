package digit

import (
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// submission is what the language calls the submission where no action is called so.
const submission = "submit"

// unfilled stands where the language wants words that DIGIT does not have.
func unfilled(id, en string) workflows.Text {
	return workflows.Text{ID: "(belum diisi: " + id + ")", EN: "(to be filled in: " + en + ")"}
}

// draft makes the definition of what was kept.
func (x *digitImport) draft(id string) {
	s := &x.service
	x.d = &workflows.Definition{
		Language: workflows.Language, ID: id, Title: digitTitle(s.name), Office: "unknown",
		Agency: unfilled("instansi", "agency"),
	}
	x.fault(FaultAgency, s.at, nil, nil, "the format names no agency and no office: they are to be filled in (tenantId and business say where DIGIT ran)")
	x.draftRoles()
	x.identify()
	for _, st := range x.kept {
		x.d.States = append(x.d.States, x.state(st))
		for _, a := range st.ways {
			x.d.Transitions = append(x.d.Transitions, workflows.Transition{
				Action: x.actions[a.name], From: []domain.StateID{x.ids[st]}, To: x.ids[a.to], Roles: x.rolesOf(a.roles),
			})
		}
	}
	x.documents()
	x.total()
	x.missingTerms()
}

// identify gives ids to states and actions.
func (x *digitImport) identify() {
	x.ids, x.actions = map[*digitState]domain.StateID{}, map[string]domain.ActionID{}
	states, actions := workflows.NewSlugs(), workflows.NewSlugs()
	actions.Of(submission) // it is no action
	for _, st := range x.kept {
		name := st.name
		if name == "" {
			name = "submitted"
		}
		x.ids[st] = domain.StateID(states.Of(name))
		for _, a := range st.ways {
			if x.actions[a.name] != "" {
				continue
			}
			x.actions[a.name] = domain.ActionID(actions.Of(a.name))
			x.d.Actions = append(x.d.Actions, workflows.Action{ID: x.actions[a.name], Title: digitTitle(a.name), RecordedAs: a.name})
		}
	}
}

// draftRoles defines every role that is named anywhere, also in what was left out.
func (x *digitImport) draftRoles() {
	x.roleIDs = map[string]domain.RoleID{}
	slugs := workflows.NewSlugs()
	for _, name := range x.roles {
		capacities, known := digitCapacities(name, slices.Contains(x.submit, name))
		if !known {
			x.fault(FaultRoleGuessed, x.service.at, nil, nil, "no word of role %s says who acts in it: it is read as staff", name)
		}
		x.roleIDs[name] = domain.RoleID(slugs.Of(name))
		x.d.Roles = append(x.d.Roles, workflows.Role{ID: x.roleIDs[name], Title: digitTitle(name), Capacities: capacities, RecordedAs: name})
	}
	x.d.Submit = x.rolesOf(x.submit)
}

func (x *digitImport) rolesOf(names []string) []domain.RoleID {
	ids := make([]domain.RoleID, len(names))
	for i, n := range names {
		ids[i] = x.roleIDs[n]
	}
	return ids
}

func (x *digitImport) state(s *digitState) workflows.State {
	out := workflows.State{ID: x.ids[s], Title: digitTitle(s.name), Kind: workflows.KindWork}
	if s.name == "" {
		out.Title = workflows.Text{ID: "Diajukan", EN: "Submitted"}
	}
	if s.name != "" && s.status != s.name {
		x.fault(FaultStatusDiffers, s.at, s, nil, "applicationStatus is %q: the state keeps its own name", s.status)
	}
	if s.ended() {
		x.end(s, &out)
		return out
	}
	out.Public = digitStatus(s)
	switch {
	case out.Public != "":
	case s.name == "": // it was made, and that is told
		out.Public = domain.StatusReceived
	default:
		out.Public = domain.StatusInProcess
		x.fault(FaultStatusGuessed, s.at, s, nil, "neither applicationStatus nor the name tells the citizen anything known: %s", out.Public)
	}
	owner := x.owner(s, out.Public)
	out.Owner = x.roleIDs[owner]
	switch {
	case s == x.begin:
		out.Kind = workflows.KindStart
	case !x.staff(owner):
		out.Kind = workflows.KindWait
	}
	if s.sla > 0 {
		if b, ok := x.budget(s.sla, s.at, s); ok {
			out.Term = &workflows.Term{Budget: b}
		}
	}
	return out
}

func (x *digitImport) end(s *digitState, out *workflows.State) {
	outcome, by := digitOutcome(s)
	how := "by its " + by
	if outcome == "" {
		outcome, how = domain.OutcomeClosed, "for nothing says which"
	}
	out.Kind, out.Outcome = workflows.KindEnd, outcome
	out.Public = digitEnded[out.Outcome]
	x.fault(FaultOutcomeGuessed, s.at, s, nil, "the outcome is %s, %s", out.Outcome, how)
	if s.sla > 0 {
		x.fault(FaultTermChanged, s.at, s, nil, "an end has no term: its sla is left out")
	}
}

// staff, and below applies, report whether a role is one of the agency, or one of those who
// ask.
func (x *digitImport) staff(role string) bool {
	return slices.Contains(x.capacities(role), domain.CapacityOfficer)
}

func (x *digitImport) capacities(role string) []domain.Capacity {
	c, _ := digitCapacities(role, slices.Contains(x.submit, role))
	return c
}

func (x *digitImport) applies(role string) bool {
	return slices.ContainsFunc(x.capacities(role), func(c domain.Capacity) bool {
		return c == domain.CapacitySelf || c == domain.CapacityProxy || c == domain.CapacityProfessional
	})
}

// owner is the role that has to act in a state: of the applicants' where the public
// status asks something of them, else of the agency's; the one with most actions
// that move the request; the first.
func (x *digitImport) owner(s *digitState, public domain.PublicStatus) string {
	asked := slices.Contains([]domain.PublicStatus{domain.StatusNeedsCorrection, domain.StatusWaitingPayment, domain.StatusReceived}, public)
	all := s.actors()
	best, most := all[0], -1
	for _, role := range all {
		moves := 0
		for _, a := range s.ways {
			if a.to != s && slices.Contains(a.roles, role) {
				moves++
			}
		}
		points := moves
		switch {
		case moves == 0: // it only comments
		case asked && x.applies(role), !asked && x.staff(role):
			points += 2 * len(s.ways)
		case asked != x.staff(role): // a system that tells of the payment, an applicant
			points += len(s.ways)
		}
		if points > most {
			best, most = role, points
		}
	}
	if len(all) > 1 {
		x.fault(FaultOwnerGuessed, s.at, s, nil, "%s act here: %s owns the state", strings.Join(all, ", "), best)
	}
	return best
}

// budget is an sla as a budget; false if there can be none.
func (x *digitImport) budget(ms int64, at int, s *digitState) (workflows.Budget, bool) {
	b, rounded, ok := digitBudget(ms)
	switch {
	case !ok:
		x.fault(FaultTermChanged, at, s, nil, "an sla of %d ms is no term: it is left out", ms)
	case rounded:
		x.fault(FaultTermChanged, at, s, nil, "an sla of %d ms becomes %s", ms, b)
	}
	return b, ok
}

// documents asks for a document where DIGIT does: in the step to a state that is
// marked, and after the submission where it cannot be asked for before.
func (x *digitImport) documents() {
	slugs := workflows.NewSlugs()
	for _, s := range x.service.states {
		first := s == x.begin || s == x.before
		if !s.document || !first && !slices.Contains(x.kept, s) {
			continue
		}
		doc := workflows.Document{ID: domain.DocumentID(slugs.Of("document " + s.name)), Title: unfilled("dokumen", "document"), Formats: []string{"pdf", "jpg", "png"}, MaxSize: "5 MB", Required: true}
		doc.By = slices.Clone(x.d.Submit)
		for i := range x.d.Transitions {
			t := &x.d.Transitions[i]
			to, _ := x.d.State(t.To)
			needed := t.To == x.ids[s] && t.From[0] != t.To
			if first { // refusing must be possible without it
				needed = t.From[0] == x.ids[x.begin] && t.From[0] != t.To && (to.Kind != workflows.KindEnd || to.Outcome == domain.OutcomeApproved)
			}
			if !needed {
				continue
			}
			if t.Needs == nil {
				t.Needs = &workflows.Needs{}
			}
			t.Needs.Documents = append(t.Needs.Documents, doc.ID)
			for _, r := range t.Roles {
				if !slices.Contains(doc.By, r) {
					doc.By = append(doc.By, r)
				}
			}
		}
		x.d.Documents = append(x.d.Documents, doc)
		x.fault(FaultDocumentGuessed, s.at, s, nil, "some document must be there; which is not said: its title, formats and size are to be filled in")
	}
}

// total makes the sla of the service a legal term.
func (x *digitImport) total() {
	s := &x.service
	var sum int64
	for _, st := range x.kept {
		if !st.ended() {
			sum += st.sla
		}
	}
	if s.sla > 0 && s.sla < sum {
		x.fault(FaultTermSum, s.at, nil, nil, "businessServiceSla is %d ms, and the sla of the states together %d ms", s.sla, sum)
	}
	if s.sla <= 0 {
		x.fault(FaultMissingTerm, s.at, nil, nil, "the service has no businessServiceSla")
		return
	}
	b, ok := x.budget(s.sla, s.at, nil)
	if !ok {
		return
	}
	t := workflows.LegalTerm{ID: "service", Title: workflows.Text{ID: "Jangka waktu layanan", EN: "Term of the service"}, Budget: b, Starts: []domain.ActionID{submission}, Basis: unfilled("dasar hukum", "legal basis")}
	x.d.Terms = append(x.d.Terms, t)
	x.fault(FaultTermStart, s.at, nil, nil, "businessServiceSla is counted as DIGIT does, from the submission and without a pause; the law may count otherwise, such as from the complete file, and its legal basis is to be filled in")
}

// missingTerms tells of states without an sla for which Check is content with the
// term of the service.
func (x *digitImport) missingTerms() {
	for _, s := range x.kept {
		st, _ := x.d.State(x.ids[s])
		if st.Kind == workflows.KindEnd || st.Term != nil {
			continue
		}
		if len(x.d.Terms) > 0 && st.Kind != workflows.KindWait { // a legal term binds the agency, not whom it waits for
			x.fault(FaultMissingTerm, s.at, s, nil, "the state has no sla: only the term of the service counts")
		}
	}
}
