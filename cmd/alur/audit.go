package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

// auditLine is one event as an auditor reads it.
type auditLine struct {
	Version  domain.Version      `json:"version"`
	Position domain.Position     `json:"position"`
	Event    string              `json:"event"`
	ID       string              `json:"id"`
	Occurred time.Time           `json:"occurred"`
	Recorded time.Time           `json:"recorded"`
	Actor    domain.Actor        `json:"actor"`
	Office   string              `json:"office"`
	Action   domain.ActionID     `json:"action,omitempty"`
	From     domain.StateID      `json:"from,omitempty"`
	To       domain.StateID      `json:"to"`
	Public   domain.PublicStatus `json:"public_status"`
	Reason   domain.ReasonCode   `json:"reason,omitempty"`
	Body     domain.Body         `json:"body,omitempty"` // of what was added to the dossier, or corrected
	Workflow domain.WorkflowRef  `json:"workflow"`
	Command  string              `json:"command"`
}

func lineOf(e domain.Recorded) auditLine {
	name, _ := e.Body.Type()
	l := auditLine{
		Version: e.Version, Position: e.Position, Event: name, ID: e.ID.String(), Occurred: e.Occurred, Recorded: e.At,
		Actor: e.Actor, Office: e.Office, Workflow: e.Workflow, Command: e.Command.String(),
	}
	switch b := e.Body.(type) {
	case domain.RequestSubmitted:
		l.To, l.Public = b.State, b.Public
	case domain.ActionTaken:
		l.Action, l.From, l.To, l.Public, l.Reason = b.Action, b.From, b.To, b.Public, b.Reason
	default:
		l.Body = e.Body
		if m, moves := domain.MoveOf(e.Body); moves {
			l.From, l.To, l.Public = m.From, m.To, m.Public
		}
	}
	return l
}

func newAudit() *cobra.Command {
	var at stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "audit REFERENCE",
		Short: "Show who did what to a request, when, as what, under which workflow version",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var r domain.Request
			var lines []auditLine
			err := withExisting(c, at, func(ctx context.Context, h *house) (err error) {
				if r, err = h.find(ctx, args[0]); err != nil {
					return err
				}
				_, lines, err = h.replay(ctx, r.ID, func(domain.Recorded) bool { return true })
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), lines)
			}
			return auditTable(c.OutOrStdout(), r.Tenant, lines)
		},
	}
	at.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

// auditTable prints events, one a row.
func auditTable(w io.Writer, tenant domain.TenantCode, lines []auditLine) error {
	rows := make([][]string, len(lines))
	for i, l := range lines {
		what := string(l.Action)
		if what == "" {
			what = l.Event
		}
		if l.Body != nil {
			what += " " + oneLine(l.Body)
		}
		rows[i] = []string{
			strconv.Itoa(int(l.Version)), clock(l.Occurred, tenant), clock(l.Recorded, tenant), l.Actor.ID, string(l.Actor.Role),
			string(l.Actor.Capacity), what, string(l.From), string(l.To), string(l.Reason), fmt.Sprintf("%s@%d", l.Workflow.ID, l.Workflow.Version),
		}
	}
	return table(w, []string{"NO", "OCCURRED", "RECORDED", "ACTOR", "ROLE", "CAPACITY", "ACTION", "FROM", "TO", "REASON", "WORKFLOW"}, rows)
}

// oneLine is what an event says, as it is stored.
func oneLine(b domain.Body) string {
	text, err := json.Marshal(b)
	if err != nil {
		return ""
	}
	return string(text)
}
