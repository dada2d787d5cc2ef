package workflows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

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
	FindingExpiry    = "expiry"     // nothing happens when its term runs out, or what must not
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
	FindingNoGrant   = "no_grant"   // no request can ever be approved, so nothing was proved of what is issued
	FindingUnused    = "unused"     // what is named and makes no difference
	FindingText      = "text"       // a text that cannot be shown as it is written
	FindingNumber    = "number"     // a number that is not written as JSON writes it, or a text that looks like one

	FindingForm       = "form"       // a form in another dialect of JSON Schema, or that nobody can hand in as it stands
	FindingAllocation = "allocation" // work that nobody can give on

	FindingReturn     = "return"     // staff can stop the clock of the law by sending back, again and again
	FindingSuspension = "suspension" // the clock stands still, and no rule says that it may
	FindingExtension  = "extension"  // somebody gives their own work more time
	FindingDeemed     = "deemed"     // a decision by law without a basis, a complete file, or a way to review it
	FindingPromise    = "promise"    // more is promised than the term gives
)

// Check reads a definition and looks for everything that stands against publishing
// it. The error is [Problems] when it cannot be read. Stories are in English.
func Check(file string, source []byte) (*Definition, []Finding, error) {
	return CheckIn("en", file, source)
}

// CheckIn is Check with its stories in a language, "en" or "id".
func CheckIn(lang, file string, source []byte) (*Definition, []Finding, error) {
	d, r, err := read(file, source)
	if err != nil {
		return nil, nil, err
	}
	c := &inspection{definitionReader: r, lang: lang}
	for _, look := range []func(){
		c.standard, c.terms, c.returns, c.suspensions, c.extensions, c.deemed, c.lapses, c.promises, c.allocations,
		c.chosen, c.reasons, c.nobody, c.capacities, c.alone, c.idle, c.publics, c.offices, c.unasked, c.grounds, c.silences,
		c.themselves, c.gates, c.unused, c.nowhere, c.steps, c.tests, c.fails, c.defaults, c.amounts,
		c.texts, c.numerals, c.dialects, c.misspelt, c.prove,
	} {
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
	lang     string // of stories
}

func (c *inspection) find(rule string, n ast.Node, format string, args ...any) {
	c.findStory(rule, n, nil, format, args...)
}

func (c *inspection) findStory(rule string, n ast.Node, story []string, format string, args ...any) {
	c.findAt(rule, firstToken(n), story, format, args...)
}

func (c *inspection) findAt(rule string, at *token.Token, story []string, format string, args ...any) {
	before := len(c.problems)
	c.problemAt(at, format, args...)
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
		var keys []string
		for _, x := range new(Standard).Components() {
			keys = append(keys, x.Key)
		}
		c.find(FindingStandard, c.root, "there is no service standard: the fourteen components of UU 25/2009 art. 21 under the key standard, %s", strings.Join(keys, ", "))
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
		refusals = refusals || c.ways.state(t.To).Outcome == domain.OutcomeRejected
		citizens := slices.ContainsFunc(t.Roles, c.citizen)
		if k := slices.IndexFunc(c.atOnce(t), func(to *State) bool {
			return to.Outcome == domain.OutcomeRejected || to.Public == domain.StatusNeedsCorrection && !citizens
		}); k >= 0 && !t.Automatic && len(t.Reasons) == 0 {
			c.find(FindingReason, c.node("transitions", i), "action %q to state %q needs reason codes: whoever is refused or sent back is told why", t.Action, c.atOnce(t)[k].ID)
		}
		if to := c.unexplained(t); to != nil {
			c.find(FindingReason, c.node("transitions", i), "action %q follows by itself and leads to %q, and neither a review nor an answer is behind it: say why under because, for whoever is refused or sent back is told", t.Action, to.ID)
		}
	}
	approvals := slices.ContainsFunc(c.d.States, func(s State) bool { return s.Outcome == domain.OutcomeApproved })
	if approvals && !refusals && !slices.ContainsFunc(c.ways.moves, func(m move) bool { return c.ways.state(m.expiry.To).Outcome == domain.OutcomeRejected }) {
		c.find(FindingNoRefusal, valueOf(c.root, "states"), "no request can be refused: a decision that can only be yes is none")
	}
	if !approvals {
		c.find(FindingNoGrant, valueOf(c.root, "states"), "nothing was proved about what is issued: no end has outcome approved, and fees, documents, reviews and who decides are proved of approvals alone: give the end where what was asked for is granted outcome: approved; where nothing ever is (a complaint, a notification), say so by a waiver")
	}
}

// unexplained is where a transition that follows by itself ends a request otherwise than
// with an approval, or sends it back, and nothing says why ([Engine.Told]); nil where there
// is none. One that belongs to the step before it is explained by that.
func (c *inspection) unexplained(t *Transition) *State {
	if !t.Automatic || !t.Because.IsZero() || t.Needs != nil && (t.Needs.Reviews == domain.OpinionRefused || t.Needs.Answer != "") {
		return nil
	}
	if !slices.ContainsFunc(t.From, func(id domain.StateID) bool { return c.next(c.ways.states[id]) != t }) {
		return nil
	}
	list := c.atOnce(t)
	k := slices.IndexFunc(list, func(to *State) bool {
		return to.Outcome != "" && to.Outcome != domain.OutcomeApproved || to.Public == domain.StatusNeedsCorrection
	})
	if k < 0 {
		return nil
	}
	return list[k]
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
		if t.Kind == "" && c.ways.state(t.To).Outcome == domain.OutcomeWithdrawn && slices.ContainsFunc(t.Roles, c.citizen) {
			c.find(FindingPublic, c.node("transitions", i), "action %q gives the request up, and is recorded as any other action: say kind: withdraw", t.Action)
		}
	}
}

// grounds holds that what the law makes of a term that ran out is what it says.
func (c *inspection) grounds() {
	told := map[*Expiry]bool{}
	for _, m := range c.ways.moves {
		s := c.ways.state(m.expiry.To)
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
	for _, m := range c.ways.moves {
		s := c.ways.state(m.from)
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
	for i := range c.d.Facts {
		if from := c.d.Facts[i].From; from != nil {
			for _, doubt := range from.doubts {
				c.findIn(from, "%s: %s", from.where(), doubt.text)
			}
		}
	}
	for _, x := range c.d.conditions() {
		for _, doubt := range x.doubts {
			c.findIn(x, "%s: %s", x.where(), doubt.text)
		}
		if x.speaksOfPast() || x.program == nil {
			continue
		}
		for _, facts := range c.d.examples(x.uses.facts, x) {
			if _, err := x.value(vars{facts: facts}); err != nil {
				c.findIn(x, "condition %q cannot be judged for every request: %s", x.Text, whyUnjudged(err))
				break
			}
		}
	}
}

// amounts holds that no fee comes out below nothing, or larger than any amount: it could
// not be assessed, and the request could not come to where it is due.
func (c *inspection) amounts() {
	for i := range c.d.Fees {
		f := &c.d.Fees[i]
		if f.Formula == nil || f.Formula.program == nil {
			continue
		}
		ids := slices.Clone(f.Formula.uses.facts)
		if f.When != nil {
			ids = append(ids, f.When.uses.facts...)
		}
		for _, facts := range append(c.d.examples(ids, f.When, f.Formula), c.d.extreme(ids, 1), c.d.extreme(ids, -1)) {
			if _, err := f.assess(vars{facts: facts}); isRefusal(err, domain.RuleFee) {
				c.findIn(f.Formula, "fee %q comes to no amount in rupiah for some requests, such as with %s: say a minimum and a maximum in the form, or when it is due", f.ID, suchAs(facts))
				break
			}
		}
	}
}

// suchAs is facts as they are told.
func suchAs(facts domain.Facts) string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(facts)) {
		list = append(list, id+" "+valueAs(facts[id]))
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

// extreme is facts of which each number is the largest that the form lets be and that is
// kept exactly, or with -1 the smallest.
func (d *Definition) extreme(ids []string, sign float64) domain.Facts {
	facts := domain.Facts{}
	for _, id := range ids {
		f := d.fact(id)
		b := d.boundsOf(f)
		values := d.candidates(f, &constants{numbers: []float64{sign * maxFee, b.least, b.most}, texts: []string{""}})
		facts[id] = slices.MaxFunc(values, func(x, y any) int {
			m, _ := x.(float64)
			n, _ := y.(float64)
			return cmp.Compare(sign*m, sign*n)
		})
	}
	return facts
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
