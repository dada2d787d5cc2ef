package domain_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
)

// What reading an event costs without a store: the figures of a store's reading
// come on top.
func BenchmarkDecode(b *testing.B) {
	for name, event := range map[string]domain.Event{"ActionTaken": refused(), "RequestSubmitted": submitted()} {
		a, _, err := domain.Enter("request-1", domain.Tip{Version: 4, Hash: domain.Hash{7}}, noon, []domain.Event{event})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := domain.Decode(a.Entries[0]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
