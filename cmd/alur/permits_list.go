package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

func newPermitsList() *cobra.Command {
	var from stores
	var p period
	var f projections.PermitFilter
	var standing string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List issued permits, and which of them were reopened, revoked or corrected since",
		Args: func(c *cobra.Command, args []string) error {
			f.Standing = projections.PermitStanding(standing)
			switch {
			case standing != "" && !slices.Contains(projections.PermitStandings(), f.Standing):
				return fmt.Errorf("--standing %q: want one of %s", standing, domain.Listed(projections.PermitStandings()))
			case f.Limit < 0:
				return fmt.Errorf("--limit %d: want 0 or more", f.Limit)
			}
			if err := p.read(); err != nil {
				return err
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var list []projections.Permit
			f.Tenant, f.Since, f.Until = p.of, p.sinceTime, p.untilEnd
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				list, err = h.permits.List(ctx, f)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			rows := make([][]string, len(list))
			for i, x := range list {
				rows[i] = []string{
					string(x.Reference), string(x.Tenant), x.Service, x.Office, clock(x.Issued, x.Tenant), string(x.Ground),
					string(x.Standing), clock(x.Changed, x.Tenant), clock(x.Corrected, x.Tenant), strconv.Itoa(x.Times),
				}
			}
			if err := table(c.OutOrStdout(), []string{"REFERENCE", "TENANT", "SERVICE", "OFFICE", "ISSUED", "BY LAW", "STANDING", "SINCE", "CORRECTED", "TIMES"}, rows); err != nil {
				return err
			}
			c.PrintErrf("alur: %s\n", count(len(list), "permit"))
			return nil
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	p.flags(c, "what was issued")
	flags := c.Flags()
	flags.StringVar(&f.Service, "service", "", "only this `SERVICE`")
	flags.StringVar(&standing, "standing", "", "only those in this `STANDING`: "+domain.Listed(projections.PermitStandings()))
	flags.BoolVar(&f.ByLaw, "by-law", false, "only those that the law granted, because nobody decided in time")
	flags.IntVar(&f.Limit, "limit", 0, "at most `N` permits; 0 is all")
	return c
}
