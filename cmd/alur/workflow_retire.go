package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

func newWorkflowRetire() *cobra.Command {
	var o enactment
	var version int
	var all bool
	c := &cobra.Command{
		Use:   "retire ID",
		Short: "Take a version of a workflow out of force, or all of them",
		Long: `Retire records that no new request is judged by a version any more, at once or from a
date. Requests that were submitted under it go on. The version that took effect
before it is then in force again, if it is not retired itself; where none is left,
the service is closed for new requests until a version takes effect, which it says when
one was published for a later date. A version that has not taken effect yet is
withdrawn.

A SQLite log has one writing process: stop alur serve first.`,
		Example: `  alur workflow retire sip-dokter --tenant 11.71 --version 2 --by legal-1 --reason "Perwal 9/2026"
  alur workflow retire sip-dokter --tenant 11.71 --all --by legal-1 --reason "moved to OSS" --effective 2027-07-01`,
		Args: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("version") && version < 1 {
				return fmt.Errorf("--version %d: the first version is 1", version)
			}
			return errors.Join(cobra.ExactArgs(1)(c, args), o.read())
		},
		RunE: func(c *cobra.Command, args []string) error {
			var which []int
			if !all {
				which = []int{version}
			}
			return retireVersions(c, args[0], which, o)
		},
	}
	o.flags(c)
	c.Flags().IntVar(&version, "version", 0, "the version `N`; this or --all is wanted")
	c.Flags().BoolVar(&all, "all", false, "every version that is not retired yet")
	c.MarkFlagsMutuallyExclusive("version", "all")
	c.MarkFlagsOneRequired("version", "all")
	return c
}

// retiredJSON is what becomes of a service.
type retiredJSON struct {
	Workflow      string    `json:"workflow"`
	Retired       []int     `json:"retired"`
	Effective     time.Time `json:"effective"`
	InForce       int       `json:"in_force,omitempty"`      // from then on; none: the service is closed
	Next          int       `json:"next,omitempty"`          // the version that takes effect after that
	NextEffective time.Time `json:"next_effective,omitzero"` // when it does
}

func retireVersions(c *cobra.Command, id string, which []int, o enactment) error {
	o.stores.existing = true
	if err := o.stores.has(c, o.code, id); err != nil {
		return err
	}
	then := 0                     // the version that is in force afterwards
	var next *workflows.Published // that takes effect after that
	err := withHouse(c, o.stores, func(ctx context.Context, h *house) (err error) {
		now := time.Now()
		which, err = h.library.Retire(ctx, workflows.Retirement{
			Tenant: o.code, Workflow: id, Versions: which, Actor: o.actor(), Why: o.reason, Occurred: now, At: now, Effective: o.from,
		})
		if err != nil {
			return err
		}
		if o.from.IsZero() {
			o.from = now
		}
		list, err := h.library.Versions(ctx, o.code, id)
		if err != nil {
			return err
		}
		next = workflows.NextOf(list, o.from)
		w, err := h.library.InForce(ctx, o.code, id, o.from)
		if errors.As(err, new(*domain.Refusal)) {
			return nil
		}
		if err == nil {
			then = w.Ref().Version
		}
		return err
	})
	if err != nil {
		return err
	}
	if o.asJSON {
		out := retiredJSON{Workflow: id, Retired: which, Effective: o.from.UTC(), InForce: then}
		if next != nil {
			out.Next, out.NextEffective = next.Ref().Version, next.Effective.UTC()
		}
		return printJSON(c.OutOrStdout(), out)
	}
	what := "the service is closed for new requests"
	if then > 0 {
		what = fmt.Sprintf("new requests are judged by version %d", then)
	}
	if next != nil {
		what += fmt.Sprintf(", until version %d takes effect on %s", next.Ref().Version, clock(next.Effective, o.code))
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s of tenant %s: versions %d are retired; from %s on %s; those that run go on as they are\n",
		id, o.code, which, clock(o.from, o.code), what)
	return err
}
