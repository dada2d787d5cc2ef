package domain

import (
	"fmt"
	"slices"
	"time"
)

// expire is what happens at a moment that a term waits for. A calendar that was
// amended meanwhile may have moved the moment: then only that is recorded.
func expire(r Request, c Expire, w Workflow) ([]Body, error) {
	if err := r.as(0); err != nil {
		return nil, err
	}
	if c.Actor != follower {
		return nil, refuse(RuleRole, "a term runs out by itself", "leave it to the system")
	}
	t, rule, err := ruleOf(r, c.Term, w)
	if err != nil {
		return nil, err
	}
	if t.Wakes.IsZero() || !t.Wakes.Equal(c.Due) || !c.Occurred.Equal(c.Due) {
		return nil, refuse(RuleTerm, fmt.Sprintf("term %q does not wait for this moment", c.Term), "")
	}
	if body, err := recompute(rule, t, c.Due, w.Clock()); body != nil || err != nil {
		return []Body{body}, err
	}
	if c.Due.Equal(rule.Ends()) {
		body, err := ended(rule, t, c.Due, w.Clock())
		return []Body{body}, err
	}
	var bodies []Body
	for t.Steps < len(rule.Steps) && t.Wakes.Equal(c.Due) {
		step := rule.Steps[t.Steps]
		t = t.stepped(step.Step, c.Due)
		k, err := w.Clock().Reckon(*rule, t, c.Due)
		if err != nil {
			return nil, err
		}
		t = t.reckoned(k)
		switch step.Step {
		case StepRemind:
			bodies = append(bodies, TermReminded{Term: c.Term, Role: step.Role, Reckoning: k})
		case StepExpire:
			bodies = append(bodies, TermExpired{Term: c.Term, Ground: rule.Ground, Reckoning: k})
			if rule.To != "" {
				return append(bodies, rule.move(r.State)), nil
			}
		case StepEscalate, StepOmbudsman:
			bodies = append(bodies, TermEscalated{Term: c.Term, Step: step.Step, Role: step.Role, Reckoning: k})
		}
	}
	return bodies, nil
}

// barred is what is recorded of a term that has run out where the move that the law makes
// of it cannot be taken, because the workflow says of what it leads to that it must never
// be, or cannot judge it. Nobody is locked out by that: the request stays where it is, and
// is put before the ombudsman. False for events that move nothing.
func barred(bodies []Body, why *Refusal) ([]Body, bool) {
	last := len(bodies) - 1
	if _, moves := MoveOf(bodies[last]); !moves || last == 0 {
		return nil, false
	}
	expired, ok := bodies[last-1].(TermExpired)
	if !ok {
		return nil, false
	}
	expired.Barred = why.Error()
	return append(bodies[:last-1:last-1], expired, TermEscalated{Term: expired.Term, Step: StepOmbudsman, Reckoning: expired.Reckoning}), true
}

// stepped is a term after one step of its running out.
func (t Term) stepped(s TermStep, at time.Time) Term {
	t.Steps++
	t.Taken = append(slices.Clip(t.Taken), s)
	if s == StepExpire {
		t.Expired = at
	}
	return t
}

// move is what the law makes of the silence.
func (rule *TermRule) move(from StateID) Body {
	if rule.Ground == Lapse {
		return RequestLapsed{Term: rule.ID, Basis: rule.Basis, From: from, To: rule.To, Public: rule.Public, Outcome: rule.Outcome}
	}
	return DecisionDeemed{Term: rule.ID, Ground: rule.Ground, Basis: rule.Basis, From: from, To: rule.To, Public: rule.Public, Outcome: rule.Outcome}
}
