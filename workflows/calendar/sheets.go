package calendar

import (
	"cmp"
	"slices"
	"time"
)

// sheets are decrees laid upon each other, so that of each day it can be told which
// counts. The national ones come first.
type sheets struct {
	decrees  []sheet
	days     map[Date][]entry
	national []ruled
	tenant   []ruled
	ramadan  []Period
	covered  map[int]bool
}

type sheet struct {
	*Decree
	tenant bool
	until  Date // the last day that it counts for, when it was repealed; else 0
}

type entry struct {
	sheet *sheet
	rule  DayRule
}

type ruled struct {
	sheet *sheet
	Rules
}

func newSheets(national, tenant []Decree) (*sheets, error) {
	s := &sheets{days: map[Date][]entry{}, covered: map[int]bool{}}
	for i, list := range [][]Decree{national, tenant} {
		from := len(s.decrees)
		for j := range list {
			if err := list[j].Check(); err != nil {
				return nil, err
			}
			s.decrees = append(s.decrees, sheet{Decree: &list[j], tenant: i == 1})
		}
		// In the order in which they were recorded, a decree is repealed by a later one.
		for j := from; j < len(s.decrees); j++ {
			s.repeal(s.decrees[from:j], s.decrees[j].Decree)
		}
		slices.SortStableFunc(s.decrees[from:], func(a, b sheet) int { return cmp.Compare(a.Published, b.Published) })
	}
	for i := range s.decrees {
		s.lay(&s.decrees[i])
	}
	for _, list := range [][]ruled{s.national, s.tenant} {
		slices.SortStableFunc(list, func(a, b ruled) int { return cmp.Compare(a.From, b.From) })
	}
	return s, nil
}

func (s *sheets) repeal(earlier []sheet, by *Decree) {
	for i := range earlier {
		if slices.Contains(by.Repeals, earlier[i].Number) && earlier[i].until == 0 {
			earlier[i].until = by.Published
		}
	}
}

func (s *sheets) lay(x *sheet) {
	for _, r := range x.Days {
		s.days[r.Date] = append(s.days[r.Date], entry{x, r})
	}
	list := &s.national
	if x.tenant {
		list = &s.tenant
	}
	for _, r := range x.Rules {
		*list = append(*list, ruled{x, r})
	}
	for _, p := range x.Ramadan {
		if !x.counts(p.From) {
			continue
		}
		s.ramadan = slices.DeleteFunc(s.ramadan, func(q Period) bool { return p.From <= q.To && q.From <= p.To })
		s.ramadan = append(s.ramadan, p)
	}
	if !x.tenant && x.until == 0 {
		for _, year := range x.Covers {
			s.covered[year] = true
		}
	}
}

// counts reports whether a decree was not repealed for a day.
func (x *sheet) counts(d Date) bool { return x.until == 0 || d <= x.until }

// known is the longest row of years that are covered.
func (s *sheets) known() Period {
	var best, from, to int
	for year := MinYear; year <= MaxYear; year++ {
		if !s.covered[year] {
			continue
		}
		if !s.covered[year-1] {
			from = year
		}
		if n := year - from + 1; n >= best {
			best, to = n, year
		}
	}
	return Period{DateOf(to-best+1, time.January, 1), DateOf(to, time.December, 31)}
}

// first is the day on which the first rules of the nation begin.
func (s *sheets) first() Date { return s.national[0].From }

// rules are those in force on a day; those of the tenant go first. False when there are
// none: then nobody works.
func (s *sheets) rules(d Date) (*Rules, bool) {
	for _, list := range [][]ruled{s.tenant, s.national} {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].has(d) && list[i].sheet.counts(d) {
				return &list[i].Rules, true
			}
		}
	}
	return &Rules{}, false
}

func (s *sheets) day(d Date) DayInfo {
	rules, _ := s.rules(d)
	info := DayInfo{Date: d, Provisional: !s.covered[d.Year()]}
	info.Ramadan = slices.ContainsFunc(s.ramadan, func(p Period) bool { return p.has(d) })
	week := &rules.Week
	if info.Ramadan && rules.Ramadan != nil {
		week = rules.Ramadan
	}
	info.Hours = week[d.Weekday()]
	list := s.days[d]
	for i := len(list) - 1; i >= 0; i-- {
		x := list[i]
		if !x.sheet.counts(d) || x.sheet.Projected && s.covered[d.Year()] {
			continue
		}
		info.Kind, info.Name, info.Decree = x.rule.Kind, x.rule.Name, x.sheet.Number
		switch {
		case x.rule.Kind == OwnHours || x.rule.Kind == Working && len(x.rule.Hours) > 0:
			info.Hours = x.rule.Hours
		case x.rule.Kind == Working:
			info.Hours = week.working(d.Weekday())
		default:
			info.Hours = nil
		}
		break
	}
	return info
}

// working is the hours of a day that is made a working day: those of its weekday or,
// where it has none, of the first working day of the week.
func (w *Week) working(day time.Weekday) Hours {
	for i := range 8 {
		if h := w[day]; len(h) > 0 {
			return h
		}
		day = time.Weekday((i + 1) % 7) // Monday and on
	}
	return nil
}
