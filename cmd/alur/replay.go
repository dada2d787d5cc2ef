package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

type replayFlags struct {
	stores           stores
	at               moment
	moment           time.Time // at, read where the request is
	version          int
	recorded, asJSON bool
}

func newReplay() *cobra.Command {
	var o replayFlags
	c := &cobra.Command{
		Use:   "replay REFERENCE",
		Short: "Show a request as it stood at a version or a time",
		Long: `Replay folds a request's events again, up to a version or a time, and shows the
state they lead to, what it had gathered (documents, checks, fees, opinions,
answers, work, notices), and the events, as audit shows them. Without --version
and --at it folds them all.

--at goes by when things happened. With --recorded it goes by when the log took
them, which is what was known: an imported or a belated event occurred long
before it was recorded. Events are taken in their recorded order, up to the
first that is later than the time.`,
		Args: func(c *cobra.Command, args []string) error {
			if err := o.at.check(); err != nil {
				return err
			}
			switch {
			case c.Flags().Changed("version") && o.version < 1:
				return fmt.Errorf("--version %d: the first version is 1", o.version)
			case o.recorded && !o.at.given():
				return errors.New("--recorded goes with --at")
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return replay(c, args[0], o) },
	}
	o.stores.flags(c)
	jsonFlag(c, &o.asJSON)
	c.Flags().IntVar(&o.version, "version", 0, "as after `N` events")
	momentFlag(c, &o.at, "at", "as at "+momentForms+"; a date is its first moment where the request is")
	c.Flags().BoolVar(&o.recorded, "recorded", false, "with --at: by when events were recorded")
	c.MarkFlagsMutuallyExclusive("version", "at")
	return c
}

// until reports whether an event is part of what is replayed.
func (o replayFlags) until(e domain.Recorded) bool {
	switch {
	case o.version > 0:
		return e.Version <= domain.Version(o.version)
	case !o.at.given():
		return true
	case o.recorded:
		return !e.At.After(o.moment)
	default:
		return !e.Occurred.After(o.moment)
	}
}

func replay(c *cobra.Command, reference string, o replayFlags) error {
	var now, then domain.Request
	var lines []auditLine
	err := withExisting(c, o.stores, func(ctx context.Context, h *house) (err error) {
		if now, err = h.find(ctx, reference); err != nil {
			return err
		}
		if o.moment, err = o.at.in(now.Tenant.Zone()); err != nil {
			return err
		}
		then, lines, err = h.replay(ctx, now.ID, o.until)
		return err
	})
	switch {
	case err != nil:
		return err
	case domain.Version(o.version) > now.Version:
		return fmt.Errorf("request %s has %d versions, not %d", now.Reference, now.Version, o.version)
	case !then.Exists():
		return fmt.Errorf("request %s did not exist yet at %s", now.Reference, o.at.text)
	case o.asJSON:
		return printJSON(c.OutOrStdout(), struct {
			shown
			Events []auditLine `json:"events"`
		}{show(then, nil), lines})
	}
	c.PrintErrf("alur: after %d of %d events\n", then.Version, now.Version)
	if err := table(c.OutOrStdout(), []string{"FIELD", "VALUE"}, show(then, nil).rows()); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.OutOrStdout()); err != nil {
		return err
	}
	return auditTable(c.OutOrStdout(), now.Tenant, lines)
}

// replay folds a request's events as long as until holds.
func (h *house) replay(ctx context.Context, id uuid.UUID, until func(domain.Recorded) bool) (domain.Request, []auditLine, error) {
	var r domain.Request
	lines := []auditLine{}
	for e, err := range domain.Events(h.log.ReadStream(ctx, domain.RequestStream(id), 0)) {
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
