package calendar

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// ahead is how many years beyond what is known a calendar counts on, without
// holidays; what it says of them is provisional.
const ahead = 10

// Calendar is the working time of one tenant as some decrees have it. It is made by
// [Compile], never changes, and is safe for concurrent use.
type Calendar struct {
	version Version
	zone    *time.Location
	offset  int64 // of the zone, in seconds
	known   Period
	first   Date
	marked  map[Date]DayInfo // days of which there is more to say than their hours
	unruled []Period         // days for which no rules say when offices work

	// By day from first on, and one behind the last: the working time, in
	// nanoseconds, the working days, and the days that are provisional before it.
	work        []int64
	days        []int32
	provisional []int32
	// By day: its hours.
	pattern  []uint16 // which of patterns
	patterns []pattern
}

// pattern is the hours of a day as they are counted with.
type pattern struct {
	shown  Hours
	hours  []stretch
	length int64 // nanoseconds
}

// stretch is an interval in nanoseconds from midnight.
type stretch struct{ from, to int64 }

// DayInfo is what a calendar says of a day.
type DayInfo struct {
	Date        Date
	Hours       Hours // none: no work
	Kind        Kind  // of the decree's rule for it; empty where only the week counts
	Name        Text  // with Kind
	Decree      string
	Ramadan     bool
	Provisional bool // its holidays are not decreed yet
}

// Compile makes the calendar of a tenant: the decrees of the nation and its own, both
// in the order in which they were recorded, upon those of [Shipped]. The zone has to
// be one without daylight saving time, as Indonesia's are. The error is that of
// [Decree.Check].
func Compile(zone *time.Location, national, tenant []Decree) (*Calendar, error) {
	s, err := newSheets(append(slices.Clone(Shipped()), national...), tenant)
	if err != nil {
		return nil, err
	}
	_, offset := time.Unix(0, 0).In(zone).Zone()
	c := &Calendar{
		version: Version{National: len(national), Tenant: len(tenant)},
		zone:    zone, offset: int64(offset), known: s.known(), first: s.first(), marked: map[Date]DayInfo{},
	}
	last := DateOf(max(c.known.To, c.first).Year()+ahead, time.December, 31)
	work, days, provisional := int64(0), int32(0), int32(0)
	var counted []byte // all that counts
	for d := c.first; d <= last; d++ {
		info := s.day(d)
		if info.Kind != "" || info.Ramadan {
			c.marked[d] = info
		}
		if _, ruled := s.rules(d); !ruled {
			c.leave(d)
		}
		i := c.patternOf(info.Hours)
		c.work, c.days, c.pattern = append(c.work, work), append(c.days, days), append(c.pattern, i)
		c.provisional = append(c.provisional, provisional)
		if info.Provisional {
			provisional++
		}
		if n := c.patterns[i].length; n > 0 {
			work, days = work+n, days+1
		}
		counted = appendDay(counted, info)
	}
	c.work, c.days, c.provisional = append(c.work, work), append(c.days, days), append(c.provisional, provisional)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(counted, uint64(c.offset)))
	copy(c.version.Digest[:], sum[:])
	return c, nil
}

// leave notes a day for which there are no rules; days come in order.
func (c *Calendar) leave(d Date) {
	if n := len(c.unruled); n > 0 && c.unruled[n-1].To == d-1 {
		c.unruled[n-1].To = d
		return
	}
	c.unruled = append(c.unruled, Period{d, d})
}

// Unruled is the first period in which no rules say when offices work although those of
// another calendar do, and nobody would work; false when there is none.
func (c *Calendar) Unruled(was *Calendar) (Period, bool) {
	for _, p := range c.unruled {
		had := func(d Date) bool {
			return was.Range().has(d) && !slices.ContainsFunc(was.unruled, func(q Period) bool { return q.has(d) })
		}
		for d := p.From; d <= p.To; d++ {
			if had(d) {
				return Period{d, p.To}, true
			}
		}
	}
	return Period{}, false
}

// patternOf is the index of the pattern of some hours, of which a calendar has few.
func (c *Calendar) patternOf(h Hours) uint16 {
	for i := range c.patterns {
		if slices.Equal(c.patterns[i].shown, h) {
			return uint16(i)
		}
	}
	p := pattern{shown: h, length: int64(h.Length())}
	for _, x := range h {
		p.hours = append(p.hours, stretch{int64(x.From) * int64(time.Minute), int64(x.To) * int64(time.Minute)})
	}
	c.patterns = append(c.patterns, p)
	return uint16(len(c.patterns) - 1)
}

// appendDay writes what counts of a day: when it is, its hours, and whether they are
// known. Versions rest on this: it never changes.
func appendDay(b []byte, x DayInfo) []byte {
	b = append(binary.BigEndian.AppendUint32(b, uint32(x.Date)), byte(len(x.Hours)))
	for _, i := range x.Hours {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, uint16(i.From)), uint16(i.To))
	}
	if x.Provisional {
		return append(b, '?', '\n')
	}
	return append(b, '\n')
}

// Version says what the calendar was made of.
func (c *Calendar) Version() Version { return c.version }

// Zone is the time zone in which its days begin and end.
func (c *Calendar) Zone() *time.Location { return c.zone }

// Known is the longest time without a gap of which the national holidays are decreed.
// What is computed with days of other years is provisional.
func (c *Calendar) Known() Period { return c.known }

// Range is the days that the calendar can count in; it reaches beyond Known.
func (c *Calendar) Range() Period { return Period{c.first, c.first + Date(len(c.pattern)) - 1} }

// DateOf is the date at an instant, in the calendar's zone.
func (c *Calendar) DateOf(t time.Time) Date {
	return Date(floorDiv(t.Unix()+c.offset, secondsPerDay))
}

// Day says what a day is; false outside of [Calendar.Range].
func (c *Calendar) Day(d Date) (DayInfo, bool) {
	if !c.Range().has(d) {
		return DayInfo{}, false
	}
	if info, ok := c.marked[d]; ok {
		return info, true
	}
	i := d - c.first
	return DayInfo{Date: d, Hours: c.patterns[c.pattern[i]].shown, Provisional: c.provisional[i+1] > c.provisional[i]}, true
}

// WorkingDays is the number of working days in a period. Days outside of
// [Calendar.Range] do not count.
func (c *Calendar) WorkingDays(p Period) int {
	r := c.Range()
	from, to := max(p.From, r.From), min(p.To, r.To)
	if from > to {
		return 0
	}
	return int(c.days[to-c.first+1] - c.days[from-c.first])
}

// Takes reports whether the calendar has other working hours than another on a day up to
// one, and which is the first. A day without work takes nothing.
func (c *Calendar) Takes(was *Calendar, last Date) (Date, bool) {
	for d := c.first; d <= last && c.Range().has(d); d++ {
		now, _ := c.Day(d)
		then, known := was.Day(d)
		if known && len(now.Hours) > 0 && now.Hours.String() != then.Hours.String() {
			return d, true
		}
	}
	return 0, false
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
