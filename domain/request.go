package domain

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Request is the folded state of one application. The zero value is a request
// that has not been submitted.
type Request struct {
	ID        uuid.UUID
	Reference Reference
	Tenant    TenantCode
	Service   string
	Workflow  WorkflowRef
	State     StateID
	Public    PublicStatus
	Outcome   Outcome // empty while the request is open
	Facts     Facts
	Dossier   Dossier
	Terms     map[TermID]Term // shared by the states of one request: evolving one copies it
	Halt      StopGround      // on which all terms were ordered to stand still
	Returned  []ReasonCode    // for which it was sent back, the first first
	Consent   *Consent        // to send it back once more
	Imported  *Imported
	Submitted time.Time // when it occurred
	Changed   time.Time // when the last event occurred
	Version   Version
	Key       uuid.UUID // of the data key that its personal data is sealed under; Nil while it has none

	recorded time.Time // of an imported case: when it was
	here     bool      // something was done with it here since

	// done remembers the commands that are part of this request, the last one
	// first, for idempotency. A list and not a map, because states share their
	// past: evolving one must not change another.
	done *done
}

// done is what an event did, as far as a repetition of its command must agree. A
// command may have led to several.
type done struct {
	command  uuid.UUID
	before   *done
	actor    Actor
	action   ActionID   // of ActionTaken
	counts   ActionID   // what that action, or the review that was given, is called by the version that the request is under
	role     RoleID     // the actor's, by that version
	reason   ReasonCode // of ActionTaken
	body     Body       // of any other
	under    WorkflowRef
	occurred time.Time
	version  Version
	position Position
}

// Exists reports whether the request was submitted.
func (r Request) Exists() bool { return r.Version > 0 }

// Answer returns what a command that is already part of this request was
// answered: the version and position of its last event.
func (r Request) Answer(command uuid.UUID) (Appended, bool) {
	for d := r.done; d != nil; d = d.before {
		if d.command == command {
			return Appended{Version: d.version, Position: d.position}, true
		}
	}
	return Appended{}, false
}

// UnderAt is the version of the workflow that the request was under when the log had come
// to a position; the zero value before it was submitted.
func (r Request) UnderAt(p Position) WorkflowRef {
	d := r.done
	for d != nil && d.position > p {
		d = d.before
	}
	if d == nil {
		return WorkflowRef{}
	}
	return d.under
}

// First is the version of the first event that a command led to; 0 for none.
func (r Request) First(command uuid.UUID) Version {
	if d := r.find(command); d != nil {
		return d.version
	}
	return 0
}

// Under is the version of the workflow by which a command is judged: that which the
// request is under, or was when the command became part of it.
func (r Request) Under(command uuid.UUID) WorkflowRef {
	if d := r.find(command); d != nil {
		return d.under
	}
	return r.Workflow
}

// find returns the first event of a command. Its events stand together.
func (r Request) find(command uuid.UUID) *done {
	var first *done
	for d := r.done; d != nil; d = d.before {
		if d.command == command {
			first = d
		} else if first != nil {
			break
		}
	}
	return first
}

// after is the event that followed another.
func (r Request) after(d *done) *done {
	next := d
	for at := r.done; at != nil && at != d; at = at.before {
		next = at
	}
	return next
}

// acted reports whether somebody took one of some actions, of which [Submitting] and
// [Reviewing] may be some.
func (r Request) acted(actor string, actions []ActionID) (ActionID, bool) {
	for d := r.done; d != nil; d = d.before {
		did := d.counts
		if _, submitted := d.body.(RequestSubmitted); submitted {
			did = Submitting
		}
		if did != "" && slices.Contains(actions, did) && samePerson(d.actor.ID, actor) {
			return did, true
		}
	}
	return "", false
}

// Times is how often an action was taken.
func (r Request) Times(a ActionID) int {
	n := 0
	for d := r.done; d != nil; d = d.before {
		if d.counts == a {
			n++
		}
	}
	return n
}
