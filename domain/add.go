package domain

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// add is what a command adds to the dossier of a request.
func add(r Request, c Command, w Workflow) (Body, error) {
	switch c := c.(type) {
	case Attach:
		return attach(r, c, w)
	case RefuseDocument:
		return refuseDocument(r, c, w)
	case AnswerCheck:
		return answerCheck(r, c, w)
	case GiveReview:
		return giveReview(r, c, w)
	case ReportAnswer:
		return reportAnswer(r, c, w)
	case Pick:
		return pick(r, c, w)
	case Allocate:
		return allocate(r, c, w)
	case Reassign:
		return reassign(r, c, w)
	case OrderSuspension:
		return orderSuspension(r, c, w)
	case LiftSuspension:
		return liftSuspension(r, c, w)
	case ConsentReturn:
		return consentReturn(r, c, w)
	}
	return nil, fmt.Errorf("no rule for command %T", c)
}

// asks reports whether a command asks for what an event says. What the request adds
// to it by itself, such as the number of a document, does not count.
func asks(b Body, c Command) bool {
	switch b := b.(type) {
	case DocumentAttached:
		c, ok := c.(Attach)
		return ok && b.Document == c.Document && b.Format == c.Format && b.Bytes == c.Bytes && b.SHA256 == c.SHA256
	case DocumentRefused:
		c, ok := c.(RefuseDocument)
		return ok && b.Document == c.Document && b.Reason == c.Reason
	case CheckAnswered:
		c, ok := c.(AnswerCheck)
		return ok && b == CheckAnswered{Checklist: c.Checklist, Item: c.Item, Yes: c.Yes}
	case ReviewGiven:
		c, ok := c.(GiveReview)
		return ok && b == ReviewGiven{Review: c.Review, Opinion: c.Opinion, Reason: c.Reason}
	case AnswerReported:
		c, ok := c.(ReportAnswer)
		return ok && b == AnswerReported{System: c.System, Outcome: c.Outcome}
	case TaskPicked:
		_, ok := c.(Pick)
		return ok
	case TaskAllocated:
		c, ok := c.(Allocate)
		return ok && b.Seed == c.Seed && slices.Equal(b.Candidates, c.sorted())
	case TaskReassigned:
		c, ok := c.(Reassign)
		return ok && b.To == c.To && b.Reason == c.Reason
	case SuspensionOrdered:
		c, ok := c.(OrderSuspension)
		return ok && b.Ground == c.Ground && b.Reason == c.Reason
	case SuspensionLifted:
		_, ok := c.(LiftSuspension)
		return ok
	case TermExtended:
		c, ok := c.(ExtendTerm)
		return ok && b.Term == c.Term && b.Reason == c.Reason
	case ReturnConsented:
		c, ok := c.(ConsentReturn)
		return ok && b.Action == c.Action && b.Reason == c.Reason
	case TermReminded:
		return runsOut(c, b.Term)
	case TermExpired:
		return runsOut(c, b.Term)
	case TermEscalated:
		return runsOut(c, b.Term)
	case RequestMigrated:
		c, ok := c.(Migrate)
		return ok && b.FromVersion == c.From && b.Map == c.Map && b.Ground == c.Ground && b.Approver == c.Approver
	case TermRecomputed:
		_, ok := c.(RecomputeTerms)
		return ok || runsOut(c, b.Term) // of an extension, the next event tells
	}
	return false
}

func runsOut(c Command, id TermID) bool {
	x, ok := c.(Expire)
	return ok && x.Term == id
}

// open says whether something may be added to a request as it is.
func (r Request) open(seen Version, states []StateID, what string) error {
	if err := r.as(seen); err != nil {
		return err
	}
	if r.Outcome != "" {
		return refuse(RuleNotFromHere, "the request has ended: "+what+" cannot be added", "reopen it first, if the workflow lets it")
	}
	if len(states) > 0 && !slices.Contains(states, r.State) {
		return refuse(RuleNotFromHere, fmt.Sprintf("%s cannot be added in state %q", what, r.State), "possible in "+Listed(states))
	}
	return nil
}

// unknown refuses a name that the workflow does not have.
func unknown[T ~string](rule Rule, what string, name T) error {
	return refuse(rule, fmt.Sprintf("the workflow has no %s %q", what, string(name)), "")
}

func attach(r Request, c Attach, w Workflow) (Body, error) {
	rule, ok := w.Document(c.Document)
	if !ok {
		return nil, unknown(RuleDocument, "document", c.Document)
	}
	if err := r.open(c.Expected, rule.States, "document "+string(c.Document)); err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, rule.Roles, w, fmt.Sprintf("hand in %q", c.Document)); err != nil {
		return nil, err
	}
	if task, ok := w.Task(r.State); ok && task.Role == c.Actor.Role {
		if err := atWork(r, c.Actor, w); err != nil {
			return nil, err
		}
	}
	switch {
	case !isSHA256(c.SHA256):
		return nil, refuse(RuleDocument, "the document's hash is not a SHA-256", "give 64 hexadecimal digits in small letters")
	case !slices.Contains(rule.Formats, c.Format):
		return nil, refuse(RuleDocument, fmt.Sprintf("document %q is not taken as %q", c.Document, c.Format), "taken as "+strings.Join(rule.Formats, ", "))
	case c.Bytes < 1 || c.Bytes > rule.MaxBytes:
		return nil, refuse(RuleDocument, fmt.Sprintf("document %q has %d bytes", c.Document, c.Bytes), fmt.Sprintf("hand in one of at most %d bytes that is not empty", rule.MaxBytes))
	}
	return DocumentAttached{
		Document: c.Document, Number: r.Dossier.Documents[c.Document].Version + 1, Format: c.Format, Bytes: c.Bytes, SHA256: c.SHA256,
	}, nil
}

func refuseDocument(r Request, c RefuseDocument, w Workflow) (Body, error) {
	rule, ok := w.Document(c.Document)
	if !ok {
		return nil, unknown(RuleDocument, "document", c.Document)
	}
	if err := r.open(c.Expected, rule.Refused, "a refusal of document "+string(c.Document)); err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, rule.Refusers, w, fmt.Sprintf("refuse document %q", c.Document)); err != nil {
		return nil, err
	}
	if err := atWork(r, c.Actor, w); err != nil {
		return nil, err
	}
	doc, ok := r.Dossier.Documents[c.Document]
	if !ok || doc.Refused {
		return nil, refuse(RuleDocument, fmt.Sprintf("there is no document %q to refuse", c.Document), "it was not handed in, or was refused before")
	}
	if err := oneOf(c.Reason, rule.Reasons, fmt.Sprintf("refusing document %q", c.Document)); err != nil {
		return nil, err
	}
	return DocumentRefused{Document: c.Document, Number: doc.Version, Reason: c.Reason}, nil
}

func answerCheck(r Request, c AnswerCheck, w Workflow) (Body, error) {
	rule, ok := w.Checklist(c.Checklist)
	if !ok {
		return nil, unknown(RuleChecklist, "checklist", c.Checklist)
	}
	if !slices.Contains(rule.Items, c.Item) {
		return nil, unknown(RuleChecklist, "item in checklist "+string(c.Checklist), c.Item)
	}
	if err := r.open(c.Expected, rule.States, "checklist "+string(c.Checklist)); err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, rule.Roles, w, fmt.Sprintf("answer checklist %q", c.Checklist)); err != nil {
		return nil, err
	}
	if err := atWork(r, c.Actor, w); err != nil {
		return nil, err
	}
	return CheckAnswered{Checklist: c.Checklist, Item: c.Item, Yes: c.Yes}, nil
}

func giveReview(r Request, c GiveReview, w Workflow) (Body, error) {
	rule, ok := w.Review(c.Review)
	if !ok {
		return nil, unknown(RuleReview, "review", c.Review)
	}
	if err := r.open(c.Expected, nil, "an opinion"); err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, []RoleID{rule.Role}, w, fmt.Sprintf("give review %q", c.Review)); err != nil {
		return nil, err
	}
	if r.Dossier.Reviews[c.Review].Opinion != OpinionOpen {
		return nil, refuse(RuleReview, fmt.Sprintf("review %q is not asked for", c.Review), "it was given before, or the request has not come to it")
	}
	if err := fourEyes(r, c.Actor, rule.NotBy, fmt.Sprintf("give review %q", c.Review)); err != nil {
		return nil, err
	}
	if _, barred := r.acted(r.Dossier.Picked, rule.NotBy); !barred {
		if err := atWork(r, c.Actor, w); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Opinion != OpinionApproved && c.Opinion != OpinionRefused:
		return nil, refuse(RuleReview, fmt.Sprintf("%q is not an opinion", c.Opinion), "give approved or refused")
	case c.Opinion == OpinionApproved && c.Reason != "":
		return nil, refuse(RuleReason, "an approval takes no reason code", "leave the reason out")
	case c.Opinion == OpinionRefused:
		if err := oneOf(c.Reason, rule.Reasons, fmt.Sprintf("refusing review %q", c.Review)); err != nil {
			return nil, err
		}
	}
	return ReviewGiven{Review: c.Review, Opinion: c.Opinion, Reason: c.Reason}, nil
}

func reportAnswer(r Request, c ReportAnswer, w Workflow) (Body, error) {
	if err := r.as(c.Expected); err != nil {
		return nil, err
	}
	rule, ok := w.System(r, c.System)
	if !ok {
		return nil, refuse(RuleAnswer, fmt.Sprintf("the request does not wait for system %q", c.System), "its answer is taken in the state that waits for it")
	}
	if err := mayAct(c.Actor, []RoleID{rule.Role}, w, fmt.Sprintf("answer for system %q", c.System)); err != nil {
		return nil, err
	}
	if !slices.Contains(rule.Outcomes, c.Outcome) {
		return nil, refuse(RuleAnswer, fmt.Sprintf("%q is not an outcome of system %q", c.Outcome, c.System), "its outcomes are "+strings.Join(rule.Outcomes, ", "))
	}
	return AnswerReported{System: c.System, Outcome: c.Outcome}, nil
}

// oneOf holds that a reason is on the list.
func oneOf(reason ReasonCode, reasons []ReasonCode, what string) error {
	if !slices.Contains(reasons, reason) {
		return refuse(RuleReason, what+" needs a reason code", "give one of "+Listed(reasons))
	}
	return nil
}

// isSHA256 reports whether a text is a SHA-256 as it is recorded: 64 hexadecimal digits in
// small letters.
func isSHA256(s string) bool {
	hash, err := hex.DecodeString(s)
	return err == nil && len(hash) == 32 && s == strings.ToLower(s)
}
