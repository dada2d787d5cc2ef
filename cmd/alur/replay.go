package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

func newReplay() *cobra.Command {
	var db, at string
	var version int
	var recorded, asJSON bool
	c := &cobra.Command{
		Use:   "replay REFERENCE",
		Short: "Show a request as it stood at a version or a time",
		Long: `Replay folds a request's events again, up to a version or a time, and shows the
state they lead to. Without --version and --at it folds them all.

--at goes by when things happened. With --recorded it goes by when the log took
them, which is what was known: an imported or a belated event occurred long
before it was recorded. Events are taken in their recorded order, up to the
first that is later than the time.`,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.ExactArgs(1)(c, args); err != nil {
				return err
			}
			if _, err := parseMoment(at); err != nil {
				return err
			}
			if c.Flags().Changed("version") && version < 1 {
				return fmt.Errorf("--version %d: the first version is 1", version)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			moment, err := parseMoment(at)
			if err != nil {
				return err
			}
			until := func(e domain.Recorded) bool {
				switch {
				case version > 0:
					return e.Version <= domain.Version(version)
				case at == "":
					return true
				case recorded:
					return !e.At.After(moment)
				default:
					return !e.Occurred.After(moment)
				}
			}
			var now, then domain.Request
			var lines []auditLine
			err = withExisting(c, db, func(ctx context.Context, h *house) error {
				if now, err = h.find(ctx, args[0]); err != nil {
					return err
				}
				then, lines, err = h.replay(ctx, now.ID, until)
				return err
			})
			switch {
			case err != nil:
				return err
			case domain.Version(version) > now.Version:
				return fmt.Errorf("request %s has %d versions, not %d", now.Reference, now.Version, version)
			case !then.Exists():
				return fmt.Errorf("request %s did not exist yet at %s", now.Reference, at)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), struct {
					shown
					Events []auditLine `json:"events"`
				}{show(then), lines})
			}
			c.PrintErrf("alur: after %d of %d events\n", then.Version, now.Version)
			return table(c.OutOrStdout(), []string{"FIELD", "VALUE"}, show(then).rows())
		},
	}
	dbFlag(c, &db)
	jsonFlag(c, &asJSON)
	c.Flags().IntVar(&version, "version", 0, "as after `N` events")
	c.Flags().StringVar(&at, "at", "", "as at a `TIME`, such as 2026-11-23T08:00:00+07:00")
	c.Flags().BoolVar(&recorded, "recorded", false, "with --at: by when events were recorded")
	c.MarkFlagsMutuallyExclusive("version", "at")
	return c
}

// replay folds a request's events as long as until holds.
func (h *house) replay(ctx context.Context, id uuid.UUID, until func(domain.Recorded) bool) (domain.Request, []auditLine, error) {
	var r domain.Request
	lines := []auditLine{}
	for e, err := range h.log.ReadStream(ctx, domain.RequestStream(id), 0) {
		if err != nil {
			return r, nil, err
		}
		if !until(e) {
			break
		}
		r = domain.Evolve(r, e)
		lines = append(lines, lineOf(e))
	}
	return r, lines, nil
}

// parseMoment reads a moment with its zone: a time without one could be meant in
// three. The zero time stands for no moment.
func parseMoment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("--at %q: want a time with its zone, such as 2026-11-23T08:00:00+07:00", s)
	}
	return t, nil
}
