package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
)

// A build of SQLite that would make commits less durable is found out. Which it
// has is read back, so a connection that was set otherwise stands for it here.
func TestConnectionThatIsNotDurableIsRefused(t *testing.T) {
	for pragma, want := range map[string]string{
		"synchronous = NORMAL":  "synchronous=1",
		"synchronous = OFF":     "synchronous=0",
		"journal_mode = DELETE": "journal_mode=delete",
	} {
		path := filepath.Join(t.TempDir(), "alur.db")
		conn, err := openWriter(t.Context(), path, logKind, pragma)
		if err == nil {
			conn.Close()
			t.Errorf("%s was accepted", pragma)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want %q in it", pragma, err, want)
		}
	}
}
