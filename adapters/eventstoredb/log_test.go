package eventstoredb

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
	"github.com/alur-id/alur/adapters/storetest"
)

// realServer names a connection string of a real server to run the contract on too.
const realServer = "ALUR_TEST_ESDB"

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// hasty is for servers that are near and fail on purpose.
func hasty() settings {
	return settings{
		attempt: 2 * time.Second, backoff: time.Millisecond, patience: 50 * time.Millisecond, odd: 5,
		pulse: 50 * time.Millisecond, farewell: 30 * time.Second,
	}
}

// serve starts a server that lives as long as the test.
func serve(t testing.TB) *fakeserver.Server {
	t.Helper()
	s, err := fakeserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// opened opens a log that is closed when the test ends.
func opened(t testing.TB, connectionString string, set settings) *Log {
	t.Helper()
	l, err := open(limited(t), connectionString, set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// limited is a context for what must come to an end, but may take its time on a
// busy machine.
func limited(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Features{MaxAppend: MaxAppend}, func(t *testing.T) storetest.Log {
		return opened(t, serve(t).ConnectionString(), defaults())
	})
}

// TestContractOnARealServer gives each log streams of its own.
func TestContractOnARealServer(t *testing.T) {
	connection := os.Getenv(realServer)
	if connection == "" {
		t.Skip("NOT RUN: " + realServer + " names no server")
	}
	storetest.Run(t, storetest.Features{MaxAppend: MaxAppend}, func(t *testing.T) storetest.Log {
		set := defaults()
		set.prefix = "alur-test-" + uuid.NewString() + "-"
		return opened(t, connection, set)
	})
}
