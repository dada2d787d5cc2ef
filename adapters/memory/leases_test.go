package memory_test

import (
	"sync"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/projections"
)

func TestLeases(t *testing.T) {
	var mu sync.Mutex
	now := storetest.Epoch
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	storetest.Leases(t, func(*testing.T) func() projections.Leases {
		l := memory.NewLeases(clock)
		return func() projections.Leases { return l }
	}, func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	})
}
