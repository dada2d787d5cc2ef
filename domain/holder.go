package domain

// Holder is in whose hands a request is.
type Holder string

// The holders. A reviewer is who was asked for an opinion that the request waits for,
// whether that is another agency or another unit. Another agency is one whose answer the
// request waits for, or that the law stops the term for. Nobody holds what stands still by
// force majeure.
const (
	HeldByAgency      Holder = "agency"
	HeldByApplicant   Holder = "applicant"
	HeldByReviewer    Holder = "reviewer"
	HeldByOtherAgency Holder = "other_agency"
	HeldByNobody      Holder = "nobody"
)

// Holders lists the holders.
func Holders() []Holder {
	return []Holder{HeldByAgency, HeldByApplicant, HeldByReviewer, HeldByOtherAgency, HeldByNobody}
}

// Hands is what says in whose hands a request is that has not ended. It is asked for the
// page of a request and for statistics, so that both tell the same.
type Hands struct {
	Acts    Holder       // who has to act where it stands, by [ActsIn]
	Halt    StopGround   // on which all terms were ordered to stand still
	Stops   []StopGround // of the terms of law that stand still, in the order of their ids
	Reviews bool         // opinions are waited for
}

// ActsIn is who has to act in a state: the applicant where the public status tells them
// to; else who has to by the workflow.
func ActsIn(by Holder, s PublicStatus) Holder {
	if s == StatusNeedsCorrection || s == StatusWaitingPayment {
		return HeldByApplicant
	}
	return by
}

// Holder is in whose hands the request is. An order goes before all, and what the
// applicant has to do before what others have.
func (h Hands) Holder() Holder {
	if by := h.Halt.holder(); by != "" {
		return by
	}
	if h.Acts == HeldByApplicant {
		return h.Acts
	}
	for _, g := range h.Stops {
		if by := g.holder(); by != "" {
			return by
		}
	}
	switch {
	case h.Reviews:
		return HeldByReviewer
	case h.Acts != "":
		return h.Acts
	}
	return HeldByAgency
}

// holder is in whose hands a request is whose term stands still on a ground; empty where
// it was closed, or away.
func (g StopGround) holder() Holder {
	switch g {
	case StopApplicant:
		return HeldByApplicant
	case StopOtherAgency:
		return HeldByOtherAgency
	case StopForceMajeure:
		return HeldByNobody
	default:
		return ""
	}
}
