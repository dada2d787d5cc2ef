package tracing

import (
	"context"
	"iter"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/alur-id/alur/domain"
)

// Log makes spans of what is appended to a log, and of what is read from it as part of a
// span.
func (t *Tracer) Log(log domain.EventLog) domain.EventLog { return traced{log, t} }

type traced struct {
	domain.EventLog
	t *Tracer
}

// Append implements [domain.EventLog]. The span is made when it is known what became of the
// append: the one that recorded events has its id from their command, others do not.
func (l traced) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	began := time.Now()
	done, err := l.EventLog.Append(ctx, a)
	if len(a.Entries) == 0 {
		return done, err
	}
	first, unread := domain.Decode(a.Entries[0])
	if unread != nil || !l.t.kept(trace.TraceID(first.Correlation)) {
		return done, err
	}
	ids := chosen{trace: trace.TraceID(first.Correlation)}
	if err == nil && !done.Repeated {
		ids.span = spanOf(first.Command)
	}
	options := []trace.SpanStartOption{trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("alur.stream.kind", domain.StreamKind(a.Stream)), attribute.Int("alur.events", len(a.Entries)),
		attribute.String("alur.event.type", a.Entries[0].Type), attribute.Int64("alur.position", int64(done.Position)),
		attribute.Bool("alur.repeated", done.Repeated), attribute.String("alur.causation", first.Command.String()),
	)}
	// What is part of something else, as a term that ran out before a command, or an
	// import, is in the trace of that.
	if parent := trace.SpanContextFromContext(ctx); parent.TraceID() != ids.trace {
		options = append(options, trace.WithNewRoot())
		if parent.IsSampled() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: parent}))
		}
	}
	_, span := l.t.Start(context.WithValue(ctx, chosenKey{}, ids), "append", options...)
	end(span, err)
	return done, err
}

// ReadStream implements [domain.EventLog].
func (l traced) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	return l.read(ctx, "read stream", domain.StreamKind(stream), l.EventLog.ReadStream(ctx, stream, after))
}

// ReadAll implements [domain.EventLog].
func (l traced) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return l.read(ctx, "read all", "all", l.EventLog.ReadAll(ctx, after))
}

func (l traced) read(ctx context.Context, what, kind string, entries iter.Seq2[domain.Entry, error]) iter.Seq2[domain.Entry, error] {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return entries
	}
	return func(yield func(domain.Entry, error) bool) {
		_, span := l.t.Start(ctx, what, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("alur.stream.kind", kind)))
		n := 0
		var failed error
		defer func() { // whoever reads may panic
			span.SetAttributes(attribute.Int("alur.events", n))
			end(span, failed)
		}()
		for e, err := range entries {
			if failed = err; err == nil {
				n++
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
