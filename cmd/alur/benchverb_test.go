package main

import (
	"io"
	"path/filepath"
	"testing"
)

// BenchmarkDecide is the run decide of alur bench, to be profiled.
func BenchmarkDecide(b *testing.B) {
	dir := b.TempDir()
	o := benchFlags{stores: stores{db: filepath.Join(dir, "bench.db"), sealing: true}, seconds: 5, clients: []int{64}, only: []string{"decide"}}
	for b.Loop() {
		if err := o.on(b.Context(), dir, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
