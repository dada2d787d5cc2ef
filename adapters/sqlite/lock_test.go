package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// wantInUse checks that a file is refused and that the process is named.
func wantInUse(t *testing.T, err error, pid int) {
	t.Helper()
	if !errors.Is(err, sqlite.ErrInUse) {
		t.Fatalf("got %v, want %v", err, sqlite.ErrInUse)
	}
	if !strings.Contains(err.Error(), strconv.Itoa(pid)) {
		t.Errorf("%v: process %d is not named", err, pid)
	}
}

func TestOneProcessWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	other := start(t, "hold", path)
	if got := other.line(); got != "held" {
		t.Fatalf("the other process says %q", got)
	}
	_, err := sqlite.Open(t.Context(), path)
	wantInUse(t, err, other.Process.Pid)
	// However it ends, the file is free when it has ended.
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // "signal: killed"
	log := open(t, path)
	add(t, log, storetest.New(t, "s", 0, 1))
}

func TestOneOpeningWrites(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "alur.db"), filepath.Join(dir, "link.db")
	log := open(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		_, err := sqlite.Open(t.Context(), name)
		wantInUse(t, err, os.Getpid())
	}
	add(t, log, storetest.New(t, "s", 0, 1)) // the refused openings did no harm
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	wantHead(t, open(t, link), 1)
}

func TestReadersOfAnotherProcessFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	log := open(t, path)
	add(t, log, storetest.New(t, "s", 0, 3))
	// The reader in this process shares nothing with the writer but the file.
	reader, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	wantHead(t, reader, 3)
	storetest.Verify(t, features, reader)
	if _, err := reader.Append(t.Context(), storetest.New(t, "x", 0, 1)); !errors.Is(err, domain.ErrReadOnly) {
		t.Errorf("got %v, want %v", err, domain.ErrReadOnly)
	}
	woken := make(chan error)
	go func() { woken <- reader.Wait(t.Context(), 3) }()
	add(t, log, storetest.New(t, "t", 0, 1))
	if err := <-woken; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { woken <- reader.Wait(ctx, 99) }()
	cancel()
	if err := <-woken; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	// It goes on when the writer ends, and when there is a new one.
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	wantHead(t, reader, 4)
	again := open(t, path)
	for i := range 3 {
		add(t, again, storetest.New(t, fmt.Sprint("u", i), 0, 1))
	}
	wantHead(t, reader, 7)
	storetest.Verify(t, features, reader)
}

func TestReadOnlyCreatesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alur.db")
	if _, err := sqlite.OpenReadOnly(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}
