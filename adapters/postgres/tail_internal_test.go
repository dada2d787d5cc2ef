package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// A tail does not ask for the head that its own log's append led to, for it is
// told. If it is not, because the answer was lost, it finds the events all the
// same; and what others append, it always asks for.
func TestTailIsToldOrFinds(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log, err := OpenLog(t.Context(), dsn) // for its tables
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	config, _, err := configured(dsn, forWriting, planning)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	own, other := &writer{config: config}, &writer{config: config}
	tail := newTail(config, own.backend.Load)
	defer tail.close()
	for n, w := range []*writer{own, other, own} {
		a := storetest.New(t, string(rune('a'+n)), 0, 1)
		g, _ := group([]item{{job: &job{ctx: ctx, appends: []domain.Append{a}, left: 1}, size: a.Size()}})
		head, err := w.record(ctx, g)
		if err != nil {
			t.Fatal(err)
		}
		if err := tail.wait(ctx, head-1); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
	own.end()
	other.end()
	if own.backend.Load() == other.backend.Load() || own.backend.Load() == 0 {
		t.Errorf("%d and %d are two processes of the server", own.backend.Load(), other.backend.Load())
	}
}
