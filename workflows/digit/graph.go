package digit

import (
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
)

// resolve finds where each action leads and drops those that cannot be taken.
func (x *digitImport) resolve() {
	seen := map[string]*digitState{}
	byUUID := map[string]*digitState{}
	x.service.states = slices.DeleteFunc(x.service.states, func(s *digitState) bool {
		if first := seen[s.name]; first != nil {
			line, _ := x.place(first.at)
			x.fault(FaultDuplicateState, s.at, s, nil, "the state is there already, in line %d; this one is left out", line)
			return true
		}
		seen[s.name] = s
		switch first := byUUID[s.uuid]; {
		case s.uuid == "":
		case first != nil:
			line, _ := x.place(first.at)
			x.fault(FaultDuplicateState, s.at, s, nil, "its uuid is that of %s, in line %d, too: an action that names it leads there", first, line)
		default:
			byUUID[s.uuid] = s
		}
		return false
	})
	for _, s := range x.service.states {
		taken := map[string]bool{}
		for _, a := range s.actions {
			// The live services of DIGIT name the next state by its uuid.
			if a.to = seen[a.next]; a.to == nil {
				a.to = byUUID[a.next]
			}
			if x.usable(s, a, taken) {
				taken[a.name] = true
				s.ways = append(s.ways, a)
			}
		}
		x.ends(s)
	}
}

// usable reports whether an action can be taken, and tells why not.
func (x *digitImport) usable(s *digitState, a *digitAction, taken map[string]bool) bool {
	switch {
	case !a.active:
		x.fault(FaultInactive, a.at, s, a, "the action is not active: it is left out")
		return false
	case taken[a.name]:
		x.fault(FaultDuplicateAction, a.at, s, a, "the action is there already; %s is left out", a)
		return false
	case a.next == "" || a.to == nil:
		x.fault(FaultDangling, a.at, s, a, "the next state %q is defined nowhere: the action is left out", a.next)
		return false
	}
	if slices.Contains(a.roles, "*") {
		a.roles = slices.Clone(x.roles)
		x.fault(FaultAllRoles, a.at, s, a, "everybody may take it: that is read as %s", strings.Join(a.roles, ", "))
	}
	if len(a.roles) == 0 {
		x.fault(FaultNoRoles, a.at, s, a, "nobody may take it: the action is left out")
		return false
	}
	if a.to == s {
		x.fault(FaultSelfLoop, a.at, s, a, "the action leads back to its own state: it is kept, and moves nothing")
	}
	if strings.Contains(letters(a.name), "PAY") {
		x.fault(FaultPayment, a.at, s, a, "no fee stands behind the action: it is only somebody's word that it was paid, or need not be")
	}
	return true
}

// ended reports whether a request has ended in a state.
func (s *digitState) ended() bool { return s.end && !s.open }

// ends decides whether a state that is marked as an end is one. In DIGIT the mark
// only stops the sla; actions go on. It is believed where there are no actions, and
// where the name says how it ended: actions then lead out again.
func (x *digitImport) ends(s *digitState) {
	outcome, by := digitOutcome(s)
	switch {
	case s.name == "":
		s.open = true // nothing has ended before it was submitted
		if s.end {
			x.fault(FaultEndWithActions, s.at, s, nil, "the state before the submission is marked as an end: the mark is left out")
		}
	case !s.end && outcome != "":
		x.fault(FaultNotAnEnd, s.at, s, nil, "its %s says that the request has ended (%s), and the state is not marked as an end: it is kept open", by, outcome)
	case !s.end || len(s.ways) == 0:
	case outcome != "":
		x.fault(FaultEndWithActions, s.at, s, nil, "the state is marked as an end, and actions lead on: it is an end, and they reopen it")
	default:
		s.open = true
		x.fault(FaultEndWithActions, s.at, s, nil, "the state is marked as an end, actions lead on, and its name says nothing of how it ended: it is kept open")
	}
}

// starts finds where a submitted request begins and who may submit one. DIGIT's
// engine starts in the state that has no name, whatever is marked.
func (x *digitImport) starts() bool {
	var marked []string
	for _, s := range x.service.states {
		if s.name == "" {
			x.before = s
		}
		if s.start {
			marked = append(marked, s.String())
			x.begin = s
		}
	}
	if len(marked) != 1 {
		x.fault(FaultStart, x.service.at, nil, nil, "%d states are marked as the start%s: requests begin by the actions of the state without a name, or else in the first",
			len(marked), phrased(" (", marked, ")"))
	}
	if x.before == nil {
		x.startWithin()
	} else {
		x.startBefore()
	}
	if is := x.begin; len(marked) == 1 && is != nil && !is.start && (x.before == nil || !x.before.start) {
		x.fault(FaultStart, x.service.at, nil, nil, "%s is marked as the start, and requests begin in %s", marked[0], is)
	}
	switch {
	case x.begin == nil:
		x.fault(FaultNoDefinition, x.service.at, nil, nil, "there is no state that a submitted request could begin in")
	case x.begin.ended():
		x.fault(FaultNoDefinition, x.begin.at, x.begin, nil, "a request would end when it is submitted")
	case len(x.submit) == 0:
		x.fault(FaultNoDefinition, x.begin.at, x.begin, nil, "no role can submit a request")
	default:
		return true
	}
	return false
}

// startWithin finds the start where nothing stands before it.
func (x *digitImport) startWithin() {
	x.begin = nil
	for _, s := range x.service.states {
		if x.begin == nil || s.start && !x.begin.start {
			x.begin = s
		}
	}
	if x.begin == nil {
		return
	}
	for _, a := range x.begin.ways {
		for _, role := range a.roles {
			if c, _ := digitCapacities(role, true); !slices.Contains(x.submit, role) && !slices.Contains(c, domain.CapacityOfficer) {
				x.submit = append(x.submit, role)
			}
		}
	}
	if len(x.submit) == 0 {
		x.submit = x.begin.actors()
	}
	x.fault(FaultStart, x.begin.at, x.begin, nil, "no state stands for before the submission: requests begin here, submitted by %s", strings.Join(x.submit, ", "))
}

// startBefore takes the actions of the state without a name as the submission. A
// state is made of it where they do not lead to one state that is open.
func (x *digitImport) startBefore() {
	var names []string
	targets := map[*digitState]bool{}
	for _, a := range x.before.ways {
		names = append(names, a.name)
		targets[a.to] = true
		x.begin = a.to
	}
	x.submit = x.before.actors()
	switch {
	case len(targets) == 0:
		x.begin = nil
	case len(targets) > 1:
		x.begin = x.before
		x.fault(FaultStart, x.before.at, x.before, nil, "submitting leads several ways (%s): a state is put before them", strings.Join(names, ", "))
	case x.begin.ended():
		x.begin = x.before
		x.fault(FaultStart, x.before.at, x.before, nil, "submitting leads to an end at once (%s): a state is put before it", strings.Join(names, ", "))
	case len(names) > 1:
		x.fault(FaultStart, x.before.at, x.before, nil, "%s all submit: which it was is not kept", strings.Join(names, ", "))
	}
	if x.before.sla > 0 && x.begin != x.before {
		x.fault(FaultTermChanged, x.before.at, x.before, nil, "an sla before the submission binds nobody: it is left out")
	}
}

// prune leaves out what no definition may have: states that no request comes to,
// and those that no request comes out of. It is false if nothing is left.
func (x *digitImport) prune() bool {
	x.kept = slices.DeleteFunc(slices.Clone(x.service.states), func(s *digitState) bool { return s == x.before && s != x.begin })
	for again := true; again; {
		again = false
		x.kept = slices.DeleteFunc(x.kept, func() func(*digitState) bool {
			reached, ending := x.closures()
			return func(s *digitState) bool {
				switch {
				case !reached[s.id()]:
					x.fault(FaultUnreachable, s.at, s, nil, "no request can come here: the state is left out%s", s.leaving())
				case !ending[s.id()]:
					x.fault(FaultNoEnd, s.at, s, nil, "no request that comes here can end: the state is left out%s", s.leaving())
				default:
					return false
				}
				again = true
				return true
			}
		}())
		if !slices.Contains(x.kept, x.begin) {
			x.fault(FaultNoDefinition, x.begin.at, x.begin, nil, "no request could ever end")
			return false
		}
	}
	for _, s := range x.kept {
		s.ways = slices.DeleteFunc(s.ways, func(a *digitAction) bool {
			if slices.Contains(x.kept, a.to) {
				return false
			}
			x.fault(FaultLeftOut, a.at, s, a, "the action leads to state %s, which is left out", a.to)
			return true
		})
	}
	return true
}

// closures are the states that can be reached, and those from which an end can.
func (x *digitImport) closures() (reached, ending map[domain.StateID]bool) {
	forth := map[domain.StateID][]domain.StateID{}
	back := map[domain.StateID][]domain.StateID{}
	var ends []domain.StateID
	there := map[*digitState]bool{}
	for _, s := range x.kept {
		there[s] = true
	}
	for _, s := range x.kept {
		if s.ended() {
			ends = append(ends, s.id())
		}
		for _, a := range s.ways {
			if there[a.to] {
				forth[s.id()] = append(forth[s.id()], a.to.id())
				back[a.to.id()] = append(back[a.to.id()], s.id())
			}
		}
	}
	return graph.Closure(forth, x.begin.id()), graph.Closure(back, ends...)
}

// id names a state while the import is at work; each has another.
func (s *digitState) id() domain.StateID { return domain.StateID(s.name) }

// actors are the roles that act in a state.
func (s *digitState) actors() []string {
	var roles []string
	for _, a := range s.ways {
		for _, r := range a.roles {
			if !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return roles
}

// leaving says which actions go with a state that is left out.
func (s *digitState) leaving() string {
	var names []string
	for _, a := range s.ways {
		names = append(names, a.name)
	}
	return phrased(", with ", names, "")
}

func phrased(before string, list []string, after string) string {
	if len(list) == 0 {
		return ""
	}
	return before + strings.Join(list, ", ") + after
}
