package calendar

import (
	"fmt"
	"time"
)

// Date is a day of the almanac, counted from 1970-01-01.
type Date int32

const secondsPerDay = 24 * 60 * 60

// DateOf is the date of a year, a month and a day.
func DateOf(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// ParseDate reads a date of the form 2026-03-21.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date such as 2026-03-21", s)
	}
	return DateOf(t.Date()), nil
}

// Time is the date's beginning in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String is the date as 2026-03-21.
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// Year is the year that the date lies in.
func (d Date) Year() int { return d.Time().Year() }

// MarshalText implements [encoding.TextMarshaler].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}

// Period is a number of days, the last included.
type Period struct {
	From Date `json:"from"`
	To   Date `json:"to"`
}

func (p Period) has(d Date) bool { return p.From <= d && d <= p.To }
