package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Finding is what stands against publishing a definition that can be read: a rule
// of good administration that it does not keep, or a proof that failed. Story is
// the shortest way there, step by step, for a proof.
type Finding struct {
	Rule string `json:"rule"`
	Problem
	Story []string `json:"story,omitempty"`
}

// The rules that a definition is checked by.
const (
	FindingStandard  = "standard"   // the service standard lacks a component
	FindingTerm      = "term"       // a state where somebody has to act has no term
	FindingExpiry    = "expiry"     // nothing happens when its term runs out
	FindingReason    = "reason"     // a refusal or a return without a reason code
	FindingCapacity  = "capacity"   // one action for the citizen and for staff alike
	FindingAlone     = "alone"      // one role can approve by itself
	FindingSeparated = "separate"   // one person can pass gates that are to be kept apart
	FindingReview    = "review"     // approved without a review that was due, or against one
	FindingUnpaid    = "unpaid"     // approved although a fee is owed
	FindingDocuments = "documents"  // approved although a required document is missing
	FindingInvariant = "invariant"  // what the definition says must never be can be
	FindingDead      = "dead"       // a transition that no request can ever take
	FindingStuck     = "stuck"      // a request can come to where nothing leads to an end
	FindingEndless   = "endless"    // automatic transitions that run in a circle
	FindingGaveUp    = "gave_up"    // a proof was not finished
	FindingNoRefusal = "no_refusal" // no request can ever be refused
)

// Check reads a definition and looks for everything that stands against publishing
// it. The error is [Problems] when it cannot be read.
func Check(file string, source []byte) (*Definition, []Finding, error) {
	d, r, err := read(file, source)
	if err != nil {
		return nil, nil, err
	}
	c := &inspection{definitionReader: r}
	for _, look := range []func(){c.standard, c.terms, c.reasons, c.capacities, c.alone, c.prove} {
		look()
	}
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d, c.findings, nil
}

// inspection looks at a definition that was read, and at the places in its file.
type inspection struct {
	*definitionReader
	findings []Finding
}

func (c *inspection) find(rule string, n ast.Node, format string, args ...any) {
	c.findStory(rule, n, nil, format, args...)
}

func (c *inspection) findStory(rule string, n ast.Node, story []string, format string, args ...any) {
	before := len(c.problems)
	c.problem(n, format, args...)
	c.findings = append(c.findings, Finding{Rule: rule, Problem: c.problems[before], Story: story})
	c.problems = c.problems[:before]
}

// node is the place of the i-th item of a list; that of the whole where there is
// none.
func (c *inspection) node(list string, i int) ast.Node {
	if items := c.items(list); i < len(items) {
		return items[i]
	}
	return c.root
}

func (c *inspection) standard() {
	if c.d.Standard == nil {
		c.find(FindingStandard, c.root, "there is no service standard: the fourteen components of UU 25/2009 art. 21 under the key standard")
		return
	}
	var missing []string
	for _, x := range c.d.Standard.Components() {
		if x.Text.IsZero() {
			missing = append(missing, x.Key)
		}
	}
	if len(missing) > 0 {
		c.find(FindingStandard, valueOf(c.root, "standard"), "the service standard lacks %s", strings.Join(missing, ", "))
	}
}

// terms holds that wherever somebody has to act, there is a time for it and
// something that happens when it runs out.
func (c *inspection) terms() {
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Kind == KindEnd {
			continue
		}
		budgets, ends := c.d.timed(s)
		switch {
		case !budgets:
			c.find(FindingTerm, c.node("states", i), "state %q has no term: say how long it may take", s.ID)
		case !ends:
			c.find(FindingExpiry, c.node("states", i), "nothing happens when the term of state %q runs out: say whom it escalates to, or where the request moves", s.ID)
		}
	}
	for i := range c.d.Reviews {
		x := &c.d.Reviews[i]
		switch {
		case x.Term == nil:
			c.find(FindingTerm, c.node("reviews", i), "review %q has no term: say how long it may take", x.ID)
		case x.Term.Expires == nil:
			c.find(FindingExpiry, c.node("reviews", i), "nothing happens when the term of review %q runs out", x.ID)
		}
	}
}

// timed tells whether a term runs in a state, and whether something happens when
// it runs out.
func (d *Definition) timed(s *State) (budget, end bool) {
	if s.Term != nil {
		budget, end = true, s.Term.Expires != nil
	}
	if s.Kind == KindWait {
		return budget, end // legal terms bind the agency, not whom it waits for
	}
	for i := range d.Terms {
		t := &d.Terms[i]
		budget, end = true, end || t.Expires != nil
	}
	return budget, end
}

// reasons holds that whoever refuses or sends back says why, by a code.
func (c *inspection) reasons() {
	refusals := false
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		to := c.d.state(t.To)
		refuses := to.Outcome == domain.OutcomeRejected
		refusals = refusals || refuses
		returns := to.Public == domain.StatusNeedsCorrection && !t.Automatic && !slices.ContainsFunc(t.Roles, c.citizen)
		if (refuses && !t.Automatic || returns) && len(t.Reasons) == 0 {
			c.find(FindingReason, c.node("transitions", i), "action %q to state %q needs reason codes: whoever is refused or sent back is told why", t.Action, t.To)
		}
	}
	approvals := slices.ContainsFunc(c.d.States, func(s State) bool { return s.Outcome == domain.OutcomeApproved })
	if approvals && !refusals && !slices.ContainsFunc(c.d.moves(), func(m move) bool { return c.d.state(m.expiry.To).Outcome == domain.OutcomeRejected }) {
		c.find(FindingNoRefusal, valueOf(c.root, "states"), "no request can be refused: a decision that can only be yes is none")
	}
}

// citizen reports whether a role is one of those who ask, and not of those who
// decide.
func (c *inspection) citizen(id domain.RoleID) bool {
	for _, r := range c.d.Roles {
		if r.ID == id {
			return !slices.ContainsFunc(r.Capacities, func(x domain.Capacity) bool {
				return x == domain.CapacityOfficer || x == domain.CapacitySystem || x == domain.CapacityUnrecorded
			})
		}
	}
	return false
}

// capacities holds that no action is shared by citizens and staff: it could not be
// told later on whose behalf it was taken.
func (c *inspection) capacities() {
	type use struct{ citizen, staff domain.RoleID }
	uses := map[domain.ActionID]use{}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		u, before := uses[t.Action], uses[t.Action]
		for _, role := range t.Roles {
			if c.citizen(role) {
				u.citizen = role
			} else {
				u.staff = role
			}
		}
		uses[t.Action] = u
		if u.citizen != "" && u.staff != "" && (before.citizen == "" || before.staff == "") {
			c.find(FindingCapacity, c.node("transitions", i), "action %q is shared by %s, who asks, and %s, who decides: give them an action each", t.Action, u.citizen, u.staff)
		}
	}
	for i, r := range c.d.Roles {
		if asks, decides := splits(r.Capacities); asks && decides {
			c.find(FindingCapacity, c.node("roles", i), "role %q may act as one who asks and as an officer: make two of it", r.ID)
		}
	}
}

func splits(list []domain.Capacity) (asks, decides bool) {
	for _, x := range list {
		switch x {
		case domain.CapacitySelf, domain.CapacityProxy, domain.CapacityProfessional:
			asks = true
		case domain.CapacityOfficer:
			decides = true
		default:
		}
	}
	return asks, decides
}

// alone holds that no single role of the staff brings a request from its submission
// to its approval.
func (c *inspection) alone() {
	start := c.d.start()
	for _, r := range c.d.Roles {
		if c.citizen(r.ID) || !slices.Contains(r.Capacities, domain.CapacityOfficer) {
			continue
		}
		forth := map[domain.StateID][]domain.StateID{}
		for i := range c.d.Transitions {
			t := &c.d.Transitions[i]
			if !t.Automatic && !slices.ContainsFunc(t.Roles, func(id domain.RoleID) bool { return id == r.ID || c.citizen(id) }) {
				continue
			}
			if t.Automatic && c.needsOthers(t, r.ID) {
				continue
			}
			for _, from := range t.From {
				if c.d.state(from).Kind != KindEnd {
					forth[from] = append(forth[from], t.To)
				}
			}
		}
		reached := closure(forth, start.ID)
		for i := range c.d.States {
			if s := &c.d.States[i]; s.Outcome == domain.OutcomeApproved && reached[s.ID] {
				c.find(FindingAlone, c.node("states", i), "role %q alone can bring a request to %q: have another role check or decide", r.ID, s.ID)
			}
		}
	}
}

// needsOthers reports whether an automatic transition waits for a review or an
// answer that another role than this one gives.
func (c *inspection) needsOthers(t *Transition, role domain.RoleID) bool {
	if t.Needs == nil {
		return false
	}
	for _, from := range t.From {
		s := c.d.state(from)
		if t.Needs.Reviews != "" && slices.ContainsFunc(s.Reviews, func(id domain.ReviewID) bool { return c.d.review(id).Role != role }) {
			return true
		}
		if t.Needs.Answer != "" {
			return true
		}
	}
	return false
}

// String is the finding with its place, as editors expect, and its story.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", f.Problem.String(), f.Rule)
	if f.Excerpt != "" {
		b.WriteString("\n" + f.Excerpt)
	}
	for i, s := range f.Story {
		fmt.Fprintf(&b, "\n  %2d. %s", i+1, s)
	}
	return b.String()
}
