package projections_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// Those who ask at the same moment share a query; each gets the answer to its own
// question, and one that goes away takes nobody with it.
func TestManyAskWhatIsTakenAtOnce(t *testing.T) {
	log, file := newLog(), openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer)
	const requests = 20
	for n := range requests {
		newPlayed(n).next(t, log)
	}
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := projections.NewStatusView(file.Reader)
	list, err := status.List(t.Context(), projections.Filter{})
	if err != nil || len(list) != requests {
		t.Fatalf("%d requests, %v", len(list), err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	var all sync.WaitGroup
	for n := range 5 * requests {
		all.Go(func() {
			ref, want := list[n%requests].Reference, true
			if n%2 == 0 {
				ref, want = domain.NewReference(uint64(n)<<40), false
			}
			if n%7 == 0 {
				if _, err := status.Taken(gone, ref); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("gone: %v", err)
				}
				return
			}
			if got, err := status.Taken(t.Context(), ref); err != nil || got != want {
				t.Errorf("%s: %v, %v; want %v", ref, got, err, want)
			}
		})
	}
	all.Wait()
	if err := file.Reader.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := status.Taken(t.Context(), list[0].Reference); err == nil {
		t.Error("no error of a database that is closed")
	}
}
