package calendar_test

import (
	"math/big"
	"slices"
	"time"

	"github.com/alur-id/alur/workflows/calendar"
)

// naive is working time minute by minute: slow, and plain enough to be believed. It
// shares the decrees with the calendar and nothing that counts.
type naive struct {
	zone             *time.Location
	national, tenant []calendar.Decree
	cache            map[[3]int]calendar.Hours
}

func newNaive(zone *time.Location, national, tenant []calendar.Decree) *naive {
	return &naive{zone: zone, national: append(slices.Clone(calendar.Shipped()), national...), tenant: tenant, cache: map[[3]int]calendar.Hours{}}
}

// hours are those of the day of an instant.
func (n *naive) hours(t time.Time) calendar.Hours {
	year, month, day := t.In(n.zone).Date()
	key := [3]int{year, int(month), day}
	h, ok := n.cache[key]
	if !ok {
		h = n.lookUp(calendar.DateOf(year, month, day))
		n.cache[key] = h
	}
	return h
}

func (n *naive) lookUp(d calendar.Date) calendar.Hours {
	var week *calendar.Week
	inRamadan := false
	// Of all periods, those that no later one took the place of.
	var periods []calendar.Period
	for _, list := range [][]calendar.Decree{n.national, n.tenant} {
		for _, x := range byPublication(list) {
			for _, p := range x.Ramadan {
				if repealed(list, x.Number, p.From) {
					continue
				}
				kept := periods[:0:0]
				for _, q := range periods {
					if q.To < p.From || q.From > p.To {
						kept = append(kept, q)
					}
				}
				periods = append(kept, p)
			}
		}
	}
	for _, p := range periods {
		inRamadan = inRamadan || p.From <= d && d <= p.To
	}
	for _, list := range [][]calendar.Decree{n.national, n.tenant} {
		var best *calendar.Rules
		for i, x := range byPublication(list) {
			for j, r := range x.Rules {
				if r.From <= d && (r.To == 0 || r.To >= d) && !repealed(list, x.Number, d) && (best == nil || r.From >= best.From) {
					best = &byPublication(list)[i].Rules[j]
				}
			}
		}
		if best != nil {
			week = &best.Week
			if inRamadan && best.Ramadan != nil {
				week = best.Ramadan
			}
		}
	}
	hours := week[d.Weekday()]
	for _, list := range [][]calendar.Decree{n.national, n.tenant} {
		for _, x := range byPublication(list) {
			if repealed(list, x.Number, d) || x.Projected && n.covered(d.Year()) {
				continue
			}
			for _, r := range x.Days {
				if r.Date != d {
					continue
				}
				switch {
				case len(r.Hours) > 0:
					hours = r.Hours
				case r.Kind == calendar.Working:
					hours = week[d.Weekday()]
					for day := 1; day <= 7 && len(hours) == 0; day++ {
						hours = week[day%7]
					}
				default:
					hours = nil
				}
			}
		}
	}
	return hours
}

func byPublication(list []calendar.Decree) []calendar.Decree {
	out := slices.Clone(list)
	for i := range out { // insertion, which keeps the order of equals
		for j := i; j > 0 && out[j].Published < out[j-1].Published; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// repealed reports whether a decree no longer counts on a day. Numbers are distinct.
func repealed(list []calendar.Decree, number string, d calendar.Date) bool {
	for _, x := range list {
		if slices.Contains(x.Repeals, number) {
			return d > x.Published // by the first that repeals it
		}
	}
	return false
}

func (n *naive) covered(year int) bool {
	for _, x := range n.national {
		if slices.Contains(x.Covers, year) && !repealed(n.national, x.Number, calendar.MaxYear*366) {
			return true
		}
	}
	return false
}

// walk goes from a to b minute by minute and tells each piece of working time.
func (n *naive) walk(a, b time.Time, tell func(at time.Time, piece time.Duration, of calendar.Hours) (goOn bool)) {
	for a.Before(b) {
		next := a.Truncate(time.Minute).Add(time.Minute)
		if next.After(b) {
			next = b
		}
		hours := n.hours(a)
		local := a.In(n.zone)
		minute := calendar.Minute(local.Hour()*60 + local.Minute())
		for _, x := range hours {
			if x.From <= minute && minute < x.To && !tell(a, next.Sub(a), hours) {
				return
			}
		}
		a = next
	}
}

// worked is the working time between two instants.
func (n *naive) worked(a, b time.Time) time.Duration {
	total := time.Duration(0)
	n.walk(a, b, func(_ time.Time, piece time.Duration, _ calendar.Hours) bool {
		total += piece
		return true
	})
	return total
}

// days is the working days between two instants, exactly.
func (n *naive) days(a, b time.Time) *big.Rat {
	byLength := map[int64]int64{} // nanoseconds in days of that length
	n.walk(a, b, func(_ time.Time, piece time.Duration, of calendar.Hours) bool {
		length := int64(0)
		for _, x := range of {
			length += int64(x.To-x.From) * int64(time.Minute)
		}
		byLength[length] += int64(piece)
		return true
	})
	total := new(big.Rat)
	for length, amount := range byLength {
		total.Add(total, big.NewRat(amount, length))
	}
	return total
}

// due is when so much working time has passed, more than none.
func (n *naive) due(from time.Time, left time.Duration) time.Time {
	var due time.Time
	n.walk(from, from.AddDate(30, 0, 0), func(at time.Time, piece time.Duration, _ calendar.Hours) bool {
		if left <= piece {
			due = at.Add(left)
			return false
		}
		left -= piece
		return true
	})
	return due
}

// dueDays is the end of the n-th working day after the day of an instant.
func (n *naive) dueDays(start time.Time, days int) time.Time {
	y, m, d := start.In(n.zone).Date()
	for {
		d++
		midnight := time.Date(y, m, d, 0, 0, 0, 0, n.zone)
		h := n.hours(midnight)
		if len(h) == 0 {
			continue
		}
		if days--; days == 0 {
			return midnight.Add(time.Duration(h[len(h)-1].To) * time.Minute)
		}
	}
}
