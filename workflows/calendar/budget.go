package calendar

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Budget is an amount of time as a law or an agency says it: "5 working days".
type Budget struct {
	Amount  int
	Unit    string // days, hours, minutes
	Working bool   // counted in working time
}

// BudgetPattern is the form of a budget as a regular expression.
const BudgetPattern = `^([1-9][0-9]{0,4}) (working )?(day|hour|minute)s?$`

var budgetForm = regexp.MustCompile(BudgetPattern)

// ParseBudget reads a budget as a definition says it: "5 working days", "3 hours",
// "30 working minutes".
func ParseBudget(s string) (Budget, error) {
	m := budgetForm.FindStringSubmatch(s)
	if m == nil {
		return Budget{}, fmt.Errorf("%q is not a time such as 5 working days, 3 hours or 30 working minutes", s)
	}
	amount, _ := strconv.Atoi(m[1]) // digits, and few
	return Budget{Amount: amount, Working: m[2] != "", Unit: m[3] + "s"}, nil
}

// String is the budget as a definition says it.
func (b Budget) String() string {
	unit := b.Unit
	if b.Amount == 1 {
		unit = unit[:len(unit)-1]
	}
	if b.Working {
		unit = "working " + unit
	}
	return fmt.Sprintf("%d %s", b.Amount, unit)
}

// In is the budget in words of a language: "5 hari kerja", "5 working days".
func (b Budget) In(lang string) string {
	if lang == "en" {
		return b.String()
	}
	unit := map[string]string{"days": "hari", "hours": "jam", "minutes": "menit"}[b.Unit]
	if b.Working {
		unit += " kerja"
	}
	return fmt.Sprintf("%d %s", b.Amount, unit)
}

// MarshalYAML writes the budget as it is read.
func (b Budget) MarshalYAML() ([]byte, error) { return []byte(b.String()), nil }

// Measure is what a budget is counted in.
type Measure uint8

// The measures.
const (
	WorkingTime Measure = iota // hours and minutes in which offices work
	WorkingDays                // days on which offices work
	PlainTime                  // hours and minutes by the clock on the wall
	PlainDays                  // days of the almanac
)

func (m Measure) working() bool { return m == WorkingTime || m == WorkingDays }

func (m Measure) days() bool { return m == WorkingDays || m == PlainDays }

// Measure is what the budget is counted in.
func (b Budget) Measure() Measure {
	switch days := b.Unit == "days"; {
	case b.Working && days:
		return WorkingDays
	case b.Working:
		return WorkingTime
	case days:
		return PlainDays
	}
	return PlainTime
}

// Alike reports whether two budgets are counted in the same measure; false where one cannot
// be read.
func Alike(budget, other string) bool {
	a, err := ParseBudget(budget)
	b, err2 := ParseBudget(other)
	return err == nil && err2 == nil && a.Measure() == b.Measure()
}

// Span is an amount of time in the smallest part that its [Measure] counts: a
// nanosecond, or of days a part of a [Day]. A day is used up in proportion to its own
// working time, so that a budget of days can be used in part and days of different
// length each count for one.
type Span int64

// Day is the span of one day, in parts of which a second has a whole number on days of
// 4 to 8 working hours by halves (4.5 excepted) and of 24: what is stopped and resumed
// at whole seconds of such days is due at one.
const Day Span = 432_432_000

// Span is the whole of the budget.
func (b Budget) Span() Span {
	switch b.Unit {
	case "days":
		return Span(b.Amount) * Day
	case "hours":
		return Span(b.Amount) * Span(time.Hour)
	}
	return Span(b.Amount) * Span(time.Minute)
}

// Text is a span for people: "2.4 days", "3h30m0s".
func (m Measure) Text(s Span) string {
	if m.days() {
		return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(float64(s)/float64(Day), 'f', 6, 64), "0"), ".") + " days"
	}
	return time.Duration(s).String()
}
