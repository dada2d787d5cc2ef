package pgserver_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

func query(t *testing.T, dsn, text string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var answer string
	if err := conn.QueryRow(t.Context(), text).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAServerThatIsDurableAndCanBeKilled(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	if got := query(t, dsn, `SELECT current_setting('fsync') || current_setting('synchronous_commit') || current_setting('listen_addresses')`); got != "onon" {
		t.Errorf("fsync, synchronous_commit and addresses are %q", got)
	}
	query(t, dsn, `WITH x AS (SELECT 1) SELECT set_config('a.b', 'c', false)`)
	for name, end := range map[string]func(){
		"restart": func() { server.Restart(t) },
		"kill":    func() { server.Kill(t); server.Resume(t) },
	} {
		before := query(t, dsn, `SELECT pg_postmaster_start_time()::text`)
		end()
		if after := query(t, dsn, `SELECT pg_postmaster_start_time()::text`); after == before {
			t.Errorf("%s: the same server", name)
		}
	}
}
