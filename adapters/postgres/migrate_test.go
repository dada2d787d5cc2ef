package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// upTo are the migrations of a folder that an older Alur knew.
func upTo(t *testing.T, folder string, last int) fs.FS {
	t.Helper()
	names, err := fs.Glob(migrations, path.Join(folder, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	older := fstest.MapFS{}
	for _, name := range names[:last] {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		older[name] = &fstest.MapFile{Data: text}
	}
	return older
}

// firstLog is a database with a log as the first Alur made it, and somebody who
// is connected to it.
func firstLog(t *testing.T) (dsn string, c *pgx.Conn) {
	t.Helper()
	dsn = pgserver.Start(t).NewDatabase(t)
	config, _, err := configured(dsn, forWriting, planning)
	if err != nil {
		t.Fatal(err)
	}
	if err := logSchema.migrate(t.Context(), config, upTo(t, logSchema.folder, 1)); err != nil {
		t.Fatal(err)
	}
	c, err = pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return dsn, c
}

// place puts a row where it is told to, as no Alur does.
func place(t *testing.T, c *pgx.Conn, position, version int) error {
	t.Helper()
	_, err := c.Exec(t.Context(), `INSERT INTO alur_log.event (position, version, id, schema, stream, type, meta, data)
		VALUES ($1, $2, gen_random_uuid(), 1, 's', 't', '{}', '{}')`, position, version)
	return err
}

func migrationsTaken(t *testing.T, c *pgx.Conn) (n int) {
	t.Helper()
	if err := c.QueryRow(t.Context(), `SELECT count(*) FROM alur_log.migration`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The log takes no row that its readers, who ask for what is above 0, never see.
func TestRowsBelowTheFirstAreRefused(t *testing.T) {
	dsn, c := firstLog(t)
	if err := place(t, c, 1, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLogReadOnly(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "older Alur (format 1;") {
		t.Errorf("opened for reading before it was brought forward: %v", err)
	}
	log, err := OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if n := migrationsTaken(t, c); n != 2 {
		t.Errorf("%d migrations, want 2", n)
	}
	if head, err := log.Head(t.Context()); err != nil || head != domain.Position(1) {
		t.Errorf("head %d, %v; want 1", head, err)
	}
	for _, row := range []struct{ position, version int }{{0, 2}, {-1, 2}, {2, 0}, {2, -1}} {
		if err := place(t, c, row.position, row.version); err == nil || !strings.Contains(err.Error(), "_begins_at_1") {
			t.Errorf("a row at position %d and version %d: %v", row.position, row.version, err)
		}
	}
	if err := place(t, c, 2, 2); err != nil {
		t.Errorf("a row in its place: %v", err)
	}
}

// A log that holds such a row already stays as it was, and whoever opens it is told
// of the row.
func TestRowsBelowTheFirstAreTold(t *testing.T) {
	for _, row := range []struct{ position, version int }{{0, 1}, {-1, 1}, {7, 0}} {
		dsn, c := firstLog(t)
		if err := place(t, c, row.position, row.version); err != nil {
			t.Fatal(err)
		}
		log, err := OpenLog(t.Context(), dsn)
		if err == nil {
			log.Close()
		}
		want := fmt.Sprintf("at position %d, version %d of stream s", row.position, row.version)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "0002_first.sql") {
			t.Errorf("%v: %v; want %q in it", row, err, want)
		}
		if n := migrationsTaken(t, c); n != 1 {
			t.Errorf("%v: %d migrations, want 1", row, n)
		}
	}
}

// Nodes of the version before go on writing while one of this version brings the
// log forward.
func TestOlderNodesWriteMeanwhile(t *testing.T) {
	dsn, c := firstLog(t)
	config, _, err := configured(dsn, forWriting, planning)
	if err != nil {
		t.Fatal(err)
	}
	older := &Log{readers: newPool(config), tail: newTail(config, func() uint32 { return 0 })}
	older.committer = newCommitter(&writer{config: config}, older.tail.saw)
	defer older.Close()
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			var tip domain.Tip
			for {
				var a domain.Append
				a, tip = storetest.Entered(t, fmt.Sprint("writer-", w), tip, storetest.Events(2))
				if _, err := older.Append(t.Context(), a); err != nil {
					t.Errorf("%s: %v", a.Stream, err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	grown := func(head domain.Position) {
		if err := older.Wait(t.Context(), head); err != nil {
			t.Error(err)
		}
	}
	grown(100)
	log, err := OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Error(err)
	}
	grown(head + 100)
	close(stop)
	writers.Wait()
	if n := migrationsTaken(t, c); n != 2 {
		t.Errorf("%d migrations, want 2", n)
	}
	storetest.Verify(t, storetest.Features{Gapless: true}, log)
}
