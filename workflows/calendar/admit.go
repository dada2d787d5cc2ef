package calendar

import (
	"fmt"
	"slices"
)

// Refused says why a decree is not added, and what would help.
type Refused struct{ Why, Hint string }

func (e *Refused) Error() string { return e.Why }

// Admit says whether a decree may be added to those of the nation or of a tenant, in
// the order in which they were recorded; [Shipped] goes before those of the nation. The
// error is a [*Refused] or that of [Decree.Check].
func Admit(known []Decree, ofTenant bool, d Decree) error {
	if err := d.Check(); err != nil {
		return err
	}
	if d.Published == 0 {
		return &Refused{fmt.Sprintf("decree %q does not say when it was published", d.Number), "add published: with a date"}
	}
	if !ofTenant {
		known = slices.Concat(Shipped(), known)
	}
	changes := slices.Concat(d.Amends, d.Repeals)
	for i := range known {
		k := &known[i]
		named := slices.Contains(changes, k.Number)
		switch {
		case k.Number == d.Number && !named:
			return &Refused{fmt.Sprintf("a decree with the number %q was added before, and says something else", d.Number), "if this one changes it, name it under amends or repeals"}
		case named && k.Published > d.Published:
			return &Refused{fmt.Sprintf("decree %q, published on %s, cannot change %q, which was published on %s", d.Number, d.Published, k.Number, k.Published), ""}
		}
	}
	for _, number := range changes {
		if !slices.ContainsFunc(known, func(k Decree) bool { return k.Number == number }) {
			return &Refused{fmt.Sprintf("there is no decree %q that could be amended or repealed", number), "alur calendar list shows the numbers"}
		}
	}
	if ofTenant && len(d.Covers) > 0 {
		return &Refused{"covers tells the years of which the nation's holidays are known: a decree of a tenant has none", ""}
	}
	for _, x := range d.Days {
		if !ofTenant && x.Kind == Regional {
			return &Refused{fmt.Sprintf("%s is a regional holiday, and the decree is the nation's", x.Date), "say whose it is with --tenant"}
		}
	}
	return nil
}

// ramadanAnyway is a length of time in which there is a Ramadan, whenever it begins: it
// comes every 354 or 355 days and lasts 29 or more.
const ramadanAnyway = 355 - 29

// SaysRamadan holds that hours which hold in Ramadan say which they are then: without
// that, the shorter hours of those whose place they take would be gone without a word.
// Known are all decrees upon those of [Shipped]. The error is a [*Refused].
func SaysRamadan(known []Decree, d Decree) error {
	var fasts []Period
	for _, k := range slices.Concat(Shipped(), known, []Decree{d}) {
		fasts = append(fasts, k.Ramadan...)
	}
	for _, r := range d.Rules {
		fasting := func(p Period) bool { return p.From <= r.To && r.From <= p.To }
		if r.Ramadan == nil && (r.To == 0 || r.To-r.From >= ramadanAnyway || slices.ContainsFunc(fasts, fasting)) {
			return &Refused{
				fmt.Sprintf("decree %q gives hours from %s on and does not say those of Ramadan: the shorter hours that hold then would be gone", d.Number, r.From),
				"add ramadan: to these rules; where nothing changes in Ramadan, give the hours of the week there again",
			}
		}
	}
	return nil
}
