package eventstoredb

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// The benchmarks measure this package, the library, gRPC and the server in memory
// together, on one machine: what a real server adds is its disks and the net.

// BenchmarkAppend has 64 clients, each with a stream of its own, append one event
// at a time.
func BenchmarkAppend(b *testing.B) {
	l := opened(b, serve(b).ConnectionString(), defaults())
	ctx := limited(b)
	b.SetParallelism(max(64/runtime.GOMAXPROCS(0), 1))
	var clients atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		// Short streams, as requests have; the server in memory likes no others.
		for client, n, tip := clients.Add(1), 0, (domain.Tip{}); pb.Next(); n++ {
			if n%20 == 0 {
				tip = domain.Tip{}
			}
			stream := strconv.FormatInt(client, 10) + "-" + strconv.Itoa(n/20)
			a, next, err := domain.Enter(stream, tip, storetest.Epoch, storetest.Events(1))
			if err == nil {
				_, err = l.Append(ctx, a)
			}
			if err != nil {
				b.Error(err)
				return
			}
			tip = next
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkReadAll reads and decodes 20,000 events of 1,000 streams.
func BenchmarkReadAll(b *testing.B) {
	const streams, each = 1000, 20
	l := opened(b, serve(b).ConnectionString(), defaults())
	for i := range streams {
		record(b, l, strconv.Itoa(i), each)
	}
	ctx := limited(b)
	for b.Loop() {
		n := 0
		for e, err := range l.ReadAll(ctx, 0) {
			if err == nil {
				_, err = domain.Decode(e)
			}
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != streams*each {
			b.Fatalf("%d events", n)
		}
	}
	b.ReportMetric(float64(b.N)*streams*each/b.Elapsed().Seconds(), "events/s")
}
