package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
)

// The tables and the texts are those that the first Alur wrote.
func TestLogOfTheFirstAlurIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	id := uuid.MustParse("01a206c6-7880-74bf-99aa-61d2ffa53429")
	execute(t, path, `CREATE TABLE event (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, id BLOB NOT NULL,
		type TEXT NOT NULL, schema INTEGER NOT NULL, recorded INTEGER NOT NULL, envelope BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (stream, version)) STRICT`,
		`INSERT INTO event VALUES (1, 'request-1', 1, x'`+strings.ReplaceAll(id.String(), "-", "")+`', 'ActionTaken', 1, 1764000000123456,
			CAST('{"tenant":"11.71","service":"permit","actor":{"id":"h-1","role":"head","capacity":"officer"},"workflow":{"id":"permit","version":3},"command":"01a206c6-7880-74bf-99aa-61d2ffa53428","correlation":"01a206c6-7880-74bf-99aa-61d2ffa53428","occurred":"2026-11-23T05:00:00Z"}' AS BLOB),
			CAST('{"action":"refuse","from":"checked","to":"refused","public":"rejected","outcome":"rejected","reason":"late"}' AS BLOB))`,
		`PRAGMA application_id = 1097626994`, `PRAGMA user_version = 1`)
	var got []domain.Recorded
	for r, err := range sqlite.ReadFormat1(t.Context(), path) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if len(got) != 1 || got[0].ID != id || got[0].Stream != "request-1" || got[0].Actor.ID != "h-1" ||
		!got[0].At.Equal(time.UnixMicro(1764000000123456)) || got[0].Body.(domain.ActionTaken).Reason != "late" {
		t.Errorf("%+v", got)
	}
	for _, err := range sqlite.ReadFormat1(t.Context(), filepath.Join(t.TempDir(), "none.db")) {
		if err == nil {
			t.Error("a log that is not there was read")
		}
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "alur log upgrade") {
		t.Errorf("opened as a log of now: %v", err)
	}
}
