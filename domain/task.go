package domain

import (
	"fmt"
	"slices"
)

// atWork holds that whoever works on a state where work is given out is the one who
// has it: who takes an action there, refuses a document, answers a checklist, gives a
// review. That money came in is recorded by whoever took it, and the clock is ordered by
// those above. An applicant or a system takes no tasks, and other roles that have a right
// here keep it; but nobody whom the request knows in the task's role gets past the one
// who has the task by acting in another.
func atWork(r Request, a Actor, w Workflow) error {
	task, ok := w.Task(r.State)
	if !ok || a.SamePerson(r.Dossier.Picked) || a.Role != task.Role && !r.knownAs(a.ID, task.Role, w) {
		return nil
	}
	if r.Dossier.Picked == "" {
		return untaken(r.State, task)
	}
	return refuse(RuleTask, "somebody else has taken this work", "let them do it, or have it reassigned")
}

// untaken refuses what is to be done by the one who has the work, while nobody has it.
func untaken(state StateID, task TaskRule) error {
	remedy := "pick it first"
	if task.Rule != AllocateByOrder {
		remedy = fmt.Sprintf("have it allocated first, by rule %s", task.Rule)
	}
	return refuse(RuleTask, fmt.Sprintf("nobody has taken the work of state %q", state), remedy)
}

// knownAs reports whether somebody acted on the request in a role, or was given work
// of that role, or stood to be given it.
func (r Request) knownAs(id string, role RoleID, w Workflow) bool {
	of := func(s StateID) bool {
		task, ok := w.Task(s)
		return ok && task.Role == role
	}
	for d := r.done; d != nil; d = d.before {
		if d.role == role && samePerson(d.actor.ID, id) {
			return true
		}
		switch b := d.body.(type) {
		case TaskReassigned:
			if samePerson(b.To, id) && of(b.State) {
				return true
			}
		case TaskAllocated:
			if of(b.State) && slices.ContainsFunc(b.Candidates, func(c Candidate) bool { return samePerson(c.Officer, id) }) {
				return true
			}
		}
	}
	return false
}

func pick(r Request, c Pick, w Workflow) (Body, error) {
	task, err := offered(r, c.Expected, w)
	if err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, []RoleID{task.Role}, w, "take this work"); err != nil {
		return nil, err
	}
	if r.Dossier.Picked != "" {
		return nil, refuse(RuleTask, "this work was taken before", "have it reassigned")
	}
	if task.Rule != AllocateByOrder {
		return nil, refuse(RuleTask, fmt.Sprintf("the work of state %q is given out by rule %s: nobody chooses it", r.State, task.Rule), "have it allocated; an assigner may give it to somebody")
	}
	return TaskPicked{State: r.State}, nil
}

// allocate gives work out by its rule. The system may ask for it, or an assigner.
func allocate(r Request, c Allocate, w Workflow) (Body, error) {
	task, err := offered(r, c.Expected, w)
	if err != nil {
		return nil, err
	}
	if c.Actor.Role != follower.Role || c.Actor.Capacity != follower.Capacity {
		if err := mayAct(c.Actor, task.Assigner, w, "have work given out"); err != nil {
			return nil, err
		}
	}
	switch {
	case task.Rule == AllocateByOrder:
		return nil, refuse(RuleTask, fmt.Sprintf("the work of state %q is picked", r.State), "pick it, or have it reassigned")
	case r.Dossier.Picked != "":
		return nil, refuse(RuleTask, "this work was given out before", "have it reassigned")
	}
	if err := c.check(task.Role); err != nil {
		return nil, err
	}
	given := TaskAllocated{State: r.State, Rule: task.Rule, Ready: r.Dossier.Ready, Seed: c.Seed, Candidates: c.sorted()}
	for _, x := range given.Candidates {
		if _, did := r.acted(x.Officer, task.Bars); did {
			given.Barred = append(given.Barred, x.Officer)
		}
	}
	if given.To = given.Drawn(r.ID); given.To == "" {
		return nil, refuse(RuleFourEyes, "every candidate took an action before that bars them from this work", "name others, or have an assigner give it to somebody")
	}
	return given, nil
}

func reassign(r Request, c Reassign, w Workflow) (Body, error) {
	task, err := offered(r, c.Expected, w)
	if err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, task.Assigner, w, "give work to somebody else"); err != nil {
		return nil, err
	}
	if err := (Actor{ID: c.To, Role: task.Role, Capacity: CapacityOfficer}).Check(); err != nil {
		return nil, err
	}
	if !c.Reason.Coded() { // on no list: a definition has none for it
		return nil, refuse(RuleReason, "work is given to somebody for a reason, in a code: those who wait are told it",
			"write small letters and digits with dashes between, such as absent; nothing about a person")
	}
	return TaskReassigned{State: r.State, To: c.To, Reason: c.Reason}, nil
}

// offered is the task of the present state.
func offered(r Request, seen Version, w Workflow) (TaskRule, error) {
	if err := r.open(seen, nil, "a task"); err != nil {
		return TaskRule{}, err
	}
	task, ok := w.Task(r.State)
	if !ok {
		return TaskRule{}, refuse(RuleTask, fmt.Sprintf("the work of state %q is not given out", r.State), "take the action itself")
	}
	return task, nil
}
