package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/eventstoredb"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/tracing"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// stores says where the log, the views and the keys are.
type stores struct {
	db       string // FILE or postgres:// URL
	log      string // esdb:// URL of the log, if it is not in db
	kek      string // FILE of the key-encryption keys; empty: beside db
	readOnly bool   // beside the process that writes; nothing is created
	existing bool   // nothing is created, but what is there is written to
	sealing  bool   // personal data is sealed or opened
	newKeys  bool   // keys are begun anew, though there is data sealed under others

	now    func() time.Time // nil: the clock on the wall
	tracer *tracing.Tracer  // nil: nothing is traced
}

const defaultDB = "alur.db"

// What is named here may hold a password, which a flag would show in the list of
// processes.
const (
	dbVariable  = "ALUR_DB"
	logVariable = "ALUR_LOG"
)

// flags are the flags that name the stores.
func (s *stores) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.db, "db", valueOr(os.Getenv(dbVariable), defaultDB), "`FILE` of the event log, or postgres:// URL; or set "+dbVariable)
	c.Flags().StringVar(&s.log, "log", os.Getenv(logVariable), "esdb:// `URL` of the event log; views and keys stay in --db; or set "+logVariable)
	// The defaults may hold passwords, and help prints defaults.
	c.Flags().Lookup("db").DefValue, c.Flags().Lookup("log").DefValue = defaultDB, ""
}

func (s *stores) kekFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.kek, "kek", "", "`FILE` of the key-encryption keys; or set "+kekVariable+" to the keys (default: beside --db)")
}

func valueOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// eventLog is a log as the verbs use it.
type eventLog interface {
	domain.EventLog
	workflows.BatchLog
	io.Closer
}

// features is what the verifier has to know of a store.
type features struct {
	gapless bool
	kind    string
}

// openPatience is how long a server may take to answer when it is first asked.
const openPatience = 20 * time.Second

// openLog opens the log, and creates it when there is none unless it is only
// read or has to be there.
func (s stores) openLog(ctx context.Context) (eventLog, features, error) {
	if err := s.check(); err != nil {
		return nil, features{}, err
	}
	if err := s.there(ctx); err != nil {
		return nil, features{}, err
	}
	switch {
	case s.log != "":
		opening, cancel := context.WithTimeout(ctx, openPatience)
		defer cancel()
		log, err := eventstoredb.Open(opening, withScheme(s.log))
		if errors.Is(err, context.DeadlineExceeded) {
			err = &hintError{fmt.Errorf("no server of the event log answered in %s: %w", openPatience, err), "look whether --log names it rightly, and whether it runs"}
		}
		return opened(log, features{kind: "eventstoredb"}, err)
	case isPostgres(s.db):
		return s.openPostgresLog(ctx)
	case s.readOnly:
		if _, err := os.Stat(s.db); errors.Is(err, fs.ErrNotExist) {
			return nil, features{}, &hintError{fmt.Errorf("there is no event log %s", s.db), "name it with --db, or make one with alur serve, alur import or alur workflow publish"}
		}
		log, err := sqlite.OpenReadOnly(ctx, s.db)
		return opened(log, features{gapless: true, kind: "sqlite"}, err)
	}
	log, err := sqlite.Open(ctx, s.db)
	return opened(log, features{gapless: true, kind: "sqlite"}, err)
}

// there looks at a log that has to be there, before it is opened to write.
func (s stores) there(ctx context.Context) error {
	if !s.existing || s.readOnly {
		return nil
	}
	s.readOnly = true
	log, _, err := s.openLog(ctx)
	switch {
	case err == nil:
		return log.Close()
	case s.absent(), errors.Is(err, fs.ErrNotExist), errors.Is(err, sqlite.ErrNotThis), ctx.Err() != nil:
		return err
	}
	return nil // of what an earlier Alur wrote, say, whoever opens it to write knows more
}

// absent reports whether the log is a file that is not there and would be made.
func (s stores) absent() bool {
	if s.log != "" || isPostgres(s.db) {
		return false
	}
	_, err := os.Stat(s.db)
	return errors.Is(err, fs.ErrNotExist)
}

// rehearsed does what would be the first thing in a log that is not there in one that
// is thrown away, so that what is refused makes none; that one is made is then told.
func (s stores) rehearsed(c *cobra.Command, do func(domain.EventLog) error) error {
	if err := s.check(); err != nil || !s.absent() {
		return err
	}
	if err := do(memory.New()); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(s.db)); err != nil {
		return fmt.Errorf("the folder of %s: %w", s.db, err)
	}
	c.PrintErrf("alur: %s is not there: a new event log is made\n", s.db)
	return nil
}

// opened keeps a nil log from becoming an interface that is not nil.
func opened[L eventLog](log L, f features, err error) (eventLog, features, error) {
	if errors.Is(err, fs.ErrPermission) {
		err = &hintError{err, "a log is read together with its views, which are written beside it: copy it to a folder you may write in"}
	}
	if errors.Is(err, sqlite.ErrNotThis) {
		err = &hintError{err, "name the file of an event log; views and keys are beside it, in files of their own"}
	}
	if err != nil {
		return nil, features{}, err
	}
	return log, f, nil
}

// viewsDB is the database of the views.
type viewsDB struct {
	writer projections.Store
	reader *sql.DB
	// leases are shared with other nodes; nil where one process runs the views.
	leases func(context.Context) (projections.Leases, error)
	io.Closer
}

func (s stores) openViews(ctx context.Context) (viewsDB, error) {
	if err := s.check(); err != nil {
		return viewsDB{}, err
	}
	if isPostgres(s.db) {
		return s.openPostgresViews(ctx)
	}
	path := beside(s.db, "views")
	v, err := sqlite.OpenViews(ctx, path)
	if err != nil {
		return viewsDB{}, &hintError{err, "the views are made of the log: " + path + " may be deleted; where the folder is not yours to write in, copy the log to one that is"}
	}
	return viewsDB{v.Writer, v.Reader, nil, v}, nil
}

// outboxDB is the database of the consumers.
type outboxDB struct {
	writer, reader *sql.DB
	io.Closer
}

// openOutbox opens what consumers of the log remember.
func (s stores) openOutbox(ctx context.Context) (outboxDB, error) {
	if err := s.check(); err != nil {
		return outboxDB{}, err
	}
	if isPostgres(s.db) {
		return s.openPostgresOutbox(ctx)
	}
	o, err := sqlite.OpenOutbox(ctx, beside(s.db, "outbox"))
	if err != nil {
		return outboxDB{}, err
	}
	return outboxDB{o.Writer, o.Reader, o}, nil
}

// keyStore is a key store as the verbs use it.
type keyStore interface {
	domain.KeyStore
	io.Closer
}

func (s stores) keysPath() string { return beside(s.db, "keys") }

// keysName is the key store as people know it.
func (s stores) keysName() string {
	if isPostgres(s.db) {
		return "the database's schema alur_keys"
	}
	return s.keysPath()
}

// keysThere refuses a key store that is not there, where nothing is created.
func (s stores) keysThere() error {
	if isPostgres(s.db) {
		return nil
	}
	_, err := os.Stat(s.keysPath())
	if errors.Is(err, fs.ErrNotExist) {
		err = &hintError{
			fmt.Errorf("there is no key store %s: %w", s.keysPath(), fs.ErrNotExist),
			"before anything was sealed there is none: alur serve makes it, and a key-encryption key, when it first runs on --db; if it was lost, put it back from its backup",
		}
	}
	return err
}

func (s stores) openKeys(ctx context.Context) (keyStore, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if isPostgres(s.db) {
		return s.openPostgresKeys(ctx)
	}
	if s.readOnly || s.existing {
		if err := s.keysThere(); err != nil {
			return nil, err
		}
	}
	open := sqlite.OpenKeys
	if s.readOnly {
		open = sqlite.OpenKeysReadOnly
	}
	store, err := open(ctx, s.keysPath())
	if err != nil {
		return nil, err
	}
	return store, nil
}
