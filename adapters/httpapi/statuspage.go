package httpapi

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/alur-id/alur/projections"
)

// statusLanguages are those of /status, the default first.
var statusLanguages = []language.Tag{language.Indonesian, language.English}

var statusMatcher = language.NewMatcher(statusLanguages)

// statusTexts are the words of /status, in the order of statusLanguages.
var statusTexts = []map[string]string{
	{
		"name": "Bahasa Indonesia", "now." + healthOK: "Berjalan", "now." + healthFailing: "Terganggu",
		"view": "Tampilan", "position": "Posisi", "events": "Peristiwa tertinggal", "seconds": "Detik tertinggal", "here": "Dijalankan di sini", "state": "Keadaan",
		"yes": "ya", "no": "tidak", "or more": "atau lebih", "at": "pada posisi",
		projections.StateCurrent: "terkini", projections.StateBehind: "tertinggal", projections.StatePaused: "dijeda", projections.StateStopped: "berhenti",
		projections.StateAnew: "harus dibangun ulang", projections.StateFailing: "terganggu",
		"unreadable": "Catatan peristiwa tidak dapat dibaca; sebabnya ada di log server.",
		"full":       "Catatan peristiwa tidak menerima tambahan sampai server dijalankan ulang.",
		"swept":      "Jangka waktu terakhir diperiksa pada", "stuck": "Permohonan yang tidak dapat dicatat apa pun:",
		"cut short": "Pemeriksaan jangka waktu terakhir tidak selesai; sebabnya ada di log server.",
	},
	{
		"name": "English", "now." + healthOK: "Running", "now." + healthFailing: "Failing",
		"view": "View", "position": "Position", "events": "Events behind", "seconds": "Seconds behind", "here": "Run here", "state": "State",
		"yes": "yes", "no": "no", "or more": "or more", "at": "at position",
		projections.StateCurrent: "current", projections.StateBehind: "behind", projections.StatePaused: "paused", projections.StateStopped: "stopped",
		projections.StateAnew: "to be built anew", projections.StateFailing: "failing",
		"unreadable": "The log cannot be read; the reason is in the server's log.",
		"full":       "The log takes no more events until the server is started again.",
		"swept":      "Terms were last looked through at", "stuck": "Requests of which nothing can be recorded:",
		"cut short": "The last look at the terms did not come to its end; the reason is in the server's log.",
	},
}

//go:embed statuspage.html
var statusSource string

var statusTemplate = template.Must(template.New("status").Parse(statusSource))

// statusStyle names the one style that the page may have, as its policy does.
var statusStyle = func() string {
	_, style, _ := strings.Cut(statusSource, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

// statusPage is what the template is given.
type statusPage struct {
	healthNow

	Lang    string
	Others  []statusLink
	Stopped bool // the log takes no more events
	texts   map[string]string
	printer *message.Printer
}

type statusLink struct{ Lang, Name string }

// T is a text in the page's language.
func (p statusPage) T(key string) string { return p.texts[key] }

// Now is how the whole is.
func (p statusPage) Now() string { return p.T("now." + p.Status) }

// Events is how many events a view is behind.
func (p statusPage) Events(l projections.Lag) string {
	n := p.printer.Sprintf("%d", l.Events)
	if l.Events >= projections.MostCounted {
		return n + " " + p.T("or more")
	}
	return n
}

// Seconds is how long a view is behind.
func (p statusPage) Seconds(l projections.Lag) string { return p.printer.Sprintf("%.1f", l.Seconds) }

// State is what a view does, and the event that it cannot fold.
func (p statusPage) State(l projections.Lag) string {
	s := p.T(l.State())
	if l.Stopped != nil {
		s += fmt.Sprintf(": %s %s %s %d", l.Stopped.Type, l.Stopped.ID, p.T("at"), l.Stopped.Position)
	}
	return s
}

// statusOf shows people what /healthz tells programs, in the language that the link
// names or the browser asks for.
func (a *api) statusOf(w http.ResponseWriter, r *http.Request) {
	_, i := language.MatchStrings(statusMatcher, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	p := statusPage{
		healthNow: a.healthNow(r.Context()), Lang: statusLanguages[i].String(), Stopped: a.stopped.Load(),
		texts: statusTexts[i], printer: message.NewPrinter(statusLanguages[i]),
	}
	for other, tag := range statusLanguages {
		if other != i {
			p.Others = append(p.Others, statusLink{tag.String(), statusTexts[other]["name"]})
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang)
	w.Header().Set("Vary", "Accept-Language")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src '"+statusStyle+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	if p.Status != healthOK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = statusTemplate.Execute(w, p) // a caller that went away is not our fault
}
