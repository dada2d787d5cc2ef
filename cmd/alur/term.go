package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

func (h *house) sweeper(logger *slog.Logger) *workflows.Sweeper {
	return &workflows.Sweeper{Engine: h.engine, Wakings: h.terms, Calendars: h.calendars, Now: h.now, Logger: logger, Fired: h.counted.Fired}
}

// listed waits until the view of terms has come to where the log is now, as long as it
// advances at all.
func (h *house) listed(ctx context.Context) error {
	head, err := h.log.Head(ctx)
	if err != nil {
		return err
	}
	name := projections.TermsProjection{}.Name()
	for before := domain.Position(-1); ; {
		some, cancel := context.WithTimeout(ctx, viewPatience)
		err := h.views.WaitFor(some, head, name)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		lags, err := h.views.Lags(ctx)
		i := slices.IndexFunc(lags, func(l projections.Lag) bool { return l.View == name })
		if err != nil || lags[i].Position == before {
			return err // /healthz says that it does not advance
		}
		before = lags[i].Position
	}
}

// viewPatience is how long the view of terms may take for a part of the log.
const viewPatience = 5 * time.Second

func newTermList() *cobra.Command {
	var from stores
	var tenant, service string
	var before moment
	var f projections.TermFilter
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List terms: when they are due, which stand still, which have run out",
		Args: func(c *cobra.Command, args []string) (err error) {
			if tenant != "" {
				if f.Tenant, err = domain.ParseTenantCode(tenant); err != nil {
					return err
				}
			}
			if f.DueBefore, err = before.in(f.Tenant.Zone()); err != nil {
				return err
			}
			if f.Limit < 0 {
				return fmt.Errorf("--limit %d: want 0 or more", f.Limit)
			}
			f.Service = service
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var list []projections.Term
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				list, err = h.terms.List(ctx, f)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			rows := make([][]string, len(list))
			for i, t := range list {
				rows[i] = []string{
					string(t.Reference), string(t.Tenant), t.Service, string(t.Term), t.Budget, clock(t.Due, t.Tenant), clock(t.Promised, t.Tenant), standing(t),
				}
			}
			if err := table(c.OutOrStdout(), []string{"REFERENCE", "TENANT", "SERVICE", "TERM", "BUDGET", "DUE", "PROMISED", "STANDING"}, rows); err != nil {
				return err
			}
			c.PrintErrf("alur: %d terms\n", len(list))
			return nil
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	flags := c.Flags()
	flags.StringVar(&tenant, "tenant", "", "only this tenant `CODE`, such as 11.71")
	flags.StringVar(&service, "service", "", "only this `SERVICE`")
	momentFlag(c, &before, "due-before", "only those due before "+momentForms+"; a date is its first moment in the tenant's zone, in WIB without --tenant")
	flags.BoolVar(&f.Open, "open", false, "only those that are still counted")
	flags.BoolVar(&f.Stopped, "suspended", false, "only those that stand still")
	flags.BoolVar(&f.Expired, "expired", false, "only those that have run out")
	flags.BoolVar(&f.Deemed, "deemed", false, "only those on which the law decided")
	flags.BoolVar(&f.Listed, "ombudsman", false, "only those on the list that the ombudsman sees")
	flags.IntVar(&f.Limit, "limit", 0, "at most `N` terms; 0 is all")
	return c
}

// standing is a term's state in a few words.
func standing(t projections.Term) string {
	var words []string
	switch {
	case t.Deemed != "":
		words = append(words, string(t.Deemed))
	case !t.Expired.IsZero():
		words = append(words, "expired")
	}
	switch {
	case !t.Ended.IsZero():
		words = append(words, "ended")
	case t.Stopped != "":
		words = append(words, "suspended: "+string(t.Stopped))
	default:
		words = append(words, "running")
	}
	if t.Listed {
		words = append(words, "on the ombudsman's list")
	}
	return strings.Join(words, ", ")
}

// ledgerLine is a line of a ledger as it is printed.
type ledgerLine struct {
	Version   domain.Version    `json:"version"`
	Occurred  time.Time         `json:"occurred"`
	Recorded  time.Time         `json:"recorded"`
	Event     string            `json:"event"`
	Term      domain.TermID     `json:"term"`
	Budget    string            `json:"budget"`
	Why       string            `json:"why,omitempty"`
	Consumed  string            `json:"consumed"`
	Remaining string            `json:"remaining"`
	Suspended string            `json:"suspended"`
	Due       time.Time         `json:"due,omitzero"`
	Promised  time.Time         `json:"promised,omitzero"`
	Calendar  string            `json:"calendar"`
	Again     string            `json:"differs,omitempty"` // what the same calendar gives now, if something else
	Tenant    domain.TenantCode `json:"-"`
}

func newTermShow() *cobra.Command {
	var at stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "show REFERENCE",
		Short: "Show the ledger of a request's terms: what moved each due time, and why",
		Long: `Show lists every event on the terms of a request, with what was consumed, what
remained and until when there was time. Each line is reckoned again from the
events before it, by the calendar that it names; one that comes out otherwise is
a fault (exit 3).`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var lines []ledgerLine
			err := withExisting(c, at, func(ctx context.Context, h *house) error {
				r, err := h.find(ctx, args[0])
				if err != nil {
					return err
				}
				list, err := h.engine.Ledger(ctx, r.ID, h.calendars)
				for _, l := range list {
					lines = append(lines, printedLine(r.Tenant, l))
				}
				return err
			})
			if err != nil {
				return err
			}
			if err := printLedger(c, lines, asJSON); err != nil {
				return err
			}
			wrong := 0
			for _, l := range lines {
				if l.Again != "" {
					wrong++
				}
			}
			if wrong > 0 {
				return &faultError{fmt.Sprintf("%d of %d lines are not what their calendar gives", wrong, len(lines))}
			}
			return nil
		},
	}
	at.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

func printedLine(tenant domain.TenantCode, l workflows.LedgerLine) ledgerLine {
	amount := func(n int64) string {
		b, err := calendar.ParseBudget(l.Budget)
		if err != nil { // it is due at a date
			return calendar.PlainTime.Text(calendar.Span(n))
		}
		return b.Measure().Text(calendar.Span(n))
	}
	why := l.Ground
	if l.Reason != "" {
		why = string(l.Reason)
	}
	return ledgerLine{
		Version: l.Version, Occurred: l.Occurred, Recorded: l.Recorded, Event: l.Event, Term: l.Term, Budget: l.Budget, Why: why,
		Consumed: amount(l.Consumed), Remaining: amount(l.Remaining), Suspended: amount(l.Suspended),
		Due: l.Due, Promised: l.Promised, Calendar: l.Calendar, Again: l.Again, Tenant: tenant,
	}
}

func printLedger(c *cobra.Command, lines []ledgerLine, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), lines)
	}
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = []string{
			fmt.Sprint(l.Version), clock(l.Occurred, l.Tenant), l.Event, string(l.Term), l.Budget, l.Why,
			l.Consumed, l.Remaining, l.Suspended, clock(l.Due, l.Tenant), l.Calendar, l.Again,
		}
	}
	return table(c.OutOrStdout(), []string{"NO", "OCCURRED", "EVENT", "TERM", "BUDGET", "WHY", "CONSUMED", "REMAINING", "SUSPENDED", "DUE", "CALENDAR", "DIFFERS"}, rows)
}

func newTermSweep() *cobra.Command {
	s := stores{existing: true}
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Have terms run out whose time has come, and reckon them by an amended calendar",
		Long: `Sweep does once what a server does all the time: it records what follows from
moments that have come since, in their order, each dated to its moment. What
another process was faster with is not recorded twice.

A SQLite log has one writing process: stop alur serve first, which sweeps by itself
anyway.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withHouse(c, s, func(ctx context.Context, h *house) error {
				if err := h.views.CatchUp(ctx); err != nil {
					return err
				}
				done, err := h.sweeper(newLogger(c)).Sweep(ctx)
				if err := errors.Join(err, h.views.CatchUp(ctx)); err != nil {
					return err
				}
				c.PrintErrf("alur: %d moments had come, %d requests were reckoned anew, %d failed\n", done.Fired, done.Recomputed, done.Failed)
				if done.Failed > 0 {
					return &faultError{"not everything could be recorded; the reasons are above"}
				}
				return nil
			})
		},
	}
	s.flags(c)
	return c
}
