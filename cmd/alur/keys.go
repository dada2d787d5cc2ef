package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/domain"
)

// keyLine is a key as it is listed: nothing of the key itself.
type keyLine struct {
	ID      string                `json:"id"`
	Class   domain.RetentionClass `json:"class"`
	State   domain.KeyState       `json:"state"`
	KEK     string                `json:"kek"` // names the key-encryption key
	Created time.Time             `json:"created"`
	Ended   time.Time             `json:"ended,omitzero"`
	Erasure string                `json:"erasure,omitempty"`
}

func newKeysList() *cobra.Command {
	var s stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the keys of personal data, and what became of them",
		Long: `List shows each data key: its retention class, its state, which key-encryption
key wraps it, when it was made and when it was destroyed. It shows no key and
nobody's name, and needs no key-encryption key. Before anything was sealed there is
nothing to list: alur serve makes the key store, and beside a file the first
key-encryption key; for PostgreSQL, alur keys new --kek FILE makes that.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s.readOnly = true
			store, err := s.openKeys(c.Context())
			if err != nil {
				return err
			}
			lines := []keyLine{}
			for k, err := range store.All(c.Context(), "") {
				if err != nil {
					return errors.Join(err, store.Close())
				}
				l := keyLine{ID: k.ID.String(), Class: k.Class, State: k.State, KEK: k.KEK, Created: k.Created, Ended: k.Ended}
				if k.State != domain.KeyLive {
					l.Erasure = k.Erasure.String()
				}
				lines = append(lines, l)
			}
			if err := store.Close(); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), lines)
			}
			rows := make([][]string, len(lines))
			for i, l := range lines {
				ended := ""
				if !l.Ended.IsZero() {
					ended = l.Ended.Format(time.RFC3339)
				}
				rows[i] = []string{l.ID, string(l.Class), string(l.State), l.KEK, l.Created.Format(time.RFC3339), ended, l.Erasure}
			}
			return table(c.OutOrStdout(), []string{"KEY", "CLASS", "STATE", "KEK", "CREATED", "DESTROYED", "ERASURE"}, rows)
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

func newKeysNew() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "new --kek FILE",
		Short: "Make a first key-encryption key, in a new file",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				return errors.Join(&hintError{fmt.Errorf("%s is there already", path), "alur keys rotate makes a newer key"}, err)
			}
			ring := keys.Ring{keys.NewKEK()}
			if err := writeRing(path, ring); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "key-encryption key %s is in %s: keep a copy of it apart from the database and its backups\n", ring[0].ID(), path)
			return err
		},
	}
	c.Flags().StringVar(&path, "kek", "", "`FILE` to make")
	required(c, "kek")
	return c
}

func newKeysRotate() *cobra.Command {
	var s stores
	var offline bool
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Wrap all keys of personal data by a new key-encryption key",
		Long: `Rotate puts a new key-encryption key before the one in the file, wraps every data
key by it, and then takes the old one out of the file. What was sealed stays as it
is. Cut off anywhere, it is simply repeated: where the file has several keys,
everything is wrapped by the first, and the others are taken out. Where the keys are
in a file, stop alur serve first.

The old keys are moved to FILE.retired: backups of the key store made before now
need them. Remove that file when those backups are gone.

A server on PostgreSQL goes on while the keys are rotated, so it has to have the
new key before: make one with alur keys new --kek NEWFILE, put it before the old
one in the file of each node, restart them, and rotate then. With no server
running, --offline makes the new key as for a file. Keys in ` + kekVariable + ` are not written: give the
new one first and the old one after it, rotate, then take the old one out.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.rotate(c, offline) },
	}
	s.flags(c)
	s.kekFlag(c)
	c.Flags().BoolVar(&offline, "offline", false, "no server is running on the database")
	return c
}

func (s stores) rotate(c *cobra.Command, offline bool) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := s.keysThere(); err != nil {
		return err
	}
	if path := s.kekPath(); exists(path) {
		held, err := lockRing(path)
		if err != nil {
			return err
		}
		defer held.Close()
	}
	ring, err := s.ring()
	if err != nil {
		return err
	}
	if isPostgres(s.db) && len(ring) < 2 && !offline {
		return &hintError{
			errors.New("a server that is running would not have the new key, and goes on sealing under the old one"),
			"put a new key before the old one in the file of each node and restart them, then rotate; or, with no server running, give --offline",
		}
	}
	path := s.kekPath()
	if os.Getenv(kekVariable) != "" && s.kek == "" {
		path = ""
	}
	if path == "" && len(ring) < 2 {
		return &hintError{fmt.Errorf("%s holds one key only", kekVariable), "put a new one before it: alur keys new --kek FILE makes one"}
	}
	store, err := s.openKeys(c.Context())
	if err != nil {
		return err
	}
	ring, n, err := rotate(c.Context(), store, path, ring)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%d keys were wrapped anew; key-encryption key %s now wraps all\n", n, ring[0].ID())
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lockRing keeps a second rotation from the file of the key-encryption keys: each
// would write over the key that the other has just made.
func lockRing(path string) (*flock.Flock, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	held := flock.New(path + ".lock")
	ok, err := held.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, fmt.Errorf("the keys in %s are being rotated by another process", path)
	}
	return held, nil
}

// rotate wraps all keys by the first of the ring, before which it puts a new one
// where there is only one; at each moment the file has what the store needs.
func rotate(ctx context.Context, store keyStore, path string, ring keys.Ring) (keys.Ring, int, error) {
	if len(ring) == 1 {
		ring = append(keys.Ring{keys.NewKEK()}, ring...)
		if err := writeRing(path, ring); err != nil {
			return nil, 0, err
		}
	}
	vault, err := keys.Open(ctx, store, keys.Config{Ring: ring, Now: time.Now})
	if err != nil {
		return nil, 0, err
	}
	n, err := vault.Rotate(ctx)
	if err == nil {
		err = vault.Rotated(ctx)
	}
	if err == nil && path != "" {
		err = retire(path, ring)
	}
	return ring, n, err
}

// retire takes all but the first key out of the file, into the one of the retired.
// Keys that were retired earlier stay there: they may be the only copies.
func retire(path string, ring keys.Ring) error {
	retired, old := path+".retired", append(keys.Ring{}, ring[1:]...)
	text, err := readFile(retired, maxRing)
	if err == nil {
		var earlier keys.Ring
		if earlier, err = keys.ParseRing(string(text)); err == nil {
			old = append(old, earlier...)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &hintError{fmt.Errorf("the retired keys in %s cannot be read, and may be the only copies: %w", retired, err), "move that file elsewhere, or mend it, and rotate again"}
	}
	if err := writeRing(retired, old); err != nil {
		return err
	}
	return writeRing(path, ring[:1])
}
