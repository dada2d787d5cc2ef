package domain

import "time"

// TermEvent is an event that says what a term comes to. Each type that carries a
// [Reckoning] is one.
type TermEvent interface {
	Body
	TermID() TermID
	Reckoned() Reckoning
}

// TermStarted starts a term, at the time of the event, or when the record of an imported
// case says.
type TermStarted struct {
	Term    TermID    `json:"term"`
	Budget  string    `json:"budget,omitempty"`
	Date    string    `json:"date,omitempty"` // the fact that says until when, instead of a budget; Due is what it said
	Promise string    `json:"promise,omitempty"`
	Since   time.Time `json:"since,omitzero"` // by the record
	Reckoning
}

// TermSuspended says that a term stands still from the time of the event on, or goes
// on to do so on another ground.
type TermSuspended struct {
	Term   TermID     `json:"term"`
	Ground StopGround `json:"ground"`
	Reckoning
}

// TermResumed says that it runs again. Only what was suspended is given back. Away is
// when a term that had ended stopped being counted, which it is again now.
type TermResumed struct {
	Term   TermID     `json:"term"`
	Away   time.Time  `json:"away,omitzero"`
	Ground StopGround `json:"ground"` // that the stop was on
	Reckoning
}

// TermExtended gives a term more time, once.
type TermExtended struct {
	Term   TermID     `json:"term"`
	By     string     `json:"by"`
	Reason ReasonCode `json:"reason"`
	Basis  Basis      `json:"basis,omitzero"`
	Reckoning
}

// TermRecomputed says that another calendar moved what a term comes to: a decree was
// added or amended. Where the due time is the same, it is no longer provisional, or has
// become so.
type TermRecomputed struct {
	Term TermID    `json:"term"`
	Was  time.Time `json:"was,omitzero"`  // the due time by the calendar before
	Own  bool      `json:"own,omitempty"` // it is the applicant's own time
	Reckoning
}

// TermReminded says that somebody is reminded that a term is about to run out.
type TermReminded struct {
	Term TermID `json:"term"`
	Role RoleID `json:"role"`
	Reckoning
}

// TermExpired says that a term has run out. It did so at the time of the event,
// however late that was noticed and recorded.
type TermExpired struct {
	Term   TermID       `json:"term"`
	Ground ExpiryGround `json:"ground,omitempty"` // of the move that follows
	Barred string       `json:"barred,omitempty"` // why the move does not follow
	Reckoning
}

// TermEscalated says that somebody is told that a term has run out and the work is
// still not done. Without a role, it is the list that the ombudsman sees.
type TermEscalated struct {
	Term TermID   `json:"term"`
	Step TermStep `json:"step"`
	Role RoleID   `json:"role,omitempty"`
	Reckoning
}

// TermEnded says that a term is not counted any more: the request has ended, or an
// imported case had by its record. Late says that it did so after the due time.
type TermEnded struct {
	Term TermID `json:"term"`
	Late bool   `json:"late"`
	Reckoning
}

// Kept is whether it ended in time. Where no calendar tells when it was due, that is not
// known.
func (e TermEnded) Kept() Punctuality {
	switch {
	case e.Late:
		return PunctualityLate
	case e.Due.IsZero() && e.Provisional:
		return PunctualityUnknown
	}
	return PunctualityOnTime
}

// DecisionDeemed is the outcome that the law gives when a term ends in silence. It is
// nobody's decision; its actor is the system.
type DecisionDeemed struct {
	Term    TermID       `json:"term"`
	Ground  ExpiryGround `json:"ground"`
	Basis   Basis        `json:"basis,omitzero"`
	From    StateID      `json:"from"`
	To      StateID      `json:"to"`
	Public  PublicStatus `json:"public"`
	Outcome Outcome      `json:"outcome,omitempty"`
}

// RequestLapsed moves a request whose applicant let their own time run out.
type RequestLapsed struct {
	Term    TermID       `json:"term"`
	Basis   Basis        `json:"basis,omitzero"`
	From    StateID      `json:"from"`
	To      StateID      `json:"to"`
	Public  PublicStatus `json:"public"`
	Outcome Outcome      `json:"outcome,omitempty"`
}

// SuspensionOrdered says that all terms of a request stand still, by somebody's order.
type SuspensionOrdered struct {
	Ground StopGround `json:"ground"`
	Reason ReasonCode `json:"reason"`
	Basis  Basis      `json:"basis,omitzero"`
}

// SuspensionLifted ends that.
type SuspensionLifted struct {
	Ground StopGround `json:"ground"`
}

// ReturnConsented lets a request be sent back to the applicant once more, for a
// reason that could not be seen before.
type ReturnConsented struct {
	Action ActionID   `json:"action"`
	Reason ReasonCode `json:"reason"`
}

// Move is what an event says of where a request goes.
type Move struct {
	From    StateID
	To      StateID
	Public  PublicStatus
	Outcome Outcome
}

// MoveOf is where an event moves a request that was submitted before; false for one
// that leaves it where it is.
func MoveOf(b Body) (Move, bool) {
	switch b := b.(type) {
	case ActionTaken:
		return Move{From: b.From, To: b.To, Public: b.Public, Outcome: b.Outcome}, true
	case DecisionDeemed:
		return Move{From: b.From, To: b.To, Public: b.Public, Outcome: b.Outcome}, true
	case RequestLapsed:
		return Move{From: b.From, To: b.To, Public: b.Public, Outcome: b.Outcome}, true
	case RequestMigrated:
		return Move{From: b.From, To: b.To, Public: b.Public, Outcome: b.Outcome}, true
	}
	return Move{}, false
}

// Type implements [Body].
func (TermStarted) Type() (string, int) { return "TermStarted", 2 }

// TermID implements [TermEvent].
func (e TermStarted) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermSuspended) Type() (string, int) { return "TermSuspended", 1 }

// TermID implements [TermEvent].
func (e TermSuspended) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermResumed) Type() (string, int) { return "TermResumed", 1 }

// TermID implements [TermEvent].
func (e TermResumed) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermExtended) Type() (string, int) { return "TermExtended", 1 }

// TermID implements [TermEvent].
func (e TermExtended) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermRecomputed) Type() (string, int) { return "TermRecomputed", 1 }

// TermID implements [TermEvent].
func (e TermRecomputed) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermReminded) Type() (string, int) { return "TermReminded", 1 }

// TermID implements [TermEvent].
func (e TermReminded) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermExpired) Type() (string, int) { return "TermExpired", 1 }

// TermID implements [TermEvent].
func (e TermExpired) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermEscalated) Type() (string, int) { return "TermEscalated", 1 }

// TermID implements [TermEvent].
func (e TermEscalated) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermEnded) Type() (string, int) { return "TermEnded", 1 }

// TermID implements [TermEvent].
func (e TermEnded) TermID() TermID { return e.Term }

// Type implements [Body].
func (DecisionDeemed) Type() (string, int) { return "DecisionDeemed", 1 }

// Type implements [Body].
func (RequestLapsed) Type() (string, int) { return "RequestLapsed", 1 }

// Type implements [Body].
func (SuspensionOrdered) Type() (string, int) { return "SuspensionOrdered", 1 }

// Type implements [Body].
func (SuspensionLifted) Type() (string, int) { return "SuspensionLifted", 1 }

// Type implements [Body].
func (ReturnConsented) Type() (string, int) { return "ReturnConsented", 1 }
