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

func newRequestList() *cobra.Command {
	var from stores
	var tenant, service, state, public string
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List requests in the order they were submitted",
		Args: func(c *cobra.Command, args []string) error {
			_, err := domain.ParseTenantCode(tenant)
			switch {
			case tenant != "" && err != nil:
				return err
			case public != "" && !slices.Contains(domain.PublicStatuses(), domain.PublicStatus(public)):
				return fmt.Errorf("--status %q: want one of %s", public, domain.Listed(domain.PublicStatuses()))
			case limit < 0:
				return fmt.Errorf("--limit %d: want 0 or more", limit)
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var list []projections.Status
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				list, err = h.status.List(ctx, projections.Filter{
					Tenant: domain.TenantCode(tenant), Service: service, State: domain.StateID(state),
					Public: domain.PublicStatus(public), Limit: limit,
				})
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			rows := make([][]string, len(list))
			for i, s := range list {
				rows[i] = []string{
					string(s.Reference), string(s.Tenant), s.Service, string(s.State), string(s.Public),
					clock(s.Submitted, s.Tenant), clock(s.Changed, s.Tenant), strconv.Itoa(int(s.Version)), s.Case, string(s.Punctuality),
				}
			}
			if err := table(c.OutOrStdout(), []string{"REFERENCE", "TENANT", "SERVICE", "STATE", "STATUS", "SUBMITTED", "CHANGED", "VERSION", "CASE", "PUNCTUALITY"}, rows); err != nil {
				return err
			}
			c.PrintErrf("alur: %d requests\n", len(list))
			return nil
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant `CODE`, such as 11.71")
	c.Flags().StringVar(&service, "service", "", "only this `SERVICE`")
	c.Flags().StringVar(&state, "state", "", "only this `STATE`")
	c.Flags().StringVar(&public, "status", "", "only this public `STATUS`")
	c.Flags().IntVar(&limit, "limit", 0, "at most `N` requests; 0 is all")
	return c
}
