package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/migration"
)

// migrating is what the verb is told.
type migrating struct {
	stores                 stores
	tenant, by, approver   string
	ground, groundEN, file string
	code                   domain.TenantCode
	from, to               int
	dry, asJSON            bool
}

func newWorkflowMigrate() *cobra.Command {
	var o migrating
	c := &cobra.Command{
		Use:   "migrate ID",
		Short: "Move running requests to another version of their workflow",
		Long: `Migrate moves the requests that run under one version of a workflow to another. A map
says what states, terms, documents and so on of the one are in the other: whatever the
other does not have must stand in it.

With --dry-run nothing is recorded: it tells what each request would gain or lose, and
which cannot be moved and why (exit code 3). Without it, all requests that the map does
not except are moved, or none: the order is recorded with its map, its legal ground and
who approved of it, and then an event on every request; the applicant is told. A run that
was interrupted is run again as it was, and does the rest; nothing happens twice. Where
requests have come back to the former version since, it is another order.

A term that runs keeps its budget, its due time and what follows when it runs out, or
gets all of these from the other version where the map says so; it becomes shorter only
if the map says that too. No time of the law that has run is dropped, or begun anew.

A SQLite log has one writing process: stop alur serve first (not for --dry-run).`,
		Example: `  alur workflow migrate street-stall --tenant 11.71 --from 1 --to 2 --map map.yaml --dry-run
  alur workflow migrate street-stall --tenant 11.71 --from 1 --to 2 --map map.yaml --ground "Perwal 9/2026" --by legal-1 --approver head-1`,
		Args: func(c *cobra.Command, args []string) error {
			return errors.Join(cobra.ExactArgs(1)(c, args), o.read())
		},
		RunE: func(c *cobra.Command, args []string) error { return o.migrate(c, args[0]) },
	}
	o.stores.flags(c)
	jsonFlag(c, &o.asJSON)
	flags := c.Flags()
	flags.StringVar(&o.tenant, "tenant", "", "tenant `CODE`, such as 11.71")
	flags.IntVar(&o.from, "from", 0, "the version `N` that the requests are under")
	flags.IntVar(&o.to, "to", 0, "the version `N` that they are moved to")
	flags.StringVar(&o.file, "map", "", "`FILE` that says what of the one is what in the other")
	flags.BoolVar(&o.dry, "dry-run", false, "tell what would happen, and record nothing")
	flags.StringVar(&o.ground, "ground", "", "the legal ground, a `TEXT` that applicants read; kept in the clear for ever (wanted without --dry-run)")
	flags.StringVar(&o.groundEN, "ground-en", "", "the same in English, a `TEXT` (default as --ground)")
	flags.StringVar(&o.by, "by", "", "`WHO` does it: a pseudonym, kept in the clear for ever (wanted without --dry-run)")
	flags.StringVar(&o.approver, "approver", "", "`WHO` approved of it, somebody else: a pseudonym, kept in the clear for ever (wanted without --dry-run)")
	required(c, "tenant", "from", "to", "map")
	return c
}

func (o *migrating) read() (err error) {
	if o.code, err = domain.ParseTenantCode(o.tenant); err != nil {
		return err
	}
	switch {
	case o.from < 1:
		return fmt.Errorf("--from %d: the first version is 1", o.from)
	case o.to < 1:
		return fmt.Errorf("--to %d: the first version is 1", o.to)
	case o.from == o.to:
		return errors.New("--from and --to are the same version")
	}
	if o.groundEN == "" {
		o.groundEN = o.ground
	}
	if o.dry {
		return nil
	}
	for _, f := range []struct{ name, value string }{{"ground", o.ground}, {"by", o.by}, {"approver", o.approver}} {
		if strings.TrimSpace(f.value) == "" {
			return fmt.Errorf("--%s is missing; --dry-run needs it not", f.name)
		}
	}
	if (domain.Actor{ID: o.by}).SamePerson(o.approver) {
		return errors.New("--by and --approver are the same person: whoever migrates requests may not approve of it")
	}
	return nil
}

func (o *migrating) migrate(c *cobra.Command, id string) error {
	source, err := readFile(o.file, workflows.MaxDefinition)
	if err != nil {
		return err
	}
	o.stores.existing = true
	if err := o.stores.has(c, o.code, id); err != nil {
		return err
	}
	open := withHouse
	if o.dry {
		open = withExisting
	}
	var report migration.Report
	var done *migration.Done
	err = open(c, o.stores, func(ctx context.Context, h *house) error {
		m := h.migrator()
		x, err := m.Prepare(ctx, o.code, id, o.from, o.to, shownAs(o.file), source)
		if err != nil {
			return err
		}
		if o.ground != "" {
			x.Ground = domain.Basis{ID: o.ground, EN: o.groundEN}
		}
		x.Approver = o.approver
		if o.by != "" {
			x.Actor = domain.Actor{ID: o.by, Role: "publisher", Capacity: domain.CapacityOfficer}
		}
		if o.dry {
			report, err = m.Forecast(ctx, x)
			return err
		}
		done, err = m.Run(ctx, x)
		return err
	})
	var unfit *migration.UnfitError
	switch {
	case errors.As(err, &unfit):
		report = unfit.Report
	case err != nil:
		return err
	case !o.dry:
		return o.told(c, id, done)
	}
	if err := o.foretold(c, report); err != nil {
		return err
	}
	if report.Refused > 0 {
		return &faultError{(&migration.UnfitError{Report: report}).Error() + "; nothing was recorded"}
	}
	return nil
}

// migrator moves requests of the house.
func (h *house) migrator() *migration.Migrator {
	return &migration.Migrator{
		Log: h.log, Engine: h.engine, Library: h.library, Now: time.Now,
		Running: func(ctx context.Context, tenant domain.TenantCode, workflow string, version int) ([]migration.Running, error) {
			if err := h.views.CatchUp(ctx); err != nil {
				return nil, err
			}
			all, err := h.status.Under(ctx, tenant, workflow, version)
			list := make([]migration.Running, len(all))
			for i, s := range all {
				list[i] = migration.Running{Request: s.Request, Reference: s.Reference}
			}
			return list, err
		},
	}
}

// told says what came of a migration.
func (o *migrating) told(c *cobra.Command, id string, done *migration.Done) error {
	if o.asJSON {
		if err := printJSON(c.OutOrStdout(), done); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(c.OutOrStdout(), "%s of tenant %s: %s moved from version %d to %d; %d that run were moved before by the same order, %d ended before their turn, %d stay as the map says\n",
		id, o.code, count(done.Migrated, "request"), o.from, o.to, done.Before, done.Ended, done.Excepted); err != nil {
		return err
	}
	if len(done.Left) == 0 {
		return nil
	}
	for _, r := range done.Left {
		c.PrintErrf("alur: %s was not moved: %s\n", r.Reference, r.Why)
	}
	return &faultError{fmt.Sprintf("%s not moved: somebody acted meanwhile; run it again, or name them under except", count(len(done.Left), "request"))}
}

// foretold prints a dry run.
func (o *migrating) foretold(c *cobra.Command, r migration.Report) error {
	if o.asJSON {
		return printJSON(c.OutOrStdout(), r)
	}
	for _, g := range migration.Groups(r.Requests) {
		if err := o.group(c.OutOrStdout(), g); err != nil {
			return err
		}
	}
	for _, ref := range r.Unknown {
		c.PrintErrf("alur: %s stands in the map, and does not run under version %d\n", ref, o.from)
	}
	c.PrintErrf("alur: %d can be moved, %d cannot, %d stay as the map says, %d end before by a term that ran out\n", r.Movable, r.Refused, r.Excepted, r.Ended)
	return nil
}

func (o *migrating) group(w io.Writer, g migration.Group) error {
	var b strings.Builder
	first := g.Requests[0]
	if first.Refusal != "" {
		fmt.Fprintf(&b, "%s in %s cannot be moved: %s\n", count(len(g.Requests), "request"), first.From, g.Refusal())
	} else {
		fmt.Fprintf(&b, "%s %s\n", count(len(g.Requests), "request"), g.Way())
	}
	var names []string
	for _, f := range g.Requests[:min(3, len(g.Requests))] {
		names = append(names, string(f.Reference))
	}
	fmt.Fprintf(&b, "  such as %s\n", strings.Join(names, ", "))
	if len(first.Changes) == 0 && first.Refusal == "" {
		b.WriteString("  nothing else changes\n")
	}
	for i := range first.Changes {
		fmt.Fprintf(&b, "  %s\n", g.Words(i, func(t time.Time) string { return clock(t, o.code) }))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
