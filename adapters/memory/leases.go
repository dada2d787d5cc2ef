package memory

import (
	"context"
	"sync"
	"time"

	"github.com/alur-id/alur/projections"
)

// Leases are leases within one process. It implements [projections.Leases].
type Leases struct {
	now func() time.Time

	mu   sync.Mutex
	held map[string]lease
}

type lease struct {
	holder string
	until  time.Time
}

var _ projections.Leases = (*Leases)(nil)

// NewLeases returns leases of which none is held, by a clock.
func NewLeases(now func() time.Time) *Leases { return &Leases{now: now, held: map[string]lease{}} }

// Hold implements [projections.Leases].
func (l *Leases) Hold(ctx context.Context, holder string, names []string, span time.Duration) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, held := l.now(), []string(nil)
	for _, name := range names {
		if has, ok := l.held[name]; ok && has.holder != holder && !has.until.Before(now) {
			continue
		}
		l.held[name] = lease{holder, now.Add(span)}
		held = append(held, name)
	}
	return held, nil
}

// Release implements [projections.Leases].
func (l *Leases) Release(_ context.Context, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, has := range l.held {
		if has.holder == holder {
			delete(l.held, name)
		}
	}
	return nil
}
