package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/domain"
)

// withOutbox opens what consumers of the log remember, beside the server, for as long as
// do runs.
func withOutbox(c *cobra.Command, s stores, do func(context.Context, *bus.Store) error) error {
	if err := s.check(); err != nil {
		return err
	}
	if !isPostgres(s.db) {
		path := beside(s.db, "outbox")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return &hintError{fmt.Errorf("there is no outbox %s", path), "alur serve makes it when something goes outward: --nats, --outward"}
		}
	}
	outbox, err := s.openOutbox(c.Context())
	if err != nil {
		return err
	}
	store, err := bus.OpenStore(c.Context(), outbox.writer, outbox.reader, time.Now)
	if err == nil {
		err = do(c.Context(), store)
	}
	return errors.Join(err, outbox.Close())
}

// standing is all that a reactor list shows.
type reactorStanding struct {
	Consumers []bus.Consumer  `json:"consumers"`
	Lanes     []bus.LaneState `json:"lanes"`
	Poisoned  []bus.Poisoned  `json:"poisoned"`
	Sendings  []bus.Sending   `json:"sendings"`
}

const besideServer = `It works beside a running server.`

func newReactorList() *cobra.Command {
	var s stores
	var asJSON, waiting bool
	var limit int
	c := &cobra.Command{
		Use:   "list",
		Short: "List what goes outward, how far it is, and everything that failed",
		Long: `List shows the consumers of the log and how far each has come, the lanes in which
messages to applicants and other systems wait, and everything that failed: events
that a consumer could not handle, and messages that were given up after days of
attempts. Nothing of that is lost: alur reactor retry has it tried again. No address
and nothing personal is shown. ` + besideServer,
		Args: func(c *cobra.Command, args []string) error {
			if limit < 1 {
				return fmt.Errorf("--limit %d: want 1 or more", limit)
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error {
			var all reactorStanding
			err := withOutbox(c, s, func(ctx context.Context, store *bus.Store) (err error) {
				var errs [4]error
				all.Consumers, errs[0] = store.Consumers(ctx)
				all.Lanes, errs[1] = store.LaneStates(ctx)
				all.Poisoned, errs[2] = store.Poisoned(ctx, "")
				all.Sendings, errs[3] = store.Sendings(ctx, "", waiting, limit)
				return errors.Join(errs[:]...)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), all)
			}
			return all.print(c)
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&waiting, "waiting", false, "also list messages that wait for their next attempt")
	c.Flags().IntVar(&limit, "limit", 1000, "at most so many (`N`) messages")
	return c
}

func (a reactorStanding) print(c *cobra.Command) error {
	out := c.OutOrStdout()
	rows := make([][]string, len(a.Consumers))
	for i, x := range a.Consumers {
		rows[i] = []string{x.Name, fmt.Sprint(x.Position), fmt.Sprint(x.Poisoned), x.Holder}
	}
	if err := table(out, []string{"CONSUMER", "POSITION", "FAILED", "AT WORK"}, rows); err != nil {
		return err
	}
	rows = make([][]string, len(a.Lanes))
	for i, x := range a.Lanes {
		state := "well"
		switch {
		case x.Disabled:
			state = "DISABLED"
		case !x.Failing.IsZero():
			state = "failing since " + x.Failing.Format(time.RFC3339)
		}
		rows[i] = []string{x.Name, state, fmt.Sprint(x.Waiting), fmt.Sprint(x.Failed), x.Reason}
	}
	if len(rows) > 0 {
		fmt.Fprintln(out)
		if err := table(out, []string{"LANE", "STATE", "WAITING", "FAILED", "REASON"}, rows); err != nil {
			return err
		}
	}
	rows = nil
	for _, x := range a.Poisoned {
		rows = append(rows, []string{x.Consumer, x.Event.String(), x.Stream, string(x.State), fmt.Sprint(x.Attempts), x.Tried.Format(time.RFC3339), x.Reason})
	}
	for _, x := range a.Sendings {
		tried := ""
		if !x.Tried.IsZero() {
			tried = x.Tried.Format(time.RFC3339)
		}
		rows = append(rows, []string{x.Lane, x.ID.String(), x.Stream, string(x.State), fmt.Sprint(x.Attempts), tried, x.Reason})
	}
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return table(out, []string{"OF", "ID", "STREAM", "STATE", "ATTEMPTS", "TRIED", "REASON"}, rows)
}

// failed names something that failed: a consumer or a lane, and what of it.
type failed struct {
	stores
	name string
	id   uuid.UUID // Nil: all
}

func (f *failed) args(id *string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) (err error) {
		if *id != "" {
			if f.id, err = uuid.Parse(*id); err != nil {
				return fmt.Errorf("--id %q: want an ID as alur reactor list shows it", *id)
			}
		}
		if err := cobra.ExactArgs(1)(c, args); err != nil {
			return err
		}
		f.name = args[0]
		return nil
	}
}

// each does something with the events that a consumer could not handle, and says how many
// there were.
func (f *failed) each(ctx context.Context, store *bus.Store, do func(context.Context, string, uuid.UUID) error) (int, error) {
	list, err := store.Poisoned(ctx, f.name)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, p := range list {
		if f.id != uuid.Nil && p.Event != f.id {
			continue
		}
		if err := do(ctx, p.Consumer, p.Event); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// known reports whether there is a lane of the name; it is an error where there is nothing
// of that name.
func (f *failed) lane(ctx context.Context, store *bus.Store) (bool, error) {
	lanes, err := store.LaneStates(ctx)
	if err != nil {
		return false, err
	}
	var names []string
	for _, l := range lanes {
		if l.Name == f.name {
			return true, nil
		}
		names = append(names, l.Name)
	}
	consumers, err := store.Consumers(ctx)
	if err != nil {
		return false, err
	}
	for _, x := range consumers {
		if x.Name == f.name {
			return false, nil
		}
		names = append(names, x.Name)
	}
	return false, &hintError{fmt.Errorf("there is no consumer and no lane %q", f.name), "there are " + strings.Join(names, ", ")}
}

func newReactorRetry() *cobra.Command {
	var f failed
	var id string
	c := &cobra.Command{
		Use:   "retry NAME",
		Short: "Have what failed tried again, and a disabled lane go on",
		Long: `Retry has everything that failed of a consumer or a lane tried again by whichever
server does its work, soon, or with --id one thing; what waits for its next attempt
is tried at once. A lane that was disabled goes on. Messages keep their ids, so a
receiver knows what it had. ` + besideServer,
		Example: `  alur reactor retry webhook/dinkes
  alur reactor retry notices/email --id 01939d0b-64c8-7000-8000-000000000001`,
		Args: f.args(&id),
		RunE: func(c *cobra.Command, _ []string) error {
			return withOutbox(c, f.stores, func(ctx context.Context, store *bus.Store) error {
				lane, err := f.lane(ctx, store)
				if err != nil {
					return err
				}
				n, err := f.each(ctx, store, store.Retry)
				if err == nil && lane {
					var sendings int
					sendings, err = store.RetrySending(ctx, f.name, f.id)
					if n += sendings; errors.Is(err, domain.ErrNotFound) && n > 0 {
						err = nil // it is of the consumer
					}
				}
				if err == nil && f.id != uuid.Nil && n == 0 {
					err = domain.ErrNotFound
				}
				if errors.Is(err, domain.ErrNotFound) {
					return &hintError{fmt.Errorf("nothing of %s failed or waits with the id %s", f.name, f.id), "alur reactor list --waiting shows what there is"}
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%d to be tried again\n", n)
				return err
			})
		},
	}
	f.flags(c)
	c.Flags().StringVar(&id, "id", "", "only what has this `ID`")
	return c
}

func newReactorSkip() *cobra.Command {
	var f failed
	var id string
	c := &cobra.Command{
		Use:   "skip NAME --id ID",
		Short: "Leave one thing that failed out for good",
		Long: `Skip leaves out for good one event that a consumer could not handle, or one message
that was given up. A consumer that stopped there goes on behind it. That a message to
an applicant was given up stays in the event log. ` + besideServer,
		Args: f.args(&id),
		RunE: func(c *cobra.Command, _ []string) error {
			return withOutbox(c, f.stores, func(ctx context.Context, store *bus.Store) error {
				lane, err := f.lane(ctx, store)
				if err != nil {
					return err
				}
				n, err := f.each(ctx, store, store.Skip)
				if err == nil && n == 0 {
					err = domain.ErrNotFound
					if lane {
						err = store.Drop(ctx, f.name, f.id)
					}
				}
				if errors.Is(err, domain.ErrNotFound) {
					return &hintError{fmt.Errorf("nothing of %s failed with the id %s", f.name, f.id), "alur reactor list shows what failed; what waits is not left out"}
				}
				return err
			})
		},
	}
	f.flags(c)
	c.Flags().StringVar(&id, "id", "", "what has this `ID`")
	required(c, "id")
	return c
}

func newReactorReplay() *cobra.Command {
	var f failed
	var after, until int64
	c := &cobra.Command{
		Use:   "replay webhook/NAME --after POSITION",
		Short: "Send events to a webhook again, from a position of the log",
		Long: `Replay puts the events of the log behind a position into the lane of a webhook once
more, up to where its consumer is, or to --until: for an endpoint that lost what it
had, or is new and wants what was before. Each event keeps its id; those that the
endpoint does not want are left out as they are sent. ` + besideServer,
		Example: `  alur reactor replay webhook/dinkes --after 0`,
		Args: func(c *cobra.Command, args []string) error {
			if after < 0 || until < 0 || until > 0 && until <= after {
				return errors.New("--after, --until: want positions of the log, the first before the second")
			}
			if err := f.args(new(string))(c, args); err != nil {
				return err
			}
			if !strings.HasPrefix(f.name, "webhook/") {
				return fmt.Errorf("%q is no webhook: applicants and other consumers are not told again", f.name)
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			return withOutbox(c, f.stores, func(ctx context.Context, store *bus.Store) error {
				if _, err := f.lane(ctx, store); err != nil {
					return err
				}
				n, err := f.replay(ctx, store, domain.Position(after), domain.Position(until))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%d events to be sent again\n", n)
				return err
			})
		},
	}
	f.flags(c)
	c.Flags().Int64Var(&after, "after", 0, "`POSITION` of the last event that is not to be sent; 0 is before the first")
	c.Flags().Int64Var(&until, "until", 0, "`POSITION` of the last event that is to be sent, instead of where the consumer is")
	required(c, "after")
	return c
}

// replayed is how many events are put into a lane in one transaction.
const replayed = 500

func (f *failed) replay(ctx context.Context, store *bus.Store, after, until domain.Position) (int, error) {
	consumers, err := store.Consumers(ctx)
	if err != nil {
		return 0, err
	}
	at := domain.Position(0)
	for _, x := range consumers {
		if x.Name == f.name {
			at = x.Position
		}
	}
	if until == 0 || until > at {
		until = at // what comes behind is sent in any case
	}
	s := f.stores
	s.readOnly = true
	log, _, err := s.openLog(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	var some []domain.Recorded
	flush := func() error {
		n += len(some)
		err := store.Replay(ctx, f.name, some)
		some = nil
		return err
	}
	for r, err := range domain.Events(log.ReadAll(ctx, after)) {
		if err != nil {
			return n, errors.Join(err, log.Close())
		}
		if r.Position > until {
			break
		}
		if _, ok, err := bus.Outward(r, ""); err != nil || !ok {
			continue
		}
		if some = append(some, r); len(some) == replayed {
			if err := flush(); err != nil {
				return n, errors.Join(err, log.Close())
			}
		}
	}
	return n, errors.Join(flush(), log.Close())
}
