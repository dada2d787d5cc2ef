package postgres_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

func openReadOnly(t testing.TB, dsn string) *postgres.Log {
	t.Helper()
	log, err := postgres.OpenLogReadOnly(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func TestReadOnly(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	if _, err := postgres.OpenLogReadOnly(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("an empty database: %v", err)
	}
	var schemas int
	if err := dial(t, dsn).QueryRow(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'alur%'`).Scan(&schemas); err != nil || schemas != 0 {
		t.Errorf("%d schemas were created, %v", schemas, err)
	}
	log := open(t, dsn)
	reader := openReadOnly(t, dsn)
	woken := make(chan error)
	go func() { woken <- reader.Wait(context.Background(), 0) }()
	add(t, log, storetest.New(t, "s", 0, 3))
	if err := <-woken; err != nil {
		t.Error(err)
	}
	storetest.Verify(t, features, reader)
	if _, err := reader.Append(t.Context(), storetest.New(t, "t", 0, 1)); !errors.Is(err, domain.ErrReadOnly) {
		t.Errorf("got %v, want %v", err, domain.ErrReadOnly)
	}
}

func add(t testing.TB, log *postgres.Log, a domain.Append) domain.Appended {
	t.Helper()
	done, err := log.Append(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestReopenedLogHasEverything(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	log := open(t, dsn)
	first, tip := storetest.Entered(t, "s", domain.Tip{}, storetest.Events(3))
	add(t, log, first)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dsn)
	more, _ := storetest.Entered(t, "s", tip, storetest.Events(1))
	add(t, again, more)
	if done := add(t, again, first); !done.Repeated || done.Position != 3 {
		t.Errorf("repeated after reopening: %+v", done)
	}
	storetest.Verify(t, features, again)
}

func TestClosedLogSaysSo(t *testing.T) {
	log := open(t, pgserver.Start(t).NewDatabase(t))
	waiting := make(chan error)
	go func() { waiting <- log.Wait(context.Background(), 7) }()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, appendErr := log.Append(t.Context(), storetest.New(t, "s", 0, 1))
	_, headErr := log.Head(t.Context())
	var readErr error
	for _, readErr = range log.ReadAll(t.Context(), 0) {
		continue
	}
	for name, err := range map[string]error{"Append": appendErr, "Head": headErr, "ReadAll": readErr, "Wait": <-waiting} {
		if !errors.Is(err, domain.ErrClosed) {
			t.Errorf("%s: got %v, want %v", name, err, domain.ErrClosed)
		}
	}
}

// openers are what opens a part of a database, and the schema it is in.
var openers = map[string]func(context.Context, string) (interface{ Close() error }, error){
	"alur_log": func(ctx context.Context, dsn string) (interface{ Close() error }, error) {
		return postgres.OpenLog(ctx, dsn)
	},
	"alur_keys": func(ctx context.Context, dsn string) (interface{ Close() error }, error) {
		return postgres.OpenKeys(ctx, dsn)
	},
	"alur_views": func(ctx context.Context, dsn string) (interface{ Close() error }, error) {
		return postgres.OpenViews(ctx, dsn)
	},
}

func TestManyOpenAtOnce(t *testing.T) {
	for name, opener := range openers {
		t.Run(name, func(t *testing.T) {
			dsn := pgserver.Start(t).NewDatabase(t)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					s, err := opener(t.Context(), dsn)
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, schema := range []string{"alur_log", "alur_keys"} {
		for want, statement := range map[string]string{
			"newer Alur":          `INSERT INTO ` + schema + `.migration (number, name, hash) VALUES (99, 'later', 'x')`,
			"this program knows:": `UPDATE ` + schema + `.migration SET hash = 'another' WHERE number = 1`,
		} {
			dsn := pgserver.Start(t).NewDatabase(t)
			s, err := openers[schema](t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			execute(t, dsn, statement)
			if s, err := openers[schema](t.Context(), dsn); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q in it", schema, err, want)
				if err == nil {
					s.Close()
				}
			}
			if _, err := postgres.OpenLogReadOnly(t.Context(), dsn); err == nil {
				t.Errorf("%s: opened for reading", schema)
			}
		}
	}
}

// Who may not create anything in the database may use what is there.
func TestOpenWithoutTheRightToCreate(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	for _, opener := range openers {
		s, err := opener(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	const role = "alur_without_rights"
	execute(t, dsn, `CREATE ROLE `+role+` LOGIN`,
		`GRANT USAGE ON SCHEMA alur_log, alur_keys, alur_views TO `+role,
		`GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA alur_log TO `+role,
		`GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA alur_keys TO `+role)
	t.Cleanup(func() {
		execute(t, dsn, `DROP OWNED BY `+role, `DROP ROLE `+role)
	})
	lesser := strings.Replace(dsn, "user=alur", "user="+role, 1)
	log := open(t, lesser)
	a := storetest.New(t, "s", 0, 1)
	for _, again := range []bool{false, true} {
		if done := add(t, log, a); done.Repeated != again {
			t.Errorf("repeated %v, want %v", done.Repeated, again)
		}
	}
	storetest.Verify(t, features, log)
	openKeys(t, lesser)
	openViews(t, lesser)
}

// setForAll changes a setting of the server until the test ends.
func setForAll(t *testing.T, server *pgserver.Server, name, value, before string) {
	t.Helper()
	dsn := server.DSN("postgres")
	become := func(want string) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range 12_000 {
			if setting(t, dsn, name) == want {
				return
			}
			<-tick.C
		}
		t.Fatalf("%s does not become %s", name, want)
	}
	execute(t, dsn, `ALTER SYSTEM SET `+name+` = `+value, `SELECT pg_reload_conf()`)
	t.Cleanup(func() {
		execute(t, dsn, `ALTER SYSTEM RESET `+name, `SELECT pg_reload_conf()`)
		become(before)
	})
	become(value)
}

// setting is that of a new connection.
func setting(t testing.TB, dsn, name string) string {
	t.Helper()
	ctx := context.Background()
	c := dialWith(ctx, t, dsn)
	defer c.Close(ctx)
	var value string
	if err := c.QueryRow(ctx, `SELECT current_setting('`+name+`')`).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestServerThatMayLoseCommitsIsRefused(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	setForAll(t, server, "fsync", "off", "on")
	for _, opener := range openers {
		if s, err := opener(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "fsync") {
			t.Errorf("opened: %v", err)
			if err == nil {
				s.Close()
			}
		}
	}
}

func TestEventsAreNeverChangedOrRemoved(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	add(t, open(t, dsn), storetest.New(t, "s", 0, 1))
	c := dial(t, dsn)
	if _, err := c.Exec(t.Context(), `SET session_replication_role = replica`); err != nil { // which turns ordinary triggers off
		t.Fatal(err)
	}
	for _, statement := range []string{
		`DELETE FROM alur_log.event`, `UPDATE alur_log.event SET version = 9`, `TRUNCATE alur_log.event`, `DELETE FROM alur_log.event WHERE false`,
	} {
		if _, err := c.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "never changed") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	dsn := pgserver.Start(t).DSN("there_is_no_such_database")
	for name, opener := range openers {
		if _, err := opener(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "no_such_database") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := opener(t.Context(), "postgres://user:geheim@[nonsense"); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// beacon is a host that is tried before the server's own and turns everybody away:
// who opens by both of them is seen to try.
func beacon(t *testing.T, dsn string) (both string, tries <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen, done := make(chan struct{}, 1000), make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return // closed
			}
			const cancel = 80877102 // which the library asks for when it is turned away
			header := make([]byte, 8)
			_, err = io.ReadFull(c, header)
			if err == nil && binary.BigEndian.Uint32(header[4:]) != cancel {
				seen <- struct{}{} // before whoever came goes on
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", host+","+q.Get("host"))
	q.Set("port", port+",5432")
	q.Set("sslmode", "disable") // or each attempt would be two
	u.RawQuery = q.Encode()
	return u.String(), seen
}

// Who opens while the server is down does so as soon as it is there.
func TestOpenWaitsForTheServer(t *testing.T) {
	server := pgserver.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	var tried []<-chan struct{}
	begin := make(chan struct{})
	for name, opener := range openers {
		both, tries := beacon(t, server.NewDatabase(t)+"&open_timeout=600")
		tried = append(tried, tries)
		wg.Go(func() {
			<-begin
			s, err := opener(ctx, both)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			s.Close()
		})
	}
	server.Stop(t)
	close(begin)
	for _, tries := range tried {
		for range 2 { // the second shows that the first failed
			select {
			case <-tries:
			case <-ctx.Done():
				t.Error("nobody tries")
			}
		}
	}
	server.Resume(t)
	wg.Wait()
}

// What waiting would not change is told at once.
func TestOpenDoesNotWaitForAWrongDatabase(t *testing.T) {
	both, tries := beacon(t, pgserver.Start(t).DSN("there_is_no_such_database"))
	for name, opener := range openers {
		_, err := opener(t.Context(), both)
		if err == nil || !strings.Contains(err.Error(), "no_such_database") || strings.Contains(err.Error(), "waited") {
			t.Errorf("%s: %v", name, err)
		}
		<-tries
		select {
		case <-tries:
			t.Errorf("%s: tried again", name)
		default:
		}
	}
}
