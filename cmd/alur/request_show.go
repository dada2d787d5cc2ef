package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// shown is a request as the reading verbs print it.
type shown struct {
	Reference domain.Reference    `json:"reference"`
	Request   string              `json:"request"`
	Tenant    domain.TenantCode   `json:"tenant"`
	Service   string              `json:"service"`
	Workflow  domain.WorkflowRef  `json:"workflow"`
	State     domain.StateID      `json:"state"`
	Public    domain.PublicStatus `json:"public_status"`
	Outcome   domain.Outcome      `json:"outcome,omitempty"`
	Facts     domain.Facts        `json:"facts,omitempty"`
	Imported  *domain.Imported    `json:"imported,omitempty"`
	Submitted time.Time           `json:"submitted"`
	Changed   time.Time           `json:"changed"`
	Version   domain.Version      `json:"version"`
	Dossier   workflows.Gathered  `json:"dossier"`
	Actions   []domain.ActionID   `json:"actions,omitempty"` // possible now
	Stalled   string              `json:"stalled,omitempty"` // why what should follow by itself does not
}

// show is a request as it stands. The definition gives the titles of what it has
// gathered; nil gives none.
func show(r domain.Request, by *workflows.Definition) shown {
	return shown{
		Reference: r.Reference, Request: r.ID.String(), Tenant: r.Tenant, Service: r.Service, Workflow: r.Workflow,
		State: r.State, Public: r.Public, Outcome: r.Outcome, Facts: r.Facts, Imported: r.Imported,
		Submitted: r.Submitted, Changed: r.Changed, Version: r.Version, Dossier: workflows.Gather(r.Dossier, by),
	}
}

// rows are the request as a two-column table.
func (s shown) rows() [][]string {
	rows := [][]string{
		{"reference", string(s.Reference)},
		{"tenant", string(s.Tenant)},
		{"service", s.Service},
		{"workflow", s.Workflow.ID + " version " + strconv.Itoa(s.Workflow.Version)},
		{"state", string(s.State)},
		{"status", string(s.Public)},
		{"outcome", string(s.Outcome)},
		{"submitted", clock(s.Submitted, s.Tenant)},
		{"changed", clock(s.Changed, s.Tenant)},
		{"version", strconv.Itoa(int(s.Version))},
	}
	if s.Imported != nil {
		rows = append(rows, []string{"case", s.Imported.Case}, []string{"due", clock(s.Imported.Due, s.Tenant)}, []string{"ended", clock(s.Imported.Ended, s.Tenant)})
	}
	for _, name := range sortedKeys(s.Facts) {
		value, err := json.Marshal(s.Facts[name])
		if err != nil {
			value = []byte("?")
		}
		rows = append(rows, []string{"fact " + name, string(value)})
	}
	rows = append(rows, gathered(s.Dossier)...)
	if s.Stalled != "" {
		rows = append(rows, []string{"stalled", s.Stalled})
	}
	for _, a := range s.Actions {
		rows = append(rows, []string{"possible", string(a)})
	}
	return rows
}

// gathered is a dossier as rows of such a table. What is not there is not shown.
func gathered(g workflows.Gathered) [][]string {
	var rows [][]string
	for _, x := range g.Documents {
		value := "number " + strconv.Itoa(x.Number)
		if x.Refused {
			value += ", refused: " + string(x.Reason)
		}
		rows = append(rows, []string{"document " + string(x.Document), value})
	}
	for _, x := range g.Checks {
		rows = append(rows, []string{"check " + string(x.Checklist) + "/" + string(x.Item), map[bool]string{true: "yes", false: "no"}[x.Yes]})
	}
	for _, x := range g.Fees {
		value := fmt.Sprintf("Rp %d, received Rp %d", x.Amount, x.Received)
		if x.Stale {
			value += ", to be assessed anew"
		}
		rows = append(rows, []string{"fee " + string(x.Fee), value})
	}
	for _, x := range g.Reviews {
		value := string(x.Opinion)
		if x.Reason != "" {
			value += ": " + string(x.Reason)
		}
		rows = append(rows, []string{"review " + string(x.Review), value})
	}
	for _, x := range g.Answers {
		rows = append(rows, []string{"answer of " + string(x.System), x.Outcome})
	}
	switch {
	case g.Picked:
		rows = append(rows, []string{"work", "taken"})
	case g.Offered:
		rows = append(rows, []string{"work", "offered"})
	}
	for _, id := range g.Told {
		rows = append(rows, []string{"announced", string(id)})
	}
	return rows
}

func newRequestShow() *cobra.Command {
	var at stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "show REFERENCE",
		Short: "Show where a request stands and what may be done",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var s shown
			err := withExisting(c, at, func(ctx context.Context, h *house) error {
				r, err := h.find(ctx, args[0])
				if err != nil {
					return err
				}
				w, err := h.library.Version(ctx, r.Tenant, r.Workflow)
				if err != nil {
					return err
				}
				s = show(r, w.Definition)
				s.Actions = w.Leaving(r.State)
				var refusal *domain.Refusal
				if _, err := w.Next(r); errors.As(err, &refusal) {
					s.Stalled = refusal.Error()
				}
				return nil
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), s)
			}
			return table(c.OutOrStdout(), []string{"FIELD", "VALUE"}, s.rows())
		},
	}
	at.flags(c)
	jsonFlag(c, &asJSON)
	return c
}
