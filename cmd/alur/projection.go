package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/projections"
)

// withViews opens the stores without bringing the views up to the log.
func withViews(c *cobra.Command, s stores, do func(context.Context, *house) error) error {
	s.readOnly = true
	return withHouse(c, s, func(ctx context.Context, h *house) error { return viewHint(do(ctx, h)) })
}

// viewHint adds the way out.
func viewHint(err error) error {
	var stopped *projections.StoppedError
	var unknown *projections.UnknownError
	switch {
	case errors.Is(err, projections.ErrBuilding):
		return &hintError{err, "wait until the other process is through, or stop it: it leaves nothing behind"}
	case errors.Is(err, projections.ErrNoScratch):
		return &hintError{err, "GRANT CREATE ON DATABASE to the user that Alur connects as"}
	case errors.As(err, &stopped):
		return &hintError{err, "the view that people read is as it was; alur log verify tells whether the event is whole, and a newer program may know it"}
	case errors.As(err, &unknown):
		return &hintError{err, "alur projection list shows them"}
	}
	return err
}

func newProjectionList() *cobra.Command {
	var s stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the views: how far each is behind the log, which are paused or stopped",
		Long: `List shows for each view up to which position of the log it is folded, how many
events are not, how long ago the first of these was recorded, and what it does:
current, behind, paused, stopped (at an event that it cannot fold, which is named),
to be built anew (its rows were made by another version of the program).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withViews(c, s, func(ctx context.Context, h *house) error {
				lags, err := h.views.Lags(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(c.OutOrStdout(), lags)
				}
				rows := make([][]string, len(lags))
				for i, l := range lags {
					at := ""
					if l.Stopped != nil {
						at = fmt.Sprintf("position %d: %s %s", l.Stopped.Position, l.Stopped.Type, l.Stopped.ID)
					}
					rows[i] = []string{l.View, strconv.FormatInt(int64(l.Position), 10), strconv.FormatInt(l.Events, 10), strconv.FormatFloat(l.Seconds, 'f', 1, 64), l.State(), at}
				}
				return table(c.OutOrStdout(), []string{"VIEW", "POSITION", "EVENTS BEHIND", "SECONDS", "STATE", "STOPPED AT"}, rows)
			})
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

func newProjectionRebuild() *cobra.Command {
	var s stores
	c := &cobra.Command{
		Use:   "rebuild [NAME...]",
		Short: "Build views anew from the log, beside those that are read",
		Long: `Rebuild builds the named views, or all, anew from the log, in a database beside the
one that is read, and puts each in the place of the other in one transaction.
Readers see the old rows until then, and a server may run. If it is ended before,
nothing has changed. A view that was stopped at an event goes on if this program
can fold it; one that is paused stays paused, with the rows of now.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, names []string) error {
			return withViews(c, s, func(ctx context.Context, h *house) error {
				if err := h.views.Rebuild(ctx, names...); err != nil {
					return err
				}
				if len(names) == 0 {
					names = h.views.Names()
				}
				_, err := fmt.Fprintf(c.ErrOrStderr(), "built anew: %s\n", strings.Join(names, ", "))
				return err
			})
		},
	}
	s.flags(c)
	return c
}

func newProjectionVerify() *cobra.Command {
	var s stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify [NAME...]",
		Short: "Compare views with what the log says, row by row",
		Long: `Verify builds the named views, or all, anew from the log, beside those that are
read and up to where these are, and compares every row. It names the rows that
differ by their keys, and the columns, not what is in them; it changes nothing, and
exits with 3 if there are any. A server may run.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, names []string) error {
			return withViews(c, s, func(ctx context.Context, h *house) error {
				found, failed := h.views.Verify(ctx, names...)
				if failed != nil && len(found) == 0 {
					return failed
				}
				wrong := 0
				for _, f := range found {
					wrong += len(f.Differences)
				}
				var err error
				if asJSON {
					err = printJSON(c.OutOrStdout(), found)
				} else {
					err = printVerified(c, found)
				}
				if err = errors.Join(err, failed); err == nil && wrong > 0 {
					err = &hintError{&faultError{count(wrong, "row") + " not as the log says"}, "alur projection rebuild makes the views anew; find out who wrote to them"}
				}
				return err
			})
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

func printVerified(c *cobra.Command, found []projections.Verified) error {
	var rows [][]string
	for _, f := range found {
		more := ""
		if f.More {
			more = " or more"
		}
		rows = append(rows, []string{f.View, strconv.FormatInt(int64(f.Position), 10), strconv.FormatInt(f.Rows, 10), strconv.Itoa(len(f.Differences)) + more})
	}
	if err := table(c.OutOrStdout(), []string{"VIEW", "POSITION", "ROWS", "DIFFERENT"}, rows); err != nil {
		return err
	}
	for _, f := range found {
		for _, d := range f.Differences {
			var key []string
			for _, name := range slices.Sorted(maps.Keys(d.Key)) {
				key = append(key, name+"="+printable(d.Key[name]))
			}
			line := fmt.Sprintf("%s %s: %s", d.View, strings.Join(key, " "), d.Kind)
			if len(d.Columns) > 0 {
				line += " in " + strings.Join(d.Columns, ", ")
			}
			if _, err := fmt.Fprintln(c.OutOrStdout(), line); err != nil {
				return err
			}
		}
	}
	return nil
}

func newProjectionPause() *cobra.Command {
	return pausing("pause", true, "Have a view stand still, on all nodes", `Pause has a view stand still where it is, until it is resumed, whichever process runs
it. When pause returns, nothing more is folded. Readers see the rows of that moment;
/healthz says that it is paused, and who asks for their own write is told that the
view does not come to it.`)
}

func newProjectionResume() *cobra.Command {
	return pausing("resume", false, "Have a view that was paused go on", "Resume has a view that was paused go on from where it stands.")
}

func pausing(use string, paused bool, short, long string) *cobra.Command {
	var s stores
	c := &cobra.Command{
		Use: use + " NAME", Short: short, Long: long,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withViews(c, s, func(ctx context.Context, h *house) error { return h.views.Pause(ctx, args[0], paused) })
		},
	}
	s.flags(c)
	return c
}
