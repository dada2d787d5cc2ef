package httpapi

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// problem is a fault as the caller gets it (RFC 9457), with the name of the rule
// that stands against the request and what would satisfy it.
type problem struct {
	huma.ErrorModel
	Code   string `json:"code" doc:"the rule, a stable name to branch on"`
	Remedy string `json:"remedy,omitempty" doc:"what would satisfy the rule"`
	// A pointer, since most refusals rest on no words of a definition.
	Because *title `json:"because,omitempty" doc:"what the workflow says of the condition that stands against it, in words for the public"`
}

// The library's own errors, about a request that is not of the described form,
// become problems like ours. What was sent is not sent back.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		code, ok := map[int]string{
			http.StatusBadRequest: "malformed", http.StatusRequestEntityTooLarge: "too_large",
			http.StatusUnsupportedMediaType: "media_type", http.StatusUnprocessableEntity: "invalid",
			http.StatusRequestTimeout: "too_slow", http.StatusNotAcceptable: "media_type",
		}[status]
		if !ok {
			code = "internal"
		}
		p := newProblem(status, code, message, "see /api/openapi.yaml")
		for _, err := range errs {
			detail := &huma.ErrorDetail{Message: err.Error()}
			if d, ok := err.(huma.ErrorDetailer); ok {
				detail.Message, detail.Location = d.ErrorDetail().Message, d.ErrorDetail().Location
			}
			if strings.Contains(detail.Message, "json:") {
				detail.Message = "a value that cannot be read"
			}
			p.Errors = append(p.Errors, detail)
		}
		p.Detail = explained(message, p.Errors)
		return p
	}
}

// explained is what is wrong with a request in one sentence; the library's own says no
// more than that something is.
func explained(message string, errs []*huma.ErrorDetail) string {
	if len(errs) == 0 {
		return message
	}
	const most = 5
	var told []string
	for _, e := range errs[:min(most, len(errs))] {
		if e.Location == "" {
			told = append(told, e.Message)
			continue
		}
		told = append(told, e.Location+": "+e.Message)
	}
	if n := len(errs) - most; n > 0 {
		told = append(told, fmt.Sprintf("and %d more", n))
	}
	return "the request is not as it should be: " + strings.Join(told, "; ")
}

func newProblem(status int, code, detail, remedy string) *problem {
	return &problem{
		ErrorModel: huma.ErrorModel{Type: "urn:alur:problem:" + code, Title: http.StatusText(status), Status: status, Detail: detail},
		Code:       code, Remedy: remedy,
	}
}

func writeProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a caller that went away is not our fault
}

// fault maps an error of the inner layers to what the caller is told: once, here.
// An error that no rule explains is logged whole and told as such.
func (a *api) fault(ctx context.Context, err error, preconditioned bool) error {
	var refusal *domain.Refusal
	var conflict *domain.ConflictError
	var paused *projections.PausedError
	switch {
	case errors.As(err, &refusal):
		p := newProblem(statusOf(refusal.Rule), string(refusal.Rule), refusal.Detail, refusal.Remedy)
		p.Because = becauseOf(refusal)
		return p
	case errors.As(err, &conflict):
		status := http.StatusConflict
		if preconditioned {
			status = http.StatusPreconditionFailed
		}
		return newProblem(status, "conflict", "somebody else acted first", "read the request again and decide anew")
	case errors.Is(err, domain.ErrNotFound):
		return newProblem(http.StatusNotFound, "not_found", "there is no such request", "check the reference")
	case errors.Is(err, domain.ErrUnavailable), errors.Is(err, domain.ErrStopped), errors.Is(err, domain.ErrReadOnly):
		a.Logger.ErrorContext(ctx, "the event log takes no appends", "error", err)
		if errors.Is(err, domain.ErrStopped) {
			a.stopped.Store(true)
		}
		return newProblem(http.StatusServiceUnavailable, "log_unavailable", "this cannot be recorded now", "try again later, under the same Idempotency-Key")
	case errors.Is(err, domain.ErrTooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "too_large", "this is more than can be recorded at once", "send less")
	case unreachable(err):
		a.Logger.ErrorContext(ctx, "the database cannot be reached", "error", err)
		return newProblem(http.StatusServiceUnavailable, "busy", "this cannot be answered now", "try again; a command may be repeated under the same Idempotency-Key")
	case errors.As(err, &paused):
		return newProblem(http.StatusServiceUnavailable, "view_paused", "what this is read from does not advance for now", "try again later; what was recorded is kept")
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, "busy", "this could not be answered in time", "try again; a command may be repeated under the same Idempotency-Key")
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, "busy", "the caller went away or the server is stopping", "try again")
	}
	a.Logger.ErrorContext(ctx, "request failed", "error", err)
	return newProblem(http.StatusInternalServerError, "internal", "something went wrong here", "try again; a command may be repeated under the same Idempotency-Key")
}

// becauseOf is what a definition says of what a refusal rests on; nil for nothing.
func becauseOf(r *domain.Refusal) *title {
	if r.Because == (domain.Basis{}) {
		return nil
	}
	return &title{ID: r.Because.ID, EN: r.Because.EN}
}

// unreachable tells what a database's driver says of a server that is not there, is
// starting or stopping, or has no room (SQLSTATE classes 08, 53 and 57).
func unreachable(err error) bool {
	var dial *net.OpError
	var state interface{ SQLState() string }
	if errors.As(err, &state) && len(state.SQLState()) == 5 {
		return slices.Contains([]string{"08", "53", "57"}, state.SQLState()[:2])
	}
	return errors.As(err, &dial) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF)
}

func statusOf(r domain.Rule) int {
	switch r {
	case domain.RuleRole, domain.RuleCapacity, domain.RuleFourEyes:
		return http.StatusForbidden
	case domain.RuleNotFromHere, domain.RuleAlreadySubmitted, domain.RuleClosed, domain.RuleGuard, domain.RuleIncomplete, domain.RuleChecklist,
		domain.RuleUnpaid, domain.RuleReview, domain.RuleAnswer, domain.RuleTask, domain.RuleInvariant, domain.RuleCondition:
		return http.StatusConflict
	case domain.RuleNotSubmitted, domain.RuleService:
		return http.StatusNotFound
	default:
		return http.StatusUnprocessableEntity
	}
}
