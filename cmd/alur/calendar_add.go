package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

func newCalendarAdd() *cobra.Command {
	var s stores
	var tenant, by, reason string
	var asJSON bool
	c := &cobra.Command{
		Use:   "add FILE --by OFFICER --reason TEXT",
		Short: "Make a decree part of the working calendar",
		Long: `Add records a decree on holidays, joint leave, election days or working hours: of the
nation, or of one tenant with --tenant. It counts from then on: due times of open terms
that it moves, or that are no longer provisional by it, are reckoned anew by the next
sweep, with an event that applicants read (TermRecomputed); what has run out stays so.

The very same file again records nothing. Refused is another decree with a number that
is there, unless it says that it amends or repeals it; one that makes working time of a
day that has passed or begun, for any tenant; one after which nothing would say when
offices work; and hours that do not say those of Ramadan.
docs/agencies/calendar.md tells how the file is written.

A SQLite log has one writing process: stop alur serve first. It reckons terms anew by
the decree when it runs again.`,
		Example: `  alur calendar add skb-2027.yaml --by officer-3 --reason "joint decree for 2027"
  alur calendar add hari-jadi.yaml --tenant 11.71 --by officer-3 --reason "the city's day"`,
		Args: func(c *cobra.Command, args []string) error {
			if err := checkTenant(tenant); err != nil {
				return err
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			source, err := readFile(args[0], workflows.MaxDefinition)
			if err != nil {
				return err
			}
			d, err := workflows.ReadDecree(shownAs(args[0]), source)
			if err != nil {
				return err
			}
			var done addedJSON
			add := func(ctx context.Context, l *workflows.Calendars) error {
				now := time.Now()
				added, isNew, err := l.Add(ctx, workflows.Addition{
					Tenant: domain.TenantCode(tenant), Source: source, Decree: d, Why: reason, Occurred: now, At: now,
					Actor: domain.Actor{ID: by, Role: "calendar", Capacity: domain.CapacityOfficer},
				})
				var refused *calendar.Refused
				if errors.As(err, &refused) && refused.Hint != "" {
					return &hintError{err, refused.Hint}
				}
				if err != nil {
					return err
				}
				c, err := l.Latest(ctx, domain.TenantCode(tenant))
				if err != nil {
					return err
				}
				done = addedJSON{newDecreeJSON(domain.TenantCode(tenant), added), isNew, c.Version().String(), c.Known()}
				return nil
			}
			if err := s.rehearsed(c, func(log domain.EventLog) error { return add(c.Context(), workflows.NewCalendars(log)) }); err != nil {
				return err
			}
			if err := withCalendars(c, s, add); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), done)
			}
			what := "is added as"
			if !done.Added {
				what = "was added before, and is"
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s %s decree %d of %s; holidays are known until %s\n",
				printable(done.Number), what, done.Version, done.Whose, done.Known.To)
			return err
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&tenant, "tenant", "", "the tenant's `CODE`, such as 11.71, of a decree that is not the nation's")
	c.Flags().StringVar(&by, "by", "", "pseudonym of the `OFFICER` who adds it")
	c.Flags().StringVar(&reason, "reason", "", "why it is added (`TEXT`, kept in the clear: nothing personal)")
	required(c, "by", "reason")
	return c
}

// addedJSON is what became of an addition.
type addedJSON struct {
	decreeJSON
	Added    bool            `json:"added"`
	Calendar string          `json:"calendar"` // its version now
	Known    calendar.Period `json:"known"`
}

// checkTenant refuses what is no tenant's code; none is fine.
func checkTenant(code string) error {
	if code == "" {
		return nil
	}
	_, err := domain.ParseTenantCode(code)
	return err
}

// withCalendars opens the log for as long as do runs.
func withCalendars(c *cobra.Command, s stores, do func(context.Context, *workflows.Calendars) error) error {
	log, _, err := s.openLog(c.Context())
	if err != nil {
		return err
	}
	return errors.Join(do(c.Context(), workflows.NewCalendars(log)), log.Close())
}
