package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
)

type discoverFlags struct {
	id, role string
	holdout  float64
	asJSON   bool
}

func newWorkflowDiscover() *cobra.Command {
	var o discoverFlags
	c := &cobra.Command{
		Use:   "discover LOG",
		Short: "Draft a workflow definition from an XES event log, gzip or not; - is standard input",
		Long: `Discover reads an event log and drafts the definition that allows what it saw: an
action for each activity, a transition for each order, a role for each resource
(or role or group, with --role). The draft replays the log; it is a start for
somebody who knows the service, not a finished workflow.

What else the log shows is reported beside it: what is done again, what is done
side by side, who does what, how long it takes; and how good the draft is: its
fitness (the share of the cases that it replays) and its precision (how little else
it allows). With --holdout a share of the cases, chosen by their names, is not
learnt from and measured by itself.`,
		Example: `  alur workflow discover receipt.xes.gz > receipt.yaml
  alur workflow discover receipt.xes.gz --holdout 0.5 > receipt.yaml`,
		Args: func(c *cobra.Command, args []string) error {
			if !slices.Contains(workflows.RoleAttributes(), o.role) {
				return fmt.Errorf("--role %q: want one of %s", o.role, strings.Join(workflows.RoleAttributes(), ", "))
			}
			if !(o.holdout >= 0 && o.holdout < 1) {
				return fmt.Errorf("--holdout %v: want a share from 0 to less than 1, such as 0.5", o.holdout)
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return discover(c, args[0], o) },
	}
	jsonFlag(c, &o.asJSON)
	c.Flags().StringVar(&o.id, "id", "", "`ID` of the definition; by default the name of the file")
	c.Flags().StringVar(&o.role, "role", "org:resource", "event `ATTRIBUTE` that becomes the roles: "+strings.Join(workflows.RoleAttributes(), ", "))
	c.Flags().Float64Var(&o.holdout, "holdout", 0, "`SHARE` of the cases that is not learnt from but measured by itself, such as 0.5")
	return c
}

func discover(c *cobra.Command, path string, o discoverFlags) error {
	name := filepath.Base(shownAs(path))
	if o.id == "" {
		o.id = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".xes")
	}
	draft, err := discovery.Learn(discovery.Part(readLog(path), o.holdout, false), discovery.Options{ID: workflows.Slug(o.id), Role: o.role})
	if errors.Is(err, discovery.ErrEmptyLog) && o.holdout > 0 {
		return fmt.Errorf("%w, or none that --holdout %v leaves to learn from", err, o.holdout)
	}
	if err != nil {
		return err
	}
	source, err := draft.Write(name)
	if err != nil {
		return err
	}
	quality, err := measure(path, draft, o.holdout)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(c.OutOrStdout(), struct {
			*discovery.Draft
			Quality    *discovery.Measured `json:"quality"`
			Definition string              `json:"definition"`
		}{draft, quality, string(source)})
	}
	if _, err := c.OutOrStdout().Write(source); err != nil {
		return err
	}
	c.PrintErrf("alur: learnt from %d cases and %d events: %d activities, %d resources, %d roles\n",
		draft.Cases, draft.Events, draft.Activities, draft.Resources, draft.Roles)
	if nameless := draft.Nameless(); nameless != "" {
		c.PrintErrf("alur: %s\n", nameless)
	}
	return discoverReport(c.ErrOrStderr(), draft.Learnt, quality)
}

// readLog reads a log from its beginning, each time it is ranged over.
func readLog(path string) iter.Seq2[workflows.Trace, error] {
	return func(yield func(workflows.Trace, error) bool) {
		if path == standardInput {
			xes.Read(shownAs(path), os.Stdin)(yield)
			return
		}
		f, err := openFile(path, "*.xes.gz", asInput)
		if err != nil {
			yield(workflows.Trace{}, err)
			return
		}
		defer f.Close()
		xes.Read(path, f)(yield)
	}
}

// measure reads the log a second time: only the whole of it says what the draft
// is. It is nil for what cannot be read twice, which is standard input.
func measure(path string, draft *discovery.Draft, holdout float64) (*discovery.Measured, error) {
	if path == standardInput {
		return nil, nil
	}
	m, err := discovery.Measure(draft.Definition, readLog(path), holdout)
	if err == nil && (m.Learnt.Cases != draft.Cases || m.Learnt.Events != draft.Events) {
		err = fmt.Errorf("%s changed while it was read: %d cases and then %d", path, draft.Cases, m.Learnt.Cases)
	}
	return &m, err
}
