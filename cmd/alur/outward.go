package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/bus/jetstream"
	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
)

// outward says what goes out of this program and where to.
type outward struct {
	nats        string // URLs of servers, empty for none
	credentials string // FILE
	content     string
	public      string // URL by which others reach this program
	file        string // FILE that says who is told what
	told        *outwardFile
}

// What is named here may hold a password, which a flag would show in the list of
// processes.
const natsVariable = "ALUR_NATS"

func (o *outward) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.nats, "nats", os.Getenv(natsVariable), "nats:// `URL`s, by commas, of servers that integration events are forwarded to; or set "+natsVariable)
	c.Flags().Lookup("nats").DefValue = "" // help prints defaults
	c.Flags().StringVar(&o.credentials, "nats-creds", "", "`FILE` of the credentials for them")
	c.Flags().StringVar(&o.content, "nats-content", string(bus.Structured), "how events stand in messages: structured or binary")
	c.Flags().StringVar(&o.file, "outward", "", "`FILE` that says by which gateways applicants and offices are told of requests, and which other systems by webhooks")
	c.Flags().StringVar(&o.public, "public-url", "", "`URL` by which other systems reach this server; links begin with it")
}

// check refuses what cannot be meant. What may hold a password is not printed.
func (o *outward) check() error {
	for _, server := range strings.Split(o.nats, ",") {
		switch scheme(strings.TrimSpace(server)) {
		case "nats", "tls", "ws", "wss":
		default:
			if o.nats != "" {
				return &hintError{errors.New("--nats: want nats:// URLs"), "write nats://HOST:4222, and several with commas between them"}
			}
		}
	}
	if c := bus.ContentMode(o.content); c != bus.Structured && c != bus.Binary {
		return errors.New("--nats-content: want structured or binary")
	}
	if u, err := url.Parse(o.public); o.public != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "") {
		return &hintError{errors.New("--public-url: want the address of this server"), "write it as https://HOST"}
	}
	if o.file == "" {
		return nil
	}
	var err error
	if o.told, err = readOutward(o.file); err != nil {
		return &hintError{fmt.Errorf("--outward: %w", err), "docs/operators.md, What goes outward, shows such a file"}
	}
	return nil
}

// newRegistry holds what is served at /metrics.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// openOutward prepares what goes out of this house, if anything does. The house closes
// it.
func (h *house) openOutward(ctx context.Context, s stores, o outward, logger *slog.Logger) error {
	h.quiet = o.told.quiet()
	if o.nats == "" && o.told == nil {
		return nil
	}
	outbox, err := s.openOutbox(ctx)
	if err != nil {
		return err
	}
	h.outbox = outbox
	store, err := bus.OpenStore(ctx, outbox.writer, outbox.reader, h.now)
	if err != nil {
		return err
	}
	metrics, err := bus.NewMetrics(h.metrics)
	if err != nil {
		return err
	}
	h.router = bus.NewRouter(bus.RouterConfig{Log: h.log, Store: store, Metrics: metrics, Logger: logger, Now: h.now})
	reactors, err := h.reactors(store, o, logger)
	if err != nil {
		return err
	}
	if o.nats != "" {
		publisher, err := jetstream.NewPublisher(jetstream.Server{URL: o.nats, Credentials: o.credentials, Name: "alur"}, logger)
		if err != nil {
			return err
		}
		h.publisher = publisher
		reactors = append(reactors, bus.Forwarder(publisher, bus.ContentMode(o.content), o.public))
	}
	for _, r := range reactors {
		if err := h.router.Add(h.tracedReactor(r)); err != nil {
			return err
		}
	}
	return tellUnserved(ctx, store, reactors, logger)
}

// tellUnserved warns of messages that wait where nothing sends any more, since what they
// went by is not named by the file.
func tellUnserved(ctx context.Context, store *bus.Store, reactors []bus.Reactor, logger *slog.Logger) error {
	served := map[string]bool{}
	for _, r := range reactors {
		for _, l := range r.Lanes {
			served[l.Name] = true
		}
	}
	lanes, err := store.LaneStates(ctx)
	for _, l := range lanes {
		if l.Waiting > 0 && !served[l.Name] {
			logger.WarnContext(ctx, "messages wait for what the outward file does not name any more: name it again, or have them skipped (alur reactor skip)", "lane", l.Name, "waiting", l.Waiting)
		}
	}
	return err
}

// reactors are those that the file asks for.
func (h *house) reactors(store *bus.Store, o outward, logger *slog.Logger) ([]bus.Reactor, error) {
	if o.told == nil {
		return nil, nil
	}
	gateways, err := o.told.gateways()
	if err != nil {
		return nil, err
	}
	var list []bus.Reactor
	if len(gateways) > 0 {
		list = append(list, notices(&notify.Notifier{Engine: h.engine, Gateways: gateways, Public: o.public, Quiet: h.quiet, Now: h.now}, store))
	}
	if boxes := o.told.mailboxes(); len(boxes) > 0 {
		h.mailboxes = &mailboxWatch{house: h, boxes: boxes, logger: logger}
		list = append(list, h.mailboxes.watched(offices(&notify.Offices{Engine: h.engine, Gateway: gateways[domain.ChannelEmail], Mailboxes: boxes}, h.log, store)))
	}
	for _, e := range o.told.Webhooks {
		if len(e.public) > 0 {
			logger.Info("a webhook's messages are signed by a key of which this is the public one", "webhook", e.Name, "public", strings.Join(e.public, " "))
		}
		list = append(list, webhooks(e, h.log, store, o.public))
	}
	return list, nil
}

// react runs what goes outward until the context ends.
func (h *house) react(ctx context.Context, logger *slog.Logger) {
	if h.router == nil {
		return
	}
	if h.mailboxes != nil {
		var looking sync.WaitGroup
		looking.Go(func() { h.mailboxes.begin(ctx) })
		defer looking.Wait()
	}
	if err := h.router.Run(ctx); err != nil {
		logger.ErrorContext(ctx, "reactors have ended", "error", err)
	}
}
