package postgres_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

const clients = 64

// parallel runs work b.N times, by so many clients at once, and reports how many
// events a second that were.
func parallel(b *testing.B, work func(n int) error) {
	b.Helper()
	var next atomic.Int64
	b.SetParallelism(max(1, clients/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := work(int(next.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// one is an append of one event to a new stream, made cheaply: only its names
// differ from those of the others.
func one(n int, like domain.Entry) domain.Append {
	e := like
	e.Stream = fmt.Sprint("request-", n)
	e.ID[0], e.ID[1], e.ID[2], e.ID[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return domain.Append{Stream: e.Stream, Entries: []domain.Entry{e}}
}

func BenchmarkAppend(b *testing.B) {
	log := open(b, pgserver.Start(b).NewDatabase(b))
	like := storetest.New(b, "s", 0, 1).Entries[0]
	parallel(b, func(n int) error {
		_, err := log.Append(context.Background(), one(n, like))
		return err
	})
}

func BenchmarkReadAll(b *testing.B) {
	log := open(b, pgserver.Start(b).NewDatabase(b))
	const n = 100_000
	like := storetest.New(b, "s", 0, 1).Entries[0]
	var batch []domain.Append
	for i := range n {
		batch = append(batch, one(i, like))
	}
	if _, _, err := log.AppendBatch(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B, use func(domain.Entry) error) {
		for b.Loop() {
			seen := 0
			for e, err := range log.ReadAll(b.Context(), 0) {
				if err == nil {
					err = use(e)
				}
				if err != nil {
					b.Fatal(err)
				}
				seen++
			}
			if seen != n {
				b.Fatalf("%d events, want %d", seen, n)
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("raw", func(b *testing.B) { read(b, func(domain.Entry) error { return nil }) })
	b.Run("decoded", func(b *testing.B) {
		read(b, func(e domain.Entry) error {
			_, err := domain.Decode(e)
			return err
		})
	})
}

// BenchmarkBare is what the log is measured against: rows of the same size in
// the same number of transactions, by one connection that compares nothing.
func BenchmarkBare(b *testing.B) {
	for _, rows := range []int{1, clients, 512} {
		b.Run(fmt.Sprint(rows, " rows a transaction"), func(b *testing.B) {
			c, err := pgx.Connect(b.Context(), pgserver.Start(b).NewDatabase(b))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close(context.Background())
			_, err = c.Exec(b.Context(), `CREATE TABLE bare (position bigserial PRIMARY KEY, stream text, version bigint, data bytea, UNIQUE (stream, version))`)
			if err != nil {
				b.Fatal(err)
			}
			e := storetest.New(b, "s", 0, 1).Entries[0]
			data := []byte(strings.Repeat("x", e.Size()))
			n := 0
			for b.Loop() {
				batch := make([][]any, rows)
				for i := range batch {
					batch[i] = []any{fmt.Sprint("request-", n), int64(1), data}
					n++
				}
				_, err := c.CopyFrom(b.Context(), pgx.Identifier{"bare"}, []string{"stream", "version", "data"}, pgx.CopyFromRows(batch))
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
