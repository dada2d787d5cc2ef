package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/alur-id/alur/projections"
)

// healthNow is what /healthz and /status tell. There is nobody in it.
type healthNow struct {
	Status  string            `json:"status"`
	Views   []projections.Lag `json:"views"`
	Unknown []string          `json:"unknown,omitempty"` // views of which it could not be learned in time how far they are
	Terms   *sweptTerms       `json:"terms,omitempty"`
}

// What [healthNow.Status] can be.
const (
	healthOK      = "ok"
	healthFailing = "failing"
)

// healthPatience is how long a store may take to say how far the views are.
const healthPatience = 3 * time.Second

// lags asks how far the views are, for so long at most, also of a store that does not heed
// a context. One question is under way at a time: a store that hangs gathers none.
func (a *api) lags(ctx context.Context) ([]projections.Lag, error) {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	select {
	case a.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var lags []projections.Lag
	answered := make(chan error, 1)
	go func() {
		defer func() { <-a.asking }()
		found, err := a.Views.Lags(ctx)
		lags = found
		answered <- err
	}()
	select {
	case err := <-answered:
		if err != nil && ctx.Err() != nil { // drivers tell an interrupted question in other words
			err = ctx.Err()
		}
		return lags, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *api) healthNow(ctx context.Context) healthNow {
	answer := healthNow{Status: healthOK, Terms: a.sweptTerms()}
	if a.stopped.Load() {
		answer.Status = healthFailing
	}
	lags, err := a.lags(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		answer.Unknown = a.Views.Names()
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			a.Logger.ErrorContext(ctx, "it cannot be learned how far the views are", "error", err)
		}
		answer.Status = healthFailing
	}
	for _, l := range lags {
		if l.Fault != "" {
			answer.Status = healthFailing
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
	if answer.Status != healthOK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // a caller that went away is not our fault
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
