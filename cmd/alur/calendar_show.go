package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// yearJSON is a year of a calendar.
type yearJSON struct {
	Tenant      string          `json:"tenant,omitempty"`
	Zone        string          `json:"zone"`
	Version     string          `json:"version"`
	Known       calendar.Period `json:"known"` // of which the holidays are decreed
	Year        int             `json:"year"`
	WorkingDays int             `json:"working_days"`
	Months      []monthJSON     `json:"months"`
}

type monthJSON struct {
	Month       int       `json:"month"`
	WorkingDays int       `json:"working_days"`
	Days        []dayJSON `json:"days"`
}

type dayJSON struct {
	Date        calendar.Date  `json:"date"`
	Hours       []string       `json:"hours"`
	Kind        calendar.Kind  `json:"kind,omitempty"`
	Name        *calendar.Text `json:"name,omitempty"`
	Decree      string         `json:"decree,omitempty"`
	Ramadan     bool           `json:"ramadan,omitempty"`
	Provisional bool           `json:"provisional,omitempty"`

	info calendar.DayInfo
}

func newCalendarShow() *cobra.Command {
	s := stores{readOnly: true}
	var o struct {
		tenant, lang, version string
		year, month           int
		asJSON                bool
	}
	c := &cobra.Command{
		Use:   "show --year YEAR",
		Short: "Show a year of the working calendar, its holidays named",
		Long: `Show prints the months of a year as the nation's decrees have them, with --tenant also
those of that tenant: which days are working days and how many, and what the others
are. A recorded due time names the version of the calendar that it was computed with;
--version shows that one.`,
		Example: `  alur calendar show --year 2026
  alur calendar show --year 2026 --month 3 --tenant 11.71 --lang en`,
		Args: func(c *cobra.Command, args []string) error {
			if err := checkTenant(o.tenant); err != nil {
				return err
			}
			switch {
			case o.lang != "id" && o.lang != "en":
				return fmt.Errorf("--lang %q: want id or en", o.lang)
			case o.year < calendar.MinYear || o.year > calendar.MaxYear:
				return fmt.Errorf("--year %d: want a year from %d to %d", o.year, calendar.MinYear, calendar.MaxYear)
			case o.month < 0 || o.month > 12:
				return fmt.Errorf("--month %d: want 1 to 12", o.month)
			}
			if o.version != "" {
				if _, err := calendar.ParseVersion(o.version); err != nil {
					return fmt.Errorf("--version: %w", err)
				}
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var made *calendar.Calendar
			err := withCalendars(c, s, func(ctx context.Context, l *workflows.Calendars) (err error) {
				if o.version == "" {
					made, err = l.Latest(ctx, domain.TenantCode(o.tenant))
					return err
				}
				v, err := calendar.ParseVersion(o.version)
				if err == nil {
					made, err = l.At(ctx, domain.TenantCode(o.tenant), v)
				}
				return err
			})
			if err != nil {
				return err
			}
			year, err := yearOf(made, o.tenant, o.year, o.month)
			if err != nil {
				return err
			}
			if o.asJSON {
				return printJSON(c.OutOrStdout(), year)
			}
			return printYear(c.OutOrStdout(), year, o.lang)
		},
	}
	s.flags(c)
	jsonFlag(c, &o.asJSON)
	c.Flags().IntVar(&o.year, "year", 0, "the `YEAR`")
	c.Flags().IntVar(&o.month, "month", 0, "only this `MONTH`, 1 to 12")
	c.Flags().StringVar(&o.tenant, "tenant", "", "the calendar of this tenant `CODE`, such as 11.71")
	c.Flags().StringVar(&o.lang, "lang", "id", "`LANGUAGE`: id or en")
	c.Flags().StringVar(&o.version, "version", "", "the calendar as it was in this `VERSION`")
	required(c, "year")
	return c
}

// yearOf is a year of a calendar, or one month of it.
func yearOf(c *calendar.Calendar, tenant string, year, month int) (yearJSON, error) {
	r := c.Range()
	if year < r.From.Year() || year > r.To.Year() {
		return yearJSON{}, fmt.Errorf("year %d: %w", year, &calendar.OutsideError{Range: r})
	}
	y := yearJSON{Tenant: tenant, Zone: c.Zone().String(), Version: c.Version().String(), Known: c.Known(), Year: year}
	for m := time.January; m <= time.December; m++ {
		if month != 0 && time.Month(month) != m {
			continue
		}
		p := calendar.Period{From: calendar.DateOf(year, m, 1), To: calendar.DateOf(year, m+1, 1) - 1}
		x := monthJSON{Month: int(m), WorkingDays: c.WorkingDays(p)}
		for d := p.From; d <= p.To; d++ {
			info, ok := c.Day(d)
			if !ok { // the year in which the calendar begins
				continue
			}
			x.Days = append(x.Days, newDayJSON(info))
		}
		y.WorkingDays += x.WorkingDays
		y.Months = append(y.Months, x)
	}
	return y, nil
}

func newDayJSON(info calendar.DayInfo) dayJSON {
	d := dayJSON{Date: info.Date, Hours: []string{}, Kind: info.Kind, Decree: info.Decree, Ramadan: info.Ramadan, Provisional: info.Provisional, info: info}
	for _, i := range info.Hours {
		d.Hours = append(d.Hours, i.String())
	}
	if info.Kind != "" {
		d.Name = &info.Name
	}
	return d
}
