package workflows

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// FactsAnew are the facts as this version would have recorded them, by what another
// version recorded. What people filled in beside the facts is not opened: sealed says
// that there may be such a form, else there was none. What cannot be said without it is
// listed; such a fact is taken as it was recorded. What this version does not ask for
// is left out. The error is that of [Workflow.CheckFacts].
func (w *Workflow) FactsAnew(recorded domain.Facts, by *Workflow, sealed bool) (domain.Facts, []string, error) {
	var unsaid []string
	given := domain.Facts{}
	for i := range w.Definition.Facts {
		f := &w.Definition.Facts[i]
		v, ok := recorded[f.ID]
		old := by.Definition.fact(f.ID)
		if !ok || f.Recorded || old == nil || old.Recorded || f.From != nil && !sealed {
			continue
		}
		given[f.ID] = v
		if !old.Required && old.Default != nil && v == old.Default && old.Default != f.Default {
			unsaid = append(unsaid, fmt.Sprintf("fact %q: whether it was said, or is the default of then", f.ID))
		}
	}
	if !sealed {
		facts, err := w.CheckFacts(given, nil)
		return facts, unsaid, err
	}
	if !w.sameForm(by) {
		unsaid = append(unsaid, "whether the form is taken as it was filled in")
	}
	computed := map[string]bool{}
	for i := range w.Definition.Facts {
		f := &w.Definition.Facts[i]
		if f.From == nil {
			continue
		}
		computed[f.ID] = true
		if old := by.Definition.fact(f.ID); old == nil || old.From == nil || old.From.Text != f.From.Text {
			unsaid = append(unsaid, fmt.Sprintf("fact %q: it is computed otherwise from the form", f.ID))
		}
	}
	facts, err := w.settled(given, computed)
	return facts, unsaid, err
}

// settled checks facts whose computed ones are there already.
func (w *Workflow) settled(given domain.Facts, computed map[string]bool) (domain.Facts, error) {
	var wrong []string
	facts := domain.Facts{}
	for i := range w.Definition.Facts {
		f := w.Definition.Facts[i]
		f.From = nil
		v, ok, err := f.of(given, nil)
		switch {
		case err != nil:
			wrong = append(wrong, err.Error())
		case ok:
			facts[f.ID] = v
		case f.Required && !computed[f.ID]: // of a computed one, the form says
			wrong = append(wrong, f.missing(nil))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, domain.NewRefusal(domain.RuleFacts, strings.Join(wrong, "; "), "its facts are "+strings.Join(ids(w.Definition.Facts, func(f Fact) string { return f.ID }), ", "))
	}
	if len(facts) == 0 {
		return nil, nil
	}
	return facts, nil
}

// sameForm reports whether two versions ask for the same form.
func (w *Workflow) sameForm(by *Workflow) bool {
	a, b := w.Definition.Form, by.Definition.Form
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(a.Schema, b.Schema)
}
