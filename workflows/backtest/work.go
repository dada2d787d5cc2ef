package backtest

import (
	"fmt"
	"slices"

	"github.com/alur-id/alur/domain"
)

// work is a step by which work was given out. Whoever had it then has it now, if the
// work of that state is still given out at all, by whatever rule.
func (c *course) work(s *step) (goOn bool, note string) {
	state := c.now.State
	if _, ok := c.under.State(c.beforeStep); !ok {
		c.differs(Difference{Kind: Work, Cause: fmt.Sprintf("work of state %q: no longer given out", c.beforeStep)})
		return false, "there is no such state"
	}
	if state != c.beforeStep && !c.refused && c.now.Outcome == "" && slices.Contains(c.is.route, c.beforeStep) {
		c.differs(Difference{Kind: Needless, Cause: fmt.Sprintf("work of state %q: the request goes on by itself", c.beforeStep)})
		return false, "needless"
	}
	if state != c.beforeStep || c.now.Outcome != "" {
		return true, "" // refused, or another state's: as the rules have it
	}
	task, ok := c.under.Task(state)
	if !ok {
		c.differs(Difference{Kind: Work, Cause: fmt.Sprintf("work of state %q: no longer given out", state)})
		return false, "no longer given out"
	}
	ordered := task.Rule == domain.AllocateByOrder
	switch b := s.first().Body.(type) {
	case domain.TaskPicked:
		if ordered {
			return true, ""
		}
		c.differs(Difference{Kind: Work, Cause: fmt.Sprintf("work of state %q: given out by rule %s, no longer picked", state, task.Rule)})
		c.takes(s.first().Actor.ID, task.Role)
	case domain.TaskAllocated:
		if !ordered {
			return true, ""
		}
		c.differs(Difference{Kind: Work, Cause: fmt.Sprintf("work of state %q: picked, no longer given out by a rule", state)})
		c.takes(b.To, task.Role)
	default:
		return true, ""
	}
	return false, "given to the same person"
}

// takes gives the work of the present state to somebody.
func (c *course) takes(person string, role domain.RoleID) {
	actor := domain.Actor{ID: person, Role: role, Capacity: domain.CapacityOfficer}
	id := domain.CommandID(c.now.Changed, "backtest", "takes", c.now.ID.String(), fmt.Sprint(c.now.Version))
	c.evolve(domain.Event{
		Envelope: domain.Envelope{ID: domain.EventID(id, 0), Tenant: c.now.Tenant, Service: c.now.Service, Actor: actor, Workflow: c.now.Workflow, Command: id, Correlation: id, Occurred: c.now.Changed},
		Body:     domain.TaskPicked{State: c.now.State},
	})
}

// mayTake has whoever acts take the work that nobody was given then, if it is theirs.
func (c *course) mayTake(command domain.Command) bool {
	if !works(command) || c.now.State != c.beforeStep || c.now.Dossier.Picked != "" {
		return false
	}
	task, ok := c.under.Task(c.now.State)
	if _, was := c.by.Task(c.now.State); !ok || was || command.Head().Actor.Role != task.Role {
		return false
	}
	c.differs(Difference{Kind: Work, Cause: fmt.Sprintf("work of state %q: newly given out, by rule %s", c.now.State, task.Rule)})
	c.takes(command.Head().Actor.ID, task.Role)
	return true
}

// works reports whether a command is one that whoever has the work of a state gives.
func works(c domain.Command) bool {
	switch c.(type) {
	case domain.Act, domain.RefuseDocument, domain.AnswerCheck, domain.GiveReview:
		return true
	}
	return false
}
