package jetstream_test

import (
	"testing"

	"github.com/alur-id/alur/adapters/bus"
)

// BenchmarkForward is how many events a second go from a log in a file to a server of
// NATS in the same process, each kept there before the next is sent.
func BenchmarkForward(b *testing.B) {
	n := newNode(b)
	for left := b.N; left > 0; left -= 1000 {
		n.record(b, min(left, 1000))
	}
	url, stopServer := embedded(b, b.TempDir(), -1)
	defer stopServer()
	b.ResetTimer()
	stop := n.forward(b, url, bus.Structured)
	until(b, "all is forwarded", func() bool {
		list, err := n.store.Consumers(b.Context())
		return err == nil && len(list) == 1 && int(list[0].Position) == b.N
	})
	b.StopTimer()
	stop()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
