package domain

// Evolve is the state after an event. It never fails and never validates: what
// was recorded happened. Event types that say nothing about a request leave it
// as it is, but for its version. The state that came in is not changed.
func Evolve(r Request, e Recorded) Request {
	r.Version = e.Version
	r.Changed = e.Occurred
	if e.Box != nil && r.Key == [16]byte{} {
		r.Key = e.Box.Key
	}
	d := &done{command: e.Command, before: r.done, actor: e.Actor, version: e.Version, position: e.Position}
	switch b := e.Body.(type) {
	case RequestSubmitted:
		r.ID, r.Reference = b.Request, b.Reference
		r.Tenant, r.Service, r.Workflow = e.Tenant, e.Service, e.Workflow
		r.State, r.Public, r.Facts, r.Imported = b.State, b.Public, b.Facts, b.Imported
		r.Submitted = e.Occurred
	case ActionTaken:
		r.State, r.Public, r.Outcome = b.To, b.Public, b.Outcome
		d.action, d.reason = b.Action, b.Reason
	}
	r.done = d
	return r
}
