package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
)

// backtestFlags say which histories are judged.
type backtestFlags struct {
	stores       stores
	tenant       string
	since, until moment
	code         domain.TenantCode
	from, to     time.Time // since and until, read; zero is without bound
	request      string
	limit        int
	asJSON       bool
}

func (o *backtestFlags) read() (err error) {
	if o.tenant != "" {
		if o.code, err = domain.ParseTenantCode(o.tenant); err != nil {
			return err
		}
	}
	if o.from, err = o.since.in(o.code.Zone()); err != nil {
		return err
	}
	if o.to, err = o.until.in(o.code.Zone()); err != nil {
		return err
	}
	if o.limit < 0 {
		return fmt.Errorf("--limit %d: want 0 or more", o.limit)
	}
	return nil
}

func newWorkflowBacktest() *cobra.Command {
	var o backtestFlags
	c := &cobra.Command{
		Use:   "backtest FILE",
		Short: "Judge every recorded history of a service by another definition",
		Long: `Backtest has what people did in every recorded request of the service decided anew
by a definition, a file or a published version such as sip-dokter@2 with --tenant:
in its order, with its times and by the calendar as it was known then. What the
system did by itself is not taken from the record but derived. It tells what is
refused, comes out otherwise, is due at another time, costs something else or takes
another way, grouped by cause, each with examples and one of them in steps.

Nothing is recorded, and no personal data is opened: what cannot be said without it
is told as such. The exit code is 3 when something is refused or comes out
otherwise.`,
		Example: `  alur workflow backtest sip-dokter.yaml --db alur.db
  alur workflow backtest sip-dokter.yaml --tenant 11.71 --since 2026-01-01 --json
  alur workflow backtest sip-dokter.yaml --request 7K3M-Q9XT-2WPN`,
		Args: func(c *cobra.Command, args []string) error {
			if err := o.read(); err != nil {
				return err
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			d, err := definitionAt(c, o.stores, o.code, args[0])
			if err != nil {
				return err
			}
			if o.request != "" {
				return backtestOne(c, d, o)
			}
			return backtestAll(c, d, o)
		},
	}
	o.stores.flags(c)
	jsonFlag(c, &o.asJSON)
	f := c.Flags()
	f.StringVar(&o.tenant, "tenant", "", "only requests of this tenant `CODE`, such as 11.71")
	momentFlag(c, &o.since, "since", "only requests that were submitted then or later: "+momentForms)
	momentFlag(c, &o.until, "until", "only requests that were submitted before: "+momentForms)
	f.IntVar(&o.limit, "limit", 0, "at most `N` requests, the first that were submitted; 0 is all")
	f.StringVar(&o.request, "request", "", "only the request of this `REFERENCE`, in full")
	return c
}

func (h *house) backtest(d *workflows.Definition) *backtest.Backtest {
	return &backtest.Backtest{Log: h.log, Versions: h.library, Calendars: h.calendars, Workflow: workflows.Compile(d, 0), Now: time.Now()}
}

func backtestAll(c *cobra.Command, d *workflows.Definition, o backtestFlags) error {
	var r backtest.Report
	err := withExisting(c, o.stores, func(ctx context.Context, h *house) (err error) {
		r, err = h.backtest(d).Run(ctx, h.histories(ctx, d.ID, o))
		return err
	})
	if err != nil {
		return err
	}
	if o.asJSON {
		err = printJSON(c.OutOrStdout(), r)
	} else {
		_, err = fmt.Fprint(c.OutOrStdout(), r.Words())
	}
	if err == nil && r.Faults > 0 {
		err = &faultError{fmt.Sprintf("in %d of %d histories something is refused or comes out otherwise", r.Faults, r.Histories)}
	}
	return err
}

func backtestOne(c *cobra.Command, d *workflows.Definition, o backtestFlags) error {
	var one backtest.History
	err := withExisting(c, o.stores, func(ctx context.Context, h *house) error {
		r, err := h.find(ctx, o.request)
		switch {
		case err != nil:
			return err
		case r.Service != d.ID:
			return fmt.Errorf("request %s is of service %s, and the definition of %s", r.Reference, r.Service, d.ID)
		}
		one, err = h.backtest(d).History(ctx, r.ID, true)
		return err
	})
	if err != nil {
		return err
	}
	if o.asJSON {
		err = printJSON(c.OutOrStdout(), one)
	} else {
		_, err = fmt.Fprint(c.OutOrStdout(), one.Words())
	}
	if err == nil && one.Fault() {
		err = &faultError{"something is refused or comes out otherwise"}
	}
	return err
}

// histories are the requests of a service in the order they were submitted to the log,
// a part at a time.
func (h *house) histories(ctx context.Context, service string, o backtestFlags) iter.Seq2[uuid.UUID, error] {
	const part = 1000
	return func(yield func(uuid.UUID, error) bool) {
		left := o.limit
		f := projections.Filter{Tenant: o.code, Service: service, Limit: part}
		for {
			list, err := h.status.List(ctx, f)
			if err != nil {
				yield(uuid.Nil, err)
				return
			}
			for _, s := range list {
				if s.Submitted.Before(o.from) || !o.to.IsZero() && !s.Submitted.Before(o.to) {
					continue
				}
				if !yield(s.Request, nil) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
			if len(list) < part {
				return
			}
			f.After = list[len(list)-1].Reference
		}
	}
}
