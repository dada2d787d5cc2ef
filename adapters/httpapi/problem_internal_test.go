package httpapi

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/alur-id/alur/domain"
)

// refusedBy is an error of a database with its SQLSTATE.
type refusedBy string

func (e refusedBy) Error() string    { return "refused" }
func (e refusedBy) SQLState() string { return string(e) }

// A database that is not there is told as such, and can be tried again; a mistake in
// what it was asked is a fault of ours.
func TestWhatADatabaseSaysIsTold(t *testing.T) {
	a := &api{Config: Config{Logger: slog.New(slog.DiscardHandler)}}
	for want, list := range map[int][]error{
		http.StatusServiceUnavailable: {
			&net.OpError{Op: "dial", Err: errors.New("connection refused")}, driver.ErrBadConn, refusedBy("57P03"), refusedBy("08006"), refusedBy("53300"),
			domain.ErrUnavailable, context.DeadlineExceeded,
		},
		http.StatusInternalServerError: {refusedBy("42601"), refusedBy(""), errors.New("what")},
	} {
		for _, err := range list {
			var p *problem
			if !errors.As(a.fault(t.Context(), fmt.Errorf("read status: %w", err), false), &p) || p.Status != want {
				t.Errorf("%v: %+v, want %d", err, p, want)
			}
		}
	}
	if a.stopped.Load() {
		t.Error("a log that is only not there counts as stopped")
	}
	if _ = a.fault(t.Context(), fmt.Errorf("append: %w", domain.ErrStopped), false); !a.stopped.Load() {
		t.Error("the health does not learn of a log that has stopped")
	}
}
