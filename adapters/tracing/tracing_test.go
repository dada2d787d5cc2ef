package tracing

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

func open(t *testing.T, ratio float64) (*Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	r := tracetest.NewSpanRecorder()
	tracer, err := Open(t.Context(), Config{Ratio: ratio, Processor: r})
	if err != nil {
		t.Fatal(err)
	}
	return tracer, r
}

func newID(t *testing.T) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func event(command uuid.UUID, at time.Time) domain.Event {
	return domain.Event{
		Envelope: domain.Envelope{
			ID: domain.EventID(command, 0), Tenant: "11.71", Service: "permit", Command: command, Correlation: command, Occurred: at, At: at,
			Actor: domain.Actor{ID: "clerk-1", Role: "clerk", Capacity: domain.CapacityOfficer}, Workflow: domain.WorkflowRef{ID: "permit", Version: 1},
		},
		Body: domain.ActionTaken{Action: "note", From: "desk", To: "desk"},
	}
}

// Ids are UUIDs, of which some bits are fixed: the share that is kept is as asked all the
// same. 20,000 draws are off by four standard deviations once in 16,000 times; the ids of
// commands are digests, and give the same at each run.
func TestTheRatioHoldsOfUUIDs(t *testing.T) {
	for _, ratio := range []float64{0, .01, .1, .5, .9, 1} {
		tracer, _ := open(t, ratio)
		const n = 20_000
		kept := 0
		for i := range n {
			if tracer.kept(trace.TraceID(domain.EventID(uuid.UUID{1}, i))) {
				kept++
			}
		}
		if got := float64(kept) / n; math.Abs(got-ratio) > 4*math.Sqrt(ratio*(1-ratio)/n) {
			t.Errorf("of %d traces %.4f are kept, want %.2f", n, got, ratio)
		}
	}
}

func TestTheSpanOfAnAppendIsKnownFromItsEvents(t *testing.T) {
	tracer, r := open(t, 1)
	log := tracer.Log(memory.New())
	command := newID(t)
	first, tip, err := domain.Enter("request-1", domain.Tip{}, time.Now(), []domain.Event{event(command, time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), first); err != nil { // again
		t.Fatal(err)
	}
	late, _, err := domain.Enter("request-1", domain.Tip{}, time.Now(), []domain.Event{event(newID(t), time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	var conflict *domain.ConflictError
	if _, err := log.Append(t.Context(), late); !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	// A command that is part of another whole than the span that it is given in.
	ctx, around := tracer.Start(t.Context(), "around")
	other, _, err := domain.Enter("request-1", tip, time.Now(), []domain.Event{event(newID(t), time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(ctx, other); err != nil {
		t.Fatal(err)
	}
	for _, err := range log.ReadStream(t.Context(), "request-1", 0) { // in no span: none
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range log.ReadStream(ctx, "request-1", 0) {
		if err != nil {
			t.Fatal(err)
		}
	}
	around.End()
	spans := r.Ended()
	if len(spans) != 6 {
		t.Fatalf("%d spans, want 6", len(spans))
	}
	at := spans[0].SpanContext()
	if want := causeOf(event(command, time.Now()).Envelope); at.TraceID() != want.TraceID() || at.SpanID() != want.SpanID() {
		t.Errorf("the append's span is %s %s, want %s %s", at.TraceID(), at.SpanID(), want.TraceID(), want.SpanID())
	}
	if again := spans[1].SpanContext(); again.TraceID() != at.TraceID() || again.SpanID() == at.SpanID() {
		t.Errorf("the same again has the span %s", again.SpanID())
	}
	if got := attributesOf(spans[2])["error.type"]; got.AsString() != "conflict" {
		t.Errorf("the conflict's span has %v", spans[2].Attributes())
	}
	if s := spans[3]; s.SpanContext().TraceID() == around.SpanContext().TraceID() || len(s.Links()) != 1 || s.Links()[0].SpanContext.SpanID() != around.SpanContext().SpanID() {
		t.Errorf("the append of another whole: %v, links %v", s.SpanContext(), s.Links())
	}
	if s := spans[4]; s.Name() != "read stream" || s.Parent().SpanID() != around.SpanContext().SpanID() || attributesOf(s)["alur.events"].AsInt64() != 2 {
		t.Errorf("the reading: %s %v", s.Name(), s.Attributes())
	}
}

func attributesOf(s sdktrace.ReadOnlySpan) map[attribute.Key]attribute.Value {
	all := map[attribute.Key]attribute.Value{}
	for _, a := range s.Attributes() {
		all[a.Key] = a.Value
	}
	return all
}

type idle struct{ projections.Projection }

func (idle) Name() string                                                   { return "idle" }
func (idle) Apply(context.Context, projections.Tx, []domain.Recorded) error { return nil }
func batch(t *testing.T, commands int, at time.Time) (events []domain.Recorded) {
	t.Helper()
	for range commands {
		command := newID(t)
		for range 5 {
			events = append(events, domain.Recorded{Event: event(command, at), Position: domain.Position(len(events) + 1)})
		}
	}
	return events
}

func TestABatchHasFewSpans(t *testing.T) {
	for name, c := range map[string]struct {
		commands, spans, links, left int
		ratio                        float64
		age                          time.Duration
	}{
		"of one command":         {commands: 1, spans: 1, ratio: 1},
		"of some":                {commands: 3, spans: 4, links: 3, ratio: 1},
		"of many":                {commands: 100, spans: mostCauses + 1, links: mostCauses, left: 100 - mostCauses, ratio: 1},
		"of none that are kept":  {commands: 100, ratio: 0},
		"of what was long ago":   {commands: 100, ratio: 1, age: 2 * recent},
		"of what waited a while": {commands: 1, spans: 1, ratio: 1, age: recent / 2},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, r := open(t, c.ratio)
			events := batch(t, c.commands, time.Now().Add(-c.age))
			if err := tracer.Projection(idle{}).Apply(t.Context(), nil, events); err != nil {
				t.Fatal(err)
			}
			spans := r.Ended()
			if len(spans) != c.spans {
				t.Fatalf("%d spans, want %d", len(spans), c.spans)
			}
			if c.links == 0 {
				return
			}
			whole := spans[len(spans)-1]
			if len(whole.Links()) != c.links || attributesOf(whole)["alur.commands.left_out"].AsInt64() != int64(c.left) {
				t.Errorf("the batch has %d links and %v", len(whole.Links()), whole.Attributes())
			}
			for i, s := range spans[:len(spans)-1] {
				if want := causeOf(events[5*i].Envelope); s.SpanContext().TraceID() != want.TraceID() || s.Parent().SpanID() != want.SpanID() || s.Links()[0].SpanContext.TraceID() != whole.SpanContext().TraceID() {
					t.Errorf("span %d is under %v and links to %v", i, s.Parent(), s.Links())
				}
			}
		})
	}
}
