package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/domain"
)

func newLogUpgrade() *cobra.Command {
	var s stores
	c := &cobra.Command{
		Use:   "upgrade FILE",
		Short: "Make a log of one that the first Alur wrote",
		Long: `Upgrade reads a log whose events do not carry the hash of the one before, and
enters them into an empty store: the same ids, contents, order and times of
recording, chained from then on. The file that was read is not changed: keep it.`,
		Example: `  alur log upgrade old.db --db alur.db`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, err := range sqlite.ReadFormat1(c.Context(), args[0]) {
				if errors.Is(err, fs.ErrNotExist) {
					err = &hintError{err, "name the file of the log that an earlier Alur wrote"}
				}
				if err != nil {
					return err // before anything is made
				}
				break
			}
			to, kind, err := s.openLog(c.Context())
			if err != nil {
				return err
			}
			n, err := upgrade(c.Context(), args[0], to, kind)
			if err == nil {
				var v verified
				if v, err = verify(c.Context(), to, kind, looker{how: notLooked}, complain(c.ErrOrStderr())); err == nil && v.Faults > 0 {
					err = &faultError{fmt.Sprintf("%d faults in the new log", v.Faults)}
				}
			}
			if err := errors.Join(err, to.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d events are in the new log\n", n)
			return err
		},
	}
	s.flags(c)
	return c
}

// upgrade enters the events of an old log one by one.
func upgrade(ctx context.Context, path string, to eventLog, kind features) (int, error) {
	if head, err := to.Head(ctx); err != nil || head > 0 {
		return 0, errors.Join(err, &hintError{errors.New("the new log is not empty"), "name another with --db"})
	}
	tips := map[string]domain.Tip{}
	n := 0
	var batch []domain.Append
	for r, err := range sqlite.ReadFormat1(ctx, path) {
		if err != nil {
			return n, err
		}
		a, tip, err := domain.Enter(r.Stream, tips[r.Stream], r.At, []domain.Event{r.Event})
		if err != nil {
			return n, err
		}
		tips[r.Stream] = tip
		n++
		if batch = append(batch, a); len(batch) == copyAppends {
			if err := appendInOrder(ctx, to, kind, batch); err != nil {
				return n, err
			}
			batch = nil
		}
	}
	return n, appendInOrder(ctx, to, kind, batch)
}
