package domain

import "maps"

// DocumentID names a kind of document, such as "land-title".
type DocumentID string

// ChecklistID names a checklist.
type ChecklistID string

// CheckID names an item of a checklist.
type CheckID string

// FeeID names a fee.
type FeeID string

// ReviewID names another agency's opinion.
type ReviewID string

// SystemID names an external system that a request waits for.
type SystemID string

// NoticeID names something that somebody is told.
type NoticeID string

// Dossier is what a request has gathered beside its state. Its maps are shared by
// the states of one request: evolving one copies what it changes.
type Dossier struct {
	Documents map[DocumentID]Document
	Checks    map[ChecklistID]map[CheckID]bool // answered so far: yes or no
	Fees      map[FeeID]Fee
	Reviews   map[ReviewID]Review
	Answers   map[SystemID]string // the last outcome that a system reported since the request came to its state
	Reported  map[SystemID]string // the last outcome that a system ever reported; decides nothing

	// Entered is the version of the event that led to the present state.
	Entered Version
	// Ready and Picked are of the task in the present state: since when it is
	// offered, and who has taken it.
	Ready  Version
	Picked string
	// Told lists what was announced since the request came to its state.
	Told []NoticeID
}

// Document is what was handed in of a kind: how many versions, and whether the last
// one was refused, and why.
type Document struct {
	Version int
	Refused bool
	Reason  ReasonCode
}

// Fee is an amount that was assessed, and what was received of it, in rupiah. After a
// correction it is stale: it is assessed anew before it counts again, and what was
// received counts towards it.
type Fee struct {
	Amount   int64
	Received int64
	Stale    bool
}

// Owed is what is still to be paid.
func (f Fee) Owed() int64 { return max(f.Amount-f.Received, 0) }

// Settled reports whether the fee was assessed by the facts as they are, and nothing
// of it is owed.
func (f Fee) Settled() bool { return !f.Stale && f.Owed() == 0 }

// Opinion is what a review comes to. Open is one that was asked for and not given.
type Opinion string

// The opinions.
const (
	OpinionOpen     Opinion = "open"
	OpinionApproved Opinion = "approved"
	OpinionRefused  Opinion = "refused"
)

// Review is the last that is known of a review: the opinion, why it was refused, and the
// version of the event that asked for it.
type Review struct {
	Opinion Opinion
	Reason  ReasonCode
	Asked   Version
}

// Needs is what a transition demands of the dossier.
type Needs struct {
	Documents []DocumentID // handed in and not refused
	Fees      []FeeID      // assessed and settled
	Checks    []Check      // answered with yes
	Reviews   ReviewNeed
	Answer    *Answer // reported by a system
}

// Check is an item of a checklist.
type Check struct {
	Checklist ChecklistID
	Item      CheckID
}

// Answer is an outcome that a system may report.
type Answer struct {
	System  SystemID
	Outcome string
}

// Join says how many of the reviews that were asked for decide. A refused review is
// not outvoted unless Outvote says so.
type Join struct {
	Reviews []ReviewID
	AtLeast int // so many approvals
	Outvote bool
}

// Result is what the reviews come to together.
func (j Join) Result(given map[ReviewID]Review) Opinion {
	approved, refused := 0, 0
	for _, id := range j.Reviews {
		switch given[id].Opinion {
		case OpinionApproved:
			approved++
		case OpinionRefused:
			refused++
		case OpinionOpen:
		}
	}
	switch {
	case refused > 0 && !j.Outvote, len(j.Reviews)-refused < j.AtLeast:
		return OpinionRefused
	case approved >= j.AtLeast:
		return OpinionApproved
	}
	return OpinionOpen
}

// ReviewNeed is what a transition demands of reviews; a zero one demands nothing.
type ReviewNeed struct {
	Join   Join
	Result Opinion
}

// remedy says what would help where reviews came to something else than is demanded: only
// what is open is waited for.
func (n ReviewNeed) remedy(got Opinion) string {
	switch got {
	case OpinionOpen:
		return "wait for the opinions that are open"
	case OpinionRefused:
		return "a refusal stands until the review is asked for anew"
	default:
		return "this is for requests that reviews are against"
	}
}

// clone returns a map that may be changed without changing the one that came in.
func clone[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// Lacks is a [*Refusal] that names the first thing that the request's dossier lacks;
// nil when it has all.
func (r Request) Lacks(n Needs) error { return lacking(r.Dossier, n) }

// lacking names the first thing that the dossier lacks; nil when it has all.
func lacking(d Dossier, n Needs) error {
	var missing []DocumentID
	for _, id := range n.Documents {
		if doc, ok := d.Documents[id]; !ok || doc.Refused {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return refuse(RuleIncomplete, "the file is not complete: "+Listed(missing)+" is missing or was refused", "hand in what is missing")
	}
	for _, c := range n.Checks {
		if !d.Checks[c.Checklist][c.Item] {
			return refuse(RuleChecklist, "item "+string(c.Item)+" of checklist "+string(c.Checklist)+" is not answered with yes", "check it first")
		}
	}
	for _, id := range n.Fees {
		if f, ok := d.Fees[id]; !ok || !f.Settled() {
			return refuse(RuleUnpaid, "fee "+string(id)+" is not paid", "pay it first")
		}
	}
	if n.Reviews.Result != "" {
		if got := n.Reviews.Join.Result(d.Reviews); got != n.Reviews.Result {
			return refuse(RuleReview, "the reviews "+Listed(n.Reviews.Join.Reviews)+" are together "+string(got)+", not "+string(n.Reviews.Result), n.Reviews.remedy(got))
		}
	}
	if n.Answer != nil && d.Answers[n.Answer.System] != n.Answer.Outcome {
		return refuse(RuleAnswer, "system "+string(n.Answer.System)+" has not reported "+n.Answer.Outcome, "wait for its answer")
	}
	return nil
}
