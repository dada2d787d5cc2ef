package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/alur-id/alur/projections"
)

// healthNow is what /healthz and /status tell. There is nobody in it.
type healthNow struct {
	Status string            `json:"status"` // ok, or failing
	Views  []projections.Lag `json:"views"`
	Terms  *sweptTerms       `json:"terms,omitempty"`
}

func (a *api) healthNow(ctx context.Context) healthNow {
	answer := healthNow{Status: "ok", Terms: a.sweptTerms()}
	if a.stopped.Load() {
		answer.Status = "failing"
	}
	lags, err := a.Views.Lags(ctx)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			a.Logger.ErrorContext(ctx, "the log cannot be read", "error", err)
		}
		answer.Status = "failing"
	}
	for _, l := range lags {
		if l.Fault != "" {
			answer.Status = "failing"
		}
	}
	answer.Views = lags
	return answer
}

// health says whether the log can be read and how far each view is behind it.
func (a *api) health(w http.ResponseWriter, r *http.Request) {
	answer := a.healthNow(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if answer.Status != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // a caller that went away is not our fault
}

var statusPage = template.Must(template.New("status").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5"><title>Alur: {{.Status}}</title></head>
<body><h1>{{.Status}}</h1>
<table><thead><tr><th scope="col">View</th><th scope="col">Position</th><th scope="col">Events behind</th><th scope="col">Seconds behind</th><th scope="col">Run here</th><th scope="col">State</th></tr></thead><tbody>
{{range .Views}}<tr><th scope="row">{{.View}}</th><td>{{.Position}}</td><td>{{.Events}}</td><td>{{printf "%.1f" .Seconds}}</td><td>{{if .Here}}yes{{else}}no{{end}}</td><td>{{.State}}{{with .Stopped}}: {{.Type}} {{.ID}} at position {{.Position}}{{end}}</td></tr>
{{end}}</tbody></table>
{{with .Terms}}<p>Terms were last looked through {{.Swept.Format "2006-01-02 15:04:05 MST"}}; of {{.Stuck}} requests nothing can be recorded. {{.Fault}}</p>{{end}}
</body></html>
`))

// statusOf shows people what /healthz tells programs.
func (a *api) statusOf(w http.ResponseWriter, r *http.Request) {
	answer := a.healthNow(r.Context())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	if answer.Status != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = statusPage.Execute(w, answer) // a caller that went away is not our fault
}

// sweptTerms is how far it was looked which terms have run out. That it does not go on
// is for whoever watches to judge by the time: it stops no request.
type sweptTerms struct {
	Swept time.Time `json:"swept"`           // when the last sweep began
	Stuck int       `json:"stuck"`           // requests of which nothing can be recorded; the reasons are in the server's log
	Fault string    `json:"fault,omitempty"` // why the last sweep did not come to its end
}

func (a *api) sweptTerms() *sweptTerms {
	if a.Sweeper == nil {
		return nil
	}
	last := a.Sweeper.Last()
	if last == nil {
		return nil // not yet
	}
	t := &sweptTerms{Swept: last.At.UTC(), Stuck: last.Swept.Stuck}
	if last.Err != nil {
		t.Fault = "the terms were not swept; the reason is in the server's log"
	}
	return t
}
