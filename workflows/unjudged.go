package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// unjudgedError says that a condition failed while it was judged: it comes to
// neither yes nor no. The cause is in plain words.
type unjudgedError struct {
	condition *Condition
	facts     domain.Facts
	cause     error
}

func (e *unjudgedError) Error() string {
	return fmt.Sprintf("%s cannot be judged: %v", e.condition.where(), e.cause)
}

func (e *unjudgedError) Unwrap() error { return e.cause }

// refusal is what is told to whoever needs the condition.
func (e *unjudgedError) refusal(w *Workflow) *domain.Refusal {
	asked := e.asked()
	if asked != "" {
		asked = "look whether " + asked + " is right and, if not, correct it; otherwise "
	}
	return domain.NewRefusal(domain.RuleCondition,
		fmt.Sprintf("workflow %s version %d: %v", w.Definition.ID, w.version, e),
		asked+"the agency has to mend the condition: "+e.condition.Text)
}

// asked names the facts that the condition asks for, with those values that cannot
// hold what somebody wrote.
func (e *unjudgedError) asked() string {
	var told []string
	for _, id := range slices.Compact(slices.Sorted(slices.Values(e.condition.uses.facts))) {
		text := "fact " + id
		switch v := e.facts[id].(type) {
		case bool, float64:
			text += fmt.Sprintf(" (%v)", v)
		default:
		}
		told = append(told, text)
	}
	return strings.Join(told, ", ")
}

// where is the condition's place in its definition.
func (c *Condition) where() string {
	if c.place == "" || c.begin == nil { // a fact's, or of a definition that was not read
		return fmt.Sprintf("condition %q", c.Text)
	}
	return fmt.Sprintf("%s (line %d)", c.place, c.begin.Position.Line)
}

// unjudged makes the refusal of a condition that failed of an error that has one.
func (w *Workflow) unjudged(err error) error {
	var failed *unjudgedError
	if errors.As(err, &failed) {
		return failed.refusal(w)
	}
	return err
}

// plain says in plain words what CEL says of a value that there is not.
func plain(err error) error {
	text := err.Error()
	for _, known := range []struct{ says, means string }{
		{"division by zero", dividesByZero},
		{"modulus by zero", dividesByZero},
		{"overflow", "a number grows too large"},
		{"no such attribute", "a fact that it asks for is missing"},
		{"no such key", "it looks up a name that is not there"},
		{"index out of", "it looks up a place that a list does not have"},
		{"invalid_argument", "it looks up a place that a list does not have"},
		{"cost limit", "a text is too long to be judged"},
		{"to 'google.protobuf.Duration'", "a text is no span of time, and it takes it for one"},
		{"from 'string' to 'bool'", "a text is neither true nor false, and it takes it for one"},
		{"type conversion error from 'string'", "a text is no number, and it takes it for one"},
		{"timestamp", "a text is no time, and it takes it for one"},
		{"no such overload", "it puts values together that do not go together"},
		{"regex", "a pattern cannot be read"},
	} {
		if strings.Contains(text, known.says) {
			return errors.New(known.means)
		}
	}
	return err
}

// whyUnjudged says why a condition fails and, where it may divide by zero, what would help.
func whyUnjudged(err error) string {
	text := errors.Unwrap(err).Error()
	if text == dividesByZero {
		text += ": say first that it is not zero, as in facts.plot > 0.0 && ..."
	}
	return text
}

const dividesByZero = "it divides by zero"

// placeConditions tells each condition whose it is.
func (d *Definition) placeConditions() {
	at := func(c *Condition, format string, args ...any) {
		if c != nil {
			c.place = fmt.Sprintf(format, args...)
		}
	}
	for i := range d.Documents {
		at(d.Documents[i].RequiredWhen, "document %q, required_when", d.Documents[i].ID)
	}
	for i := range d.Fees {
		at(d.Fees[i].When, "fee %q, when", d.Fees[i].ID)
		at(d.Fees[i].Formula, "fee %q, formula", d.Fees[i].ID)
	}
	for i := range d.Reviews {
		at(d.Reviews[i].When, "review %q, when", d.Reviews[i].ID)
	}
	for i := range d.Transitions {
		t := &d.Transitions[i]
		at(t.When, "transition %q to %q, when", t.Action, t.To)
	}
	for i := range d.Invariants {
		at(d.Invariants[i].Never, "invariant, never")
		at(d.Invariants[i].Always, "invariant, always")
	}
}

// findIn notes what is found in a condition.
func (c *inspection) findIn(x *Condition, format string, args ...any) {
	c.findAt(FindingCondition, x.begin, nil, format, args...)
}
