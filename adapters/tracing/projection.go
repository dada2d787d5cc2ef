package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// Projection makes spans of what a projection folds: one in the trace of each of the
// commands whose events are in a batch, up to [mostCauses]; where there are several, one
// also of the batch, in a trace of its own that links to theirs.
func (t *Tracer) Projection(p projections.Projection) projections.Projection {
	return folding{p, t}
}

type folding struct {
	projections.Projection
	t *Tracer
}

// mostCauses is how many commands of one batch get a span. A batch may have 4000 events.
const mostCauses = 16

// Apply implements [projections.Projection].
func (f folding) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	began := time.Now()
	err := f.Projection.Apply(ctx, tx, events)
	f.tell(ctx, began, events, err)
	return err
}

func (f folding) tell(ctx context.Context, began time.Time, events []domain.Recorded, err error) {
	causes, left := f.t.causes(events, began.Add(-recent))
	if len(causes) == 0 {
		return
	}
	attributes := []attribute.KeyValue{
		attribute.String("alur.view", f.Name()), attribute.Int("alur.events", len(events)), attribute.Int64("alur.position", int64(events[len(events)-1].Position)),
	}
	start := func(ctx context.Context, options ...trace.SpanStartOption) trace.Span {
		_, span := f.t.Start(ctx, "project "+f.Name(), append(options, trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attributes...))...)
		return span
	}
	if len(causes) == 1 {
		end(start(trace.ContextWithRemoteSpanContext(ctx, causes[0])), err)
		return
	}
	links := make([]trace.Link, len(causes))
	for i, c := range causes {
		links[i].SpanContext = c
	}
	batch := start(context.WithValue(ctx, chosenKey{}, chosen{}), trace.WithNewRoot(), trace.WithLinks(links...))
	batch.SetAttributes(attribute.Int("alur.commands.left_out", left))
	for _, c := range causes {
		end(start(trace.ContextWithRemoteSpanContext(ctx, c), trace.WithLinks(trace.Link{SpanContext: batch.SpanContext()})), err)
	}
	end(batch, err)
}

// causes are the spans that appended events, of those traces that are kept, and how many
// commands more there were.
func (t *Tracer) causes(events []domain.Recorded, since time.Time) (causes []trace.SpanContext, left int) {
	type place struct {
		trace trace.TraceID
		span  trace.SpanID
	}
	seen := map[place]bool{}
	for i := range events {
		e := &events[i]
		if !t.kept(trace.TraceID(e.Correlation)) || e.At.Before(since) {
			continue
		}
		c := causeOf(e.Envelope)
		at := place{c.TraceID(), c.SpanID()}
		switch {
		case seen[at] || !c.IsValid():
		case len(causes) == mostCauses:
			left++
		default:
			causes = append(causes, c)
		}
		seen[at] = true
	}
	return causes, left
}
