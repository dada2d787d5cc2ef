package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/workflows"
)

func newWorkflowDiscover() *cobra.Command {
	var id, role string
	var asJSON bool
	c := &cobra.Command{
		Use:   "discover LOG",
		Short: "Draft a workflow definition from an XES event log, gzip or not",
		Long: `Discover reads an event log and drafts the definition that allows what it saw: an
action for each activity, a transition for each order, a role for each resource
(or role or group, with --role). The draft replays the log; it is a start for
somebody who knows the service, not a finished workflow.`,
		Example: `  alur workflow discover receipt.xes.gz > receipt.yaml`,
		Args: func(c *cobra.Command, args []string) error {
			if !slices.Contains(workflows.RoleAttributes(), role) {
				return fmt.Errorf("--role %q: want one of %s", role, strings.Join(workflows.RoleAttributes(), ", "))
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			name := filepath.Base(args[0])
			if id == "" {
				id = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".xes")
			}
			draft, err := workflows.Discover(xes.Read(args[0], f), workflows.DiscoverOptions{ID: workflows.Slug(id), Role: role})
			if err != nil {
				return err
			}
			source, err := workflows.Write(draft.Definition, draft.Comment(name))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), struct {
					*workflows.Draft
					Definition string `json:"definition"`
				}{draft, string(source)})
			}
			if _, err := c.OutOrStdout().Write(source); err != nil {
				return err
			}
			c.PrintErrf("alur: learnt from %d cases and %d events: %d activities, %d resources, %d roles\n",
				draft.Cases, draft.Events, draft.Activities, draft.Resources, draft.Roles)
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&id, "id", "", "`ID` of the definition; by default the name of the file")
	c.Flags().StringVar(&role, "role", "org:resource", "event `ATTRIBUTE` that becomes the roles: "+strings.Join(workflows.RoleAttributes(), ", "))
	return c
}
