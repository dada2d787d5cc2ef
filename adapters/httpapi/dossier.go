package httpapi

import (
	"context"
	"net/http"

	"github.com/alur-id/alur/domain"
)

type addInput struct {
	Reference      string `path:"reference"`
	IfMatch        string `header:"If-Match" maxLength:"40" doc:"the ETag of the request the actor saw; if it has moved on, the answer is 412"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"the same key again gets the first answer and records nothing"`
	Body           struct {
		Attach         *attachBody   `json:"attach,omitempty" doc:"hand in a document, whose content is kept elsewhere under its hash"`
		RefuseDocument *refuseBody   `json:"refuse_document,omitempty" doc:"send the last version of a document back"`
		Check          *checkBody    `json:"check,omitempty" doc:"answer an item of a checklist"`
		Pay            *payBody      `json:"pay,omitempty" doc:"record that a fee was received, or several in one payment: all of them, or none is recorded"`
		Review         *reviewBody   `json:"review,omitempty" doc:"give an opinion that was asked for"`
		Answer         *answerBody   `json:"answer,omitempty" doc:"report what an external system came to"`
		Pick           *struct{}     `json:"pick,omitempty" doc:"take the work of the present state"`
		Allocate       *allocateBody `json:"allocate,omitempty" doc:"have the work of the present state given to one of those who could do it, by the rule of the state; the system asks for it, or an assigner"`
		Suspend        *suspendBody  `json:"suspend,omitempty" doc:"order that all terms of the request stand still"`
		Lift           *struct{}     `json:"lift,omitempty" doc:"end such a suspension"`
		Extend         *extendBody   `json:"extend,omitempty" doc:"give a term more time, once"`
		Consent        *consentBody  `json:"consent,omitempty" doc:"let the request be sent back to the applicant once more"`
		Reassign       *reassignBody `json:"reassign,omitempty" doc:"give the work of the present state to somebody else"`
		Actor          actorBody     `json:"actor"`
	}
}

type attachBody struct {
	Document string `json:"document"`
	Format   string `json:"format" example:"pdf"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256" doc:"of its content, 64 hexadecimal digits"`
}

type refuseBody struct {
	Document string `json:"document"`
	Reason   string `json:"reason"`
}

type checkBody struct {
	Checklist string `json:"checklist"`
	Item      string `json:"item"`
	Yes       bool   `json:"yes"`
}

type payBody struct {
	Fee     string    `json:"fee"`
	Amount  int64     `json:"amount" doc:"rupiah; the whole of what is owed of it"`
	Also    []duePaid `json:"also,omitempty" maxItems:"100" doc:"what else the same payment settles; each is kept apart, under the one receipt"`
	Receipt string    `json:"receipt" doc:"the payment's own number; nothing personal"`
}

type duePaid struct {
	Fee    string `json:"fee"`
	Amount int64  `json:"amount" doc:"rupiah; the whole of what is owed of it"`
}

type allocateBody struct {
	Candidates []candidateBody `json:"candidates" minItems:"1" maxItems:"500" doc:"who could do it"`
	Seed       string          `json:"seed" pattern:"^[0-9a-f]{64}$" patternDescription:"32 random bytes as 64 hexadecimal digits in small letters" doc:"of the draw: 32 random bytes, hexadecimal, for this draw alone; it is recorded, so that anybody can draw again"`
}

type candidateBody struct {
	Officer string `json:"officer" doc:"pseudonym"`
	Load    int    `json:"load" doc:"how many tasks they have"`
}

type reviewBody struct {
	Review  string `json:"review"`
	Opinion string `json:"opinion" enum:"approved,refused"`
	Reason  string `json:"reason,omitempty" doc:"reason code of a refusal"`
	Remark  string `json:"remark,omitempty" maxLength:"4096" doc:"sealed, shown to no citizen"`
}

type answerBody struct {
	System  string `json:"system"`
	Outcome string `json:"outcome"`
}

type suspendBody struct {
	Ground string `json:"ground" enum:"applicant,other_agency,force_majeure"`
	Reason string `json:"reason"`
}

type extendBody struct {
	Term   string `json:"term"`
	Reason string `json:"reason"`
}

type consentBody struct {
	Action string `json:"action" doc:"that sends the request back"`
	Reason string `json:"reason" doc:"that could not be seen before"`
}

type reassignBody struct {
	To     string `json:"to" doc:"pseudonym"`
	Reason string `json:"reason" example:"absent" doc:"a code of the office's own: small letters, and digits with dashes between; those who wait and are passed over are told it"`
}

func (a *api) add(ctx context.Context, in *addInput) (*doneOutput, error) {
	return a.take(ctx, in.Reference, in.IfMatch, in.IdempotencyKey, "add", in.Body.Actor, in.command)
}

// command is the one that the body holds.
func (in *addInput) command(h domain.Header, seen domain.Version) (domain.Command, error) {
	b := &in.Body
	var all []domain.Command
	if x := b.Attach; x != nil {
		all = append(all, domain.Attach{Header: h, Document: domain.DocumentID(x.Document), Format: x.Format, Bytes: x.Bytes, SHA256: x.SHA256, Expected: seen})
	}
	if x := b.RefuseDocument; x != nil {
		all = append(all, domain.RefuseDocument{Header: h, Document: domain.DocumentID(x.Document), Reason: domain.ReasonCode(x.Reason), Expected: seen})
	}
	if x := b.Check; x != nil {
		check := domain.Check{Checklist: domain.ChecklistID(x.Checklist), Item: domain.CheckID(x.Item)}
		all = append(all, domain.AnswerCheck{Header: h, Check: check, Yes: x.Yes, Expected: seen})
	}
	if x := b.Pay; x != nil {
		pay := domain.Pay{Header: h, Fee: domain.FeeID(x.Fee), Amount: x.Amount, Receipt: x.Receipt, Expected: seen}
		for _, due := range x.Also {
			pay.Also = append(pay.Also, domain.Payment{Fee: domain.FeeID(due.Fee), Amount: due.Amount})
		}
		all = append(all, pay)
	}
	if x := b.Review; x != nil {
		all = append(all, domain.GiveReview{Header: h, Review: domain.ReviewID(x.Review), Opinion: domain.Opinion(x.Opinion), Reason: domain.ReasonCode(x.Reason), Remark: x.Remark, Expected: seen})
	}
	if x := b.Answer; x != nil {
		all = append(all, domain.ReportAnswer{Header: h, Answer: domain.Answer{System: domain.SystemID(x.System), Outcome: x.Outcome}, Expected: seen})
	}
	if b.Pick != nil {
		all = append(all, domain.Pick{Header: h, Expected: seen})
	}
	if x := b.Allocate; x != nil {
		given := domain.Allocate{Header: h, Allocation: domain.Allocation{Seed: x.Seed}, Expected: seen}
		for _, c := range x.Candidates {
			given.Candidates = append(given.Candidates, domain.Candidate{Officer: c.Officer, Load: c.Load})
		}
		all = append(all, given)
	}
	if x := b.Suspend; x != nil {
		all = append(all, domain.OrderSuspension{Header: h, Ground: domain.StopGround(x.Ground), Reason: domain.ReasonCode(x.Reason), Expected: seen})
	}
	if b.Lift != nil {
		all = append(all, domain.LiftSuspension{Header: h, Expected: seen})
	}
	if x := b.Extend; x != nil {
		all = append(all, domain.ExtendTerm{Header: h, Term: domain.TermID(x.Term), Reason: domain.ReasonCode(x.Reason), Expected: seen})
	}
	if x := b.Consent; x != nil {
		all = append(all, domain.ConsentReturn{Header: h, Action: domain.ActionID(x.Action), Reason: domain.ReasonCode(x.Reason), Expected: seen})
	}
	if x := b.Reassign; x != nil {
		all = append(all, domain.Reassign{Header: h, To: x.To, Reason: domain.ReasonCode(x.Reason), Expected: seen})
	}
	if len(all) != 1 {
		return nil, newProblem(http.StatusUnprocessableEntity, "invalid", "the body holds not one thing to add", "send one of attach, refuse_document, check, pay, review, answer, pick, allocate, reassign, suspend, lift, extend and consent")
	}
	return all[0], nil
}
