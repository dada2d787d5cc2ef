package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/httpapi"
	"github.com/alur-id/alur/adapters/metrics"
	"github.com/alur-id/alur/adapters/tracing"
	"github.com/alur-id/alur/adapters/web"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

const defaultListen = "127.0.0.1:8080"

// tokenVariable is the environment variable that holds the API's token. A flag
// would show it in the list of processes.
const tokenVariable = "ALUR_API_TOKEN"

func newServe() *cobra.Command {
	var listen string
	var out outward
	var looks observed
	s := stores{sealing: true}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the JSON API and the citizens' pages",
		Long: `Serve opens the event log, or makes one with the shipped catalogue, keeps the
views current, and serves:

  /lacak            find a request, and its status page
  /api/v1/requests  submit, act, read (JSON; described at /api/openapi.yaml)
  /healthz          whether the log can be read, how far the views are behind, and
                    when terms were last looked through; the same for people at /status
  /metrics          figures for Prometheus

With --nats it also forwards integration events to NATS JetStream. With --outward it
tells applicants of their requests by e-mail, SMS and WhatsApp, and other systems by
webhooks; alur reactor list shows what failed.

There is no log-in yet. The API therefore wants a bearer token when ` + tokenVariable + `
is set, and is not served beyond this machine when it is not.`,
		Args: func(c *cobra.Command, args []string) error {
			return errors.Join(cobra.NoArgs(c, args), isAddress(listen), out.check(), looks.check())
		},
		RunE: func(c *cobra.Command, _ []string) error {
			logger := newLogger(c)
			if s.absent() { // nothing is made for an address that cannot be had
				l, err := listenOn(c.Context(), listen)
				if err == nil {
					err = l.Close()
				}
				if err != nil {
					return err
				}
			}
			return looks.watched(c.Context(), logger, func(tracer *tracing.Tracer) error {
				s.tracer = tracer
				return withHouse(c, s, func(ctx context.Context, h *house) error {
					l, err := listenOn(ctx, listen)
					if err != nil {
						return err
					}
					if err := errors.Join(h.publishCatalogue(ctx, logger), h.eraser().Resume(ctx), h.shareViews(ctx), h.openOutward(ctx, s, out, logger)); err != nil {
						return errors.Join(err, l.Close())
					}
					logger.InfoContext(ctx, "serving", "pages", "http://"+l.Addr().String()+"/lacak")
					return h.serve(ctx, l, logger)
				})
			})
		},
	}
	s.flags(c)
	s.kekFlag(c)
	c.Flags().BoolVar(&s.newKeys, "new-keys", false, "begin new keys although the keys of what is sealed in the log are lost")
	listenFlag(c, &listen)
	out.flags(c)
	looks.flags(c)
	return c
}

// shareViews has each view run by one node. Nobody is shown rows that another version of
// the program made: who comes meanwhile waits.
func (h *house) shareViews(ctx context.Context) error {
	if h.viewsDB.leases != nil {
		leases, err := h.viewsDB.leases(ctx)
		if err != nil {
			return err
		}
		h.views.Share(leases, uuid.NewString())
	}
	return h.views.Renew(ctx)
}

// sweepEvery is how often it is looked whether the time of a term has come. Whoever
// acts on a request meanwhile finds it run out in any case.
const sweepEvery = 2 * time.Second

func listenFlag(c *cobra.Command, listen *string) {
	c.Flags().StringVar(listen, "listen", defaultListen, "`ADDRESS` to serve on; port 0 picks a free one")
}

func isAddress(s string) error {
	if _, _, err := net.SplitHostPort(s); err != nil {
		return fmt.Errorf("--listen %q: want an address such as %s", s, defaultListen)
	}
	return nil
}

// listenOn opens the address, unless it would offer an unguarded API to others.
func listenOn(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &hintError{err, "choose another address with --listen, such as 127.0.0.1:0"}
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() && os.Getenv(tokenVariable) == "" {
		return nil, errors.Join(&hintError{
			fmt.Errorf("%s can be reached from other machines, and the API has no token", l.Addr()),
			"set " + tokenVariable + ", or listen on 127.0.0.1",
		}, l.Close())
	}
	return l, nil
}

// outwardPatience is how long what is being sent has to end, once all else has: a letter
// takes 45 s, what another system answers 20, and recording it 20 more where the log is gone.
const outwardPatience = time.Minute

// serve serves until the context ends, then finishes what is under way: requests, and what
// is being sent.
func (h *house) serve(ctx context.Context, l net.Listener, logger *slog.Logger) error {
	sweeper := h.sweeper(logger)
	sweeper.CatchUp = h.listed
	handler, err := h.handler(logger, sweeper)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	// The views outlive the context: requests under way may wait for them.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.views.Run(following)
	}()
	defer func() {
		stop()
		<-done
	}()
	sweeping, rest := context.WithCancel(ctx)
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		sweeper.Run(sweeping, sweepEvery)
	}()
	defer func() {
		rest()
		<-swept
	}()
	reacting, end := context.WithCancel(ctx)
	reacted := make(chan struct{})
	go func() {
		defer close(reacted)
		h.react(reacting, logger)
	}()
	defer func() {
		end()
		select {
		case <-reacted:
		case <-time.After(outwardPatience):
			logger.ErrorContext(context.WithoutCancel(ctx), "what is being sent does not end and is cut off: it may be sent twice", "after", outwardPatience)
		}
	}()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.InfoContext(context.WithoutCancel(ctx), "stopping")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(patience)
}

func (h *house) handler(logger *slog.Logger, sweeper *workflows.Sweeper) (http.Handler, error) {
	tenants, err := catalogue.Tenants()
	if err != nil {
		return nil, err
	}
	names := map[domain.TenantCode]workflows.Text{}
	for _, t := range tenants {
		names[t.Code] = t.Name
	}
	pages, err := web.New(web.Config{
		Finder: h.finder, Engine: h.engine, Timeline: h.timeline, Library: h.library, Services: h.services, Queue: h.queue, Tenants: names, Logger: logger, Now: h.now,
	})
	if err != nil {
		return nil, err
	}
	api := httpapi.New(httpapi.Config{
		Log: h.log, Engine: h.engine, Library: h.library, Views: h.views, Status: h.status,
		Timeline: h.timeline, Services: h.services, Figures: h.figures, Permits: h.permits, Inbox: h.inbox, Queue: h.queue,
		Finder: h.finder, Logger: logger, Token: os.Getenv(tokenVariable), Sweeper: sweeper, Quiet: h.quiet, Correlation: h.tracer.Correlation,
	})
	if err := errors.Join(h.metrics.Register(metrics.Views(h.views.Lags)), h.metrics.Register(metrics.Terms(sweeper.Last))); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/api/", api)
	mux.Handle("/healthz", api)
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET "+bus.SchemaPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = io.WriteString(w, bus.Schema) // a caller that went away is not our fault
	})
	mux.Handle("/status", api)
	return h.looked(mux), nil
}
