package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// CheckTimes implements [domain.Workflow].
func (w *Workflow) CheckTimes(facts domain.Facts) error {
	var wrong []string
	for i := range w.Definition.Facts {
		f := &w.Definition.Facts[i]
		if v, ok := facts[f.ID]; ok && v != f.Default {
			if err := f.dated(v); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return domain.NewRefusal(domain.RuleFacts, strings.Join(slices.Sorted(slices.Values(wrong)), "; "), "give a time between them, in UTC")
}

// dated holds that a time, as it is recorded, is one that every log and view can keep.
func (f *Fact) dated(v any) error {
	text, ok := v.(string)
	if !ok || f.Type != FactTime {
		return nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err != nil || at.Year() < 1900 { // a year of five digits is not parsed
		return fmt.Errorf("fact %q lies outside the years 1900 to 9999", f.ID)
	}
	return nil
}
