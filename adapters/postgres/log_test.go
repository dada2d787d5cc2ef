package postgres_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var features = storetest.Features{Gapless: true}

func open(t testing.TB, dsn string) *postgres.Log {
	t.Helper()
	log, err := postgres.OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

func TestContract(t *testing.T) {
	storetest.Run(t, features, func(t *testing.T) storetest.Log {
		return open(t, pgserver.Start(t).NewDatabase(t))
	})
}
