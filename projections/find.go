package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alur-id/alur/domain"
)

// Finder finds a request by what a person typed.
type Finder struct {
	log    domain.EventLog
	views  *Views
	status *StatusView
}

// NewFinder returns a finder over the status view.
func NewFinder(log domain.EventLog, views *Views, status *StatusView) *Finder {
	return &Finder{log: log, views: views, status: status}
}

// patience is how long Find waits for a view that is behind the log.
const patience = 2 * time.Second

// Find returns where the request with a reference stands. A request that was
// submitted a moment ago is found: when the view does not have it and is behind
// the log, Find waits for it to catch up. A text that cannot be a reference and
// a reference that was never given out get the same [domain.ErrNotFound].
func (f *Finder) Find(ctx context.Context, typed string) (Status, error) {
	// What is not a reference goes the same way as one that was never given out,
	// waits included, and as the empty text is found nowhere.
	ref, _ := domain.ParseReference(typed)
	s, err := f.status.ByReference(ctx, ref)
	if !errors.Is(err, domain.ErrNotFound) {
		return s, err
	}
	head, headErr := f.log.Head(ctx)
	if headErr != nil {
		return Status{}, headErr
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if waitErr := f.views.WaitFor(wait, head, StatusProjection{}.Name()); waitErr != nil {
		return Status{}, fmt.Errorf("the status view is behind the log: %w", waitErr)
	}
	return f.status.ByReference(ctx, ref)
}
