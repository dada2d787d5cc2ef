package calendar

import (
	"fmt"
	"math/bits"
	"sort"
	"time"
)

// Due is when a budget runs out.
type Due struct {
	At time.Time // the last moment at which something is on time
	// Provisional: on the way there are days of years whose holidays are not decreed.
	// When they are, it may move.
	Provisional bool
}

// OutsideError is an instant that the calendar cannot count to.
type OutsideError struct{ Range Period }

func (e *OutsideError) Error() string {
	return fmt.Sprintf("the calendar counts from %s to %s only", e.Range.From, e.Range.To)
}

// Begins is the moment from which a budget is counted that something starts. Hours and
// minutes are counted from there. Of days, the one on which it starts does not count:
// the first is the day after it, or the first working day after it.
func (c *Calendar) Begins(m Measure, start time.Time) time.Time {
	if !m.days() {
		return start.In(c.zone)
	}
	return c.at(c.DateOf(start)+1, 0)
}

// Used is how much of a budget passes from one instant to another; negative when the
// second lies before the first. Whatever lies between: Used(a, b) and Used(b, c) make
// Used(a, c), to the last part. The error is an [*OutsideError].
func (c *Calendar) Used(m Measure, from, to time.Time) (Span, error) {
	a, ok1 := c.position(m, from)
	b, ok2 := c.position(m, to)
	if !ok1 || !ok2 {
		return 0, &OutsideError{c.Range()}
	}
	return b - a, nil
}

// Due is when what is left of a budget has run out, counted from an instant: the first
// moment at which Used is left. It lies inside of working time, of which the closing
// moment is part: what ends with a day is due at its end, not at the beginning of the
// next. With nothing left that is the instant itself, or when work begins next. The
// error is an [*OutsideError]. What is left is not negative.
func (c *Calendar) Due(m Measure, from time.Time, left Span) (Due, error) {
	if left < 0 {
		return Due{}, fmt.Errorf("%d is left of a budget: less than nothing", left)
	}
	p, ok := c.position(m, from)
	if !ok {
		return Due{}, &OutsideError{c.Range()}
	}
	var at time.Time
	switch {
	case left == 0:
		at, ok = c.next(m, from)
	case m == PlainTime:
		at = from.Add(time.Duration(left)).In(c.zone)
	case m == PlainDays:
		before := floorDiv(int64(p+left-1), int64(Day))
		at = c.at(Date(before), timeOf(p+left-Span(before)*Day, dayLength))
	case m == WorkingTime:
		at, ok = c.whenWorked(int64(p + left))
	case m == WorkingDays:
		at, ok = c.whenDay(int64(p + left))
	}
	if !ok {
		return Due{}, &OutsideError{c.Range()}
	}
	due := Due{At: at}
	if m.working() {
		first := c.DateOf(from)
		last := max(first, c.DateOf(at.Add(-1))) // a midnight is of the day that ends
		due.Provisional = c.provisional[last-c.first+1] > c.provisional[first-c.first]
	}
	return due, nil
}

// dayLength is a day of 24 hours in nanoseconds.
const dayLength = secondsPerDay * int64(time.Second)

// partsOf is how many whole parts of a day are over when so much of its time is.
func partsOf(done, length int64) Span {
	hi, lo := bits.Mul64(uint64(done), uint64(Day))
	q, _ := bits.Div64(hi, lo, uint64(length))
	return Span(q)
}

// timeOf is the least time of a day in which so many parts of it are over.
func timeOf(parts Span, length int64) int64 {
	hi, lo := bits.Mul64(uint64(parts), uint64(length))
	q, rest := bits.Div64(hi, lo, uint64(Day))
	if rest > 0 {
		q++
	}
	return int64(q)
}

// position is how much of a measure lies before an instant, counted from some origin.
// All arithmetic is of differences between positions, so that nothing is rounded
// twice.
func (c *Calendar) position(m Measure, t time.Time) (Span, bool) {
	seconds := t.Unix()
	if m == PlainTime {
		const most = 1 << 33 // years 1698 to 2242, in which nanoseconds can be counted
		return Span(t.UnixNano()), -most < seconds && seconds < most
	}
	local := seconds + c.offset
	date := floorDiv(local, secondsPerDay)
	in := (local-date*secondsPerDay)*int64(time.Second) + int64(t.Nanosecond())
	if m == PlainDays {
		return Span(date)*Day + partsOf(in, dayLength), true
	}
	i := date - int64(c.first)
	if i < 0 || i >= int64(len(c.pattern)) {
		return 0, false
	}
	p := &c.patterns[c.pattern[i]]
	done := p.done(in)
	if m == WorkingTime {
		return Span(c.work[i] + done), true
	}
	part := Span(0)
	if p.length > 0 {
		part = partsOf(done, p.length)
	}
	return Span(c.days[i])*Day + part, true
}

// done is the working time of a day before a moment of it.
func (p *pattern) done(in int64) int64 {
	n := int64(0)
	for _, x := range p.hours {
		if in <= x.from {
			break
		}
		n += min(in, x.to) - x.from
	}
	return n
}

// when is the first moment of a day at which so much of its working time is done,
// more than none and not more than all.
func (p *pattern) when(done int64) int64 {
	for _, x := range p.hours {
		if done <= x.to-x.from {
			return x.from + done
		}
		done -= x.to - x.from
	}
	return p.hours[len(p.hours)-1].to
}

// whenWorked is the first moment before which so much working time lies.
func (c *Calendar) whenWorked(target int64) (time.Time, bool) {
	i := sort.Search(len(c.work), func(i int) bool { return c.work[i] >= target })
	if i == len(c.work) {
		return time.Time{}, false
	}
	i--
	return c.at(c.first+Date(i), c.patterns[c.pattern[i]].when(target-c.work[i])), true
}

// whenDay is the first moment before which so many parts of working days lie.
func (c *Calendar) whenDay(target int64) (time.Time, bool) {
	whole := (target - 1) / int64(Day)
	i := sort.Search(len(c.days), func(i int) bool { return int64(c.days[i]) > whole })
	if i == len(c.days) {
		return time.Time{}, false
	}
	i--
	p := &c.patterns[c.pattern[i]]
	return c.at(c.first+Date(i), p.when(timeOf(Span(target-whole*int64(Day)), p.length))), true
}

// next is the instant itself if it lies in what is counted, else when that goes on.
func (c *Calendar) next(m Measure, from time.Time) (time.Time, bool) {
	if !m.working() {
		return from.In(c.zone), true
	}
	date := c.DateOf(from)
	in := int64(from.Sub(c.at(date, 0)))
	for ; c.Range().has(date); date++ {
		for _, x := range c.patterns[c.pattern[date-c.first]].hours {
			if in <= x.to {
				return c.at(date, max(in, x.from)), true
			}
		}
		in = 0
	}
	return time.Time{}, false
}

// at is a moment of a day, in nanoseconds from its midnight.
func (c *Calendar) at(d Date, in int64) time.Time {
	return time.Unix(int64(d)*secondsPerDay-c.offset+in/int64(time.Second), in%int64(time.Second)).In(c.zone)
}
