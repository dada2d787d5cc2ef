package sample

import (
	"iter"
	"time"

	"github.com/alur-id/alur/workflows"
)

// Began is when the cases of the log begin.
var Began = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// Event is an activity that a resource completed, so many hours after [Began].
func Event(activity, resource string, hour int) workflows.TraceEvent {
	return workflows.TraceEvent{Name: activity, Lifecycle: "complete", Resource: resource, Time: Began.Add(time.Duration(hour) * time.Hour)}
}

// Log is a small log with what real ones have: rework, equal times, a clock
// that runs backwards, an attribute that names people.
func Log() []workflows.Trace {
	attributes := func(due, ended string, responsible string) []workflows.Attribute {
		list := []workflows.Attribute{
			{Key: "channel", Kind: workflows.AttributeString, Value: "Desk"},
			{Key: "deadline", Kind: workflows.AttributeDate, Value: due},
			{Key: "responsible", Kind: workflows.AttributeString, Value: responsible},
		}
		if ended != "" {
			list = append(list, workflows.Attribute{Key: "enddate", Kind: workflows.AttributeDate, Value: ended})
		}
		return list
	}
	return []workflows.Trace{
		{Name: "one", Attributes: attributes("2026-12-01T00:00:00+07:00", "2026-12-01T00:00:00+07:00", "R1"), Events: []workflows.TraceEvent{
			Event("Check", "R1", 1), Event("Check", "R1", 1), Event("Decide", "R2", 0),
		}},
		{Name: "two", Attributes: attributes("2026-12-01T00:00:00+07:00", "2026-12-01T00:00:01+07:00", "R2"), Events: []workflows.TraceEvent{
			Event("Check", "R2", 1), Event("Decide", "R2", 2),
		}},
		{Name: "three", Attributes: attributes("2026-12-01T00:00:00+07:00", "", "R3"), Events: []workflows.TraceEvent{Event("Check", "R3", 3)}},
	}
}

// Traces hands on a log as a reader does.
func Traces(list []workflows.Trace) iter.Seq2[workflows.Trace, error] {
	return func(yield func(workflows.Trace, error) bool) {
		for _, t := range list {
			if !yield(t, nil) {
				return
			}
		}
	}
}
