package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/faultproxy"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// waitingForStandby waits until one of the server's processes, but not a certain one,
// waits for a standby to have what it commits. It returns 0 when stop is closed.
func waitingForStandby(t *testing.T, dsn string, but int, stop <-chan struct{}) int {
	t.Helper()
	c := dial(t, dsn)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var pid int
		const query = `SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database() AND pid <> $1`
		if err := c.QueryRow(t.Context(), query, but).Scan(&pid); err != nil {
			t.Error(err)
			return 0
		}
		if pid != 0 {
			return pid
		}
		select {
		case <-tick.C:
		case <-stop:
			return 0
		}
	}
}

// Where a commit has to wait for a standby, an append does not count as recorded
// before the standby has it, though it is there when it is tried again.
func TestRepeatedAppendWaitsForTheStandby(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	proxy := faultproxy.Start(t, "unix", server.Socket())
	log := open(t, pgserver.Proxied(t, dsn, proxy.Addr()))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// The standby that there is not.
	setForAll(t, server, "synchronous_standby_names", "nobody", "")
	var done domain.Appended
	var err error
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		done, err = log.Append(ctx, storetest.New(t, "s", 0, 1))
	}()
	first := waitingForStandby(t, dsn, 0, answered)
	proxy.Drop()
	if waitingForStandby(t, dsn, first, answered) == 0 {
		t.Errorf("answered %+v, %v without the standby", done, err)
	}
	execute(t, dsn, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	<-answered
	if err != nil || !done.Repeated || done.Position != 1 {
		t.Errorf("in the end: %+v, %v", done, err)
	}
}
