package domain

import (
	"time"

	"github.com/google/uuid"
)

// Command is what somebody asks to be done to one request: [Submit], [Act] or one of
// those that add to its dossier.
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

	// What is filled in anew, for a transition that corrects a request. All of it
	// replaces what was there.
	Facts Facts
	Form  Personal
}

// Attach hands in a document.
type Attach struct {
	Header
	Document DocumentID
	Format   string // such as "pdf"
	Bytes    int64
	SHA256   string // of its content, hex
	Expected Version
}

// RefuseDocument sends a document back.
type RefuseDocument struct {
	Header
	Document DocumentID
	Reason   ReasonCode
	Expected Version
}

// AnswerCheck answers an item of a checklist.
type AnswerCheck struct {
	Header
	Check
	Yes      bool
	Expected Version
}

// Pay says that a fee was received, or several under one receipt: all of them, or
// none is recorded.
type Pay struct {
	Header
	Fee      FeeID
	Amount   int64     // rupiah; the whole of what is owed of it
	Also     []Payment // what else the same payment settles
	Receipt  string
	Expected Version
}

// Payment is what a payment brings for one fee, in rupiah.
type Payment struct {
	Fee    FeeID
	Amount int64
}

// payments lists what a payment brings for each fee.
func (c Pay) payments() []Payment { return append([]Payment{{c.Fee, c.Amount}}, c.Also...) }

// GiveReview gives an opinion that was asked for.
type GiveReview struct {
	Header
	Review   ReviewID
	Opinion  Opinion
	Reason   ReasonCode
	Remark   string // sealed
	Expected Version
}

// ReportAnswer says what an external system came to.
type ReportAnswer struct {
	Header
	Answer
	Expected Version
}

// Pick takes the work of the present state.
type Pick struct {
	Header
	Expected Version
}

// Allocate gives the work of the present state to one of those who could do it, by
// the rule of the state. Whoever asks for it brings them and the seed of the draw, and
// does not choose: see [Allocation].
type Allocate struct {
	Header
	Allocation
	Expected Version
}

// Reassign gives the work of the present state to somebody else of its role.
type Reassign struct {
	Header
	To       string // pseudonym
	Reason   ReasonCode
	Expected Version
}

// Expire says that a moment has come which a term waits for: a reminder, its end, or
// the next of those who are told. Only the system gives it, dated to that moment.
type Expire struct {
	Header
	Term TermID
	Due  time.Time
}

// RecomputeTerms has the terms of a request reckoned again, by the calendar as it is.
type RecomputeTerms struct{ Header }

// OrderSuspension has all terms of a request stand still.
type OrderSuspension struct {
	Header
	Ground   StopGround
	Reason   ReasonCode
	Expected Version
}

// LiftSuspension lets them run again.
type LiftSuspension struct {
	Header
	Expected Version
}

// ExtendTerm gives a term more time.
type ExtendTerm struct {
	Header
	Term     TermID
	Reason   ReasonCode
	Expected Version
}

// ConsentReturn lets a request be sent back once more.
type ConsentReturn struct {
	Header
	Action   ActionID
	Reason   ReasonCode
	Expected Version
}

// At is a command with a time, where it does not say when it happened.
func At(c Command, now time.Time) Command {
	switch c := c.(type) {
	case Submit:
		c.date(now)
		return c
	case Act:
		c.date(now)
		return c
	case Attach:
		c.date(now)
		return c
	case RefuseDocument:
		c.date(now)
		return c
	case AnswerCheck:
		c.date(now)
		return c
	case Pay:
		c.date(now)
		return c
	case GiveReview:
		c.date(now)
		return c
	case ReportAnswer:
		c.date(now)
		return c
	case Pick:
		c.date(now)
		return c
	case Allocate:
		c.date(now)
		return c
	case Reassign:
		c.date(now)
		return c
	case RecomputeTerms:
		c.date(now)
		return c
	case Migrate:
		c.date(now)
		return c
	case ConsentReturn:
		c.date(now)
		return c
	case ExtendTerm:
		c.date(now)
		return c
	case LiftSuspension:
		c.date(now)
		return c
	case OrderSuspension:
		c.date(now)
		return c
	}
	return c
}

func (h *Header) date(now time.Time) {
	if h.Occurred.IsZero() {
		h.Occurred = now
	}
}
