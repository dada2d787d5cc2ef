package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// patience is how long a scrape waits for the stores. Prometheus itself gives up after 10 s.
const patience = 2 * time.Second

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	readable     = describe("alur_views_readable", "1 where it could be read in time how far the views are; 0 where the figures of the views are missing for it.")
	logPosition  = describe("alur_log_position", "Position of the last event of the log.")
	viewPosition = describe("alur_view_position", "Up to which position of the log the view is folded.", "view")
	lagEvents    = describe("alur_view_lag_events", "Events that the view has not folded, counted to 100000.", "view")
	lagSeconds   = describe("alur_view_lag_seconds", "How long ago the first event was recorded that the view has not folded; 0 for none.", "view")
	viewHere     = describe("alur_view_here", "1 where this process runs the view.", "view")
	viewPaused   = describe("alur_view_paused", "1 where somebody paused the view.", "view")
	viewStopped  = describe("alur_view_stopped", "1 where the view stands before an event that it cannot fold.", "view")
	viewFailing  = describe("alur_view_failing", "1 where the view does not advance, though nobody paused it.", "view")
)

// Views tells how far views are, read when it is asked for: what [projections.Views.Lags]
// says, as /healthz does. A store that does not answer is waited for a little, by one
// question at a time; the other figures are told all the same.
func Views(lags func(context.Context) ([]projections.Lag, error)) prometheus.Collector {
	return &views{lags: lags, asking: make(chan struct{}, 1), patience: patience}
}

type views struct {
	lags     func(context.Context) ([]projections.Lag, error)
	asking   chan struct{} // holds one while a question is open
	patience time.Duration
}

// Describe implements [prometheus.Collector].
func (v *views) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readable, logPosition, viewPosition, lagEvents, lagSeconds, viewHere, viewPaused, viewStopped, viewFailing} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (v *views) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	list, ok := v.ask()
	gauge(readable, flag(ok))
	for i, l := range list {
		if i == 0 {
			gauge(logPosition, float64(l.Head))
		}
		gauge(viewPosition, float64(l.Position), l.View)
		gauge(lagEvents, float64(l.Events), l.View)
		gauge(lagSeconds, l.Seconds, l.View)
		gauge(viewHere, flag(l.Here), l.View)
		gauge(viewPaused, flag(l.Paused), l.View)
		gauge(viewStopped, flag(l.Stopped != nil), l.View)
		gauge(viewFailing, flag(l.Fault != ""), l.View)
	}
}

// ask waits no longer than its patience, also for a store that does not heed the end of a
// context.
func (v *views) ask() (list []projections.Lag, ok bool) {
	late := time.NewTimer(v.patience)
	defer late.Stop()
	select {
	case v.asking <- struct{}{}:
	case <-late.C:
		return nil, false
	}
	answered := make(chan []projections.Lag, 1)
	go func() {
		defer func() { <-v.asking }()
		ctx, cancel := context.WithTimeout(context.Background(), v.patience)
		defer cancel()
		if list, err := v.lags(ctx); err == nil {
			answered <- list
		} else {
			close(answered)
		}
	}()
	select {
	case list, ok = <-answered:
		return list, ok
	case <-late.C:
		return nil, false
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

var (
	swept   = describe("alur_terms_swept_timestamp_seconds", "When the last sweep of the terms began that came to an end, in Unix time.")
	stuck   = describe("alur_terms_stuck", "Requests of which it cannot be recorded that the time of a term has come.")
	unswept = describe("alur_terms_sweep_failed", "1 where the last sweep of the terms did not come to its end.")
)

// Terms tells of the last sweep; nothing before the first.
func Terms(last func() *workflows.LastSweep) prometheus.Collector { return terms(last) }

type terms func() *workflows.LastSweep

// Describe implements [prometheus.Collector].
func (t terms) Describe(ch chan<- *prometheus.Desc) { ch <- swept; ch <- stuck; ch <- unswept }

// Collect implements [prometheus.Collector].
func (t terms) Collect(ch chan<- prometheus.Metric) {
	last := t()
	if last == nil {
		return
	}
	for d, value := range map[*prometheus.Desc]float64{
		swept: float64(last.At.UnixMilli()) / 1000, stuck: float64(last.Swept.Stuck), unswept: flag(last.Err != nil),
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
}
