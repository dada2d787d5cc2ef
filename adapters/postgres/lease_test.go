package postgres_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/projections"
)

func TestLeases(t *testing.T) {
	server := pgserver.Start(t)
	var db string
	storetest.Leases(t, func(t *testing.T) func() projections.Leases {
		db = server.NewDatabase(t)
		return func() projections.Leases {
			l, err := openViews(t, db).Leases(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
	}, func(d time.Duration) {
		// The clock is the server's, which cannot be put forward: it is waited for there.
		v := openViews(t, db)
		if _, err := v.Reader.ExecContext(t.Context(), `SELECT pg_sleep($1)`, d.Seconds()); err != nil {
			t.Fatal(err)
		}
	})
}
