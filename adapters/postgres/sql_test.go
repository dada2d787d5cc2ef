package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// dial connects as somebody else than the store.
func dial(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	c := dialWith(t.Context(), t, dsn)
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func dialWith(ctx context.Context, t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// execute runs statements, each by itself.
func execute(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	ctx := context.Background() // a test's own has ended when it cleans up
	c := dialWith(ctx, t, dsn)
	defer c.Close(ctx)
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// begin runs a statement that leaves a transaction open, and returns what ends it.
func begin(t testing.TB, dsn, statement string) (end func()) {
	t.Helper()
	c := dial(t, dsn)
	if _, err := c.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := c.Exec(t.Context(), `ROLLBACK`); err != nil {
			t.Error(err)
		}
	}
}
