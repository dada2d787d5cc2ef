package workflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// FindingTest is a test in the file that says nothing of the definition: it expects
// nothing, or names what there is not, and would be refused for that alone. The runner
// fails it, too.
const FindingTest = "test"

// saysNothing is a test that expects neither how the request then stands nor that
// anything is refused.
const saysNothing = "expects nothing: say how the request then stands, or by which rule a step is refused"

// idle reports whether a test expects nothing.
func (s *Scenario) idle() bool {
	refusal := s.Given.Refused != "" || slices.ContainsFunc(s.When, func(x Step) bool { return x.Refused != "" })
	return !refusal && s.Then.empty()
}

// empty reports whether nothing is expected.
func (e *Expected) empty() bool {
	return e.State == "" && e.Worker == "" && e.Public == "" && e.Outcome == "" &&
		len(e.Fees)+len(e.Reviews)+len(e.Facts)+len(e.Due)+len(e.Terms) == 0
}

// givenFaults are the names in what is submitted that there are not.
func (d *Definition) givenFaults(g *ScenarioFile) []failure {
	return d.unknownFacts(g.Facts, g.places)
}

// stepFaults are the names in a step that there are not, each at its place: whatever
// expects that they are refused expects it of a slip.
func (d *Definition) stepFaults(s *Step) []failure {
	var list []failure
	note := func(key, format string, args ...any) {
		at := s.places[key]
		at.text = fmt.Sprintf(format, args...)
		list = append(list, at)
	}
	reasons := ids(d.Reasons, func(r Reason) domain.ReasonCode { return r.Code })
	if s.Reason != "" && !slices.Contains(reasons, s.Reason) {
		note("reason", "gives a reason %q that there is not%s", string(s.Reason), meant(string(s.Reason), reasons))
	}
	given := []domain.Opinion{domain.OpinionApproved, domain.OpinionRefused}
	if s.Review != "" && s.Opinion != "" && !slices.Contains(given, s.Opinion) {
		note("opinion", "gives an opinion %q that there is not%s", string(s.Opinion), meant(string(s.Opinion), given))
	}
	if x := d.system(s.Report); x != nil && s.Outcome != "" && !slices.Contains(x.Outcomes, s.Outcome) {
		note("outcome", "reports an outcome %q that there is not%s", s.Outcome, meant(s.Outcome, x.Outcomes))
	}
	if s.Check != "" {
		if text := d.checkFault(s.Check); text != "" {
			note("check", "%s", text)
		}
	}
	return append(list, d.unknownFacts(s.Facts, s.places)...)
}

// checkFault says of a checklist or an item of one that there is none.
func (d *Definition) checkFault(check string) string {
	list, item, one := strings.Cut(check, "/")
	i := slices.IndexFunc(d.Checklists, func(c Checklist) bool { return string(c.ID) == list })
	if i < 0 {
		all := ids(d.Checklists, func(c Checklist) string { return string(c.ID) })
		return fmt.Sprintf("answers a checklist %q that there is not%s", list, meant(list, all))
	}
	items := ids(d.Checklists[i].Items, func(x CheckItem) string { return string(x.ID) })
	if one && !slices.Contains(items, item) {
		return fmt.Sprintf("answers an item %q that checklist %s does not have%s", item, list, meant(item, items))
	}
	return ""
}

func (d *Definition) unknownFacts(facts map[string]any, places map[string]failure) []failure {
	known := ids(d.Facts, func(f Fact) string { return f.ID })
	var list []failure
	for _, id := range slices.Sorted(maps.Keys(facts)) {
		if !slices.Contains(known, id) {
			at := places["facts."+id]
			at.text = fmt.Sprintf("gives a fact %q that there is not%s", id, meant(id, known))
			list = append(list, at)
		}
	}
	return list
}

// elsewhere says of a step that it names another state than the one whose work it gives
// out, or another suspension than it lifts: the command itself names neither.
func (p *player) elsewhere(s *Step) string {
	at := p.request.State
	switch {
	case s.Pick != "" && s.Pick != at:
		return fmt.Sprintf("picks the work of %s, and the request stands at %s", s.Pick, at)
	case s.Allocate != "" && s.Allocate != at:
		return fmt.Sprintf("gives out the work of %s, and the request stands at %s", s.Allocate, at)
	case s.Lift != "" && p.request.Halt != "" && s.Lift != p.request.Halt:
		return fmt.Sprintf("lifts a suspension on the ground %s, and the terms stand still on the ground %s", s.Lift, p.request.Halt)
	}
	return ""
}

// tests notes the tests that say nothing, and what they name that there is not.
func (c *inspection) tests() {
	for i := range c.d.Tests {
		s := &c.d.Tests[i]
		at := func(f failure, format string, args ...any) {
			c.find(FindingTest, nodeAt(c.node("tests", i), f.line, f.column), "test %q: "+format, append([]any{s.Name}, args...)...)
		}
		for _, f := range c.d.givenFaults(&s.Given) {
			at(f, "the submission %s", f.text)
		}
		for k := range s.When {
			for _, f := range c.d.stepFaults(&s.When[k]) {
				at(f, "step %d %s", k+1, f.text)
			}
		}
		if s.idle() {
			at(failure{line: s.Then.line, column: s.Then.column}, "%s", saysNothing)
		}
	}
}
