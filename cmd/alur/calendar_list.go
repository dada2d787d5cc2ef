package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// decreeJSON is a decree as alur calendar list tells it.
type decreeJSON struct {
	Whose     string         `json:"whose"` // a tenant, national, or shipped
	Version   domain.Version `json:"version,omitempty"`
	Number    string         `json:"number"`
	Title     calendar.Text  `json:"title"`
	Source    string         `json:"source"`
	Published string         `json:"published,omitempty"`
	Amends    []string       `json:"amends,omitempty"`
	Repeals   []string       `json:"repeals,omitempty"`
	Covers    []int          `json:"covers,omitempty"`
	Days      int            `json:"days"`
	Rules     int            `json:"rules"`
	Hash      string         `json:"hash,omitempty"`
	By        string         `json:"by,omitempty"`
	Why       string         `json:"why,omitempty"`
	Recorded  time.Time      `json:"recorded,omitzero"`
}

func newDecreeJSON(tenant domain.TenantCode, a workflows.AddedDecree) decreeJSON {
	d := a.Decree
	x := decreeJSON{
		Whose: string(tenant), Version: a.Version, Number: d.Number, Title: d.Title, Source: d.Source, Amends: d.Amends, Repeals: d.Repeals,
		Covers: d.Covers, Days: len(d.Days), Rules: len(d.Rules), Hash: a.Hash, By: a.Actor.ID, Why: a.Why, Recorded: a.At,
	}
	if tenant == "" {
		x.Whose = "national"
	}
	if d.Published != 0 {
		x.Published = d.Published.String()
	}
	return x
}

func newCalendarList() *cobra.Command {
	s := stores{readOnly: true}
	var tenant string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the decrees that the working calendar is made of",
		Long: `List shows the decrees of the nation, with --tenant also those of that tenant, in the
order in which they were recorded; first what every calendar is made upon, which
comes with the program.`,
		Args: func(c *cobra.Command, args []string) error {
			if err := checkTenant(tenant); err != nil {
				return err
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var list []decreeJSON
			for _, d := range calendar.Shipped() {
				x := newDecreeJSON("", workflows.AddedDecree{Decree: d})
				x.Whose = "shipped"
				list = append(list, x)
			}
			err := withCalendars(c, s, func(ctx context.Context, l *workflows.Calendars) error {
				whose := []domain.TenantCode{""}
				if tenant != "" {
					whose = append(whose, domain.TenantCode(tenant))
				}
				for _, w := range whose {
					decrees, err := l.Decrees(ctx, w)
					if err != nil {
						return err
					}
					for _, d := range decrees {
						list = append(list, newDecreeJSON(w, d))
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			rows := make([][]string, len(list))
			for i, d := range list {
				rows[i] = d.row(domain.TenantCode(tenant))
			}
			return table(c.OutOrStdout(), []string{"WHOSE", "NO", "NUMBER", "PUBLISHED", "COVERS", "DAYS", "CHANGES", "RECORDED", "BY", "WHY"}, rows)
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&tenant, "tenant", "", "also the decrees of this tenant `CODE`, such as 11.71")
	return c
}

func (d decreeJSON) row(tenant domain.TenantCode) []string {
	no := ""
	if d.Version > 0 {
		no = strconv.Itoa(int(d.Version))
	}
	covers := make([]string, len(d.Covers))
	for i, year := range d.Covers {
		covers[i] = strconv.Itoa(year)
	}
	return []string{
		d.Whose, no, d.Number, d.Published, strings.Join(covers, " "), strconv.Itoa(d.Days),
		strings.Join(append(append([]string{}, d.Amends...), d.Repeals...), ", "), clock(d.Recorded, tenant), d.By, d.Why,
	}
}
