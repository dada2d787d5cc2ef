package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// auditAcross is what is looked for in the whole log.
type auditAcross struct {
	period period
	actor  string
	under  string
	office string
	limit  int
	count  bool

	mandate uuid.UUID // of under
}

func (a *auditAcross) flags(c *cobra.Command) {
	a.period.flags(c, "what happened")
	c.Flags().StringVar(&a.actor, "actor", "", "only what this `ACTOR` did, a pseudonym")
	c.Flags().StringVar(&a.under, "mandate", "", "only what was done under this `MANDATE`, by its id")
	c.Flags().StringVar(&a.office, "office", "", "only what was done at this `OFFICE`")
	c.Flags().IntVar(&a.limit, "limit", 0, "at most the first `N` events; 0 is all")
	c.Flags().BoolVar(&a.count, "count", false, "count it for each actor, role and capacity")
}

func (a *auditAcross) any() bool {
	return a.actor != "" || a.under != "" || a.office != "" || a.limit != 0 || a.count || a.period.tenant != "" || a.period.since.given() || a.period.until.given()
}

// read reads the flags, of which there have to be some.
func (a *auditAcross) read() (err error) {
	switch {
	case a.limit < 0:
		return errors.New("--limit: want 0 or more")
	case a.limit > 0 && a.count:
		return errors.New("--count counts everything: it goes without --limit")
	case !a.any():
		return errors.New("alur audit wants a REFERENCE, or at least one of --actor, --mandate, --office, --tenant, --since, --until, --count")
	}
	if a.under != "" {
		if a.mandate, err = uuid.Parse(a.under); err != nil || a.mandate == uuid.Nil {
			return fmt.Errorf("--mandate %q is not the id of a mandate", a.under)
		}
	}
	return a.period.read()
}

// takes reports whether an event is looked for.
func (a *auditAcross) takes(e domain.Recorded) bool {
	p := &a.period
	return (a.actor == "" || e.Actor.SamePerson(a.actor)) && (a.under == "" || e.Actor.Mandate == a.mandate) && (a.office == "" || e.Office == a.office) && (p.of == "" || e.Tenant == p.of) &&
		!e.Occurred.Before(p.sinceTime) && (!p.until.given() || e.Occurred.Before(p.untilEnd))
}

// didCount is how much an actor did, as what.
type didCount struct {
	Actor   domain.Actor `json:"actor"`
	Events  int          `json:"events"`
	Actions int          `json:"actions"` // of the events: those that are ActionTaken
}

func (a *auditAcross) show(c *cobra.Command, at stores, asJSON bool) (err error) {
	at.readOnly = true
	log, _, err := at.openLog(c.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if a.count {
		return a.showCounts(c, log, asJSON)
	}
	lines, tenants, err := a.find(c.Context(), log)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), lines)
	}
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = append([]string{l.Of}, auditRow(l, tenants[i])...)
	}
	if err := table(c.OutOrStdout(), append([]string{"OF"}, auditHeader...), rows); err != nil {
		return err
	}
	c.PrintErrf("alur: %s\n", count(len(lines), "event"))
	return nil
}

// find lists what is looked for, in the order of the log, and of which tenant each is.
func (a *auditAcross) find(ctx context.Context, log domain.EventLog) ([]auditLine, []domain.TenantCode, error) {
	lines, tenants, names := []auditLine{}, []domain.TenantCode{}, map[string]string{}
	for e, err := range domain.Events(log.ReadAll(ctx, 0)) {
		if err != nil {
			return nil, nil, err
		}
		if !a.takes(e) {
			continue
		}
		l := lineOf(e)
		if projections.RequestOf(e.Stream) == "" && domain.StreamKind(e.Stream) != "mandate" {
			l.Body = nil // a whole definition, or a decree
		}
		if l.Of = names[e.Stream]; l.Of == "" {
			if l.Of, err = calledIn(ctx, log, e.Stream); err != nil {
				return nil, nil, err
			}
			names[e.Stream] = l.Of
		}
		lines, tenants = append(lines, l), append(tenants, e.Tenant)
		if len(lines) == a.limit {
			break
		}
	}
	return lines, tenants, nil
}

// calledIn is the reference of the request that a stream is of, or the stream's own name.
func calledIn(ctx context.Context, log domain.EventLog, stream string) (string, error) {
	for e, err := range domain.Events(log.ReadStream(ctx, stream, 0)) {
		if err != nil {
			return "", err
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok {
			return string(b.Reference), nil
		}
		break
	}
	return stream, nil
}

func (a *auditAcross) showCounts(c *cobra.Command, log domain.EventLog, asJSON bool) error {
	counts := map[domain.Actor]didCount{}
	for e, err := range domain.Events(log.ReadAll(c.Context(), 0)) {
		if err != nil {
			return err
		}
		if !a.takes(e) {
			continue
		}
		by := e.Actor
		by.Mandate = uuid.Nil // under whichever
		n := counts[by]
		n.Actor = by
		n.Events++
		if _, ok := e.Body.(domain.ActionTaken); ok {
			n.Actions++
		}
		counts[by] = n
	}
	list := slices.SortedFunc(maps.Values(counts), func(x, y didCount) int {
		return cmp.Or(cmp.Compare(y.Events, x.Events), cmp.Compare(x.Actor.ID, y.Actor.ID), cmp.Compare(x.Actor.Role, y.Actor.Role), cmp.Compare(x.Actor.Capacity, y.Actor.Capacity))
	})
	if asJSON {
		return printJSON(c.OutOrStdout(), append([]didCount{}, list...))
	}
	rows := make([][]string, len(list))
	for i, n := range list {
		rows[i] = []string{n.Actor.ID, string(n.Actor.Role), string(n.Actor.Capacity), strconv.Itoa(n.Events), strconv.Itoa(n.Actions)}
	}
	return table(c.OutOrStdout(), []string{"ACTOR", "ROLE", "CAPACITY", "EVENTS", "ACTIONS"}, rows)
}
