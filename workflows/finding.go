package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/internal/graph"
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
	FindingPublic    = "public"     // citizens are told something else than what has happened
	FindingCondition = "condition"  // a condition that cannot be judged for every request
	FindingGaveUp    = "gave_up"    // a proof was not finished
	FindingNoRefusal = "no_refusal" // no request can ever be refused
	FindingUnused    = "unused"     // what is named and makes no difference

	FindingAllocation = "allocation" // work that nobody can give on

	FindingReturn     = "return"     // staff can stop the clock of the law by sending back, again and again
	FindingSuspension = "suspension" // the clock stands still, and no rule says that it may
	FindingExtension  = "extension"  // somebody gives their own work more time
	FindingDeemed     = "deemed"     // a decision by law without a basis, a complete file, or a way to review it
	FindingPromise    = "promise"    // more is promised than the term gives
)

// Check reads a definition and looks for everything that stands against publishing
// it. The error is [Problems] when it cannot be read.
func Check(file string, source []byte) (*Definition, []Finding, error) {
	d, r, err := read(file, source)
	if err != nil {
		return nil, nil, err
	}
	c := &inspection{definitionReader: r}
	for _, look := range []func(){c.standard, c.terms, c.returns, c.suspensions, c.extensions, c.deemed, c.promises, c.allocations, c.chosen, c.reasons, c.capacities, c.alone, c.publics, c.unasked, c.grounds, c.silences, c.themselves, c.gates, c.fails, c.negatives, c.prove} {
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

// allocations holds that work that somebody has taken can be given to somebody else:
// of the owner's role, nobody else may do it, and whoever has it may fall ill.
func (c *inspection) allocations() {
	for i := range c.d.States {
		if s := &c.d.States[i]; s.Allocate != nil && len(s.Allocate.Assigner) == 0 {
			c.find(FindingAllocation, c.node("states", i), "nobody can give the work of state %q to somebody else when whoever took it cannot do it: name an assigner", s.ID)
		}
	}
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

// staff reports whether whoever acts in a role may be one of the staff: an officer, or
// somebody at the counter who acts for another. A role of citizens and of the counter
// is both.
func (c *inspection) staff(id domain.RoleID) bool {
	return slices.ContainsFunc(c.d.Roles, func(r Role) bool {
		return r.ID == id && (!c.citizen(id) || slices.Contains(r.Capacities, domain.CapacityCounter))
	})
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
		} else if decides && slices.Contains(r.Capacities, domain.CapacityCounter) {
			c.find(FindingCapacity, c.node("roles", i), "role %q may file for somebody at the counter and decide as an officer: make two of it", r.ID)
		}
	}
}

// themselves holds that whoever asks does not also give the opinions, the answers and the
// payments that their request waits for.
func (c *inspection) themselves() {
	note := func(n ast.Node, what string, roles ...domain.RoleID) {
		for _, id := range roles {
			if c.asker(id) {
				c.find(FindingCapacity, n, "%s is role %q, who asks: whoever asks does not decide on their own request", what, id)
			}
		}
	}
	d := &c.d
	note(valueOf(c.root, "payers"), "under payers", d.Payers...)
	for i := range d.Reviews {
		note(c.node("reviews", i), fmt.Sprintf("who gives review %q", d.Reviews[i].ID), d.Reviews[i].Role)
	}
	for i := range d.Checklists {
		note(c.node("checklists", i), fmt.Sprintf("who answers checklist %q", d.Checklists[i].ID), d.Checklists[i].By...)
	}
	for i := range d.Systems {
		note(c.node("systems", i), fmt.Sprintf("who answers for system %q", d.Systems[i].ID), d.Systems[i].Role)
	}
	for i := range d.Documents {
		note(c.node("documents", i), fmt.Sprintf("who refuses document %q", d.Documents[i].ID), d.Documents[i].RefusedBy...)
	}
	for i := range d.States {
		if a := d.States[i].Allocate; a != nil {
			note(c.node("states", i), fmt.Sprintf("who gives out the work of state %q", d.States[i].ID), a.Assigner...)
		}
	}
}

// asker reports whether a role may be used by those who ask.
func (c *inspection) asker(id domain.RoleID) bool {
	return slices.ContainsFunc(c.d.Roles, func(r Role) bool {
		asks, _ := splits(r.Capacities)
		return r.ID == id && asks
	})
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
// to its approval, nor the applicant with nobody's help.
func (c *inspection) alone() {
	roles := []domain.RoleID{""} // nobody among the staff
	for _, r := range c.d.Roles {
		if !c.citizen(r.ID) && slices.Contains(r.Capacities, domain.CapacityOfficer) {
			roles = append(roles, r.ID)
		}
	}
	for _, role := range roles {
		reached := graph.Closure(c.edgesOf(role), c.d.start().ID)
		for i := range c.d.States {
			s := &c.d.States[i]
			if s.Outcome != domain.OutcomeApproved || !reached[s.ID] {
				continue
			}
			if role == "" {
				c.find(FindingAlone, c.node("states", i), "an applicant alone can bring a request to %q: have an officer check and decide", s.ID)
				return
			}
			c.find(FindingAlone, c.node("states", i), "role %q alone can bring a request to %q: have another role check or decide", role, s.ID)
		}
	}
}

// edgesOf is where a request can go by one role of the staff and by those who ask.
func (c *inspection) edgesOf(role domain.RoleID) map[domain.StateID][]domain.StateID {
	forth := map[domain.StateID][]domain.StateID{}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		if !t.Automatic && !slices.ContainsFunc(t.Roles, func(id domain.RoleID) bool { return id == role || c.citizen(id) }) {
			continue
		}
		for _, from := range t.From {
			if !c.needsOthers(t, c.d.state(from), role) {
				forth[from] = append(forth[from], t.To)
			}
		}
	}
	return forth
}

// needsOthers reports whether a transition waits for reviews or an answer that
// others than this role give.
func (c *inspection) needsOthers(t *Transition, from *State, role domain.RoleID) bool {
	if t.Needs == nil {
		return false
	}
	if t.Needs.Answer != "" {
		return c.d.system(from.WaitsFor).Role != role
	}
	if t.Needs.Reviews == "" {
		return false
	}
	own := 0
	for _, id := range from.Reviews {
		if c.d.review(id).Role == role {
			own++
		}
	}
	if t.Needs.Reviews == domain.OpinionRefused {
		return own == 0
	}
	needed := len(from.Reviews)
	if from.Join != nil {
		switch n, err := strconv.Atoi(from.Join.Need); {
		case err == nil:
			needed = n
		case from.Join.Need == "any":
			needed = 1
		}
	}
	return own < needed
}

// publics holds that the word that citizens are shown is what has happened, and that a
// request that the applicant gives up is recorded as given up.
func (c *inspection) publics() {
	decided := map[domain.PublicStatus]domain.Outcome{
		domain.StatusApproved: domain.OutcomeApproved, domain.StatusRejected: domain.OutcomeRejected, domain.StatusWithdrawn: domain.OutcomeWithdrawn,
	}
	for i := range c.d.States {
		s := &c.d.States[i]
		told, tells := decided[s.Public]
		switch {
		case s.Kind != KindEnd && tells:
			c.find(FindingPublic, c.node("states", i), "state %q is not an end, and citizens are told %s", s.ID, s.Public)
		case s.Kind == KindEnd && told != s.Outcome && (tells || s.Outcome != domain.OutcomeClosed):
			c.find(FindingPublic, c.node("states", i), "state %q ends as %s, and citizens are told %s", s.ID, s.Outcome, s.Public)
		}
	}
	for i := range c.d.Transitions {
		t := &c.d.Transitions[i]
		if t.Kind == "" && c.d.state(t.To).Outcome == domain.OutcomeWithdrawn && slices.ContainsFunc(t.Roles, c.citizen) {
			c.find(FindingPublic, c.node("transitions", i), "action %q gives the request up, and is recorded as any other action: say kind: withdraw", t.Action)
		}
	}
}

// grounds holds that what the law makes of a term that ran out is what it says.
func (c *inspection) grounds() {
	told := map[*Expiry]bool{}
	for _, m := range c.d.moves() {
		s := c.d.state(m.expiry.To)
		fits := map[ExpiryGround]bool{
			DeemedApproval: s.Outcome == domain.OutcomeApproved, DeemedRefusal: s.Outcome == domain.OutcomeRejected,
			Lapse: s.Kind == KindEnd && s.Outcome != domain.OutcomeApproved,
		}
		if !fits[m.expiry.Ground] && !told[m.expiry] {
			told[m.expiry] = true
			c.find(FindingExpiry, c.root, "a term that runs out in %q moves the request to %q, which is not what %s leads to", m.from, s.ID, m.expiry.Ground)
		}
	}
}

// silences holds that no request is approved because its applicant kept silent: not in
// the applicant's own time, nor by a legal term that goes on while they are waited for.
func (c *inspection) silences() {
	told := map[domain.StateID]bool{}
	for _, m := range c.d.moves() {
		s := c.d.state(m.from)
		if m.expiry.Ground != DeemedApproval || !c.d.Applicants(s) || told[s.ID] {
			continue
		}
		told[s.ID] = true
		if m.term >= 0 {
			c.find(FindingExpiry, c.states[s.ID], "a request would be approved by the silence of whoever asks: state %q waits for them, and a legal term that ends in a deemed approval runs there: name the state under its suspended_in", s.ID)
		} else {
			c.find(FindingExpiry, c.states[s.ID], "a request would be approved by the silence of whoever asks: the term of state %q is their own, and ends in a deemed approval: let it lapse, or escalate", s.ID)
		}
	}
}

// unasked notes reviews that no state asks for.
func (c *inspection) unasked() {
	for i := range c.d.Reviews {
		id := c.d.Reviews[i].ID
		if !slices.ContainsFunc(c.d.States, func(s State) bool { return slices.Contains(s.Reviews, id) }) {
			c.find(FindingReview, c.node("reviews", i), "review %q is asked for in no state", id)
		}
	}
}

// fails holds that conditions over facts can be judged whatever the facts are.
func (c *inspection) fails() {
	for _, x := range c.d.conditions() {
		for _, doubt := range x.doubts {
			c.findIn(x, "%s: %s", x.where(), doubt.text)
		}
		if x.speaksOfPast() || x.program == nil {
			continue
		}
		for _, facts := range c.d.examples(x.uses.facts) {
			if _, err := x.value(vars{facts: facts}); err != nil {
				c.findIn(x, "condition %q cannot be judged for every request: %v", x.Text, errors.Unwrap(err))
				break
			}
		}
	}
}

// negatives holds that no fee comes out below nothing: it could not be assessed, and the
// request could not come to where it is due.
func (c *inspection) negatives() {
	for i := range c.d.Fees {
		f := &c.d.Fees[i]
		if f.Formula == nil || f.Formula.program == nil {
			continue
		}
		ids := slices.Clone(f.Formula.uses.facts)
		if f.When != nil {
			ids = append(ids, f.When.uses.facts...)
		}
		for _, facts := range c.d.examples(ids, f.When, f.Formula) {
			var refusal *domain.Refusal
			if _, err := f.assess(vars{facts: facts}); errors.As(err, &refusal) && refusal.Rule == domain.RuleFee {
				c.findIn(f.Formula, "fee %q comes to no amount in rupiah for some requests, such as with %s: say a minimum in the form, or when it is due", f.ID, suchAs(facts))
				break
			}
		}
	}
}

// suchAs is facts as they are told.
func suchAs(facts domain.Facts) string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(facts)) {
		list = append(list, fmt.Sprintf("%s %v", id, facts[id]))
	}
	return strings.Join(list, ", ")
}

// examples are facts of all sorts: not all, but of each type what is most often
// forgotten, and what some conditions compare it with.
func (d *Definition) examples(ids []string, among ...*Condition) []domain.Facts {
	literals := &constants{numbers: []float64{-1, 0, 1.5}, texts: []string{"", "12"}}
	for _, c := range among {
		if c != nil {
			literals.gather(c)
		}
	}
	all := []domain.Facts{{}}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		values := d.candidates(d.fact(id), literals)
		if len(all)*len(values) > maxValuations {
			values = values[:1]
		}
		var next []domain.Facts
		for _, facts := range all {
			for _, v := range values {
				more := maps.Clone(facts)
				more[id] = v
				next = append(next, more)
			}
		}
		all = next
	}
	return all
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
