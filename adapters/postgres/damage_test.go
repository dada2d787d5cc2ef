package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// Where somebody took the table's constraints away, verifying still sees what they
// put in.
func TestRowsWhereNoReaderLooksAreFound(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log, err := OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if found, err := log.Damage(t.Context()); err != nil || len(found) != 0 {
		t.Errorf("a new log: %v, %v", found, err)
	}
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), `DO $$ DECLARE n text; BEGIN
		FOR n IN SELECT conname FROM pg_constraint WHERE conrelid = 'alur_log.event'::regclass AND contype = 'c'
		LOOP EXECUTE 'ALTER TABLE alur_log.event DROP CONSTRAINT ' || quote_ident(n); END LOOP; END $$`); err != nil {
		t.Fatal(err)
	}
	if err := place(t, c, -1, 1); err != nil {
		t.Fatal(err)
	}
	if found, err := log.Damage(t.Context()); err != nil || len(found) != 1 || !strings.Contains(found[0], "1 rows") {
		t.Errorf("%v, %v", found, err)
	}
}

func TestDamageIsToldFromOtherErrors(t *testing.T) {
	for code, is := range map[string]bool{"XX001": true, "XX002": true, "XX000": false, "53100": false} {
		if got := errors.Is(damaged(&pgconn.PgError{Code: code}), domain.ErrDamaged); got != is {
			t.Errorf("%s: %t", code, got)
		}
	}
	if !errors.Is(damaged(errDamaged), domain.ErrDamaged) || damaged(nil) != nil {
		t.Error("what no event holds is not told as damage")
	}
}
