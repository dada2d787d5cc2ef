package projections_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
)

// replaced is a log whose server was put back to an earlier state under those who
// read it.
type replaced struct{ domain.EventLog }

// Views that folded what the log lost are built anew while they run: whether the log
// is shorter than before, or has grown past with other events.
func TestViewsOfALogThatLostEventsAreBuiltAnew(t *testing.T) {
	for name, more := range map[string]int{"shorter": 1, "as long": 3, "longer": 5} {
		t.Run(name, func(t *testing.T) {
			log := &replaced{memory.New()}
			file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
			views := newViews(t, log, file.Writer)
			one := newPlayed(1)
			for range 3 {
				one.next(t, log)
			}
			if err := views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			log.EventLog = memory.New()
			other := newPlayed(2)
			for range more {
				other.next(t, log)
			}
			if more < 3 {
				if err := views.CatchUp(t.Context()); err == nil {
					t.Error("nobody is told of a log that ends too early")
				}
				if lags, err := views.Lags(t.Context()); err != nil || lags[0].Fault == "" {
					t.Errorf("its health says %+v, %v", lags, err)
				}
			}
			for range 8 { // what folded lost events is told once by each view
				_ = views.CatchUp(t.Context())
			}
			if err := views.CatchUp(t.Context()); err != nil && more != 3 {
				t.Fatal(err)
			}
			other.next(t, log) // a log that is just as long is noticed when it grows
			for range 8 {
				_ = views.CatchUp(t.Context())
			}
			if err := views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			fresh := openFile(t, filepath.Join(t.TempDir(), "fresh.db"))
			if err := newViews(t, log, fresh.Writer).CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(dump(t, fresh.Reader, true), dump(t, file.Reader, true)); d != "" {
				t.Errorf("views of the log as it is (-want +got)\n%s", d)
			}
		})
	}
}
