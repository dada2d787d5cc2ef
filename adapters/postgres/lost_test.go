package postgres_test

import (
	"errors"
	"testing"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// A server that took the place of another, and does not have what that one
// committed, is not gone on with: what was acknowledged is lost, and whoever
// remembers it would append to what never was.
func TestLogThatLostEventsStops(t *testing.T) {
	const asBefore, another = `DELETE FROM alur_log.event WHERE position > 1`, `UPDATE alur_log.event SET id = gen_random_uuid() WHERE position = 3`
	for name, loss := range map[string]string{"gone": asBefore, "another in its place": another} {
		t.Run(name, func(t *testing.T) {
			dsn := pgserver.Start(t).NewDatabase(t)
			log := open(t, dsn)
			add(t, log, storetest.New(t, "a", 0, 1))
			add(t, log, storetest.New(t, "b", 0, 2))
			execute(t, dsn, `ALTER TABLE alur_log.event DISABLE TRIGGER event_is_never_changed`, loss,
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			for range 2 {
				if done, err := log.Append(t.Context(), storetest.New(t, "c", 0, 1)); !errors.Is(err, domain.ErrStopped) {
					t.Errorf("got %+v, %v; want %v", done, err, domain.ErrStopped)
				}
			}
			if err := log.Close(); err != nil {
				t.Error(err)
			}
			// Opened anew it takes what there is for what there was.
			add(t, open(t, dsn), storetest.New(t, "d", 0, 1))
		})
	}
}

// The same server is gone on with, however often the connection is lost.
func TestLogThatLostItsConnectionGoesOn(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log := open(t, dsn)
	for _, stream := range []string{"a", "b", "c"} {
		a := storetest.New(t, stream, 0, 2)
		for range 2 { // the second time it is there already
			add(t, log, a)
			execute(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		}
	}
	storetest.Verify(t, features, log)
}
