// Package calendar counts working time: when a budget of days, hours or minutes
// runs out, and how much of it lies between two instants.
//
// It is pure: no input or output, no clock. A [Calendar] is made by [Compile] of the
// decrees of the nation and of a tenant; it never changes and is safe for concurrent
// use. What is recorded with a due time is the calendar's [Version]: the same decrees
// give the same calendar, so every due time can be computed again.
//
// How a term is run with it (docs/decisions/0017-working-time.md says why so):
//
//	m := budget.Measure()
//	begins := c.Begins(m, started)             // days: the day of filing does not count
//	due, err := c.Due(m, begins, budget.Span())
//	// suspended at s, resumed at r:
//	used, err := c.Used(m, begins, s)          // not below 0, when s lies before begins
//	left := budget.Span() - used
//	due, err = c.Due(m, later(begins, r), left)
//	// as another calendar has it, made upon one decree more:
//	due, err = other.Due(m, later(begins, r), left)
//
// A [Span] means the same in every calendar; a used span is that of the calendar of
// its time.
//
// An act at the due time itself is on time; the term has run out after it.
package calendar
