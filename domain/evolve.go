package domain

import (
	"maps"
	"slices"
)

// Evolve is the state after an event. It never fails and never validates: what
// was recorded happened. Event types that say nothing about a request leave it
// as it is, but for its version. The state that came in is not changed.
func Evolve(r Request, e Recorded) Request {
	r.Version = e.Version
	r.Changed = e.Occurred
	r.here = r.here || r.Imported != nil && DoneHere(e, r.recorded)
	if e.Box != nil && r.Key == [16]byte{} {
		r.Key = e.Box.Key
	}
	d := &done{command: e.Command, before: r.done, actor: e.Actor, role: e.Actor.Role, under: e.Workflow, occurred: e.Occurred, version: e.Version, position: e.Position}
	switch b := e.Body.(type) {
	case RequestSubmitted:
		r.ID, r.Reference = b.Request, b.Reference
		r.Tenant, r.Service, r.Workflow = e.Tenant, e.Service, e.Workflow
		r.State, r.Public, r.Facts, r.Imported = b.State, b.Public, b.Facts, b.Imported
		r.Submitted = e.Occurred
		if b.Imported != nil {
			r.recorded = e.At
		}
		r.Dossier = enter(r.Dossier, e.Version)
		d.body = b
	case ActionTaken:
		r = moved(r, e, "")
		if b.Kind == ActionReturn {
			r.Returned, r.Consent = append(slices.Clip(r.Returned), b.Reason), nil
		}
		d.action, d.counts, d.reason = b.Action, b.Action, b.Reason
	case DecisionDeemed:
		r = moved(r, e, b.Term)
		d.body = b
	case RequestLapsed:
		r = moved(r, e, b.Term)
		d.body = b
	case RequestMigrated:
		r = migrated(r, e, b)
		d.before = b.Mapping.past(r.done)
		d.body = b
	case SuspensionOrdered:
		r.Halt = b.Ground
		d.body = b
	case SuspensionLifted:
		r.Halt = ""
		d.body = b
	case ReturnConsented:
		r.Consent = &Consent{Action: b.Action, Reason: b.Reason, By: e.Actor.ID}
	case FactsRecorded:
		r.Facts = clone(r.Facts)
		maps.Copy(r.Facts, b.Facts)
		d.body = b
	case RequestCorrected:
		r.Facts = b.Facts
		r.Dossier.Fees = stale(r.Dossier.Fees)
		d.body = b
	default:
		r.Dossier, r.Terms = gather(r.Dossier, e), ledger(r, e)
		d.body = b
		if given, ok := e.Body.(ReviewGiven); ok {
			d.counts = Reviewing(given.Review)
		}
	}
	r.done = d
	return r
}

// moved is a request that went somewhere, because a term ran out if one is named.
func moved(r Request, e Recorded, by TermID) Request {
	m, _ := MoveOf(e.Body)
	if m.To != m.From {
		r.Dossier = enter(r.Dossier, e.Version)
	}
	r.Terms = left(r.Terms, m, by, e.Occurred)
	r.State, r.Public, r.Outcome = m.To, m.Public, m.Outcome
	return r
}

// enter is a dossier whose request came to another state.
func enter(d Dossier, at Version) Dossier {
	d.Entered, d.Ready, d.Picked, d.Told, d.Answers = at, 0, "", nil, nil
	return d
}

// stale is fees after the facts changed: each is assessed anew.
func stale(fees map[FeeID]Fee) map[FeeID]Fee {
	left := map[FeeID]Fee{}
	for id, f := range fees {
		if f.Received > 0 {
			f.Stale = true
			left[id] = f
		}
	}
	return left
}

// gather is a dossier after an event that concerns it alone.
func gather(d Dossier, e Recorded) Dossier {
	switch b := e.Body.(type) {
	case DocumentAttached:
		d.Documents = clone(d.Documents)
		d.Documents[b.Document] = Document{Version: b.Number}
	case DocumentRefused:
		d.Documents = clone(d.Documents)
		d.Documents[b.Document] = Document{Version: b.Number, Refused: true, Reason: b.Reason}
	case CheckAnswered:
		d.Checks = clone(d.Checks)
		items := clone(d.Checks[b.Checklist])
		items[b.Item] = b.Yes
		d.Checks[b.Checklist] = items
	case ChecklistCleared:
		d.Checks = clone(d.Checks)
		delete(d.Checks, b.Checklist)
	case FeeAssessed:
		d.Fees = clone(d.Fees)
		d.Fees[b.Fee] = Fee{Amount: b.Amount, Received: d.Fees[b.Fee].Received}
	case FeePaid:
		d.Fees = clone(d.Fees)
		f := d.Fees[b.Fee]
		f.Received += b.Amount
		d.Fees[b.Fee] = f
	case ReviewRequested:
		d.Reviews = clone(d.Reviews)
		d.Reviews[b.Review] = Review{Opinion: OpinionOpen, Asked: e.Version}
	case ReviewGiven:
		d.Reviews = clone(d.Reviews)
		d.Reviews[b.Review] = Review{Opinion: b.Opinion, Reason: b.Reason, Asked: d.Reviews[b.Review].Asked}
	case AnswerReported:
		d.Answers = clone(d.Answers)
		d.Answers[b.System] = b.Outcome
		d.Reported = clone(d.Reported)
		d.Reported[b.System] = b.Outcome
	case TaskReady:
		d.Ready = e.Version
	case TaskPicked:
		d.Picked = e.Actor.ID
	case TaskAllocated:
		d.Picked = b.To
	case TaskReassigned:
		d.Picked = b.To
	case NoticeDue:
		d.Told = append(slices.Clip(d.Told), b.Notice)
	}
	return d
}
