package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// clients are how many write at the same time.
var clients = []int{1, 64, 256}

// together has some clients do the work of a benchmark, and reports events a
// second. Each piece of work is one event.
func together(b *testing.B, clients int, work func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range clients {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := work(int(i) - 1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	report(b, b.N)
}

func report(b *testing.B, events int) {
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

// onlyAppends makes appends of one event each, to streams of their own.
func onlyAppends(b *testing.B) []domain.Append {
	b.Helper()
	one := storetest.New(b, "s", 0, 1)
	appends := make([]domain.Append, b.N)
	for i := range appends {
		e := one.Entries[0]
		e.Stream = fmt.Sprintf("request-%012d", i)
		appends[i] = domain.Append{Stream: e.Stream, Entries: []domain.Entry{e}}
	}
	return appends
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprint("clients=", n), func(b *testing.B) {
			log := open(b, filepath.Join(b.TempDir(), "alur.db"))
			appends := onlyAppends(b)
			together(b, n, func(i int) error {
				_, err := log.Append(b.Context(), appends[i])
				return err
			})
		})
	}
}

// BenchmarkBare is what BenchmarkAppend is measured against; see [sqlite.Bare].
func BenchmarkBare(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprint("clients=", n), func(b *testing.B) {
			bare, err := sqlite.OpenBare(b.Context(), filepath.Join(b.TempDir(), "bare.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer bare.Close()
			appends := onlyAppends(b)
			e := appends[0].Entries[0]
			row := bytes.Repeat([]byte("x"), len(e.ID)+len(e.Type)+len(e.Meta)+len(e.Data))
			together(b, n, func(i int) error { return bare.Append(b.Context(), appends[i].Stream, row) })
		})
	}
}

// BenchmarkFsync is the disk alone: a record of a page is added to a file and made
// durable.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	record := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fsyncs/s")
}

// BenchmarkReadAll reads a log from its beginning to its end, as a view that is
// built anew does.
func BenchmarkReadAll(b *testing.B) {
	const requests, each = 20_000, 5
	path := filepath.Join(b.TempDir(), "alur.db")
	log := open(b, path)
	var batch []domain.Append
	for i := range requests {
		a, _ := storetest.Entered(b, fmt.Sprintf("request-%012d", i), domain.Tip{}, storetest.Events(each))
		if batch = append(batch, a); len(batch) < 500 {
			continue
		}
		if _, _, err := log.AppendBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		batch = batch[:0]
	}
	for name, decode := range map[string]func(domain.Entry) error{
		"entries": func(domain.Entry) error { return nil },
		"decoded": func(e domain.Entry) error { _, err := domain.Decode(e); return err },
	} {
		b.Run(name, func(b *testing.B) {
			events := 0
			b.ReportAllocs()
			for b.Loop() {
				for e, err := range log.ReadAll(b.Context(), 0) {
					if err == nil {
						err = decode(e)
					}
					if err != nil {
						b.Fatal(err)
					}
					events++
				}
			}
			report(b, events)
		})
	}
}
