package workflows

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alur-id/alur/domain"
)

// maxFactText is how many characters a fact's text may have: what a condition costs is
// estimated for texts of that length.
const maxFactText = usualText

// bounded holds that a text that is to be kept is not too long, and that a number leaves
// room to compute with it: conditions are proved for those that do.
func (f *Fact) bounded(v any) error {
	if n, ok := v.(float64); ok && n != 0 && (math.Abs(n) > maxNumber || math.Abs(n) < minNumber) {
		return fmt.Errorf("fact %q is too large a number, or too near to zero: it is 0, or between %v and %v", f.ID, minNumber, maxNumber)
	}
	if text, ok := v.(string); ok && utf8.RuneCountInString(text) > maxFactText {
		return fmt.Errorf("fact %q has %d characters; at most %d are kept", f.ID, utf8.RuneCountInString(text), maxFactText)
	}
	return nil
}

// compute is a fact's value by the form; false where a field that it is computed from
// was not filled in: the form's schema says whether it must be. An error says why a form
// that was filled in has no value, and nothing of what was filled in.
func (f *Fact) compute(form domain.Personal) (any, bool, error) {
	v, err := f.From.value(vars{form: form})
	if n, ok := v.(float64); ok && (math.IsNaN(n) || math.IsInf(n, 0)) {
		return nil, false, f.uncomputed("it comes to no number")
	}
	if err == nil || f.unfilled(form) != "" {
		return v, err == nil, nil
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "by zero"):
		return nil, false, f.uncomputed(dividesByZero)
	case strings.Contains(text, "too large"), strings.Contains(text, "range"):
		return nil, false, f.uncomputed("a number is too large")
	}
	return nil, false, f.uncomputed("what was filled in does not fit")
}

func (f *Fact) uncomputed(why string) error {
	return fmt.Errorf("fact %q cannot be computed by %q: %s", f.ID, f.From.Text, why)
}

// unfilled is the first field that a fact is computed from and that was left empty.
func (f *Fact) unfilled(form domain.Personal) string {
	if f.From == nil {
		return ""
	}
	i := slices.IndexFunc(f.From.uses.forms, func(path string) bool {
		v, ok := lookUp(form, path)
		return !ok || v == nil
	})
	if i < 0 {
		return ""
	}
	return f.From.uses.forms[i]
}

// missing says that a fact that must be there is not.
func (f *Fact) missing(form domain.Personal) string {
	if field := f.unfilled(form); field != "" {
		return fmt.Sprintf("fact %q is missing: field %q of the form is not filled in", f.ID, field)
	}
	return fmt.Sprintf("fact %q is missing", f.ID)
}
