package migration_test

import (
	"testing"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
)

// Nor can a request with a date before 1900 be moved to a version without the term.
func TestAdv5cADateOfLongAgoCannotBeMigratedEither(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(dated(t, true)).Definition
	r := b.submit(old, domain.Facts{"day": "1850-01-01T00:00:00Z"})
	r = b.act(old, r.ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 1)
	b.publish(dated(t, true))
	x, err := b.prepared("sip-mppdn", "migration: 1\n")
	if err != nil {
		b.publish([]byte(string(dated(t, true)) + "\n# 2\n"))
		x = b.prepare("sip-mppdn", "migration: 1\n")
	}
	report, err := b.migrator().Forecast(t.Context(), x)
	if err != nil || report.Movable != 1 {
		t.Errorf("%v %s", err, report.Requests[0].Refusal)
	}
	_ = r
}
