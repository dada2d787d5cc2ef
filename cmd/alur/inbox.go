package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// inboxFlags are the filters of an inbox.
type inboxFlags struct {
	tenant, role, state string
	before              moment
	projections.InboxFilter
}

func (x *inboxFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&x.tenant, "tenant", "", "the tenant's `CODE`, such as 11.71")
	f.StringVar(&x.Office, "office", "", "only this `OFFICE`")
	f.StringVar(&x.role, "role", "", "only this `ROLE`")
	f.StringVar(&x.Service, "service", "", "only this `SERVICE`")
	f.StringVar(&x.state, "state", "", "only this `STATE`; wants --service")
	f.StringVar(&x.Holder, "holder", "", "only what this person has, by their `PSEUDONYM`")
	f.BoolVar(&x.Free, "free", false, "only what nobody has")
	momentFlag(c, &x.before, "due-before", "only what is due before "+momentForms+"; a date is its first moment in the tenant's zone")
	required(c, "tenant")
}

// read takes the filters from the command line.
func (x *inboxFlags) read() (err error) {
	if x.Tenant, err = domain.ParseTenantCode(x.tenant); err != nil {
		return err
	}
	x.Role, x.State = domain.RoleID(x.role), domain.StateID(x.state)
	x.DueBefore, err = x.before.in(x.Tenant.Zone())
	return err
}

func newInboxList() *cobra.Command {
	var from stores
	var x inboxFlags
	var sort string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the work that waits for officers: whose it is, who has it, until when",
		Long: `List shows one line for the state that each open request stands in, unless its
applicant has to act, and one for each review that it waits for. Awaits are the
reviews for which the work of a state waits: it is others who have to act. Due is by
the term of the state or the review, legal by the term of law. It is a page: what continues
it is told at its end, and --after takes that. Whoever reads on sees each line once
that was there all the time and did not move in the order.`,
		Args: func(c *cobra.Command, args []string) error {
			if err := x.read(); err != nil {
				return err
			}
			x.Sort = projections.InboxOrder(sort)
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var page projections.InboxPage
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				page, err = h.inbox.List(ctx, x.InboxFilter)
				return err
			})
			if errors.Is(err, projections.ErrInbox) {
				return &usageError{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), page)
			}
			rows := make([][]string, len(page.Tasks))
			for i, t := range page.Tasks {
				rows[i] = []string{
					string(t.Reference), t.Service, string(t.State), string(t.Review), awaited(t.Awaits), t.Office, string(t.Role), t.Holder,
					clock(t.Since, t.Tenant), dueOr(t.Due, t.Stopped, t.Tenant), dueOr(t.Legal, t.Halted, t.Tenant),
				}
			}
			if err := table(c.OutOrStdout(), []string{"REFERENCE", "SERVICE", "STATE", "REVIEW", "AWAITS", "OFFICE", "ROLE", "HOLDER", "SINCE", "DUE", "LEGAL"}, rows); err != nil {
				return err
			}
			c.PrintErrf("alur: %s\n", count(len(rows), "task"))
			if page.Next != "" {
				c.PrintErrf("alur: more with --after %s\n", page.Next)
			}
			return nil
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	x.flags(c)
	c.Flags().StringVar(&sort, "sort", string(projections.ByDue), "by `ORDER`: due, the earlier of both due times first; or since, what has waited longest first")
	c.Flags().StringVar(&x.After, "after", "", "continue behind a page: what it said as `NEXT`")
	c.Flags().IntVar(&x.Limit, "limit", 50, fmt.Sprintf("at most `N` tasks, up to %d", projections.MostTasks))
	return c
}

func awaited(reviews []domain.ReviewID) string {
	list := make([]string, len(reviews))
	for i, r := range reviews {
		list[i] = string(r)
	}
	return strings.Join(list, ", ")
}

// dueOr is until when there is time, or why the time stands still.
func dueOr(due time.Time, stopped domain.StopGround, tenant domain.TenantCode) string {
	if stopped != "" {
		return "suspended: " + string(stopped)
	}
	return clock(due, tenant)
}

func newInboxCount() *cobra.Command {
	var from stores
	var x inboxFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "count",
		Short: "Count the work that waits for officers, by service, state, office and role",
		Args: func(c *cobra.Command, args []string) error {
			return cmp.Or(x.read(), cobra.NoArgs(c, args))
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var counts []projections.InboxCount
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				counts, err = h.inbox.Count(ctx, x.InboxFilter, h.now())
				return err
			})
			if errors.Is(err, projections.ErrInbox) {
				return &usageError{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), counts)
			}
			rows, n := make([][]string, len(counts)), 0
			for i, x := range counts {
				rows[i] = []string{x.Service, string(x.State), x.Office, string(x.Role), strconv.Itoa(x.Tasks), strconv.Itoa(x.Free), strconv.Itoa(x.Late), strconv.Itoa(x.Awaits)}
				n += x.Tasks
			}
			if err := table(c.OutOrStdout(), []string{"SERVICE", "STATE", "OFFICE", "ROLE", "TASKS", "FREE", "LATE", "AWAITS"}, rows); err != nil {
				return err
			}
			c.PrintErrf("alur: %s\n", count(n, "task"))
			return nil
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	x.flags(c)
	return c
}
