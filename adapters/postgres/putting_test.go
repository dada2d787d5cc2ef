package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/faultproxy"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// refuseAtCommit makes the database say that a key was stored, and take it back
// when the transaction ends.
const refuseAtCommit = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'not after all' USING ERRCODE = 'serialization_failure'; END $$;
	CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON alur_keys.key DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION refuse()`

// What an attempt says of a key before it is rolled back does not count in the next
// one, which finds that another stored the subject's key meanwhile.
func TestStoredIsSaidByTheLastAttempt(t *testing.T) {
	ctx := t.Context()
	dsn := pgserver.Start(t).NewDatabase(t)
	s, err := OpenKeys(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(ctx, refuseAtCommit); err != nil {
		t.Fatal(err)
	}
	group := []*put{{ctx: ctx, key: storetest.Key("s-1", "permit")}, {ctx: ctx, key: storetest.Key("s-2", "permit")}}
	// The condition of the test: the flag is set by what is then taken back.
	if err := s.insert(ctx, group); weigh(err) != passing {
		t.Fatalf("the first attempt: %v", err)
	}
	if !group[0].stored || !group[1].stored {
		t.Fatal("the first attempt did not get as far as to say that a key was stored")
	}
	if _, err := c.Exec(ctx, `DROP TRIGGER refused ON alur_keys.key`); err != nil {
		t.Fatal(err)
	}
	other := storetest.Key("s-1", "permit")
	if got, err := s.Put(ctx, other); err != nil || got.ID != other.ID {
		t.Fatalf("another put %s, %v; want %s", got.ID, err, other.ID)
	}
	if err := s.insert(ctx, group); err != nil {
		t.Fatal(err)
	}
	if group[0].stored {
		t.Error("a key counts as stored that is not there")
	}
	if !group[1].stored {
		t.Error("a key that is there does not count as stored")
	}
	if _, err := s.Get(ctx, group[0].key.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("the key that was not stored: %v", err)
	}
}

// Nor does what an attempt said of which the answer was lost: the key may be
// destroyed by the time of the next.
func TestStoredIsNotSaidByALostAnswer(t *testing.T) {
	s, err := OpenKeys(t.Context(), pgserver.Start(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	group := []*put{{ctx: t.Context(), key: storetest.Key("s-1", "permit")}}
	if err := s.insert(t.Context(), group); err != nil || !group[0].stored {
		t.Fatalf("stored: %v, %v", group[0].stored, err)
	}
	erasure := uuid.Must(uuid.NewV7())
	if n, err := s.Mark(t.Context(), erasure, []uuid.UUID{group[0].key.ID}); err != nil || n != 1 {
		t.Fatalf("marked %d, %v", n, err)
	}
	if n, err := s.Destroy(t.Context(), erasure, storetest.Epoch); err != nil || n != 1 {
		t.Fatalf("destroyed %d, %v", n, err)
	}
	if err := s.insert(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	if group[0].stored {
		t.Error("a destroyed key counts as stored")
	}
}

// Keys that nobody waits for any more are not tried for ever: who comes during an
// outage would be remembered until it ends.
func TestForsakenKeysAreForgotten(t *testing.T) {
	server := pgserver.Start(t)
	proxy := faultproxy.Start(t, "unix", server.Socket())
	s, err := OpenKeys(t.Context(), pgserver.Proxied(t, server.NewDatabase(t), proxy.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	proxy.Refuse(true)
	proxy.Drop()
	ctx, cancel := context.WithCancel(t.Context())
	group := []*put{
		{ctx: ctx, key: storetest.Key("s-1", "permit"), done: make(chan struct{})},
		{ctx: ctx, key: storetest.Key("s-2", "permit"), done: make(chan struct{})},
	}
	stored := make(chan struct{})
	go func() {
		defer close(stored)
		s.store(group)
	}()
	cancel()
	select {
	case <-stored:
	case <-time.After(time.Minute):
		t.Error("what nobody waits for is still tried")
	}
}

// The key that kept another out may be on its way to be destroyed by the time that
// it is looked for. Then its place is free.
func TestPutInAPlaceThatBecomesFree(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	s, err := OpenKeys(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before, k := storetest.Key("s-1", "permit"), storetest.Key("s-1", "permit")
	if _, err := s.Put(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	_, err = s.db.ExecContext(t.Context(), `CREATE FUNCTION erase() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN UPDATE alur_keys.key SET state = 'erasing' WHERE id = '`+before.ID.String()+`'; RETURN NULL; END $$;
		CREATE TRIGGER erased AFTER INSERT ON alur_keys.key FOR EACH STATEMENT EXECUTE FUNCTION erase()`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Put(t.Context(), k); err != nil || got.ID != k.ID {
		t.Errorf("put %s, %v; want %s", got.ID, err, k.ID)
	}
	// An id that is taken is not free.
	other := storetest.Key("s-2", "permit")
	other.ID = before.ID
	if got, err := s.Put(t.Context(), other); !errors.Is(err, errTaken) {
		t.Errorf("an id that is taken: %s, %v; want %v", got.ID, err, errTaken)
	}
}
