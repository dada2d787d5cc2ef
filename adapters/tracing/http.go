package tracing

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Request begins the span of an HTTP request. It returns the request that carries it, and
// what ends it, which is told the route (a pattern, not an address) and the status. The
// API's callers may bring a trace of their own (W3C traceparent); what they say in a
// tracestate is not taken. Whoever else calls begins a new one.
func (t *Tracer) Request(r *http.Request) (*http.Request, func(method, route string, status int)) {
	if r.URL.Path == "/healthz" || r.URL.Path == "/metrics" {
		return r, func(string, string, int) {} // asked for by machines, all the time
	}
	ctx := r.Context()
	if strings.HasPrefix(r.URL.Path, "/api/") {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": r.Header.Get("Traceparent")})
		if caller := trace.SpanContextFromContext(ctx); caller.IsValid() && caller.IsSampled() != t.kept(caller.TraceID()) {
			t.asked.Add(caller.TraceID(), caller.IsSampled())
		}
	}
	ctx, span := t.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
	return r.WithContext(ctx), func(method, route string, status int) {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
