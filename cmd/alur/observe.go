package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/metrics"
	"github.com/alur-id/alur/adapters/tracing"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// observed says how what the program does can be looked at, beside its figures.
type observed struct {
	format string // of the log
	pprof  string // ADDRESS, empty for none
	otlp   string // URL of a collector, empty for that of the environment
	ratio  float64
}

// The environment variables by which OpenTelemetry names a collector.
var otlpVariables = []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}

const logFormat = "log-format"

func (o *observed) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.format, logFormat, "text", "how the log is written to standard error: text or json")
	c.Flags().StringVar(&o.pprof, "pprof", "", "`ADDRESS` to serve profiles on, such as 127.0.0.1:6060; they hold what is in memory")
	c.Flags().StringVar(&o.otlp, "otlp", "", "`URL` of an OpenTelemetry collector that traces are sent to over HTTP; or set "+otlpVariables[0])
	c.Flags().Float64Var(&o.ratio, "otlp-ratio", 1, "share of the traces that is sent, 0 to 1; the same on all nodes")
}

func (o *observed) check() error {
	if o.format != "text" && o.format != "json" {
		return errors.New("--" + logFormat + ": want text or json")
	}
	if u, err := url.Parse(o.otlp); o.otlp != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "") {
		return &hintError{errors.New("--otlp: want the address of a collector"), "write it as http://HOST:4318"}
	}
	if !(o.ratio >= 0 && o.ratio <= 1) {
		return errors.New("--otlp-ratio: want a number from 0 to 1")
	}
	return nil
}

// tracer begins to send traces, nil where none are asked for.
func (o *observed) tracer(ctx context.Context, logger *slog.Logger) (*tracing.Tracer, error) {
	asked := o.otlp != ""
	for _, name := range otlpVariables {
		asked = asked || os.Getenv(name) != ""
	}
	if !asked {
		return nil, nil
	}
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	return tracing.Open(ctx, tracing.Config{Endpoint: o.otlp, Ratio: o.ratio, Version: version, Logger: logger})
}

// watched does something while what is asked for is looked at: profiles are served, and
// traces are sent.
func (o *observed) watched(ctx context.Context, logger *slog.Logger, do func(*tracing.Tracer) error) (err error) {
	if o.pprof != "" {
		l, err := openPprof(ctx, o.pprof)
		if err != nil {
			return err
		}
		stop := servePprof(ctx, l, logger)
		defer func() { err = errors.Join(err, stop()) }()
	}
	tracer, err := o.tracer(ctx, logger)
	if err != nil {
		return err
	}
	if tracer != nil {
		defer func() {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := tracer.Close(last); err != nil {
				logger.WarnContext(last, "the last traces are lost", "error", err)
			}
		}()
	}
	return do(tracer)
}

// engineLog is the log as the engine has it: what it appends is counted and traced.
func (h *house) engineLog() domain.EventLog {
	log := h.counted.Log(h.log)
	if h.tracer != nil {
		log = h.tracer.Log(log)
	}
	return log
}

// tracedViews are projections whose work is traced.
func (h *house) tracedViews(list []projections.Projection) []projections.Projection {
	if h.tracer != nil {
		for i, p := range list {
			list[i] = h.tracer.Projection(p)
		}
	}
	return list
}

// looked has what is served counted and traced.
func (h *house) looked(served http.Handler) http.Handler {
	if h.tracer == nil {
		return h.counted.HTTP(served)
	}
	return h.counted.HTTP(served, metrics.Watch(h.tracer.Request))
}

// tracedReactor is a reactor whose work, and what it sends, is traced.
func (h *house) tracedReactor(r bus.Reactor) bus.Reactor {
	if h.tracer == nil {
		return r
	}
	handle := r.Handle
	r.Handle = func(msg *message.Message) error {
		e, err := bus.Event(msg)
		if err != nil {
			return err
		}
		before := msg.Context()
		ctx, end := h.tracer.Follow(before, "react "+r.Name, e)
		msg.SetContext(ctx)
		defer msg.SetContext(before) // it may be handled again
		err = handle(msg)
		end(err)
		return err
	}
	for i := range r.Lanes {
		l := &r.Lanes[i]
		send := l.Send
		l.Send = func(ctx context.Context, s bus.Sending) error {
			end := func(error) {}
			for e, err := range domain.Events(h.log.ReadStream(ctx, s.Stream, s.Version-1)) {
				if err == nil && e.Version == s.Version {
					ctx, end = h.tracer.Follow(ctx, "send "+l.Name, e)
				}
				break
			}
			err := send(ctx, s)
			end(err)
			return err
		}
	}
	return r
}
