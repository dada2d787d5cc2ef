package domain

import (
	"fmt"
	"slices"
)

// mayReturn is the rule of the one full return: what is wrong with a file has to be
// said at once. Once more is possible only for a reason that nobody could have seen
// before; somebody else than who sends it back has to say so.
func mayReturn(r Request, c Act, t Transition) error {
	if t.Kind != ActionReturn || len(r.Returned) == 0 {
		return nil
	}
	again := fmt.Sprintf("the request was sent back before; action %q once more", c.Action)
	consent := r.Consent
	switch {
	case len(t.Consent) == 0:
		return refuse(RuleReturn, again+" is not possible", "decide on what is there")
	case consent == nil || consent.Action != c.Action || consent.Reason != c.Reason:
		return refuse(RuleReturn, again+" needs consent, for this reason", "ask one of "+Listed(t.Consent)+" for it")
	case c.Actor.SamePerson(consent.By):
		return refuse(RuleFourEyes, "whoever consents to another return may not send the request back", "let somebody else do it")
	}
	return nil
}

func consentReturn(r Request, c ConsentReturn, w Workflow) (Body, error) {
	if err := r.open(c.Expected, nil, "a consent"); err != nil {
		return nil, err
	}
	t, err := w.Fire(r, c.Action)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Kind != ActionReturn || len(r.Returned) == 0:
		return nil, refuse(RuleReturn, fmt.Sprintf("action %q needs no consent now", c.Action), "take it")
	case len(t.Consent) == 0:
		return nil, refuse(RuleReturn, fmt.Sprintf("the request was sent back before; action %q once more is not possible, and nobody can consent to it", c.Action), "decide on what is there")
	}
	if err := mayAct(c.Actor, t.Consent, w, "consent to another return"); err != nil {
		return nil, err
	}
	switch {
	case slices.Contains(r.Returned, c.Reason):
		return nil, refuse(RuleReturn, fmt.Sprintf("the request was sent back for reason %q before", c.Reason), "what could be seen then cannot be held against it now")
	}
	if err := oneOf(c.Reason, t.Reasons, "a consent"); err != nil {
		return nil, err
	}
	return ReturnConsented{Action: c.Action, Reason: c.Reason}, nil
}

// Consent is that to another return.
type Consent struct {
	Action ActionID
	Reason ReasonCode
	By     string
}
