package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/erasure"
)

type eraseFlags struct {
	subjectFlags
	ground, note, by, id string
	asJSON               bool
}

func newSubjectErase() *cobra.Command {
	var o eraseFlags
	c := &cobra.Command{
		Use:   "erase --ground GROUND --note TEXT --by OFFICER",
		Short: "Destroy the keys of one person's data, on a legal ground",
		Long: `Erase makes a person's data unreadable for ever, in this log and in all its copies
and backups, by destroying the keys that it is sealed under. The events stay, and
so do their order, their hashes and the states they lead to.

What the retention schedule of a workflow keeps longer is not erased, and neither
is what an open request rests on: erase says what was kept, why, and until when.
While a mandate of the person holds, nothing is: end it first (alur mandate end).
Grounds: ` + domain.Listed(domain.Grounds()) + `.
The grounds unlawfully_obtained and court_order stand above the schedule.

The erasure is recorded as an event: which keys, on which ground, by whom; not
whose they were.

A SQLite log has one writing process: stop alur serve first.
` + keysFirst + whose,
		Example: `  alur subject erase --ground subject_request --note "letter 12/2026" --by officer-3 < identity.txt`,
		Args: func(c *cobra.Command, args []string) error {
			if o.id != "" {
				if _, err := uuid.Parse(o.id); err != nil {
					return fmt.Errorf("--id %q: want the id that was printed", o.id)
				}
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error { return o.erase(c) },
	}
	o.add(c)
	jsonFlag(c, &o.asJSON)
	c.Flags().StringVar(&o.ground, "ground", "", "the legal `GROUND`")
	c.Flags().StringVar(&o.note, "note", "", "where the decision is on file (`TEXT`, kept in the clear: nothing personal)")
	c.Flags().StringVar(&o.by, "by", "", "pseudonym of the `OFFICER` who erases")
	c.Flags().StringVar(&o.id, "id", "", "repeat the erasure that has this `ID`, after it was cut off")
	required(c, "ground", "note", "by")
	return c
}

func (o *eraseFlags) erase(c *cobra.Command) error {
	id, err := uuid.NewV7()
	if o.id != "" {
		id, err = uuid.Parse(o.id)
	}
	if err != nil {
		return err
	}
	actor := domain.Actor{ID: o.by, Role: "data-protection", Capacity: domain.CapacityOfficer}
	if err := errors.Join(domain.SubjectErased{Ground: domain.Ground(o.ground), Note: o.note}.Check(), actor.Check()); err != nil {
		return err // before anybody is asked whose data it is
	}
	var done erasure.Erased
	err = withHouse(c, o.stores, func(ctx context.Context, h *house) error {
		c.PrintErrf("alur: this is erasure %s; if it is cut off, repeat it with --id\n", id)
		if h.trust == 0 { // no other process can be at an erasure
			if err := h.eraser().Resume(ctx); err != nil {
				return err
			}
		}
		if err := h.views.CatchUp(ctx); err != nil { // they find the request of --request
			return err
		}
		s, err := o.subject(c, h)
		if err != nil {
			return err
		}
		done, err = h.eraser().Erase(ctx, erasure.Erasure{
			ID: id, Subject: s, Ground: domain.Ground(o.ground), Note: o.note, Actor: actor,
		})
		if errors.Is(err, domain.ErrNotFound) {
			return &hintError{errors.New("nothing is held of this person here"), "look whether the kind and the number are right, and whether it was erased before"}
		}
		return err
	})
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(c.OutOrStdout(), struct {
			ID uuid.UUID `json:"id"`
			erasure.Erased
		}{id, done})
	}
	rows := [][]string{}
	for _, k := range done.Erased {
		rows = append(rows, []string{"erased", string(k.Class), k.ID.String(), ""})
	}
	for _, k := range done.Kept {
		why, what := "the request is open", string(k.Reference)
		switch {
		case k.Mandate != uuid.Nil:
			why, what = "the mandate holds", "mandate "+k.Mandate.String()
		case !k.Until.IsZero():
			why = fmt.Sprintf("until %s: %s", k.Until.Format(time.DateOnly), k.Ground.EN)
		}
		rows = append(rows, []string{"kept", string(k.Class), what, why})
	}
	return table(c.OutOrStdout(), []string{"WHAT", "CLASS", "KEY, REQUEST OR MANDATE", "WHY"}, rows)
}

func newSubjectRelease() *cobra.Command {
	s := stores{sealing: true, existing: true}
	c := &cobra.Command{
		Use:   "release ERASURE",
		Short: "Give up an erasure that was begun and is not recorded",
		Long: `Release gives the keys back that an erasure has marked, when it was cut off before it
was recorded and is not wanted any more. alur keys list shows such keys as erasing,
with the id of the erasure. Nobody may be carrying it out at this moment.

A SQLite log has one writing process: stop alur serve first.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return fmt.Errorf("%q is not the id of an erasure", args[0])
			}
			return withHouse(c, s, func(ctx context.Context, h *house) error { return h.eraser().Release(ctx, id) })
		},
	}
	s.flags(c)
	s.kekFlag(c)
	return c
}
