package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

// house is everything the verbs work with, wired over one database file.
type house struct {
	log       *sqlite.Log
	viewsFile sqlite.Views
	views     *projections.Views
	status    *projections.StatusView
	timeline  *projections.TimelineView
	finder    *projections.Finder
	library   *workflows.Library
	engine    *workflows.Engine
}

const defaultDB = "alur.db"

// dbFlag is the flag that names the database.
func dbFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "db", defaultDB, "`FILE` of the event log")
}

// viewsPath is the file beside the log that the views live in.
func viewsPath(db string) string {
	ext := filepath.Ext(db)
	return strings.TrimSuffix(db, ext) + ".views" + ext
}

// stores says where the house keeps what it keeps.
type stores struct {
	db       string
	readOnly bool // beside the process that writes; nothing is created
}

// openHouse opens a database and, to write to it, creates it when there is none.
func openHouse(ctx context.Context, s stores, logger *slog.Logger) (*house, error) {
	open, path := sqlite.Open, s.db
	if s.readOnly {
		open = sqlite.OpenReadOnly
	}
	log, err := open(ctx, path)
	if errors.Is(err, fs.ErrPermission) {
		err = &hintError{err, "a log is read together with its views, which are written beside it: copy it to a folder you may write in"}
	}
	if err != nil {
		return nil, err
	}
	views, err := sqlite.OpenViews(ctx, viewsPath(path))
	if err != nil {
		return nil, &hintError{errors.Join(err, log.Close()), "the views are made of the log: " + viewsPath(path) + " may be deleted"}
	}
	h := &house{
		log: log, viewsFile: views, library: workflows.NewLibrary(log),
		status: projections.NewStatusView(views.Reader), timeline: projections.NewTimelineView(views.Reader),
	}
	h.views, err = projections.NewViews(ctx, log, views.Writer, logger, projections.StatusProjection{}, projections.TimelineProjection{})
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.finder = projections.NewFinder(log, h.views, h.status)
	h.engine = workflows.NewEngine(log, h.library, workflows.EngineConfig{Now: time.Now, Random: randomBits, Taken: h.status.Taken})
	return h, nil
}

// withHouse opens a database, and creates it when there is none, for as long as
// do runs.
func withHouse(c *cobra.Command, path string, do func(context.Context, *house) error) error {
	return with(c, stores{db: path}, do)
}

func with(c *cobra.Command, s stores, do func(context.Context, *house) error) error {
	h, err := openHouse(c.Context(), s, newLogger(c))
	if err != nil {
		return err
	}
	return errors.Join(do(c.Context(), h), h.close())
}

// withExisting opens a database to read it: one that is not there is not
// created. The views are brought up to the log first, so that what is shown is
// what happened.
func withExisting(c *cobra.Command, path string, do func(context.Context, *house) error) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return &hintError{fmt.Errorf("there is no event log %s", path), "name it with --db, or make one with alur serve or alur import"}
	}
	return with(c, stores{db: path, readOnly: true}, func(ctx context.Context, h *house) error {
		if err := h.views.CatchUp(ctx); err != nil {
			return err
		}
		return do(ctx, h)
	})
}

func (h *house) close() error { return errors.Join(h.viewsFile.Close(), h.log.Close()) }

// find loads the request that a reference names.
func (h *house) find(ctx context.Context, reference string) (domain.Request, error) {
	s, err := h.finder.Find(ctx, reference)
	if errors.Is(err, domain.ErrNotFound) {
		return domain.Request{}, &hintError{fmt.Errorf("there is no request %q", reference), "alur request list shows the references of this log"}
	}
	if err != nil {
		return domain.Request{}, err
	}
	return h.engine.Load(ctx, s.Request)
}

// publishCatalogue publishes each shipped definition that its tenant has no
// version of yet. A newer definition in a newer program is not published by
// itself: what the law is, somebody decides.
func (h *house) publishCatalogue(ctx context.Context, logger *slog.Logger) error {
	entries, err := catalogue.Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		_, err := h.library.Latest(ctx, e.Tenant, e.Definition.ID)
		if err == nil {
			continue
		}
		if !errors.Is(err, domain.ErrNotFound) {
			return err
		}
		_, err = h.library.Publish(ctx, workflows.Publication{
			Tenant: e.Tenant, Source: e.Source, Definition: e.Definition, Occurred: time.Now(), At: time.Now(),
			Actor: domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}, Why: "shipped with the program",
		})
		if err != nil {
			return err
		}
		logger.InfoContext(ctx, "published", "tenant", e.Tenant, "workflow", e.Definition.ID)
	}
	return nil
}

// randomBits draws from the system's cryptographic source, which does not fail
// (crypto/rand ends the program instead).
func randomBits() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// newLogger writes what is not data to standard error.
func newLogger(c *cobra.Command) *slog.Logger {
	return slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
}
