package bus

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alur-id/alur/domain"
)

// Metrics are the figures of the consumers of one process. A nil one keeps none.
type Metrics struct {
	messages *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	active   *prometheus.GaugeVec
	position *prometheus.GaugeVec
	lag      *prometheus.GaugeVec
	sendings *prometheus.CounterVec
	resting  *prometheus.GaugeVec
}

// NewMetrics registers the figures.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	of := []string{"consumer"}
	m := &Metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "alur_consumer_messages_total", Help: "Messages by what became of them: handled, refused (they come again), or poisoned (they are kept apart).",
		}, []string{"consumer", "became"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "alur_consumer_message_seconds", Help: "How long messages were under way, attempts that failed included.",
			Buckets: []float64{.0001, .001, .01, .1, 1, 10, 100},
		}, of),
		active:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "alur_consumer_active", Help: "1 where this process does the consumer's work."}, of),
		position: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "alur_consumer_position", Help: "Up to which position of the log all is done, where this process does the work."}, of),
		sendings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "alur_lane_attempts_total", Help: "Attempts to send a message, by what became of them: sent, postponed, failed (it is tried again), or given_up (it is listed).",
		}, []string{"lane", "became"}),
		resting: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "alur_lane_resting", Help: "1 where the other system cannot be reached, or the lane is disabled; 0 where neither is so. Where this process does the work."}, []string{"lane"}),
		lag:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "alur_consumer_lag", Help: "How many positions the log is ahead, where this process does the work."}, of),
	}
	return m, errors.Join(r.Register(m.messages), r.Register(m.seconds), r.Register(m.active), r.Register(m.position), r.Register(m.lag),
		r.Register(m.sendings), r.Register(m.resting))
}

// could makes the figures of a consumer known where its work could be done, and those of
// its lanes: an increase is from a figure that is there. Where it stands and whether another
// system is gone only whoever does the work can tell.
func (m *Metrics) could(consumer string, lanes []Lane) {
	if m == nil {
		return
	}
	m.active.WithLabelValues(consumer)
	m.seconds.WithLabelValues(consumer)
	for _, became := range []string{"handled", "refused", "poisoned"} {
		m.messages.WithLabelValues(consumer, became)
	}
	for _, l := range lanes {
		for _, became := range []string{"sent", "postponed", "moved", "failed", "given_up"} {
			m.sendings.WithLabelValues(l.Name, became)
		}
	}
}

func (m *Metrics) took(consumer string, yes bool) {
	if m == nil {
		return
	}
	m.active.WithLabelValues(consumer).Set(float64(flag(yes)))
	if !yes { // it is somebody else's to tell
		m.lag.DeleteLabelValues(consumer)
		m.position.DeleteLabelValues(consumer)
	}
}

func (m *Metrics) message(consumer, became string, took time.Duration) {
	if m == nil {
		return
	}
	m.messages.WithLabelValues(consumer, became).Inc()
	m.seconds.WithLabelValues(consumer).Observe(took.Seconds())
}

func (m *Metrics) stands(consumer string, at, head domain.Position) {
	m.position.WithLabelValues(consumer).Set(float64(at))
	m.lag.WithLabelValues(consumer).Set(float64(max(head-at, 0)))
}

func (m *Metrics) attempt(lane, became string) {
	if m != nil {
		m.sendings.WithLabelValues(lane, became).Inc()
	}
}

func (m *Metrics) rests(lane string, yes bool) {
	if m == nil {
		return
	}
	m.resting.WithLabelValues(lane).Set(float64(flag(yes)))
}

// left says that a lane is somebody else's.
func (m *Metrics) left(lane string) {
	if m != nil {
		m.resting.DeleteLabelValues(lane)
	}
}
