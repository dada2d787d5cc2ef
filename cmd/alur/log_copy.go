package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
)

func newLogCopy() *cobra.Command {
	var from, to string
	var asJSON bool
	c := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Move a whole log from one store to another, and verify both",
		Long: `Copy reads a log and appends every event, in the order it has there, to another
store: a file, postgres:// or esdb://. The log is verified first, and nothing is
copied from one that has faults; the copy is verified afterwards and must have
the same digest. Events that the other store has already are not doubled: a copy
that was cut off is simply repeated. What is appended to the source while it is
being copied is left for the next copy, so stop those who write to it first.

The keys of personal data are not in a log and are not copied.`,
		Example: `  alur log copy --from alur.db --to postgres://localhost/alur`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return copyStores(c, storesOf(from), storesOf(to), asJSON)
		},
	}
	c.Flags().StringVar(&from, "from", "", "`STORE` to copy: FILE, postgres:// or esdb:// URL")
	c.Flags().StringVar(&to, "to", "", "`STORE` to copy to; it is made if it is not there")
	jsonFlag(c, &asJSON)
	required(c, "from", "to")
	return c
}

func newLogRestore() *cobra.Command {
	var s stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup into an empty store, and verify both",
		Long: `Restore copies a backup, as alur log copy does, into a store that is empty or was
being restored from it. A store that holds anything else is refused.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return copyStores(c, stores{db: args[0]}, s, asJSON) },
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

func newLogBackup() *cobra.Command {
	var s stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a copy of the log to a new file, while appends go on, and verify it",
		Long: `Backup writes everything that the log holds to a new file, which is itself a log
that the other verbs read with --db. It can be run beside the process that
writes. The file gets its name only when it was verified. Where there are faults in
the log, they are in its copy too: it is then left as FILE.unfinished, and the exit
code is 3.

The keys of personal data are not in it: they are apart, so that what is erased
does not live on in old backups. Keep the backups of the keys for days, not years.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := s.backup(c, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), v)
			}
			return table(c.OutOrStdout(), []string{"WHAT", "VALUE"}, v.rows())
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

// backer is a store that can write a copy of itself.
type backer interface {
	Backup(ctx context.Context, path string) error
}

func (s stores) backup(c *cobra.Command, path string) (verified, error) {
	if err := (stores{db: path}).check(); err != nil || path == "" || isPostgres(path) {
		return verified{}, errors.Join(fmt.Errorf("%q cannot be the file of a backup", path), err)
	}
	s.readOnly = true
	log, kind, err := s.openLog(c.Context())
	if err != nil {
		return verified{}, err
	}
	defer log.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return verified{}, errors.Join(fmt.Errorf("back up to %s: %w", path, os.ErrExist), err)
	}
	unfinished := path + ".unfinished"
	v, err := s.unfinishedBackup(c, log, kind, unfinished)
	if err != nil {
		return verified{}, &hintError{err, "a backup that has not got its name is left in " + unfinished + ", or beside it under a name that begins with a dot: remove it before the next, if it is there"}
	}
	if err := sqlite.Publish(unfinished, path); err != nil {
		return verified{}, fmt.Errorf("give the backup its name: %w", err)
	}
	if err := os.Remove(unfinished + ".lock"); !errors.Is(err, os.ErrNotExist) {
		return v, err
	}
	return v, nil
}

// unfinishedBackup copies the log to a file and verifies it there.
func (s stores) unfinishedBackup(c *cobra.Command, log eventLog, kind features, path string) (verified, error) {
	b, ok := log.(backer)
	if !ok {
		return s.copyTo(c, log, kind, stores{db: path}) // goes on with one that was cut off
	}
	if err := b.Backup(c.Context(), path); err != nil {
		return verified{}, err
	}
	return stores{db: path, readOnly: true}.checked(c)
}

// checked verifies a log and makes faults an error.
func (s stores) checked(c *cobra.Command) (verified, error) {
	v, err := s.verify(c.Context(), false, complain(c.ErrOrStderr()))
	if err == nil && v.Faults > 0 {
		err = &faultError{fmt.Sprintf("%d faults in %d events of %s", v.Faults, v.Events, s.db)}
	}
	return v, err
}

func complain(w io.Writer) func(domain.Fault) error {
	return func(f domain.Fault) error { _, err := fmt.Fprintln(w, faultLine(f)); return err }
}

func copyStores(c *cobra.Command, from, to stores, asJSON bool) error {
	from.readOnly = true
	source, kind, err := from.openLog(c.Context())
	if err != nil {
		return err
	}
	v, err := from.copyTo(c, source, kind, to)
	if err := errors.Join(err, source.Close()); err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), v)
	}
	return table(c.OutOrStdout(), []string{"WHAT", "VALUE"}, v.rows())
}

// copyTo verifies a log, copies it, and verifies the copy.
func (s stores) copyTo(c *cobra.Command, source eventLog, kind features, to stores) (verified, error) {
	ctx, faults := c.Context(), complain(c.ErrOrStderr())
	before, err := verify(ctx, source, kind, looker{how: notLooked}, faults)
	if err != nil {
		return verified{}, err
	}
	if before.Faults > 0 {
		return verified{}, &faultError{fmt.Sprintf("%d faults in the log to be copied: nothing was copied", before.Faults)}
	}
	target, kind, err := to.openLog(ctx)
	if err != nil {
		return verified{}, err
	}
	defer target.Close()
	done, err := copied(ctx, source, target)
	if err == nil {
		err = copyEvents(ctx, source, done, before.Last, target, kind)
	}
	if err != nil {
		return verified{}, err
	}
	after, err := verify(ctx, target, kind, looker{how: notLooked}, faults)
	switch {
	case err != nil:
		return verified{}, err
	case after.Faults > 0:
		return verified{}, &faultError{fmt.Sprintf("%d faults in the copy", after.Faults)}
	case after.Digest != before.Digest:
		return verified{}, &faultError{fmt.Sprintf("the copy is not the log: %d events with digest %s, and %d with %s", before.Events, before.Digest, after.Events, after.Digest)}
	}
	return after, nil
}

// What is appended together, at most.
const (
	copyEntries = 256
	copyBytes   = 256 << 10
	copyAppends = 512
)

// copied is the position in a log up to which another holds the same events, and
// nothing else.
func copied(ctx context.Context, from, to domain.EventLog) (domain.Position, error) {
	next, stop := iter.Pull2(from.ReadAll(ctx, 0))
	defer stop()
	var done domain.Position
	for there, err := range to.ReadAll(ctx, 0) {
		if err != nil {
			return 0, err
		}
		here, err, some := next()
		if err != nil {
			return 0, err
		}
		if !some || here.Hash() != there.Hash() {
			return 0, &hintError{fmt.Errorf("the other store holds something else (%s version %d): nothing was copied", printable(there.Stream), there.Version), "copy to an empty store"}
		}
		done = here.Position
	}
	return done, nil
}

// copyEvents appends the events between two positions to another log, in their
// order.
func copyEvents(ctx context.Context, from domain.EventLog, after, until domain.Position, to eventLog, kind features) error {
	var batch []domain.Append
	for e, err := range from.ReadAll(ctx, after) {
		if err != nil {
			return err
		}
		if e.Position > until {
			break
		}
		e.Position = 0
		if n := len(batch); n > 0 && fits(batch[n-1], e) {
			batch[n-1].Entries = append(batch[n-1].Entries, e)
			continue
		}
		if len(batch) == copyAppends {
			if err := appendInOrder(ctx, to, kind, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
		batch = append(batch, domain.Append{Stream: e.Stream, Expected: e.Version - 1, Entries: []domain.Entry{e}})
	}
	return appendInOrder(ctx, to, kind, batch)
}

// appendInOrder records appends in their order over all streams, which a store
// that is not gapless does not give for a batch.
func appendInOrder(ctx context.Context, to eventLog, kind features, batch []domain.Append) error {
	if kind.gapless {
		_, errs, err := to.AppendBatch(ctx, batch)
		return errors.Join(append(errs, err)...)
	}
	for _, a := range batch {
		if _, err := to.Append(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// fits reports whether an entry can be part of an append.
func fits(a domain.Append, e domain.Entry) bool {
	return a.Stream == e.Stream && len(a.Entries) < copyEntries && a.Size()+e.Size() <= copyBytes
}
