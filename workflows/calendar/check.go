package calendar

import (
	"errors"
	"fmt"
	"strings"
)

// The years that a decree may speak of.
const (
	MinYear = 2000
	MaxYear = 2100
)

// Check returns an error for a decree that no calendar can be made of.
func (d *Decree) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if strings.TrimSpace(d.Number) == "" {
		bad("it has no number")
	}
	inRange := func(x Date) bool { return x.Year() >= MinYear && x.Year() <= MaxYear }
	for _, y := range d.Covers {
		if y < MinYear || y > MaxYear {
			bad("year %d is not between %d and %d", y, MinYear, MaxYear)
		}
	}
	if len(d.Repeals) > 0 && d.Published == 0 {
		bad("it repeals, and does not say when it was published")
	}
	for _, p := range d.Ramadan {
		if !inRange(p.From) || !inRange(p.To) || p.From > p.To {
			bad("Ramadan from %s to %s", p.From, p.To)
		}
	}
	for _, r := range d.Rules {
		if !inRange(r.From) || r.To != 0 && (r.To < r.From || !inRange(r.To)) {
			bad("rules from %s to %s", r.From, r.To)
		}
		errs = append(errs, r.Week.check())
		if r.Ramadan != nil {
			errs = append(errs, r.Ramadan.check())
		}
	}
	seen := map[Date]bool{}
	for _, x := range d.Days {
		switch {
		case !inRange(x.Date):
			bad("%s is not between %d and %d", x.Date, MinYear, MaxYear)
		case seen[x.Date]:
			bad("%s stands there twice", x.Date)
		case x.Kind == OwnHours && len(x.Hours) == 0:
			bad("%s: it has hours of its own, which are not given", x.Date)
		case x.Kind != OwnHours && x.Kind != Working && len(x.Hours) > 0:
			bad("%s: a day without work has no hours", x.Date)
		}
		seen[x.Date] = true
		errs = append(errs, x.Hours.Check())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("decree %q: %w", d.Number, err)
	}
	return nil
}

func (w *Week) check() error {
	n := 0
	for _, h := range w {
		if err := h.Check(); err != nil {
			return err
		}
		n += len(h)
	}
	if n == 0 {
		return errors.New("a week without work")
	}
	return nil
}
