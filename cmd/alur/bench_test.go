package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
)

// BenchmarkImport imports a whole log, gunzip and XML included, into a new
// database on disk, every commit durable. The metric is events of the log a
// second; the submission of each case comes on top.
func BenchmarkImport(b *testing.B) {
	for _, name := range []string{"receipt.xes.gz", "BPIC15_1.xes.gz", "bpic2020_PermitLog.xes.gz"} {
		b.Run(name, func(b *testing.B) {
			benchmarkImport(b, filepath.Join("..", "..", "..", "shared", "data", "logs", name))
		})
	}
	b.Run("made", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "log.xes")
		writeLog(b, path, 10_000, 10)
		benchmarkImport(b, path)
	})
}

func benchmarkImport(b *testing.B, path string) {
	if _, err := os.Stat(path); err != nil {
		b.Skip(err)
	}
	definition, source := discovered(b, path)
	events := 0
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		h, err := openHouse(b.Context(), stores{db: filepath.Join(b.TempDir(), fmt.Sprint(i, ".db"))}, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		w, err := h.library.Publish(b.Context(), workflows.Publication{
			Tenant: "11.71", Source: source, Definition: definition, Occurred: time.Now(), At: time.Now(),
			Actor: domain.Actor{ID: "bench", Role: "import", Capacity: domain.CapacitySystem}, Why: "figures are taken with it", History: true,
		})
		if err != nil {
			b.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		importer := workflows.Importer{Log: h.log, Engine: h.engine}
		b.StartTimer()
		summary, err := importer.Import(b.Context(), "11.71", w, xes.Read(path, f))
		b.StopTimer()
		if err != nil || len(summary.Refused) > 0 {
			b.Fatal(err, summary.Refused)
		}
		events += summary.KeptEvents
		f.Close()
		if err := h.close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

func discovered(b *testing.B, path string) (*workflows.Definition, []byte) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	draft, err := discovery.Learn(xes.Read(path, f), discovery.Options{ID: "bench", Role: "org:resource"})
	if err != nil {
		b.Fatal(err)
	}
	source, err := workflows.Write(draft.Definition, "")
	if err != nil {
		b.Fatal(err)
	}
	return draft.Definition, source
}

// BenchmarkSubmit submits requests from 64 clients at once, each answered when
// it is durable.
func BenchmarkSubmit(b *testing.B) {
	logger := slog.New(slog.DiscardHandler)
	h, err := openHouse(b.Context(), stores{db: filepath.Join(b.TempDir(), "alur.db")}, logger)
	if err != nil {
		b.Fatal(err)
	}
	defer h.close()
	if err := h.publishSample(b.Context()); err != nil {
		b.Fatal(err)
	}
	var failed atomic.Int64
	b.SetParallelism(32) // times GOMAXPROCS
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id, err := uuid.NewV7()
			if err != nil {
				b.Fatal(err)
			}
			_, err = h.engine.Submit(b.Context(), domain.Submit{
				Header: domain.Header{ID: id, Actor: domain.Actor{ID: "a", Role: "applicant", Capacity: domain.CapacitySelf}},
				Tenant: "11.71", Service: "sip-dokter", Facts: domain.Facts{"kind": "new"},
			})
			if err != nil {
				failed.Add(1)
			}
		}
	})
	if failed.Load() > 0 {
		b.Fatalf("%d submissions failed", failed.Load())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkViews folds an imported log into the views.
func BenchmarkViews(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log.xes")
	writeLog(b, path, 2000, 9)
	definition, source := discovered(b, path)
	logger := slog.New(slog.DiscardHandler)
	db := filepath.Join(b.TempDir(), "alur.db")
	h, err := openHouse(b.Context(), stores{db: db}, logger)
	if err != nil {
		b.Fatal(err)
	}
	w, err := h.library.Publish(b.Context(), workflows.Publication{
		Tenant: "11.71", Source: source, Definition: definition, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "bench", Role: "import", Capacity: domain.CapacitySystem}, Why: "figures are taken with it", History: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	importer := workflows.Importer{Log: h.log, Engine: h.engine}
	if _, err := importer.Import(b.Context(), "11.71", w, xes.Read(path, f)); err != nil {
		b.Fatal(err)
	}
	head, err := h.log.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	events := 0
	for b.Loop() {
		b.StopTimer()
		if err := h.close(); err != nil {
			b.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(beside(db, "views") + suffix) // may not be there
		}
		if h, err = openHouse(b.Context(), stores{db: db}, logger); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := h.views.CatchUp(b.Context()); err != nil {
			b.Fatal(err)
		}
		events += int(head)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	if err := h.close(); err != nil {
		b.Fatal(err)
	}
}
