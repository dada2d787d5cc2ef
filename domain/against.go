package domain

import (
	"slices"
	"time"
)

// Against is a [*Refusal] when an action would be refused at a moment whoever takes it;
// nil when somebody may be let. What depends on who it is, such as four eyes, and on what
// they bring with it, such as a reason, is not looked at. The transition is the one that
// [Workflow.Fire] gives for the request as it stands.
func Against(r Request, t Transition, w Workflow, at time.Time) error {
	task, given := w.Task(r.State)
	if given && r.Dossier.Picked == "" && !slices.ContainsFunc(t.Roles, func(id RoleID) bool { return id != task.Role }) {
		return untaken(r.State, task)
	}
	reason := ReasonCode("")
	if r.Consent != nil {
		reason = r.Consent.Reason
	}
	if err := mayReturn(r, Act{Action: t.Action, Reason: reason}, t); err != nil {
		return err
	}
	if err := lacking(r.Dossier, t.Needs); err != nil {
		return err
	}
	if len(t.Records) > 0 || t.Kind == ActionCorrect {
		return nil // what follows rests on what is brought
	}
	e := Envelope{Tenant: r.Tenant, Service: r.Service, Office: w.Office(), Workflow: w.Ref(), Occurred: at.UTC()}
	bodies := []Body{ActionTaken{Action: t.Action, From: t.From, To: t.To, Public: t.Public, Outcome: t.Outcome, Kind: t.Kind}}
	_, err := followed(r, e, said(e, append(bodies, r.cleared(t.Clears)...), nil), w)
	return err
}
