// Package web is the citizens' pages: find a request by its reference and see
// where it stands, and what each service asks for, costs and promises, in Indonesian and
// English, without a script.
//
// The pages are made from the status and timeline views, which hold no officer's
// name, and from the workflow version the request is bound to. A reference that
// was never given out and one that cannot be a reference get the very same page.
package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

//go:embed templates/*.html assets/app.css messages/*.json
var files embed.FS

// Config is what the pages work with.
type Config struct {
	Finder   *projections.Finder
	Engine   *workflows.Engine // for what a request has gathered
	Timeline *projections.TimelineView
	Library  *workflows.Library
	Services *projections.ServiceView
	Queue    *projections.QueueView
	Tenants  map[domain.TenantCode]workflows.Text // their names, as far as they are known
	Logger   *slog.Logger
	Now      func() time.Time
}

type site struct {
	Config
	pages    map[string]*template.Template
	messages map[string]map[string]string // by language and key
	style    []byte
	styleURL string
}

// New returns the handler for /lacak, /layanan and everything that is not the API's. An
// error is a fault of the program.
func New(c Config) (http.Handler, error) {
	s := &site{Config: c, pages: map[string]*template.Template{}}
	var err error
	if s.messages, err = readMessages(); err != nil {
		return nil, err
	}
	for _, name := range []string{"find", "status", "services", "service", "message"} {
		if s.pages[name], err = template.ParseFS(files, "templates/layout.html", "templates/"+name+".html"); err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
	}
	if s.style, err = files.ReadFile("assets/app.css"); err != nil {
		return nil, err
	}
	s.styleURL = "/assets/app." + digest(s.style) + ".css"
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/lacak", http.StatusSeeOther) })
	mux.HandleFunc("GET /lacak", s.find)
	mux.HandleFunc("GET /lacak/{reference}", s.status)
	mux.HandleFunc("GET /layanan", s.services)
	mux.HandleFunc("GET /layanan/{tenant}", s.services)
	mux.HandleFunc("GET /layanan/{tenant}/{service}", s.service)
	mux.HandleFunc("GET "+s.styleURL, s.stylesheet)
	mux.HandleFunc("/", s.nothing(mux))
	return guarded(mux), nil
}

// guarded sets what every page has in common: it may load nothing from
// elsewhere, be framed by nobody, and tells nobody the reference in its address.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// find shows the form, or leads on to the request that was asked for.
func (s *site) find(w http.ResponseWriter, r *http.Request) {
	typed := r.URL.Query().Get("reference")
	if !r.URL.Query().Has("reference") {
		p := s.page(w, r, "/lacak")
		p.Title = p.T("find.title")
		s.write(w, r, http.StatusOK, "find", p)
		return
	}
	found, err := s.Finder.Find(r.Context(), typed)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	// The language goes along for a reader whose browser keeps no cookies.
	http.Redirect(w, r, "/lacak/"+string(found.Reference)+"?lang="+choose(w, r), http.StatusSeeOther)
}

// fault answers an error. Every reason for not finding a request gives the same
// bytes.
func (s *site) fault(w http.ResponseWriter, r *http.Request, err error) {
	p := s.page(w, r, "/lacak")
	if errors.Is(err, domain.ErrNotFound) {
		p.Title, p.Missing = p.T("missing.title"), true
		s.write(w, r, http.StatusNotFound, "find", p)
		return
	}
	status := http.StatusInternalServerError
	var paused *projections.PausedError
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &paused) {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "10")
	}
	if r.Context().Err() == nil { // else the reader went away, which is no fault
		s.Logger.ErrorContext(r.Context(), "page failed", "error", err)
	}
	p.Title, p.Text = p.T("error.title"), p.T("error.text")
	s.write(w, r, status, "message", p)
}

// nothing answers what no route matches.
func (s *site) nothing(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.page(w, r, "/lacak")
		get := r.Clone(r.Context())
		get.Method = http.MethodGet
		if _, pattern := mux.Handler(get); pattern != "/" {
			w.Header().Set("Allow", "GET, HEAD")
			p.Title, p.Text = p.T("method.title"), p.T("method.text")
			s.write(w, r, http.StatusMethodNotAllowed, "message", p)
			return
		}
		s.missing(w, r)
	}
}

// missing answers where there is no page.
func (s *site) missing(w http.ResponseWriter, r *http.Request) {
	p := s.page(w, r, "/lacak")
	p.Title, p.Text = p.T("page.title"), p.T("page.text")
	s.write(w, r, http.StatusNotFound, "message", p)
}

func (s *site) stylesheet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(s.style) // a reader that went away is not our fault
}

// write renders a page whole before it sends anything, so that a fault in a
// template cannot leave half a page. A page the reader has already, to the byte,
// is not sent again.
func (s *site) write(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout", data); err != nil {
		s.Logger.ErrorContext(r.Context(), "page failed", "page", name, "error", err)
		http.Error(w, s.messages["id"]["error.title"], http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	if status == http.StatusOK {
		tag := `"` + digest(b.Bytes()) + `"`
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader that went away is not our fault
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
