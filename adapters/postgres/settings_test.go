package postgres

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

func TestDurable(t *testing.T) {
	good := map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_sync_retry": "off", "server_encoding": "UTF8",
	}
	if err := durable(good); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{
		"fsync": "off", "full_page_writes": "off", "synchronous_commit": "local", "data_sync_retry": "on", "server_encoding": "SQL_ASCII",
	} {
		bad := maps.Clone(good)
		bad[name] = value
		if err := durable(bad); !errors.Is(err, errUnsafe) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

// Whatever the role, the database or the connection string says, a commit is
// durable, but not less than somebody asked for.
func TestConnectionsAreMadeDurable(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	for asked, want := range map[string]string{"off": "on", "local": "on", "on": "on", "remote_apply": "remote_apply"} {
		config, _, err := configured(dsn+"&options=-c%20synchronous_commit%3D"+asked, forWriting, planning)
		if err != nil {
			t.Fatal(err)
		}
		c, err := connect(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		row, err := texts(t.Context(), c.PgConn, `SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation'), current_setting('enable_seqscan')`)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(row, " "); got != want+" read committed off" {
			t.Errorf("asked for %s: %s", asked, got)
		}
		c.part()
	}
}

// What a connection is told goes before what a role, a database or somebody else
// says of it: nobody is taken for a pooler.
func TestConnectionsHearWhatTheyAreTold(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	config, _, err := configured(dsn, forWriting)
	if err != nil {
		t.Fatal(err)
	}
	c, err := connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.part()
	if _, err := texts(t.Context(), c.PgConn, `ALTER DATABASE `+config.Database+` SET lock_timeout = '7s'; SELECT 1`); err != nil {
		t.Fatal(err)
	}
	for _, p := range []purpose{forWriting, forReading} {
		config, _, err := configured(dsn+"&options=-c%20lock_timeout%3D5s&lock_timeout=3s", p)
		if err != nil {
			t.Fatal(err)
		}
		c, err := connect(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		c.part()
	}
}

// Where the library does not see that something is a password, it is not told
// either.
func TestUnreadableConnectionStringsAreNotTold(t *testing.T) {
	for _, dsn := range []string{
		"password = geheim host=h port=abc", `password=ge\ heim host=h port=abc`, "PASSWORD=geheim host=h port=abc",
		"postgres://u:geheim@h:port/d", "postgres://h/d?password=geheim&port=abc", "postgres://u:geheim@[nonsense",
	} {
		_, _, err := configured(dsn, forWriting)
		_, bareErr := OpenBare(t.Context(), dsn)
		for _, err := range []error{err, bareErr} {
			if err == nil || strings.Contains(err.Error(), "heim") || !strings.Contains(err.Error(), "connection string: ") {
				t.Errorf("%s: %v", dsn, err)
			}
		}
	}
	if _, _, err := configured("host=h port=abc", forWriting); err == nil || !strings.Contains(err.Error(), "invalid port") {
		t.Errorf("it is not told what is wrong: %v", err)
	}
}

func TestMigrationsThatAreMissing(t *testing.T) {
	known := []migration{{name: "1", hash: "a"}, {name: "2", hash: "b"}}
	for _, c := range []struct {
		taken []string
		left  int
		fault string
	}{
		{nil, 2, ""},
		{[]string{"a"}, 1, ""},
		{[]string{"a", "b"}, 0, ""},
		{[]string{"a", "b", "c"}, 0, "newer Alur"},
		{[]string{"x"}, 0, "migration 1 is not 1"},
		{[]string{"a", "x", "c"}, 0, "migration 2 is not 2"},
	} {
		left, err := logSchema.missing(c.taken, known)
		switch {
		case c.fault == "" && (err != nil || len(left) != c.left):
			t.Errorf("%v: %d left, %v; want %d", c.taken, len(left), err, c.left)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%v: %v; want %q", c.taken, err, c.fault)
		}
	}
}
