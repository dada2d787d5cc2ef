package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alur-id/alur/adapters/keys"
)

// kekVariable is the environment variable that holds the key-encryption keys.
const kekVariable = "ALUR_KEK"

const maxRing = 64 << 10

// kekPath is the file of the key-encryption keys: the one that was named or, for
// the embedded default, one beside the database.
func (s stores) kekPath() string {
	if s.kek != "" || isPostgres(s.db) {
		return s.kek
	}
	return strings.TrimSuffix(s.db, filepath.Ext(s.db)) + ".kek"
}

// ring reads the key-encryption keys. The error is fs.ErrNotExist when there are
// none where they should be.
func (s stores) ring() (keys.Ring, error) {
	text, from := []byte(os.Getenv(kekVariable)), kekVariable
	if len(text) == 0 || s.kek != "" {
		if from = s.kekPath(); from == "" {
			return nil, &hintError{
				fmt.Errorf("there is no key-encryption key: %w", fs.ErrNotExist),
				"make one with alur keys new --kek FILE, then name it with --kek or put it into " + kekVariable,
			}
		}
		var err error
		text, err = readFile(from, maxRing)
		if errors.Is(err, fs.ErrNotExist) {
			err = &hintError{fmt.Errorf("there is no key-encryption key: %w", err), "name its file with --kek, or put it into " + kekVariable}
		}
		if err != nil {
			return nil, err
		}
	}
	ring, err := keys.ParseRing(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return ring, nil
}

// madeRing reads the key-encryption keys, and makes the first one of the embedded
// default, which it says aloud. It makes none where there are keys to be opened.
func (s stores) madeRing(ctx context.Context, logger *slog.Logger) (keys.Ring, error) {
	ring, err := s.ring()
	path := s.kekPath()
	if !errors.Is(err, fs.ErrNotExist) || path == "" || s.kek != "" || s.readOnly {
		return ring, err
	}
	if _, err := os.Stat(s.keysPath()); !errors.Is(err, fs.ErrNotExist) {
		return nil, &hintError{
			fmt.Errorf("the key-encryption key %s is gone, and the keys in %s cannot be opened without it", path, s.keysPath()),
			"put the file back from where a copy is kept; no other key opens them",
		}
	}
	ring = keys.Ring{keys.NewKEK()}
	if err := writeRing(path, ring); err != nil {
		return nil, err
	}
	logger.WarnContext(ctx, "A KEY-ENCRYPTION KEY WAS MADE. Without this file nobody can open the personal data ever again: keep a copy of it apart from the database and its backups", "file", path)
	return ring, nil
}

// writeRing puts key-encryption keys into a file, whole or not at all, for its
// owner only.
func writeRing(path string, ring keys.Ring) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(ring.Text())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openVault opens the keys of personal data. The store has to be closed.
func (s stores) openVault(ctx context.Context, ring keys.Ring) (*keys.Vault, keyStore, error) {
	store, err := s.openKeys(ctx)
	if err != nil {
		return nil, nil, err
	}
	vault, err := keys.Open(ctx, store, keys.Config{Ring: ring, Now: time.Now, Trust: s.trust()})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return vault, store, nil
}

// trust is how long a key is believed to live without asking the store: how long
// after an erasure by another process this one may still open what it had open.
// Zero is for ever, for the only process that writes to the store.
func (s stores) trust() time.Duration {
	switch {
	case s.readOnly:
		return time.Millisecond
	case isPostgres(s.db):
		return 5 * time.Second
	}
	return 0
}
