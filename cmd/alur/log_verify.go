package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
)

// verified is what verifying a log found.
type verified struct {
	Store    string          `json:"store"`
	Events   int             `json:"events"`
	Streams  int             `json:"streams"`
	Boxes    int             `json:"boxes"`  // events with sealed data
	Sealed   string          `json:"sealed"` // what was made of them
	Last     domain.Position `json:"last_position"`
	Digest   string          `json:"digest"`             // the same for a faithful copy in any store
	Unlooked int             `json:"unlooked,omitempty"` // sealed events that could not be looked into
	Faults   int             `json:"faults"`
	List     []domain.Fault  `json:"list"`

	unlooked error // why they could not
}

func newLogVerify() *cobra.Command {
	var s stores
	var asJSON, noKeys bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every event of the log, and print every fault",
		Long: `Verify reads the whole log and checks that positions grow (and leave none out,
where the store leaves none out), that the versions of each stream run 1, 2, 3,
that each event carries the hash of the one before it, that no event id stands
twice, that each event can be read and says what events of its type say, that each
definition is the one that was published, and that the store's files are whole.
Where the keys are at hand, it also checks that what is sealed opens and is what its
event committed to, that no key is gone without an erasure in the log, and that
nothing was sealed under a key after its erasure. Without a key-encryption key it
only looks whether the keys are there; where there is no key store at all, every
key is gone. It prints all faults, and exits with 3 if there are any.

The digest is one number for all events in their order: a faithful copy has the
same. It can be run beside the process that writes.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s.readOnly = true
			v, err := s.verify(c.Context(), !noKeys, func(f domain.Fault) error {
				if asJSON {
					return nil
				}
				_, err := fmt.Fprintln(c.OutOrStdout(), faultLine(f))
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), v)
			} else {
				err = table(c.OutOrStdout(), []string{"WHAT", "VALUE"}, v.rows())
			}
			if err == nil && v.Faults > 0 {
				text := fmt.Sprintf("%d faults in %d events", v.Faults, v.Events)
				if v.Sealed == keysGone && v.Boxes > 0 {
					text += "; there is no key store " + s.keysName() + ": name the stores as they are served, or give --no-keys to leave out what is sealed"
				}
				err = &faultError{text}
			}
			if err == nil {
				err = v.unlooked
			}
			return err
		},
	}
	s.flags(c)
	s.kekFlag(c)
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&noKeys, "no-keys", false, "do not look into what is sealed")
	return c
}

func faultLine(f domain.Fault) string {
	if f.Stream == "" {
		return fmt.Sprintf("%s: position %d: %s", f.Kind, f.Position, printable(f.Detail))
	}
	return fmt.Sprintf("%s: position %d, %s version %d: %s", f.Kind, f.Position, printable(f.Stream), f.Version, printable(f.Detail))
}

func (v verified) rows() [][]string {
	sealed := fmt.Sprint(v.Boxes)
	if v.Boxes > 0 {
		sealed += " (" + v.Sealed + ")"
	}
	if v.Unlooked > 0 {
		sealed += fmt.Sprintf(", but for %d that could not be", v.Unlooked)
	}
	return [][]string{
		{"store", v.Store},
		{"events", fmt.Sprint(v.Events)},
		{"streams", fmt.Sprint(v.Streams)},
		{"events with sealed data", sealed},
		{"last position", fmt.Sprint(v.Last)},
		{"digest", v.Digest},
		{"faults", fmt.Sprint(v.Faults)},
	}
}

// verify opens the log and checks it.
func (s stores) verify(ctx context.Context, withKeys bool, found func(domain.Fault) error) (verified, error) {
	log, kind, err := s.openLog(ctx)
	if errors.Is(err, domain.ErrDamaged) {
		f := domain.Fault{Kind: domain.FaultDamage, Detail: err.Error()}
		return verified{Faults: 1, List: []domain.Fault{f}}, found(f)
	}
	if err != nil {
		return verified{}, err
	}
	look := looker{how: notLooked}
	if withKeys {
		if look, err = s.look(ctx); err != nil {
			return verified{}, errors.Join(err, log.Close())
		}
		defer look.close()
	}
	v, err := verify(ctx, log, kind, look, found)
	return v, errors.Join(err, log.Close())
}

// What was made of the sealed data.
const (
	looked    = "opened"
	keysOnly  = "not opened, for want of a key-encryption key: only that their keys are there"
	keysGone  = "there are no keys"
	notLooked = "not looked into"
)

// looker looks into what is sealed, as well as can be.
type looker struct {
	how   string
	fault string                               // what is wrong with the key store itself
	open  func(domain.Box, domain.Place) error // nil: not at all
	store keyStore
}

func (l looker) close() {
	if l.store != nil {
		_ = l.store.Close() // it was only read
	}
}

// look opens the keys. Without a key store every key counts as gone; without a
// key-encryption key it can still be told which keys are.
func (s stores) look(ctx context.Context) (looker, error) {
	ring, err := s.ring()
	if errors.Is(err, fs.ErrNotExist) && s.kek == "" {
		store, err := s.openKeys(ctx)
		if err != nil {
			return noKeys(err)
		}
		return looker{keysOnly, "", func(b domain.Box, _ domain.Place) error { return hasKey(ctx, store, b.Key) }, store}, nil
	}
	if err != nil {
		return looker{}, err
	}
	vault, store, err := s.openVault(ctx, ring)
	if err != nil {
		return noKeys(err)
	}
	return looker{looked, "", func(b domain.Box, at domain.Place) error { _, err := vault.Open(ctx, b, at); return err }, store}, nil
}

// noKeys is for a key store that is not there, or is damaged. That the right
// key-encryption key is not at hand, or the store cannot be reached, says nothing of
// it.
func noKeys(err error) (looker, error) {
	switch {
	case errors.Is(err, domain.ErrDamagedKey), errors.Is(err, domain.ErrDamaged), errors.Is(err, sqlite.ErrNotThis):
		return looker{how: notLooked, fault: "the key store: " + err.Error()}, nil
	case errors.Is(err, domain.ErrReadOnly): // the secret, which the first vault makes, is missing
		return looker{how: notLooked, fault: "the key store lacks the secret by which people are known"}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return looker{}, err
	}
	return looker{how: keysGone, open: func(domain.Box, domain.Place) error { return domain.ErrNotFound }}, nil
}

// hasKey says of a key what opening a box with it would.
func hasKey(ctx context.Context, store domain.KeyStore, id uuid.UUID) error {
	k, err := store.Get(ctx, id)
	if err == nil && k.State == domain.KeyDestroyed {
		err = domain.ErrErased
	}
	return err
}

// verify checks a log as it is now; an event that is appended meanwhile is the
// next run's.
func verify(ctx context.Context, log domain.EventLog, kind features, look looker, found func(domain.Fault) error) (verified, error) {
	out := verified{Store: kind.kind, Sealed: look.how, List: []domain.Fault{}}
	var failed error
	v := domain.Verifier{Gapless: kind.gapless, Open: look.open, Found: func(f domain.Fault) {
		out.List = append(out.List, f)
		failed = errors.Join(failed, found(f))
	}}
	if look.fault != "" {
		v.Damage(0, look.fault)
	}
	stop := func() error { return errors.Join(failed, ctx.Err()) }
	if err := errors.Join(readAll(ctx, log, &v, stop), inspect(ctx, log, &v), inspect(ctx, look.store, &v)); err != nil {
		return out, err
	}
	v.Finish()
	out.Events, out.Streams, out.Boxes, out.Last = v.Events, len(v.Streams), v.Boxes, v.Last
	out.Digest, out.Faults, out.Unlooked = v.Digest.String(), v.Faults, v.Unlooked
	if v.Err != nil {
		out.unlooked = fmt.Errorf("%d sealed events could not be looked into, the first: %w", v.Unlooked, v.Err)
	}
	return out, stop()
}

// readAll checks every event that can be read. Where the store is damaged, it looks
// for the next that can, ever further on.
func readAll(ctx context.Context, log domain.EventLog, v *domain.Verifier, stop func() error) error {
	var after domain.Position
	for step := domain.Position(1); ; step *= 2 {
		var broken error
		for e, err := range log.ReadAll(ctx, after) {
			if err != nil {
				broken = err
				break
			}
			v.Check(e)
			if err := stop(); err != nil {
				return err
			}
			after, step = e.Position, 1
		}
		if !errors.Is(broken, domain.ErrDamaged) {
			return broken
		}
		if step == 1 {
			v.Damage(after, fmt.Sprintf("what follows cannot be read: %v", broken))
		}
		after += step
		if head, err := log.Head(ctx); err != nil || after >= head {
			return nil // told already
		}
	}
}

// inspector is a store that can look for damage in its own files.
type inspector interface {
	Damage(ctx context.Context) ([]string, error)
}

func inspect(ctx context.Context, store any, v *domain.Verifier) error {
	i, ok := store.(inspector)
	if !ok {
		return nil
	}
	found, err := i.Damage(ctx)
	for _, text := range found {
		v.Damage(0, text)
	}
	if errors.Is(err, domain.ErrDamaged) {
		v.Damage(0, err.Error())
		return nil
	}
	return err
}
