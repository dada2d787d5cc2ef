package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Minute is a minute of the day: 0 is midnight, 24*60 the end of the day.
type Minute int

// ParseMinute reads a time of day of the form 07.30, as Indonesian laws write it, or
// 07:30; 24.00 is the day's end.
func ParseMinute(s string) (Minute, error) {
	h, m, ok := strings.Cut(strings.Replace(s, ".", ":", 1), ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || len(h) != 2 || len(m) != 2 || err1 != nil || err2 != nil || hour < 0 || minute < 0 || minute > 59 || hour*60+minute > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day such as 07.30", s)
	}
	return Minute(hour*60 + minute), nil
}

// String is the time of day as 07:30.
func (m Minute) String() string { return fmt.Sprintf("%02d:%02d", int(m)/60, int(m)%60) }

// Interval is working time within a day: From belongs to it, To does not.
type Interval struct{ From, To Minute }

// ParseInterval reads an interval of the form 07.30-12.00 or 07:30-12:00.
func ParseInterval(s string) (Interval, error) {
	from, to, ok := strings.Cut(s, "-")
	a, err1 := ParseMinute(from)
	b, err2 := ParseMinute(to)
	if !ok || err1 != nil || err2 != nil || a >= b {
		return Interval{}, fmt.Errorf("%q is not a time of work such as 07.30-12.00", s)
	}
	return Interval{a, b}, nil
}

// String is the interval as 07:30-12:00.
func (i Interval) String() string { return i.From.String() + "-" + i.To.String() }

// Hours are the working time of a day: intervals in order, with breaks between
// them. None is a day without work.
type Hours []Interval

// Check returns an error for intervals that are not in order or touch each other.
func (h Hours) Check() error {
	for i, x := range h {
		if x.From < 0 || x.From >= x.To || x.To > 24*60 || i > 0 && x.From <= h[i-1].To {
			return fmt.Errorf("the working time %s is not in order, or leaves no break before it", x)
		}
	}
	return nil
}

// Length is the working time in all.
func (h Hours) Length() time.Duration {
	var n Minute
	for _, x := range h {
		n += x.To - x.From
	}
	return time.Duration(n) * time.Minute
}

// String is the hours as 07:30-12:00, 13:00-16:00.
func (h Hours) String() string {
	parts := make([]string, len(h))
	for i, x := range h {
		parts[i] = x.String()
	}
	return strings.Join(parts, ", ")
}

// Week is the hours of each day of the week, by [time.Weekday].
type Week [7]Hours

// Rules say when offices work, from a day on: until the next rules of the same giver
// begin, or to the last day, if one is said. A change of law is new rules.
type Rules struct {
	From    Date
	To      Date // 0: open
	Week    Week
	Ramadan *Week // in Ramadan; nil: as always
}

func (r Rules) has(d Date) bool { return r.From <= d && (r.To == 0 || d <= r.To) }
