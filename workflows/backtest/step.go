package backtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// step is what one command led to, as it was recorded.
type step struct {
	events []domain.Recorded
}

func (s *step) first() *domain.Recorded { return &s.events[0] }

// header is that of the command.
func (s *step) header() domain.Header {
	e := s.first()
	who := e.Actor
	who.ID = strings.TrimSpace(who.ID) // older logs have such
	return domain.Header{ID: e.Command, Actor: who, Occurred: e.Occurred, Correlation: e.Correlation}
}

// taken is the action that the step took; nil for none.
func (s *step) taken() *domain.ActionTaken {
	for i := range s.events {
		if a, ok := s.events[i].Body.(domain.ActionTaken); ok && a.Kind != domain.ActionAuto {
			return &a
		}
	}
	return nil
}

// moves reports whether the request came to another state by the step.
func (s *step) moves() bool {
	return slices.ContainsFunc(s.events, func(e domain.Recorded) bool {
		m, ok := domain.MoveOf(e.Body)
		return ok && m.From != m.To
	})
}

// reckoned names the calendar that the step was reckoned by; empty when it moved no
// term.
func (s *step) reckoned() string {
	for i := range s.events {
		if t, ok := s.events[i].Body.(domain.TermEvent); ok {
			return t.Reckoned().Calendar
		}
	}
	return ""
}

// command is what somebody asked for; nil for what the system did by itself.
func (s *step) command() domain.Command {
	h := s.header()
	switch b := s.first().Body.(type) {
	case domain.RequestSubmitted:
		e := s.first()
		return domain.Submit{Header: h, Tenant: e.Tenant, Service: e.Service, Reference: b.Reference, Facts: b.Facts, Imported: b.Imported}
	case domain.ActionTaken, domain.RequestCorrected:
		return s.act(h)
	case domain.DocumentAttached:
		return domain.Attach{Header: h, Document: b.Document, Format: b.Format, Bytes: b.Bytes, SHA256: b.SHA256}
	case domain.DocumentRefused:
		return domain.RefuseDocument{Header: h, Document: b.Document, Reason: b.Reason}
	case domain.CheckAnswered:
		return domain.AnswerCheck{Header: h, Check: domain.Check{Checklist: b.Checklist, Item: b.Item}, Yes: b.Yes}
	case domain.FeePaid:
		return s.pay(h, b)
	case domain.ReviewGiven:
		return domain.GiveReview{Header: h, Review: b.Review, Opinion: b.Opinion, Reason: b.Reason}
	case domain.AnswerReported:
		return domain.ReportAnswer{Header: h, Answer: domain.Answer(b)}
	case domain.TaskPicked:
		return domain.Pick{Header: h}
	case domain.TaskAllocated:
		return domain.Allocate{Header: h, Allocation: domain.Allocation{Seed: b.Seed, Candidates: b.Candidates}}
	case domain.TaskReassigned:
		if !b.Reason.Coded() { // of before it had to be
			b.Reason = "unrecorded"
		}
		return domain.Reassign{Header: h, To: b.To, Reason: b.Reason}
	case domain.SuspensionOrdered:
		return domain.OrderSuspension{Header: h, Ground: b.Ground, Reason: b.Reason}
	case domain.SuspensionLifted:
		return domain.LiftSuspension{Header: h}
	case domain.ReturnConsented:
		return domain.ConsentReturn{Header: h, Action: b.Action, Reason: b.Reason}
	case domain.TermExtended:
		return domain.ExtendTerm{Header: h, Term: b.Term, Reason: b.Reason}
	case domain.TermRecomputed: // what another calendar made of the term comes before its extension
		if len(s.events) > 1 {
			if x, ok := s.events[1].Body.(domain.TermExtended); ok {
				return domain.ExtendTerm{Header: h, Term: x.Term, Reason: x.Reason}
			}
		}
	}
	return nil
}

// sealedRemark stands for a remark that is not opened: that there was one is what counts.
const sealedRemark = "sealed"

func (s *step) act(h domain.Header) domain.Command {
	a := s.taken()
	if a == nil {
		return nil
	}
	c := domain.Act{Header: h, Action: a.Action, Reason: a.Reason}
	if s.first().Box != nil {
		c.Remark = sealedRemark
	}
	for i := range s.events {
		switch b := s.events[i].Body.(type) {
		case domain.RequestCorrected:
			c.Facts = b.Facts
		case domain.FactsRecorded:
			c.Facts = b.Facts
		}
	}
	return c
}

func (s *step) corrected() bool {
	_, ok := s.first().Body.(domain.RequestCorrected)
	return ok
}

func (s *step) pay(h domain.Header, first domain.FeePaid) domain.Command {
	c := domain.Pay{Header: h, Fee: first.Fee, Amount: first.Amount, Receipt: first.Receipt}
	for i := range s.events[1:] {
		if b, ok := s.events[1+i].Body.(domain.FeePaid); ok {
			c.Also = append(c.Also, domain.Payment{Fee: b.Fee, Amount: b.Amount})
		}
	}
	return c
}

// moment is the moment of a term that the step records; false when it records none.
func (s *step) moment() (domain.TermID, bool) {
	switch b := s.first().Body.(type) {
	case domain.TermReminded, domain.TermExpired, domain.TermEscalated, domain.TermRecomputed, domain.TermEnded:
		return b.(domain.TermEvent).TermID(), true
	}
	return "", false
}

// told is a command in a few words, without who gave it.
func told(c domain.Command) string {
	switch c := c.(type) {
	case domain.Submit:
		return "submission"
	case domain.Act:
		return fmt.Sprintf("action %q", c.Action)
	case domain.Attach:
		return fmt.Sprintf("document %q", c.Document)
	case domain.RefuseDocument:
		return fmt.Sprintf("refusal of document %q", c.Document)
	case domain.AnswerCheck:
		return fmt.Sprintf("check %q of %q", c.Item, c.Checklist)
	case domain.Pay:
		fees := []domain.FeeID{c.Fee}
		for _, p := range c.Also {
			fees = append(fees, p.Fee)
		}
		return "payment of " + domain.Listed(fees)
	case domain.GiveReview:
		return fmt.Sprintf("review %q: %s", c.Review, c.Opinion)
	case domain.ReportAnswer:
		return fmt.Sprintf("answer of system %q: %s", c.System, c.Outcome)
	case domain.Pick:
		return "the work is taken"
	case domain.Allocate:
		return "the work is given out"
	case domain.Reassign:
		return "the work is given to somebody else"
	case domain.OrderSuspension:
		return fmt.Sprintf("suspension on ground %q", c.Ground)
	case domain.LiftSuspension:
		return "end of the suspension"
	case domain.ExtendTerm:
		return fmt.Sprintf("extension of term %q", c.Term)
	case domain.Migrate:
		return fmt.Sprintf("migration to version %d", c.To)
	case domain.ConsentReturn:
		return fmt.Sprintf("consent to action %q once more", c.Action)
	}
	return fmt.Sprintf("%T", c)
}

// only is facts of some names.
func only(f domain.Facts, names []string) domain.Facts {
	kept := domain.Facts{}
	for name, v := range f {
		if slices.Contains(names, name) {
			kept[name] = v
		}
	}
	return kept
}
