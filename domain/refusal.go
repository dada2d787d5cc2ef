package domain

import (
	"errors"
	"fmt"
)

// Rule names the rule that a refused command broke. The names are part of the
// API: clients may branch on them, so they do not change.
type Rule string

// The rules.
const (
	RuleActor            Rule = "actor"             // the actor is not described well enough to be recorded
	RulePersonalData     Rule = "personal_data"     // personal data where only a pseudonym or a fact may stand
	RuleText             Rule = "text"              // a text that is kept in the clear is too long, or not one line of text
	RuleIdentity         Rule = "identity"          // what should identify the applicant does not
	RuleGround           Rule = "ground"            // no legal ground, or none that is known
	RuleRetention        Rule = "retention"         // what was asked to be erased must be kept
	RuleErased           Rule = "erased"            // the personal data of the request was erased
	RuleFacts            Rule = "facts"             // a fact is missing, unknown or of the wrong kind
	RuleAlreadySubmitted Rule = "already_submitted" // the request exists
	RuleNotSubmitted     Rule = "not_submitted"     // the request does not exist
	RuleUnknownAction    Rule = "unknown_action"    // the workflow has no such action
	RuleNotFromHere      Rule = "not_from_here"     // the action exists, but not from the present state
	RuleRole             Rule = "role"              // the action belongs to other roles
	RuleCapacity         Rule = "capacity"          // the role may not act in this capacity
	RuleReason           Rule = "reason"            // a reason code is missing or not on the list
	RuleTime             Rule = "time"              // the command has no time, or an impossible one
	RuleCommandReused    Rule = "command_reused"    // the command id was used for something else
	RuleService          Rule = "service"           // no such service is published
	RuleClosed           Rule = "closed"            // the service takes no new requests, or not yet
	RuleForm             Rule = "form"              // the form does not fit its schema
	RuleGuard            Rule = "guard"             // a condition of the workflow does not hold
	RuleFourEyes         Rule = "four_eyes"         // the same person may not do both
	RuleIncomplete       Rule = "incomplete"        // a required document is missing or was refused
	RuleChecklist        Rule = "checklist"         // a required item is not answered with yes
	RuleUnpaid           Rule = "unpaid"            // a fee is owed
	RuleReview           Rule = "review"            // reviews are open, or came out otherwise
	RuleAnswer           Rule = "answer"            // an external system has not reported this
	RuleDocument         Rule = "document"          // no such document, or not in this form, state or role
	RuleFee              Rule = "fee"               // no such fee is owed, or not of this amount
	RuleTask             Rule = "task"              // the work of this state is somebody else's, or nobody's yet
	RuleInvariant        Rule = "invariant"         // what the workflow says must never be would be
	RuleCondition        Rule = "condition"         // a condition of the workflow cannot be judged for this request
	RuleEndless          Rule = "endless"           // what follows by itself does not come to rest
	RuleTerm             Rule = "term"              // no such term runs, or its time has come and comes first
	RuleReturn           Rule = "return"            // a request may be sent back once
	RuleMigration        Rule = "migration"         // the request cannot go on under the other version of its workflow
	RuleNotices          Rule = "notices"           // nobody can be told in this way
	RuleMandate          Rule = "mandate"           // the mandate does not cover this, or is none
)

// Rules lists every rule.
func Rules() []Rule {
	return []Rule{
		RuleActor, RulePersonalData, RuleText, RuleIdentity, RuleGround, RuleRetention, RuleErased,
		RuleFacts, RuleAlreadySubmitted, RuleNotSubmitted, RuleUnknownAction, RuleNotFromHere, RuleRole,
		RuleCapacity, RuleReason, RuleTime, RuleCommandReused, RuleService, RuleClosed, RuleForm,
		RuleGuard, RuleFourEyes, RuleIncomplete, RuleChecklist, RuleUnpaid, RuleReview,
		RuleAnswer, RuleDocument, RuleFee, RuleTask, RuleInvariant, RuleCondition, RuleEndless, RuleTerm, RuleReturn, RuleMigration, RuleNotices, RuleMandate,
	}
}

// Refusal is a command that the rules do not allow. Nothing was recorded.
// Detail says what is wrong, Remedy what would satisfy the rule; both are whole
// thoughts for a person, in English, and hold no personal data.
//
// Because is what a definition says of the condition or invariant that it rests on, in
// the words that its agency has for the public; mostly there is none.
type Refusal struct {
	Rule    Rule
	Detail  string
	Remedy  string
	Because Basis
}

func (r *Refusal) Error() string {
	if r.Remedy == "" {
		return r.Detail
	}
	return r.Detail + "; " + r.Remedy
}

// NewRefusal is for the rules that live outside this package, in a workflow's
// definition.
func NewRefusal(rule Rule, detail, remedy string) *Refusal {
	return &Refusal{Rule: rule, Detail: detail, Remedy: remedy}
}

func refuse(rule Rule, detail, remedy string) error { return NewRefusal(rule, detail, remedy) }

// ConflictError says that a stream was not at the version the writer expected:
// somebody else acted first. Nothing was recorded.
type ConflictError struct {
	Stream   string
	Expected Version
	Actual   Version
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s is at version %d, not %d: somebody else acted first", e.Stream, e.Actual, e.Expected)
}

// ErrNotFound says that there is no such request, service or workflow version.
var ErrNotFound = errors.New("not found")
