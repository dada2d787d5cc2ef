package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/metrics"
	"github.com/alur-id/alur/adapters/tracing"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/erasure"
)

// house is everything the verbs work with, wired over one set of stores.
type house struct {
	log       eventLog
	viewsDB   viewsDB
	views     *projections.Views
	status    *projections.StatusView
	timeline  *projections.TimelineView
	terms     *projections.TermsView
	figures   *projections.StatisticsView
	permits   *projections.PermitView
	calendars *workflows.Calendars
	now       func() time.Time
	services  *projections.ServiceView
	inbox     *projections.InboxView
	queue     *projections.QueueView
	finder    *projections.Finder
	library   *workflows.Library
	engine    *workflows.Engine
	vault     *keys.Vault // nil where no personal data is dealt with
	keys      keyStore    // nil with it
	trust     time.Duration
	metrics   *prometheus.Registry
	counted   *metrics.Metrics
	tracer    *tracing.Tracer // nil where nothing is traced

	// What goes outward; nil where nothing does.
	outbox    outboxDB
	publisher io.Closer
	router    *bus.Router
	mailboxes *mailboxWatch // nil where no office is told

	quiet domain.Quiet // hours, of applicants who did not say which
}

// openHouse opens the stores and, to write to them, creates them when there are
// none and they need not be there.
func openHouse(ctx context.Context, s stores, logger *slog.Logger) (*house, error) {
	h := &house{metrics: newRegistry(), quiet: domain.UsualQuiet, tracer: s.tracer}
	if err := h.open(ctx, s, logger); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *house) open(ctx context.Context, s stores, logger *slog.Logger) (err error) {
	if s.sealing { // before a log is made for keys that are not there
		if _, err := s.ring(); err != nil && (s.kekPath() == "" || s.kek != "" || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	if h.log, _, err = s.openLog(ctx); err != nil {
		return err
	}
	if s.sealing {
		if err := s.guardKeys(ctx, h.log); err != nil {
			return err
		}
		if s.readOnly || s.existing {
			if err := s.keysThere(); err != nil {
				return err
			}
		}
		ring, err := s.madeRing(ctx, logger)
		if err != nil {
			return err
		}
		h.trust = s.trust()
		if h.vault, h.keys, err = s.openVault(ctx, ring); err != nil {
			return err
		}
	}
	if h.viewsDB, err = s.openViews(ctx); err != nil {
		return err
	}
	if h.counted, err = metrics.New(h.metrics); err != nil {
		return err
	}
	h.library = workflows.NewLibrary(h.log)
	h.calendars = workflows.NewCalendars(h.log)
	h.status, h.timeline = projections.NewStatusView(h.viewsDB.reader), projections.NewTimelineView(h.viewsDB.reader)
	h.terms = projections.NewTermsView(h.viewsDB.reader)
	h.figures, h.permits = projections.NewStatisticsView(h.viewsDB.reader, h.workingDays, h.agency), projections.NewPermitView(h.viewsDB.reader)
	h.services = projections.NewServiceView(h.viewsDB.reader)
	h.inbox, h.queue = projections.NewInboxView(h.viewsDB.reader), projections.NewQueueView(h.viewsDB.reader)
	if h.views, err = projections.NewViews(ctx, h.log, h.viewsDB.writer, logger, h.tracedViews(everyProjection(h.library))...); err != nil {
		return err
	}
	h.finder = projections.NewFinder(h.log, h.views, h.status)
	h.now = time.Now
	if s.now != nil {
		h.now = s.now
	}
	config := workflows.EngineConfig{Now: h.now, Random: randomBits, Taken: h.status.Taken, Calendars: h.calendars, Observe: h.counted.Command}
	if h.vault != nil {
		config.Vault = h.vault
	}
	h.engine = workflows.NewEngine(h.engineLog(), h.library, config)
	return nil
}

// everyProjection is the views there are.
func everyProjection(library *workflows.Library) []projections.Projection {
	task := taskOf(library)
	return []projections.Projection{
		projections.StatusProjection{},
		projections.TimelineProjection{},
		projections.ServiceProjection{},
		projections.TermsProjection{},
		projections.StatisticsProjection{Acts: library.Acts, RecordsEnds: library.RecordsEnds},
		projections.PermitProjection{},
		projections.InboxProjection{Owner: library.Owner, Task: task},
		projections.QueueProjection{Task: task},
	}
}

// taskOf is how the work of a state is given out by a published version; not at all where
// there is no such version or state.
func taskOf(library *workflows.Library) func(domain.TenantCode, domain.WorkflowRef, domain.StateID) (domain.TaskRule, bool, error) {
	return func(tenant domain.TenantCode, ref domain.WorkflowRef, state domain.StateID) (domain.TaskRule, bool, error) {
		w, err := library.Version(context.Background(), tenant, ref)
		if errors.Is(err, domain.ErrNotFound) {
			return domain.TaskRule{}, false, nil
		}
		if err != nil {
			return domain.TaskRule{}, false, err
		}
		rule, given := w.Task(state)
		return rule, given, nil
	}
}

// close closes what was opened.
func (h *house) close() error {
	var errs []error
	for _, c := range []io.Closer{h.publisher, h.outbox.Closer, h.viewsDB.Closer, h.keys, h.log} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// eraser destroys keys; the house deals with personal data.
func (h *house) eraser() *erasure.Eraser {
	e := &erasure.Eraser{Log: h.log, Engine: h.engine, Library: h.library, Keys: h.vault, Now: time.Now}
	if h.trust > 0 {
		e.Settle = h.settle
	}
	return e
}

// settle waits until other nodes no longer believe that a key which was marked
// lives.
func (h *house) settle(ctx context.Context) error {
	wait := time.NewTimer(h.trust + time.Second)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withHouse opens the stores, and creates them when there are none, for as long as
// do runs.
func withHouse(c *cobra.Command, s stores, do func(context.Context, *house) error) error {
	h, err := openHouse(c.Context(), s, newLogger(c))
	if err != nil {
		return err
	}
	return errors.Join(do(c.Context(), h), h.close())
}

// withExisting opens the stores to read them: what is not there is not created.
// The views are brought up to the log first, so that what is shown is what
// happened.
func withExisting(c *cobra.Command, s stores, do func(context.Context, *house) error) error {
	s.readOnly = true
	return withHouse(c, s, func(ctx context.Context, h *house) error {
		if err := h.catchUp(ctx, newLogger(c)); err != nil {
			return err
		}
		return do(ctx, h)
	})
}

// catchUp brings the views up to the log. One that stands still keeps nobody from
// reading the others, but whoever reads is told.
func (h *house) catchUp(ctx context.Context, logger *slog.Logger) error {
	err := h.views.CatchUp(ctx)
	if err == nil {
		return nil
	}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	var others []error
	for _, err := range all {
		var stopped *projections.StoppedError
		var paused *projections.PausedError
		if !errors.As(err, &stopped) && !errors.As(err, &paused) {
			others = append(others, err)
			continue
		}
		logger.WarnContext(ctx, "what a view shows is not of today", "reason", err)
	}
	return errors.Join(others...)
}

// find loads the request that a reference names, or its id, which letters to offices and
// integration events say.
func (h *house) find(ctx context.Context, reference string) (domain.Request, error) {
	if id, err := uuid.Parse(reference); err == nil && len(reference) == len(id.String()) {
		if r, err := h.engine.Load(ctx, id); err != nil || r.Exists() {
			return r, err
		}
	}
	s, err := h.finder.Find(ctx, reference)
	if errors.Is(err, domain.ErrNotFound) {
		return domain.Request{}, &hintError{fmt.Errorf("there is no request %q", reference), "alur request list shows the references of this log"}
	}
	if err != nil {
		return domain.Request{}, err
	}
	return h.engine.Load(ctx, s.Request)
}

// randomBits draws from the system's cryptographic source, which does not fail
// (crypto/rand ends the program instead).
func randomBits() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// newLogger writes what is not data to standard error, as text or as the verb's flag says.
func newLogger(c *cobra.Command) *slog.Logger {
	if f := c.Flags().Lookup(logFormat); f != nil && f.Value.String() == "json" {
		return slog.New(slog.NewJSONHandler(c.ErrOrStderr(), nil))
	}
	return slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
}
