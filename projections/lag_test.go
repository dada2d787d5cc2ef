package projections_test

import (
	"path/filepath"
	"testing"
)

// Whoever asks again how far views are behind that stand still reads only what has come.
func TestALagIsNotCountedTwice(t *testing.T) {
	log := &counted{Log: told(t, 5, 20)}
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	views := newViews(t, log, file.Writer)
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := newPlayed(50)
	for n, x := range []struct{ more, read int64 }{{2, 2}, {0, 0}, {1, 1}} {
		for range x.more {
			later.next(t, log.Log)
		}
		log.read.Store(0)
		lags, err := views.Lags(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lags {
			if want := []int64{2, 2, 3}[n]; l.Events != want || l.Position != 20 {
				t.Errorf("%d: %s is %d events behind at %d, want %d", n, l.View, l.Events, l.Position, want)
			}
		}
		if got := log.read.Load(); got != x.read {
			t.Errorf("%d: %d events were read, want %d", n, got, x.read)
		}
	}
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	later.next(t, log.Log)
	if lags, err := views.Lags(t.Context()); err != nil || lags[0].Events != 1 {
		t.Errorf("after catching up and one event more: %+v, %v", lags[0], err)
	}
}
