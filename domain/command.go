package domain

import (
	"time"

	"github.com/google/uuid"
)

// Command is what somebody asks to be done to one request: [Submit] or [Act].
type Command interface {
	// Head is the part that all commands share.
	Head() Header
}

// Header is what every command says. ID is its idempotency key: the same
// command sent again is answered as the first time.
type Header struct {
	ID          uuid.UUID
	Actor       Actor
	Occurred    time.Time
	Correlation uuid.UUID // Nil: the command itself
}

// Head implements [Command].
func (h Header) Head() Header { return h }

// Submit asks for a request to be begun. Its request id is RequestID(ID).
type Submit struct {
	Header
	Tenant    TenantCode
	Service   string
	Reference Reference
	Facts     Facts
	Imported  *Imported

	// Who asks, and what they fill in that is not a fact. Both are sealed. Without
	// an identity the personal data belongs to this request alone.
	Identity Identity
	Form     Personal
}

// Act asks for an action to be taken. Expected is the version of the request
// that the actor saw; 0 means that the actor saw none and whichever is current
// will do.
type Act struct {
	Header
	Action   ActionID
	Reason   ReasonCode
	Expected Version
	Remark   string // for those who work on the request; sealed, shown to no citizen
}
