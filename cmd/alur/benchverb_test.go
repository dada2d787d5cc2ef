package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkDecide is the run decide of alur bench on a file, to be profiled.
func BenchmarkDecide(b *testing.B) {
	for b.Loop() {
		o := benchFlags{stores: stores{db: filepath.Join(b.TempDir(), "bench.db"), sealing: true}, seconds: 5, clients: []int{64}, only: []string{"decide"}}
		if err := o.on(b.Context(), b.TempDir(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStores is alur bench on each kind of stores, with servers of its own. Its
// lines are the figures; EventStoreDB here is the server of the tests, in this very
// process, so they are those of the adapter alone.
func BenchmarkStores(b *testing.B) {
	for name, open := range everyStores {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s := open(b)
				s.sealing = true
				o := benchFlags{stores: s, seconds: 5, clients: []int{1, 64}, batch: []int{1, 10}}
				if err := o.on(b.Context(), b.TempDir(), os.Stdout); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
