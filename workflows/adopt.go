package workflows

import (
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// Shown implements [domain.Workflow].
func (w *Workflow) Shown(id domain.StateID) (domain.Shown, bool) {
	s := w.Definition.state(id)
	if s == nil {
		return domain.Shown{}, false
	}
	return domain.Shown{Public: s.Public, Outcome: s.Outcome}, true
}

// AdoptFacts implements [domain.Workflow]. The form is sealed: what would be computed
// from it is taken as it is.
func (w *Workflow) AdoptFacts(has domain.Facts) (domain.Facts, error) {
	var wrong []string
	facts := domain.Facts{}
	for i := range w.Definition.Facts {
		f := &w.Definition.Facts[i]
		v, ok := has[f.ID]
		if !ok && f.Default != nil {
			v, ok = f.Default, true
		}
		switch {
		case !ok && f.Required:
			wrong = append(wrong, "fact \""+f.ID+"\" is missing")
		case ok:
			read, err := f.read(v)
			if err == nil {
				err = f.bounded(read)
			}
			if err != nil {
				wrong = append(wrong, err.Error())
			}
			facts[f.ID] = read
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, domain.NewRefusal(domain.RuleFacts, strings.Join(wrong, "; "), "give a value in the map")
	}
	if len(facts) == 0 {
		return nil, nil
	}
	return facts, nil
}
