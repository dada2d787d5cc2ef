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
	"github.com/alur-id/alur/domain"
)

// kekVariable is the environment variable that holds the key-encryption keys.
const kekVariable = "ALUR_KEK"

const maxRing = 64 << 10

// kekPath is the file of the key-encryption keys: the one that was named or, for
// the embedded default, one beside the database and of its own.
func (s stores) kekPath() string {
	if s.kek != "" || isPostgres(s.db) {
		return s.kek
	}
	return s.db + ".kek"
}

// ring reads the key-encryption keys. The error is fs.ErrNotExist when there are
// none where they should be.
func (s stores) ring() (keys.Ring, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
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
	if !errors.Is(err, fs.ErrNotExist) || path == "" || s.kek != "" || s.readOnly || s.existing {
		return ring, err
	}
	if _, err := os.Stat(s.keysPath()); !errors.Is(err, fs.ErrNotExist) {
		hint := "put the file back from where a copy is kept; no other key opens them"
		if old := strings.TrimSuffix(s.db, filepath.Ext(s.db)) + ".kek"; old != path {
			if _, err := os.Stat(old); err == nil {
				hint = "an earlier Alur named it " + old + ": rename that file to " + path
			}
		}
		return nil, &hintError{fmt.Errorf("the key-encryption key %s is gone, and the keys in %s cannot be opened without it", path, s.keysPath()), hint}
	}
	ring = keys.Ring{keys.NewKEK()}
	if err := writeRing(path, ring); err != nil {
		return nil, err
	}
	logger.WarnContext(ctx, "A KEY-ENCRYPTION KEY WAS MADE. Without this file nobody can open the personal data ever again: keep a copy of it apart from the database and its backups", "file", path)
	return ring, nil
}

// guardKeys refuses to seal for a log in which something is sealed under keys that
// are not in the key store: who lost the keys, or named the wrong store, should hear
// of it before a second secret makes other subjects of the same people.
func (s stores) guardKeys(ctx context.Context, log domain.EventLog) error {
	if s.readOnly || s.newKeys {
		return nil
	}
	has, err := s.keysAtHand(ctx)
	if err != nil {
		return err
	}
	defer has.close()
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	sealed, found, err := anyKey(ctx, log, 0, has)
	if err == nil && !sealed && head > maxGuarded {
		sealed, found, err = anyKey(ctx, log, head-maxGuarded, has)
	}
	if err != nil || found {
		return err
	}
	if !sealed {
		return nil
	}
	return &hintError{
		errors.New("there is personal data in the log, but its keys are not in " + s.keysName()),
		"put the key store back from its backup, and repeat the erasures since; if it is lost for good, alur serve --new-keys begins another, and what is sealed stays unreadable",
	}
}

// maxGuarded is how many events without sealed data are looked at, from the
// beginning of the log and before its end: a log may begin with a large import, which
// has none.
const maxGuarded = 200_000

// anyKey tells whether something is sealed behind a position, and whether the key of
// any of it is at hand.
func anyKey(ctx context.Context, log domain.EventLog, after domain.Position, has looker) (sealed, found bool, err error) {
	n := 0
	for e, err := range log.ReadAll(ctx, after) {
		if err != nil {
			return sealed, false, err
		}
		if n++; !sealed && n > maxGuarded {
			return false, false, nil
		}
		r, err := domain.Decode(e)
		if err != nil || r.Box == nil {
			continue
		}
		sealed = true
		err = has.open(*r.Box, r.Place())
		switch {
		case err == nil, errors.Is(err, domain.ErrErased):
			return true, true, nil
		case !errors.Is(err, domain.ErrNotFound):
			return true, false, err
		}
	}
	return sealed, false, nil
}

// keysAtHand tells of each key whether it is in the key store, which is not made
// if there is none.
func (s stores) keysAtHand(ctx context.Context) (looker, error) {
	none := looker{open: func(domain.Box, domain.Place) error { return domain.ErrNotFound }}
	if !isPostgres(s.db) {
		info, err := os.Stat(s.keysPath())
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			return none, nil
		}
		if err != nil {
			return none, err
		}
	}
	store, err := s.openKeys(ctx)
	if err != nil {
		return none, err
	}
	return looker{store: store, open: func(b domain.Box, _ domain.Place) error { return hasKey(ctx, store, b.Key) }}, nil
}

// writeRing puts key-encryption keys into a file, whole or not at all. A new file is
// for its owner only; one that is there keeps whose it is, who may read it, and its
// place behind a link.
func writeRing(path string, ring keys.Ring) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	unfinished := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".unfinished")
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // keys that a writing which was killed left there
	}
	f, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if old, missing := os.Stat(path); missing == nil {
		err = errors.Join(f.Chmod(old.Mode().Perm()), keepOwner(f, old))
	}
	if err == nil {
		_, err = f.WriteString(ring.Text())
	}
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
