// Package tracing tells an OpenTelemetry collector what became of a request over HTTP: what
// it appended, and what views and reactors made of that, on whatever node. See
// docs/decisions/0026-tracing.md.
//
// The trace of an event is its correlation id, and the span that appended it has its id
// from the command: so whoever has the event can join the trace, and nothing more is
// stored. Spans hold no personal data, no reference and no text of an error.
package tracing

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/alur-id/alur/domain"
)

// Config says where spans go.
type Config struct {
	// Endpoint is the URL of a collector that takes OTLP over HTTP, at /v1/traces. Where it is empty, the
	// exporter's environment variables name it (OTEL_EXPORTER_OTLP_ENDPOINT).
	Endpoint string
	Ratio    float64 // of the traces that are kept, 0 to 1; the same on all nodes
	Version  string  // of the program
	Logger   *slog.Logger

	Processor sdktrace.SpanProcessor // takes the place of the collector, for tests
}

// Tracer makes spans. It is safe for concurrent use.
type Tracer struct {
	trace.Tracer

	provider *sdktrace.TracerProvider
	bound    uint64 // traces are kept whose random part is below
	asked    *lru.Cache[trace.TraceID, bool]
}

// mostAsked is of how many traces it is remembered that a caller wanted them kept, or not
// kept, where the ratio says otherwise.
const mostAsked = 4096

// Open begins to send spans, in the background: a collector that is gone holds nobody up,
// and what it does not take is dropped.
func Open(ctx context.Context, c Config) (*Tracer, error) {
	t := &Tracer{bound: uint64(c.Ratio * (1 << 56))}
	t.asked, _ = lru.New[trace.TraceID, bool](mostAsked) // fails only for a size below one
	if c.Processor == nil {
		var options []otlptracehttp.Option
		if c.Endpoint != "" {
			options = append(options, otlptracehttp.WithEndpointURL(strings.TrimSuffix(c.Endpoint, "/")+"/v1/traces"))
		}
		exporter, err := otlptracehttp.New(ctx, options...)
		if err != nil {
			return nil, fmt.Errorf("open the exporter of traces: %w", err)
		}
		c.Processor = sdktrace.NewBatchSpanProcessor(exporter)
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { c.Logger.WarnContext(ctx, "traces are lost", "error", err) }))
	}
	of := resource.NewSchemaless(attribute.String("service.name", "alur"), attribute.String("service.version", c.Version))
	if named, err := resource.Merge(of, resource.Environment()); err == nil {
		of = named
	}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithResource(of), sdktrace.WithSpanProcessor(c.Processor), sdktrace.WithIDGenerator(ids{}), sdktrace.WithSampler(sdktrace.ParentBased(sampler{t})))
	t.Tracer = t.provider.Tracer("github.com/alur-id/alur")
	return t, nil
}

// Close sends what is left, as long as the context lets it.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// kept reports whether a trace is. Every node decides alike by the ratio: by the part of the
// id that is random in a UUID of version 7 as in a trace id (W3C Trace Context, level 2).
// The SDK's own sampler looks at bits that are fixed in a UUID.
func (t *Tracer) kept(id trace.TraceID) bool {
	if wanted, ok := t.asked.Get(id); ok {
		return wanted
	}
	return binary.BigEndian.Uint64(id[8:])&(1<<56-1) < t.bound
}

// sampler decides of spans without a parent.
type sampler struct{ *Tracer }

// ShouldSample implements [sdktrace.Sampler].
func (s sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if _, chosen := p.ParentContext.Value(chosenKey{}).(chosen); chosen || s.kept(p.TraceID) {
		return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
	}
	return sdktrace.SamplingResult{Decision: sdktrace.Drop}
}

// Description implements [sdktrace.Sampler].
func (sampler) Description() string { return "AlurRatio" }

// chosen are ids for the next span that is started with a context, which is kept. A zero
// one is drawn.
type chosen struct {
	trace trace.TraceID
	span  trace.SpanID
}

type chosenKey struct{}

// ids makes ids: those of new traces are UUIDs, since they become correlation ids.
type ids struct{}

// NewIDs implements [sdktrace.IDGenerator].
func (g ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	c, _ := ctx.Value(chosenKey{}).(chosen)
	if !c.trace.IsValid() {
		c.trace = trace.TraceID(uuid.Must(uuid.NewV7()))
	}
	return c.trace, g.NewSpanID(ctx, c.trace)
}

// NewSpanID implements [sdktrace.IDGenerator].
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if c, _ := ctx.Value(chosenKey{}).(chosen); c.span.IsValid() {
		return c.span
	}
	return spanOf(uuid.New())
}

// spanOf is the id of the span in which a command appended: the random half of its id.
func spanOf(command uuid.UUID) (id trace.SpanID) {
	copy(id[:], command[8:])
	return id
}

// causeOf is the span that appended an event.
func causeOf(e domain.Envelope) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(e.Correlation), SpanID: spanOf(e.Command), TraceFlags: trace.FlagsSampled, Remote: true,
	})
}

// Correlation is the trace of a context, for the commands that it brings; Nil for none. A
// nil tracer has none.
func (t *Tracer) Correlation(ctx context.Context) uuid.UUID {
	if t == nil {
		return uuid.Nil
	}
	return uuid.UUID(trace.SpanContextFromContext(ctx).TraceID())
}

// Follow begins the span of what somebody does because of an event, who names it. What it
// returns ends it.
func (t *Tracer) Follow(ctx context.Context, what string, e domain.Recorded) (context.Context, func(error)) {
	cause := causeOf(e.Envelope)
	if !cause.IsValid() || !t.kept(cause.TraceID()) {
		return ctx, func(error) {}
	}
	ctx, span := t.Start(trace.ContextWithRemoteSpanContext(ctx, cause), what, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("alur.event.type", typeOf(e)), attribute.Int64("alur.position", int64(e.Position)), attribute.String("alur.causation", e.Command.String()),
	))
	return ctx, func(err error) { end(span, err) }
}

func typeOf(e domain.Recorded) string {
	name, _ := e.Body.Type()
	return name
}

// end ends a span. Of an error it tells the kind: its text may say what is nobody's here.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", kindOf(err)))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

func kindOf(err error) string {
	var refusal *domain.Refusal
	var conflict *domain.ConflictError
	var later *domain.Postponed
	var undelivered *domain.Undelivered
	switch {
	case errors.As(err, &refusal):
		return "refused"
	case errors.As(err, &conflict):
		return "conflict"
	case errors.As(err, &later):
		return "postponed"
	case errors.As(err, &undelivered):
		return "undelivered"
	case errors.Is(err, domain.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "interrupted"
	}
	return "other"
}

// recent is how old an event may be when a view makes a span of folding it: one that is
// built anew folds what happened years ago.
const recent = time.Hour
