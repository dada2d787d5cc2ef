package bus_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/adapters/bus"
)

// BenchmarkReactor is how many messages a second a reactor gets that does nothing, one
// that does its work in the checkpoint's transaction, and one that may lose the last
// tenth of a second of its checkpoints.
func BenchmarkReactor(b *testing.B) {
	nothing := func(*message.Message) error { return nil }
	for _, p := range places {
		for _, c := range []struct {
			name   string
			linger time.Duration
			handle func(*message.Message) error
		}{
			{"each durable", 0, nothing},
			{"work in its transaction", 0, func(m *message.Message) error {
				return bus.Once(m, func(context.Context, *sql.Tx) error { return nil })
			}},
			{"linger 100 ms", 100 * time.Millisecond, nothing},
		} {
			b.Run(fmt.Sprintf("%s/%s", p.name, c.name), func(b *testing.B) {
				at := p.open(b)
				for left := b.N; left > 0; left -= 1000 {
					at.events(b, min(left, 1000))
				}
				done, left := make(chan struct{}), b.N
				b.ResetTimer()
				run(b, at.quick(), bus.Reactor{Name: "r", Topic: bus.All, Linger: c.linger, Handle: func(m *message.Message) error {
					if err := c.handle(m); err != nil {
						return err
					}
					if left--; left == 0 {
						close(done)
					}
					return nil
				}})
				<-done
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			})
		}
	}
}
