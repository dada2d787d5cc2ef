package calendar_test

import (
	"testing"

	"github.com/alur-id/alur/workflows/calendar"
)

// Budgets and spans of a year.

func BenchmarkDue(b *testing.B) {
	c := compiled(b, wib, nil, nil)
	for name, budget := range map[string]calendar.Budget{
		"working days":  {Amount: 240, Unit: "days", Working: true},
		"working hours": {Amount: 1800, Unit: "hours", Working: true},
	} {
		b.Run(name, func(b *testing.B) {
			from, m := at("2025-01-06 10:00"), budget.Measure()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Due(m, from, budget.Span()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUsed(b *testing.B) {
	c := compiled(b, wib, nil, nil)
	for name, m := range map[string]calendar.Measure{"working days": calendar.WorkingDays, "working hours": calendar.WorkingTime} {
		b.Run(name, func(b *testing.B) {
			from, to := at("2025-01-06 10:00"), at("2025-12-30 15:00")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Used(m, from, to); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compiled(b, wib, nil, nil)
	}
}
