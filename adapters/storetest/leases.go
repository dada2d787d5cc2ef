package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/projections"
)

// Leases checks that an implementation keeps the contract of [projections.Leases].
// Open returns leases of which none is held, and further handles on the same ones, as
// other nodes have them; pass lets time go by.
func Leases(t *testing.T, open func(t *testing.T) func() projections.Leases, pass func(time.Duration)) {
	const long = time.Hour
	hold := func(t *testing.T, l projections.Leases, holder string, span time.Duration, names ...string) []string {
		t.Helper()
		held, err := l.Hold(t.Context(), holder, names, span)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(held)
		return held
	}
	want := func(t *testing.T, got []string, names ...string) {
		t.Helper()
		if d := cmp.Diff(names, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	t.Run("a lease is of one holder", func(t *testing.T) {
		node := open(t)
		a, b := node(), node()
		want(t, hold(t, a, "a", long, "x", "y"), "x", "y")
		want(t, hold(t, b, "b", long, "y", "z"), "z")
		want(t, hold(t, a, "a", long, "x", "y", "z"), "x", "y")
		if got := hold(t, b, "b", long); len(got) > 0 {
			t.Errorf("nothing was asked for, and %v is held", got)
		}
	})
	t.Run("one that is released is free", func(t *testing.T) {
		node := open(t)
		a, b := node(), node()
		hold(t, a, "a", long, "x")
		hold(t, b, "b", long, "y")
		for range 2 { // and to release nothing is nothing
			if err := a.Release(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		want(t, hold(t, b, "b", long, "x", "y"), "x", "y")
		want(t, hold(t, a, "a", long, "x", "y"))
	})
	t.Run("one that was not renewed runs out", func(t *testing.T) {
		node := open(t)
		a, b := node(), node()
		const span = 3 * time.Second
		hold(t, a, "a", span, "x", "renewed")
		hold(t, a, "a", long, "renewed")
		want(t, hold(t, b, "b", long, "x", "renewed"))
		pass(span + 100*time.Millisecond)
		want(t, hold(t, b, "b", long, "x", "renewed"), "x")
		want(t, hold(t, a, "a", long, "x", "renewed"), "renewed") // whoever comes late has lost it
	})
	t.Run("of many who want them at once, one has each", func(t *testing.T) {
		node := open(t)
		names := []string{"p", "q", "r", "s"}
		const nodes = 8
		held := make([][]string, nodes)
		var wg sync.WaitGroup
		for i := range nodes {
			l := node()
			wg.Go(func() {
				for range 5 {
					h, err := l.Hold(context.WithoutCancel(t.Context()), fmt.Sprint("node ", i), append(slices.Clone(names[i%4:]), names[:i%4]...), long)
					if err != nil {
						t.Error(err)
					}
					held[i] = h
				}
			})
		}
		wg.Wait()
		all := slices.Concat(held...)
		slices.Sort(all)
		want(t, all, names...)
	})
	t.Run("nothing is held in vain", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		node := open(t)
		if _, err := node().Hold(ctx, "a", []string{"x"}, long); err == nil {
			t.Error("a context that has ended")
		}
		want(t, hold(t, node(), "b", long, "x"), "x")
	})
}
