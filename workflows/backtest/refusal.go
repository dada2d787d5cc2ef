package backtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/alur-id/alur/domain"
)

// refuse is what becomes of a course when a step is refused.
func (c *course) refuse(s *step, command domain.Command, w rules, refusal *domain.Refusal) (string, error) {
	act, acts := command.(domain.Act)
	taken := s.taken()
	switch {
	case acts && taken != nil && taken.From != taken.To && c.now.State == taken.To && c.beforeStep != c.now.State:
		if c.held {
			return fmt.Sprintf("not needed: the request stands in %q still", taken.To), nil
		}
		c.differs(Difference{Kind: Needless, Cause: fmt.Sprintf("action %q in state %q: the request is in %q by itself", act.Action, taken.From, taken.To)})
		return "needless", nil
	case refusal.Rule == domain.RuleTask && c.mayTake(command):
		if err := c.decide(command, w, s); !errors.As(err, &refusal) {
			return "the work has to be taken first", err
		}
	case c.now.Exists() && c.now.Outcome != "" && c.then.Outcome == "":
		c.after = fmt.Sprintf("%s in state %q and what came after: the request had ended by then", told(command), c.beforeStep)
		return c.stop("the request had ended by then: " + c.is.outcome), nil
	}
	if id, ok := c.waits(refusal); ok {
		c.compare(true)
		c.drop(Review, fmt.Sprintf("review %q: newly asked for", id))
		c.differs(Difference{Kind: Waits, Cause: fmt.Sprintf("waits in state %q for review %q, that nobody was asked for", c.now.State, id), Step: told(command)})
		return c.stop(fmt.Sprintf("waits for review %q, that nobody was asked for", id)), nil
	}
	if c.now.Exists() && c.now.State != c.beforeStep {
		if !c.refused {
			c.compare(true)
			c.differs(Difference{Kind: Stopped, Cause: fmt.Sprintf("%s, then in state %q, is refused in state %q (%s)", told(command), c.beforeStep, c.now.State, refusal.Rule), Detail: refusal.Detail, Step: told(command)})
		}
		return c.stop(fmt.Sprintf("stands in state %q, and then in %q: %v", c.now.State, c.beforeStep, refusal)), nil
	}
	c.compareBefore(s)
	c.tellRefusal(command, w, refusal)
	if _, migrates := command.(domain.Migrate); migrates || !c.now.Exists() {
		return c.stop("refused: " + refusal.Error()), nil
	}
	return "refused: " + refusal.Error(), nil
}

// compareBefore compares what was before a step was refused that moved the request: what
// comes after is its consequence. Of one that moved nothing, nothing has to follow.
func (c *course) compareBefore(s *step) {
	if s.moves() || !c.now.Exists() {
		c.compare(true)
		c.refused = true
		c.held = c.held || s.moves()
	}
}

func (c *course) stop(why string) string {
	c.stopped = true
	c.compare(true)
	c.h.Stopped = why
	return why
}

// drop takes back a difference that another one says better.
func (c *course) drop(k Kind, cause string) {
	c.h.Differences = slices.DeleteFunc(c.h.Differences, func(d Difference) bool { return d.Kind == k && d.Cause == cause })
}

// waits is a review that the request waits for and that nobody was asked for.
func (c *course) waits(refusal *domain.Refusal) (domain.ReviewID, bool) {
	if c.now.State == c.beforeStep && refusal.Rule != domain.RuleReview {
		return "", false
	}
	for _, id := range slices.Sorted(maps.Keys(c.now.Dossier.Reviews)) {
		if c.now.Dossier.Reviews[id].Opinion == domain.OpinionOpen && !c.was.asked[id] {
			return id, true
		}
	}
	return "", false
}

// spoken are the rules whose details name nothing but what stands in the definition.
var spoken = []domain.Rule{
	domain.RuleGuard, domain.RuleReview, domain.RuleUnpaid, domain.RuleFourEyes, domain.RuleChecklist, domain.RuleReason, domain.RuleRole,
	domain.RuleCapacity, domain.RuleFacts, domain.RuleAnswer, domain.RuleCondition, domain.RuleInvariant, domain.RuleIncomplete,
}

func (c *course) tellRefusal(command domain.Command, w rules, refusal *domain.Refusal) {
	if act, ok := command.(domain.Act); ok && refusal.Rule == domain.RuleIncomplete {
		if t, err := w.Fire(c.now, act.Action); err == nil {
			never := slices.DeleteFunc(slices.Clone(t.Needs.Documents), func(id domain.DocumentID) bool { return c.given[id] })
			slices.Sort(never)
			for _, id := range slices.Compact(never) {
				c.differs(Difference{Kind: Document, Cause: fmt.Sprintf("document %q was not handed in by then: action %q in state %q is refused", id, act.Action, c.now.State), Detail: refusal.Error(), Step: told(command)})
			}
			if len(never) > 0 {
				return
			}
		}
	}
	cause := told(command)
	if c.now.Exists() {
		cause += fmt.Sprintf(" in state %q", c.now.State)
	}
	cause += fmt.Sprintf(" is refused (%s)", refusal.Rule)
	if slices.Contains(spoken, refusal.Rule) {
		cause += ": " + refusal.Error()
	}
	c.differs(Difference{Kind: Refused, Cause: cause, Detail: refusal.Error(), Step: told(command)})
}
