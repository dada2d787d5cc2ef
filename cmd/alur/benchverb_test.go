package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
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
				o := benchFlags{stores: s, seconds: 5, clients: []int{1, 64}, batch: []int{1, 10}, openTerms: 10_000}
				if err := o.on(b.Context(), b.TempDir(), os.Stdout); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRebuild is the run rebuild of alur bench over a million commands, and then
// ten seconds of its run live.
func BenchmarkRebuild(b *testing.B) {
	for _, name := range []string{"a file", "PostgreSQL"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o := benchFlags{stores: everyStores[name](b), seconds: 10, commands: 1_000_000, rate: 5_000, clients: []int{64}, only: []string{"decide", "follow", "rebuild", "live"}}
				o.stores.sealing = true
				if err := o.on(b.Context(), b.TempDir(), os.Stdout); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTerms is the run terms of alur bench with 100,000 of them, and how long a
// server takes to start on as many that are open, until /healthz answers, and the memory
// that it then has (Linux tells).
func BenchmarkTerms(b *testing.B) {
	for _, name := range []string{"a file", "PostgreSQL"} {
		b.Run(name+"/sweep", func(b *testing.B) {
			for b.Loop() {
				o := benchFlags{stores: everyStores[name](b), openTerms: 100_000, only: []string{"fsync", "terms"}, seconds: 1, clients: []int{64}}
				o.stores.sealing = true
				if err := o.on(b.Context(), b.TempDir(), os.Stdout); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/start", func(b *testing.B) {
			s := everyStores[name](b)
			s.sealing = true
			h, err := openHouse(b.Context(), s, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			at := make([]time.Time, 50_000)
			for i := range at {
				at[i] = time.Now()
			}
			if _, err := (&bench{house: h}).makeTerms(b.Context(), at); err != nil {
				b.Fatal(err)
			}
			if err := h.publishCatalogue(b.Context(), slog.New(slog.DiscardHandler)); err != nil {
				b.Fatal(err)
			}
			if err := h.views.CatchUp(b.Context()); err != nil {
				b.Fatal(err)
			}
			if err := h.close(); err != nil {
				b.Fatal(err)
			}
			flags := []string(nil)
			if s.kek != "" {
				flags = []string{"--kek", s.kek}
			}
			if _, err := program(); err != nil {
				b.Fatal(err)
			}
			var memory float64
			for b.Loop() {
				server := startServer(b, s.db, flags...)
				answer, err := http.Get(server.url + "/healthz")
				if err != nil || answer.StatusCode != http.StatusOK {
					b.Fatal(answer, err)
				}
				b.StopTimer()
				answer.Body.Close()
				swept(b, server.url, 2)
				memory = max(memory, resident(b, server.Process.Pid))
				server.stop(b)
				b.StartTimer()
			}
			b.ReportMetric(memory, "MB-resident")
		})
	}
}

// swept waits until a server came to the end of so many sweeps, as it tells by itself.
func swept(b *testing.B, server string, times int) {
	b.Helper()
	seen := map[time.Time]bool{}
	for ; len(seen) < times; time.Sleep(50 * time.Millisecond) { // between two looks
		answer, err := http.Get(server + "/healthz")
		if err != nil {
			b.Fatal(err)
		}
		var health struct{ Terms *struct{ Swept time.Time } }
		err = json.NewDecoder(answer.Body).Decode(&health)
		answer.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		if health.Terms != nil {
			seen[health.Terms.Swept] = true
		}
	}
}

// resident is the memory of a process, in MB.
func resident(b *testing.B, process int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		b.Skip(err)
	}
	_, after, _ := bytes.Cut(text, []byte("VmRSS:"))
	var kB float64
	if _, err := fmt.Sscan(string(after), &kB); err != nil {
		b.Fatal(err)
	}
	return kB / 1024
}
