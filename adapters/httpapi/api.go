// Package httpapi is the JSON API: submit, act, read. Its description is served
// at /api/openapi.json and /api/openapi.yaml (OpenAPI 3.1); faults are problem
// details (RFC 9457).
//
// Who calls it is trusted to say who acts: it is for the agency's own systems,
// behind their log-in. Whoever can reach it should therefore hold the token it
// was started with; without a token it must not be reachable from elsewhere.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// Config is what the API works with.
type Config struct {
	Log      domain.EventLog
	Engine   *workflows.Engine
	Library  *workflows.Library
	Views    *projections.Views
	Status   *projections.StatusView
	Timeline *projections.TimelineView
	Services *projections.ServiceView
	Figures  *projections.StatisticsView
	Permits  *projections.PermitView
	Inbox    *projections.InboxView
	Queue    *projections.QueueView
	Finder   *projections.Finder
	Logger   *slog.Logger
	// Sweeper has terms run out; nil where another process does.
	Sweeper *workflows.Sweeper
	// Quiet are the quiet hours of those who did not say which.
	Quiet domain.Quiet
	// Correlation is what a request's commands are part of; nil, and [uuid.Nil] from it, is
	// each command by itself.
	Correlation func(context.Context) uuid.UUID
	// Token, if not empty, must be presented as a bearer token (RFC 6750) by
	// every caller of /api/.
	Token string
}

type api struct {
	Config

	stopped atomic.Bool   // the log said that it takes no more appends, until it is opened anew
	asking  chan struct{} // holds one who asks how far the views are
}

// New returns the handler for /api/, /healthz and /status.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	a := &api{Config: c, asking: make(chan struct{}, 1)}
	config := huma.DefaultConfig("Alur", "1")
	config.Info.Description = "Requests for permits, licences and civil records: submit, act, read."
	config.OpenAPIPath = "/api/openapi"
	config.DocsPath = ""     // huma's page loads scripts from elsewhere
	config.SchemasPath = ""  // the schemas stand in the description
	config.CreateHooks = nil // no $schema in every answer
	h := humago.New(mux, config)
	a.registerCommands(h)
	a.registerReads(h)
	a.registerNotices(h)
	a.registerMandates(h)
	a.registerInbox(h)
	a.registerServices(h)
	a.registerService(h)
	a.registerFigures(h)
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /status", a.statusOf)
	mux.HandleFunc("/", notServed(mux))
	return a.guarded(mux)
}

// notServed answers what no route matches: a path that is served with another
// method gets 405 and the methods that are, any other 404.
func notServed(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != "/" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			writeProblem(w, newProblem(http.StatusNotFound, "not_found", "there is nothing at this address", "see /api/openapi.yaml"))
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, newProblem(http.StatusMethodNotAllowed, "method", "this address does not take "+r.Method, "it takes "+strings.Join(allowed, ", ")))
	}
}
