package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
	"github.com/alur-id/alur/workflows/simulation"
)

type simulateFlags struct {
	with, log, db, tenant, basis, svg, lang string
	from                                    moment
	holdout                                 float64
	seed                                    uint64
	replications, days, warmUp              int
	officers, whatIf                        []string
	asJSON                                  bool
}

func newWorkflowSimulate() *cobra.Command {
	var o simulateFlags
	c := &cobra.Command{
		Use:   "simulate FILE",
		Short: "Simulate a workflow: waiting, punctuality, workload, the bottleneck",
		Long: `Simulate lets invented requests go through a definition, by its own rules, and
measures what they meet: how long they wait at each stage, how long they take, how
many are decided in time, how busy the officers of each role are. All figures have
95% intervals, from independent replications.

How many requests come, how long work takes, who is there and how often a file is sent
back stand in a file (--with), or are fitted to an event log (--log) or to the requests
in a database (--db). What neither says is assumed; each parameter is told with where
it came from. --holdout leaves the last share of the recorded requests out of the
fitting and shows what they came to beside what was simulated.

--what-if changes numbers of officers and shows what difference it makes to the same
requests. The same input and seed give the same figures on any machine.
docs/agencies/simulate.md tells how the file is written and what the figures mean.`,
		Example: `  alur workflow simulate sip-dokter.yaml --with staff.yaml --seed 1 --what-if front-office=+1
  alur workflow simulate receipt.yaml --log receipt.xes.gz --holdout 0.5 --svg waits.svg`,
		Args: func(c *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return simulate(c, args[0], o) },
	}
	jsonFlag(c, &o.asJSON)
	f := c.Flags()
	f.StringVar(&o.with, "with", "", "`FILE` of parameters")
	f.StringVar(&o.log, "log", "", "fit to this XES event `LOG`, gzip or not")
	f.StringVar(&o.db, "db", "", "fit to the requests of this `FILE` of an event log, or postgres:// URL")
	f.StringVar(&o.tenant, "tenant", "", "tenant `CODE`: its calendar, and of --db its requests")
	f.StringVar(&o.basis, "basis", string(simulation.ByService), "what a fit takes the time between two steps for: `service` or sojourn")
	f.Float64Var(&o.holdout, "holdout", 0, "`SHARE` of the recorded requests, the last, that is compared and not fitted to")
	f.Uint64Var(&o.seed, "seed", 1, "`SEED` of the random numbers")
	f.IntVar(&o.replications, "replications", 20, "`NUMBER` of independent replications")
	f.IntVar(&o.days, "days", 250, "`DAYS` that are measured in each")
	f.IntVar(&o.warmUp, "warm-up", 60, "`DAYS` before, of which nothing is measured")
	momentFlag(c, &o.from, "from", "the first day (default the beginning of the last year whose holidays are decreed): "+momentForms+", whose day it is")
	f.StringArrayVar(&o.officers, "officers", nil, "`ROLE=N`: how many officers a role has, or +N, -N; may be repeated")
	f.StringArrayVar(&o.whatIf, "what-if", nil, "`ROLE=+N`: compare with other numbers of officers; may be repeated")
	f.StringVar(&o.svg, "svg", "", "write a chart of the waiting to this `FILE`")
	f.StringVar(&o.lang, "lang", "id", "`LANGUAGE`: id or en")
	return c
}

func (o *simulateFlags) check() error {
	if err := checkTenant(o.tenant); err != nil {
		return err
	}
	if err := o.from.check(); err != nil {
		return err
	}
	switch {
	case o.lang != "id" && o.lang != "en":
		return fmt.Errorf("--lang %q: want id or en", o.lang)
	case o.log != "" && o.db != "":
		return errors.New("--log and --db: fit to one of them")
	case o.basis != string(simulation.ByService) && o.basis != string(simulation.BySojourn):
		return fmt.Errorf("--basis %q: want service or sojourn", o.basis)
	case !(o.holdout >= 0 && o.holdout < 1):
		return fmt.Errorf("--holdout %v: want a share from 0 to less than 1, such as 0.5", o.holdout)
	case o.holdout > 0 && o.log == "" && o.db == "":
		return errors.New("--holdout: there is nothing to hold out without --log or --db")
	case o.days < 1:
		return fmt.Errorf("--days %d: want 1 or more", o.days)
	case o.warmUp < 0:
		return fmt.Errorf("--warm-up %d: want 0 or more", o.warmUp)
	case o.days > simulation.MaxDays-min(o.warmUp, simulation.MaxDays):
		return fmt.Errorf("--days %d and --warm-up %d: want at most %d together", o.days, o.warmUp, simulation.MaxDays)
	case o.replications < 2 || o.replications > 1000:
		return fmt.Errorf("--replications %d: want 2 to 1000; an interval needs several", o.replications)
	}
	for _, x := range o.officers {
		if err := simulation.CheckChange(x); err != nil {
			return fmt.Errorf("--officers %w", err)
		}
	}
	for _, x := range o.whatIf {
		if err := simulation.CheckChange(x); err != nil {
			return fmt.Errorf("--what-if %w", err)
		}
	}
	return nil
}

// comparedJSON is what a history came to, beside what was simulated.
type comparedJSON struct {
	Fitted simulation.Past `json:"fitted_part"`
	Held   simulation.Past `json:"held_out"`
}

// simulatedJSON is what the verb prints.
type simulatedJSON struct {
	*simulation.Report
	Compared *comparedJSON `json:"compared,omitempty"`
}

func simulate(c *cobra.Command, path string, o simulateFlags) error {
	d, _, err := readDefinition(path)
	if err != nil {
		return err
	}
	if err := writable(o.svg); err != nil {
		return fmt.Errorf("--svg %s: %w", o.svg, err)
	}
	given := &simulation.Parameters{}
	if o.with != "" {
		source, err := readFile(o.with, workflows.MaxDefinition)
		if err != nil {
			return err
		}
		if given, err = simulation.Read(shownAs(o.with), source, d); err != nil {
			return err
		}
	}
	s := simulation.Settings{Definition: d, Seed: o.seed, Replications: o.replications, WarmUp: o.warmUp, Days: o.days}
	var history *simulation.Fitter
	if s.Calendar, history, err = o.history(c, d); err != nil {
		return err
	}
	out := simulatedJSON{}
	if history != nil {
		if given, out.Compared, err = o.fit(history, given); err != nil {
			return err
		}
	}
	if s.Parameters, err = given.Complete(d); err != nil {
		return err
	}
	s.From = o.first(s.Calendar)
	if out.Report, err = o.run(c.Context(), s); err != nil {
		return err
	}
	return o.print(c, out)
}

// first is the day on which the simulated time begins.
func (o *simulateFlags) first(c *calendar.Calendar) calendar.Date {
	if at, err := o.from.in(c.Zone()); err == nil && o.from.given() {
		at = at.In(c.Zone())
		return calendar.DateOf(at.Year(), at.Month(), at.Day())
	}
	return calendar.DateOf(c.Known().To.Year(), 1, 1)
}

func (o *simulateFlags) run(ctx context.Context, s simulation.Settings) (*simulation.Report, error) {
	s, err := simulation.Staffed(ctx, s)
	if err != nil {
		return nil, err
	}
	if s.Parameters, err = s.Parameters.Officers(o.officers, simulation.Given); err != nil {
		return nil, &usageError{fmt.Errorf("--officers %w", err)}
	}
	var other *simulation.Parameters
	if len(o.whatIf) > 0 {
		if other, err = s.Parameters.Officers(o.whatIf, ""); err != nil {
			return nil, &usageError{fmt.Errorf("--what-if %w", err)}
		}
	}
	return simulation.Simulate(ctx, s, other)
}

// fit lays what is given over what was fitted.
func (o *simulateFlags) fit(history *simulation.Fitter, given *simulation.Parameters) (*simulation.Parameters, *comparedJSON, error) {
	part, rest := history.Split(o.holdout)
	clock := given.Clock
	if clock == "" {
		clock = history.Clock()
	}
	fitted, err := part.Fit(clock, simulation.Basis(o.basis))
	if err != nil {
		return nil, nil, err
	}
	var compared *comparedJSON
	if o.holdout > 0 {
		compared = &comparedJSON{part.Past(clock), rest.Past(clock)}
	}
	return given.Over(fitted), compared, nil
}

func (o *simulateFlags) print(c *cobra.Command, out simulatedJSON) error {
	if o.svg != "" {
		if err := os.WriteFile(o.svg, []byte(out.Chart(o.lang)), 0o644); err != nil {
			return err
		}
	}
	if o.asJSON {
		return printJSON(c.OutOrStdout(), out)
	}
	return printSimulated(c.OutOrStdout(), out, o.lang)
}

// history is the calendar, and what is fitted to, if anything is.
func (o *simulateFlags) history(c *cobra.Command, d *workflows.Definition) (*calendar.Calendar, *simulation.Fitter, error) {
	tenant := domain.TenantCode(o.tenant)
	if o.db == "" {
		made, err := calendar.Compile(tenant.Zone(), nil, nil)
		if err != nil || o.log == "" {
			return made, nil, err
		}
		fitter := simulation.NewFitter(d, made)
		return made, fitter, fitLog(c, o.log, d, fitter)
	}
	from := stores{db: o.db, log: os.Getenv(logVariable), readOnly: true}
	log, _, err := from.openLog(c.Context())
	if err != nil {
		return nil, nil, err
	}
	calendars := workflows.NewCalendars(log)
	of := func(t domain.TenantCode) (*calendar.Calendar, error) { return calendars.Latest(c.Context(), t) }
	made, err := of(tenant)
	if err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	fitter := simulation.NewFitter(d, made)
	fitter.Of = of
	return made, fitter, errors.Join(fitRecorded(c.Context(), log, tenant, d, fitter), log.Close())
}

// fitRecorded adds the recorded requests of a service.
func fitRecorded(ctx context.Context, log domain.EventLog, tenant domain.TenantCode, d *workflows.Definition, into *simulation.Fitter) error {
	for entry, err := range log.ReadAll(ctx, 0) {
		if err != nil {
			return err
		}
		if !strings.HasPrefix(entry.Stream, "request-") {
			continue
		}
		e, err := domain.Decode(entry)
		if err != nil {
			return err
		}
		if e.Service == d.ID && (tenant == "" || e.Tenant == tenant) {
			into.Add(e)
		}
	}
	if into.Requests() == 0 {
		return &hintError{fmt.Errorf("no requests of service %s are recorded there", d.ID), "name the database with --db, or fit to an event log with --log"}
	}
	return nil
}
