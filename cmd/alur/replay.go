package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

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
			if at != "" {
				if _, err := parseMoment(at); err != nil {
					return err
				}
			}
			if c.Flags().Changed("version") && version < 1 {
				return fmt.Errorf("--version %d: the first version is 1", version)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			h, err := openExisting(c.Context(), db, newLogger(c))
			if err != nil {
				return err
			}
			defer h.close()
			now, err := h.find(c.Context(), args[0])
			if err != nil {
				return err
			}
			if domain.Version(version) > now.Version {
				return fmt.Errorf("request %s has %d versions, not %d", now.Reference, now.Version, version)
			}
			until := func(e domain.Recorded) bool { return version == 0 || e.Version <= domain.Version(version) }
			if at != "" {
				moment, err := parseMoment(at)
				if err != nil {
					return err
				}
				until = func(e domain.Recorded) bool {
					if recorded {
						return !e.At.After(moment)
					}
					return !e.Occurred.After(moment)
				}
			}
			r, steps, err := replayed(c, h, now, until)
			if err != nil {
				return err
			}
			if !r.Exists() {
				return fmt.Errorf("request %s did not exist yet at %s", now.Reference, at)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), struct {
					shown
					Events []auditLine `json:"events"`
				}{show(r), steps})
			}
			if err := table(c.OutOrStdout(), []string{"FIELD", "VALUE"}, show(r).rows()); err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "alur: after %d of %d events\n", r.Version, now.Version)
			return nil
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

// replayed folds a request's events as long as until holds.
func replayed(c *cobra.Command, h *house, now domain.Request, until func(domain.Recorded) bool) (domain.Request, []auditLine, error) {
	var r domain.Request
	steps := []auditLine{}
	for e, err := range h.log.ReadStream(c.Context(), domain.RequestStream(now.ID), 0) {
		if err != nil {
			return r, nil, err
		}
		if !until(e) {
			break
		}
		r = domain.Evolve(r, e)
		steps = append(steps, lineOf(e))
	}
	return r, steps, nil
}

// parseMoment reads a moment with its zone: a time without one could be meant in
// three.
func parseMoment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, errors.New("--at " + strconv.Quote(s) + ": want a time with its zone, such as 2026-11-23T08:00:00+07:00")
	}
	return t, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
