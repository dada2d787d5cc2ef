package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// queueLine is a queue as it is printed.
type queueLine struct {
	projections.Queue
	Line []projections.Waiting `json:"line,omitempty"`
}

func newQueueList() *cobra.Command {
	var from stores
	var tenant, state string
	var f projections.QueueFilter
	var line, asJSON bool
	limit := 50
	c := &cobra.Command{
		Use:   "list",
		Short: "List the queues of work that is given out: how many wait, how long, how many were taken today",
		Long: `List shows each queue in which somebody waits, or that moved today: that of one
state of a service at an office. With --line, it shows who waits in the queues of
one state, in the order in which they became ready, and by how many that became
ready later each was overtaken. The day is the tenant's. Done is what somebody had
taken and what went on to another state or ended today; what was withdrawn, or ended
by a term, while nobody had it is not counted.`,
		Args: func(c *cobra.Command, args []string) (err error) {
			if f.Tenant, err = domain.ParseTenantCode(tenant); err != nil {
				return err
			}
			f.State = domain.StateID(state)
			switch {
			case line && (f.Service == "" || state == ""):
				return errors.New("--line wants --service and --state")
			case limit < 1:
				return errors.New("--limit: want 1 or more")
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			list := []queueLine{}
			err := withExisting(c, from, func(ctx context.Context, h *house) error {
				queues, err := h.queue.List(ctx, f, h.now())
				for _, q := range queues {
					l := queueLine{Queue: q}
					if line && err == nil {
						l.Line, err = h.queue.Line(ctx, projections.QueueFilter{Tenant: q.Tenant, Service: q.Service, Office: q.Office, State: q.State}, limit)
					}
					list = append(list, l)
				}
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			return printQueues(c, list, line)
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	flags := c.Flags()
	flags.StringVar(&tenant, "tenant", "", "the tenant's `CODE`, such as 11.71")
	flags.StringVar(&f.Service, "service", "", "only this `SERVICE`")
	flags.StringVar(&f.Office, "office", "", "only this `OFFICE`")
	flags.StringVar(&state, "state", "", "only this `STATE`")
	flags.BoolVar(&line, "line", false, "show who waits; wants --service and --state")
	flags.IntVar(&limit, "limit", limit, "at most `N` requests of each queue")
	required(c, "tenant")
	return c
}

func printQueues(c *cobra.Command, list []queueLine, line bool) error {
	var rows [][]string
	head := []string{"SERVICE", "OFFICE", "STATE", "WAITING", "OLDEST", "TAKEN TODAY", "DONE TODAY"}
	if line {
		head = []string{"SERVICE", "OFFICE", "STATE", "POSITION", "REFERENCE", "READY", "OVERTAKEN BY"}
	}
	for _, q := range list {
		if !line {
			rows = append(rows, []string{q.Service, q.Office, string(q.State), strconv.Itoa(q.Waiting), clock(q.Oldest, q.Tenant), strconv.Itoa(q.Taken), strconv.Itoa(q.Done)})
			continue
		}
		for _, w := range q.Line {
			rows = append(rows, []string{q.Service, q.Office, string(q.State), strconv.Itoa(w.Position), string(w.Reference), clock(w.Ready, q.Tenant), strconv.Itoa(w.Overtaken)})
		}
	}
	if err := table(c.OutOrStdout(), head, rows); err != nil {
		return err
	}
	c.PrintErrf("alur: %s\n", count(len(list), "queue"))
	return nil
}
