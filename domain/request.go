package domain

import (
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
	Imported  *Imported
	Submitted time.Time // when it occurred
	Changed   time.Time // when the last event occurred
	Version   Version
	Key       uuid.UUID // of the data key that its personal data is sealed under; Nil while it has none

	// done remembers the commands that are part of this request, the last one
	// first, for idempotency. A list and not a map, because states share their
	// past: evolving one must not change another.
	done *done
}

// done is what a command did, as far as a repetition of it must agree.
type done struct {
	command  uuid.UUID
	before   *done
	actor    Actor
	action   ActionID // empty for the submission
	reason   ReasonCode
	version  Version
	position Position
}

// Exists reports whether the request was submitted.
func (r Request) Exists() bool { return r.Version > 0 }

// Answer returns what a command that is already part of this request was
// answered: the version and position of its last event.
func (r Request) Answer(command uuid.UUID) (Appended, bool) {
	d := r.find(command)
	if d == nil {
		return Appended{}, false
	}
	return Appended{Version: d.version, Position: d.position}, true
}

func (r Request) find(command uuid.UUID) *done {
	for d := r.done; d != nil; d = d.before {
		if d.command == command {
			return d
		}
	}
	return nil
}
