// Package metrics keeps the figures of a server, for Prometheus. Nothing in them leads to
// a person or a request: a label is the name of a service, a view, a rule, a type of
// event or a route, never what stood in an address.
package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Metrics are the figures that are counted as things happen. They are safe for concurrent
// use.
type Metrics struct {
	commands *prometheus.CounterVec
	refusals *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	events   *prometheus.CounterVec
	append   prometheus.Histogram
	group    prometheus.Histogram
	requests *prometheus.CounterVec
	answers  *prometheus.HistogramVec
	late     prometheus.Histogram
}

// quick are the bounds of what takes from part of a millisecond to some seconds.
var quick = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// New registers the figures.
func New(r prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		commands: counter("alur_commands_total", "Commands of people and other systems, by service and by what became of them: accepted, repeated (the first answer again), refused, conflict or error.", "service", "outcome"),
		refusals: counter("alur_refusals_total", "Commands that were refused, by the rule that stood against them.", "rule"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "alur_command_seconds", Help: "How long commands took, from their arrival at the engine to the durable event or the refusal.", Buckets: quick,
		}, []string{"outcome"}),
		events: counter("alur_events_appended_total", "Events that this process recorded about requests, by type.", "type"),
		append: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "alur_append_seconds", Help: "How long appends to the event log took, conflicts and failures included.", Buckets: quick,
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "alur_append_group", Help: "How many appends each transaction of the event log answered (group commit); none where the log does not group them.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		requests: counter("alur_http_requests_total", "HTTP requests by method, route (a pattern, not an address) and class of the answer's status.", "method", "route", "status"),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "alur_http_request_seconds", Help: "How long HTTP requests took.", Buckets: quick,
		}, []string{"method", "route"}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "alur_terms_late_seconds", Help: "How late this process recorded that the time of a term had come; one observation for each.",
			Buckets: []float64{1, 2.5, 5, 10, 30, 60, 300, 3600, 86400},
		}),
	}
	var errs []error
	m.seconds.WithLabelValues("error") // an increase is from a figure that is there
	for _, c := range []prometheus.Collector{m.commands, m.refusals, m.seconds, m.events, m.append, m.group, m.requests, m.answers, m.late} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

// Command is the engine's [workflows.EngineConfig.Observe].
func (m *Metrics) Command() func(workflows.Outcome) {
	began := time.Now()
	return func(o workflows.Outcome) {
		became := outcome(o)
		m.commands.WithLabelValues(o.Service, became).Inc()
		m.seconds.WithLabelValues(became).Observe(time.Since(began).Seconds())
		var refusal *domain.Refusal
		if errors.As(o.Err, &refusal) {
			m.refusals.WithLabelValues(string(refusal.Rule)).Inc()
		}
	}
}

func outcome(o workflows.Outcome) string {
	var refusal *domain.Refusal
	var conflict *domain.ConflictError
	switch {
	case o.Err == nil && o.Repeated:
		return "repeated"
	case o.Err == nil:
		return "accepted"
	case errors.As(o.Err, &refusal):
		return "refused"
	case errors.As(o.Err, &conflict):
		return "conflict"
	}
	return "error"
}

// Fired is the sweeper's [workflows.Sweeper.Fired].
func (m *Metrics) Fired(late time.Duration) { m.late.Observe(late.Seconds()) }

// grouping is a log that commits appends together, and tells how many each time.
type grouping interface{ Grouped(tell func(appends int)) }

// Log counts what is appended to a log.
func (m *Metrics) Log(log domain.EventLog) domain.EventLog {
	if g, ok := log.(grouping); ok {
		g.Grouped(func(appends int) { m.group.Observe(float64(appends)) })
	}
	return metered{log, m}
}

type metered struct {
	domain.EventLog
	*Metrics
}

// Append implements [domain.EventLog].
func (l metered) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	began := time.Now()
	done, err := l.EventLog.Append(ctx, a)
	l.append.Observe(time.Since(began).Seconds())
	if err == nil && !done.Repeated {
		for _, e := range a.Entries {
			l.events.WithLabelValues(e.Type).Inc()
		}
	}
	return done, err
}
