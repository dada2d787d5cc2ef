package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows/calendar"
)

// workingDays implements [projections.WorkingDays] by the calendar as it is known now.
func (h *house) workingDays(ctx context.Context, tenant domain.TenantCode) (func(from, to time.Time) (float64, bool), error) {
	c, err := h.calendars.Latest(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return func(from, to time.Time) (float64, bool) {
		used, err := c.Used(calendar.WorkingDays, from, to)
		return float64(used) / float64(calendar.Day), err == nil
	}, nil
}

// agency implements [projections.AgencyOf]: that of the newest version.
func (h *house) agency(ctx context.Context, tenant domain.TenantCode, service string) (string, error) {
	list, err := h.library.Versions(ctx, tenant, service)
	if err != nil {
		return "", err
	}
	return list[len(list)-1].Definition.Agency.ID, nil
}

// statisticsBy are the words of --by.
func statisticsBy() []projections.StatisticsBy {
	return []projections.StatisticsBy{projections.ByService, projections.ByAgency, projections.ByTenant, projections.ByMonth}
}

// period is the flags of verbs that look at a tenant in a time.
type period struct {
	tenant              string
	since, until        moment
	of                  domain.TenantCode
	sinceTime, untilEnd time.Time
}

func (p *period) flags(c *cobra.Command, what string) {
	const zone = "; a date is its first moment in the tenant's zone, in WIB without --tenant"
	c.Flags().StringVar(&p.tenant, "tenant", "", "only this tenant `CODE`, such as 11.71")
	momentFlag(c, &p.since, "since", "only "+what+" from "+momentForms+zone)
	momentFlag(c, &p.until, "until", "only "+what+" before "+momentForms)
}

// read reads the flags.
func (p *period) read() (err error) {
	if p.tenant != "" {
		if p.of, err = domain.ParseTenantCode(p.tenant); err != nil {
			return err
		}
	}
	if p.sinceTime, err = p.since.in(p.of.Zone()); err != nil {
		return err
	}
	if p.untilEnd, err = p.until.in(p.of.Zone()); err != nil {
		return err
	}
	if p.until.given() && !p.sinceTime.Before(p.untilEnd) {
		return fmt.Errorf("--until %s is not after --since %s", p.until.text, p.since.text)
	}
	return nil
}

func newStatistics() *cobra.Command {
	var from stores
	var p period
	var by, service string
	var asJSON bool
	c := &cobra.Command{
		Use:   "statistics",
		Short: "Count what was submitted and decided, and how long it took",
		Long: `Statistics counts requests for each service, agency, tenant or month: submitted
and still open; decided, by the law's time or late; how long that took, in
working days by the tenant's calendar as it is known now and by the almanac, and
in whose hands it was; sent back, and why; decided by law.

What was submitted counts by when it was submitted, what was decided by when it
was decided. Half took no longer than the median, nine in ten no longer than P90.
The columns of working time are left empty for what the calendar does not reach.`,
		Args: func(c *cobra.Command, args []string) error {
			if !slices.Contains(statisticsBy(), projections.StatisticsBy(by)) {
				return fmt.Errorf("--by %q: want one of %s", by, domain.Listed(statisticsBy()))
			}
			if err := p.read(); err != nil {
				return err
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var list []projections.Statistics
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				list, err = h.figures.Of(ctx, projections.StatisticsFilter{
					By: projections.StatisticsBy(by), Tenant: p.of, Service: service, Since: p.sinceTime, Until: p.untilEnd,
				})
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			if err := printStatistics(c.OutOrStdout(), list); err != nil {
				return err
			}
			return printUnsure(c.ErrOrStderr(), list)
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	p.flags(c, "what happened")
	c.Flags().StringVar(&by, "by", string(projections.ByService), "`WHAT` they are told for: "+domain.Listed(statisticsBy()))
	c.Flags().StringVar(&service, "service", "", "only this `SERVICE`")
	return c
}

func printStatistics(w io.Writer, list []projections.Statistics) error {
	rows := make([][]string, len(list))
	for i, s := range list {
		agency, applicant := spreadOf(s.Held, domain.HeldByAgency), spreadOf(s.Held, domain.HeldByApplicant)
		what := s.Service + s.Agency + s.Month
		rows[i] = []string{
			string(s.Tenant), what, strconv.Itoa(s.Submitted), strconv.Itoa(s.Open), strconv.Itoa(s.Overdue), strconv.Itoa(s.Decided), strconv.Itoa(s.OnTime), strconv.Itoa(s.Late),
			median(s.Working), p90(s.Working), median(s.Elapsed), p90(s.Elapsed), median(agency), median(applicant), median(s.Others),
			returned(s), strconv.Itoa(s.DeemedApproved + s.DeemedRefused), strconv.Itoa(s.Withdrawn), strconv.Itoa(s.Lapsed),
		}
	}
	return table(w, []string{
		"TENANT", "OF", "SUBMITTED", "OPEN", "OVERDUE", "DECIDED", "ON TIME", "LATE", "WORKING DAYS", "P90", "DAYS", "P90",
		"AGENCY", "APPLICANT", "OTHERS", "RETURNED", "DEEMED", "WITHDRAWN", "LAPSED",
	}, rows)
}

// returned is how many were sent back, of a hundred how many that is, and what for mostly.
func returned(s projections.Statistics) string {
	if s.Returned == 0 {
		return "0"
	}
	text := fmt.Sprintf("%d (%.0f %%)", s.Returned, 100*s.ReturnRate)
	most := domain.ReasonCode("")
	for _, code := range slices.Sorted(maps.Keys(s.Reasons)) {
		if s.Reasons[code] > s.Reasons[most] {
			most = code
		}
	}
	if most != "" {
		text += " " + string(most)
	}
	return text
}

// printUnsure says of imported cases what is not known of their ends.
func printUnsure(w io.Writer, list []projections.Statistics) error {
	unended, resting, supposed := 0, 0, 0
	for _, s := range list {
		unended, resting, supposed = unended+s.Unended, resting+s.Resting, supposed+s.Supposed
	}
	if unended > 0 {
		if _, err := fmt.Fprintf(w, "alur: not known to have ended: %d of the open, which were imported without an end; %d of these come to what the workflow calls an end, and are in no inbox\n", unended, resting); err != nil {
			return err
		}
	}
	if supposed > 0 {
		if _, err := fmt.Fprintf(w, "alur: not known when they ended: %d of the decided, which were imported without a record of it, and come to what the workflow calls an end\n", supposed); err != nil {
			return err
		}
	}
	return nil
}

func spreadOf(held map[domain.Holder]projections.Spread, by domain.Holder) *projections.Spread {
	if s, ok := held[by]; ok {
		return &s
	}
	return nil
}

func median(s *projections.Spread) string {
	if s == nil {
		return ""
	}
	return strconv.FormatFloat(s.Median, 'f', 2, 64)
}

func p90(s *projections.Spread) string {
	if s == nil {
		return ""
	}
	return strconv.FormatFloat(s.P90, 'f', 2, 64)
}
