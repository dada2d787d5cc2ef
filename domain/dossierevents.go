package domain

import "github.com/google/uuid"

// DocumentAttached hands in a document, or a newer version of one. What is in it is
// kept elsewhere, under its hash.
type DocumentAttached struct {
	Document DocumentID `json:"document"`
	Number   int        `json:"number"` // 1 for the first of its kind
	Format   string     `json:"format"`
	Bytes    int64      `json:"bytes"`
	SHA256   string     `json:"sha256"` // hex
}

// DocumentRefused sends the last version of a document back.
type DocumentRefused struct {
	Document DocumentID `json:"document"`
	Number   int        `json:"number"`
	Reason   ReasonCode `json:"reason"`
}

// CheckAnswered answers an item of a checklist.
type CheckAnswered struct {
	Checklist ChecklistID `json:"checklist"`
	Item      CheckID     `json:"item"`
	Yes       bool        `json:"yes"`
}

// ChecklistCleared takes back what was answered of a checklist: it is looked at anew.
type ChecklistCleared struct {
	Checklist ChecklistID `json:"checklist"`
}

// FeeAssessed says what has to be paid, in rupiah.
type FeeAssessed struct {
	Fee    FeeID `json:"fee"`
	Amount int64 `json:"amount"`
}

// FeePaid says that a fee was received. Receipt is the payment's own number.
type FeePaid struct {
	Fee     FeeID  `json:"fee"`
	Amount  int64  `json:"amount"`
	Receipt string `json:"receipt"`
}

// ReviewRequested asks another agency or unit for its opinion.
type ReviewRequested struct {
	Review ReviewID `json:"review"`
	Role   RoleID   `json:"role"` // who gives it
}

// ReviewGiven is that opinion.
type ReviewGiven struct {
	Review  ReviewID   `json:"review"`
	Opinion Opinion    `json:"opinion"`
	Reason  ReasonCode `json:"reason,omitempty"`
}

// AnswerReported is what an external system said of the request.
type AnswerReported struct {
	System  SystemID `json:"system"`
	Outcome string   `json:"outcome"`
}

// TaskReady offers the work of a state to those who can take it.
type TaskReady struct {
	State StateID `json:"state"`
	Role  RoleID  `json:"role"`
	Rule  string  `json:"rule"` // of allocation
}

// TaskPicked says who took it: the event's actor.
type TaskPicked struct {
	State StateID `json:"state"`
}

// TaskAllocated says to whom the work was given by rule, and all that it followed
// from: with the request's id, which is in the stream's name, Drawn comes to the same.
type TaskAllocated struct {
	State StateID `json:"state"`
	To    string  `json:"to"`    // pseudonym
	Rule  string  `json:"rule"`  // of allocation
	Ready Version `json:"ready"` // of the TaskReady that offered it

	Seed       string      `json:"seed"`
	Candidates []Candidate `json:"candidates"`
	Barred     []string    `json:"barred,omitempty"` // of the candidates: left out, since four eyes stand against them
}

// Drawn is who the work goes to by what the event says.
func (b TaskAllocated) Drawn(request uuid.UUID) string {
	return Allocation{Seed: b.Seed, Candidates: b.Candidates}.pick(b.Rule, request, b.Ready, b.Barred)
}

// TaskReassigned gives it to somebody else.
type TaskReassigned struct {
	State  StateID    `json:"state"`
	To     string     `json:"to"` // pseudonym
	Reason ReasonCode `json:"reason,omitempty"`
}

// NoticeDue says that somebody has to be told of the state that the request came to.
type NoticeDue struct {
	Notice NoticeID `json:"notice"`
	State  StateID  `json:"state"`
	To     RoleID   `json:"to"`
}

// RequestCorrected replaces the facts of a request, and its form, which is sealed.
type RequestCorrected struct {
	Facts Facts `json:"facts,omitempty"`
}

// FactsRecorded says what those who work on a request found out: facts that stand from
// then on.
type FactsRecorded struct {
	Facts Facts `json:"facts"`
}

// Type implements [Body].
func (FactsRecorded) Type() (string, int) { return "FactsRecorded", 1 }

// Type implements [Body].
func (DocumentAttached) Type() (string, int) { return "DocumentAttached", 1 }

// Type implements [Body].
func (DocumentRefused) Type() (string, int) { return "DocumentRefused", 1 }

// Type implements [Body].
func (CheckAnswered) Type() (string, int) { return "CheckAnswered", 1 }

// Type implements [Body].
func (ChecklistCleared) Type() (string, int) { return "ChecklistCleared", 1 }

// Type implements [Body].
func (FeeAssessed) Type() (string, int) { return "FeeAssessed", 1 }

// Type implements [Body].
func (FeePaid) Type() (string, int) { return "FeePaid", 1 }

// Type implements [Body].
func (ReviewRequested) Type() (string, int) { return "ReviewRequested", 1 }

// Type implements [Body].
func (ReviewGiven) Type() (string, int) { return "ReviewGiven", 1 }

// Type implements [Body].
func (AnswerReported) Type() (string, int) { return "AnswerReported", 1 }

// Type implements [Body].
func (TaskReady) Type() (string, int) { return "TaskReady", 1 }

// Type implements [Body].
func (TaskPicked) Type() (string, int) { return "TaskPicked", 1 }

// Type implements [Body].
func (TaskAllocated) Type() (string, int) { return "TaskAllocated", 1 }

// Type implements [Body].
func (TaskReassigned) Type() (string, int) { return "TaskReassigned", 1 }

// Type implements [Body].
func (NoticeDue) Type() (string, int) { return "NoticeDue", 1 }

// Type implements [Body].
func (RequestCorrected) Type() (string, int) { return "RequestCorrected", 1 }
