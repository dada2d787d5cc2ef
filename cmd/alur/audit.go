package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

// auditLine is one event as an auditor reads it.
type auditLine struct {
	Of       string              `json:"of,omitempty"` // the reference, or the stream of what is no request; where there are several
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
	var across auditAcross
	var asJSON bool
	c := &cobra.Command{
		Use:   "audit [REFERENCE]",
		Short: "Show who did what to a request, or what somebody did, when, as what, under which workflow version",
		Long: `Audit lists every event of a request. Without a reference it looks through the
whole log, and lists what was done by an actor, under a mandate, in an office, of a
tenant, in a time, by when it happened; --count counts it for each actor instead. It reads
the log itself, no view.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return across.read()
			}
			if across.any() {
				return errors.New("a REFERENCE goes without flags that look through the whole log")
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return across.show(c, at, asJSON)
			}
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
	across.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

// auditTable prints events, one a row.
func auditTable(w io.Writer, tenant domain.TenantCode, lines []auditLine) error {
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = auditRow(l, tenant)
	}
	return table(w, auditHeader, rows)
}

var auditHeader = []string{"NO", "OCCURRED", "RECORDED", "ACTOR", "ROLE", "CAPACITY", "ACTION", "FROM", "TO", "REASON", "WORKFLOW", "MANDATE"}

func auditRow(l auditLine, tenant domain.TenantCode) []string {
	what := string(l.Action)
	if what == "" {
		what = l.Event
	}
	if l.Body != nil {
		what += " " + oneLine(l.Body)
	}
	return []string{
		strconv.Itoa(int(l.Version)), clock(l.Occurred, tenant), clock(l.Recorded, tenant), l.Actor.ID, string(l.Actor.Role),
		string(l.Actor.Capacity), what, string(l.From), string(l.To), string(l.Reason), judgedBy(l.Workflow), mandateNamed(l.Actor),
	}
}

// judgedBy names the version of a workflow; empty for what has none.
func judgedBy(w domain.WorkflowRef) string {
	if w.ID == "" {
		return ""
	}
	return fmt.Sprintf("%s@%d", w.ID, w.Version)
}

// mandateNamed is the mandate that somebody acted under; empty for none.
func mandateNamed(a domain.Actor) string {
	if a.Mandate == uuid.Nil {
		return ""
	}
	return a.Mandate.String()
}

// oneLine is what an event says, as it is stored.
func oneLine(b domain.Body) string {
	text, err := json.Marshal(b)
	if err != nil {
		return ""
	}
	return string(text)
}
