package domain

import "fmt"

// atWork holds that whoever works on a state where work is given out is the one
// who has taken it. An applicant or a system takes no tasks.
func atWork(r Request, a Actor, w Workflow) error {
	task, ok := w.Task(r.State)
	if !ok || a.Role != task.Role || r.Dossier.Picked == a.ID {
		return nil
	}
	if r.Dossier.Picked == "" {
		return refuse(RuleTask, fmt.Sprintf("nobody has taken the work of state %q", r.State), "pick it first")
	}
	return refuse(RuleTask, "somebody else has taken this work", "let them do it, or have it reassigned")
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
	return TaskPicked{State: r.State}, nil
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
