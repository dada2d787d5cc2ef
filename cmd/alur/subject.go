package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/erasure"
)

// subjectFlags say whose personal data is meant.
type subjectFlags struct {
	stores    stores
	reference string
}

const whose = `
Whose data it is, is told on standard input, so that the number stands in no
list of processes and no history: one line such as nik:, nib: or passport: and
the number. The data of a request that was made without an identity belongs to
that request alone: name it with --request.`

// keysFirst says where keys come from.
const keysFirst = `
It needs the key-encryption key that the data was sealed under (--kek). Before
anything was sealed there is none: alur serve makes it beside a file when it first
runs; for PostgreSQL, alur keys new --kek FILE does.
`

func (o *subjectFlags) add(c *cobra.Command) {
	o.stores.sealing, o.stores.existing = true, true
	o.stores.flags(c)
	o.stores.kekFlag(c)
	c.Flags().StringVar(&o.reference, "request", "", "the `REFERENCE` of a request that was made without an identity")
}

// subject reads whose data is meant.
func (o *subjectFlags) subject(c *cobra.Command, h *house) (domain.SubjectID, error) {
	if o.reference != "" {
		r, err := h.find(c.Context(), o.reference)
		if err != nil {
			return "", err
		}
		return h.vault.Subject(workflows.RequestSubject(r.ID)), nil
	}
	in := c.InOrStdin()
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.PrintErr("alur: whose data? one line, such as nik: and the number: ")
	}
	line, err := io.ReadAll(io.LimitReader(in, 200))
	if err != nil {
		return "", err
	}
	identity, err := domain.ParseIdentity(strings.TrimSpace(string(line)))
	if err != nil {
		return "", err
	}
	return h.vault.Subject(string(identity)), nil
}

// exported is all that is held of one subject.
type exported struct {
	Subject  domain.SubjectID  `json:"subject"` // stands for the person; says nothing to others
	Exported time.Time         `json:"exported"`
	Keys     []exportedKey     `json:"keys"`
	Requests []exportedRequest `json:"requests"`
}

type exportedKey struct {
	ID    uuid.UUID             `json:"id"`
	Class domain.RetentionClass `json:"class"`
	State domain.KeyState       `json:"state"`
}

type exportedRequest struct {
	shown
	Events []exportedEvent `json:"events"`
}

// exportedEvent is one event as its subject reads it: what audit shows, but for who
// of the staff did it.
type exportedEvent struct {
	Version  domain.Version      `json:"version"`
	Event    string              `json:"event"`
	Occurred time.Time           `json:"occurred"`
	Action   domain.ActionID     `json:"action,omitempty"`
	To       domain.StateID      `json:"to,omitempty"`
	Public   domain.PublicStatus `json:"public_status,omitempty"`
	Reason   domain.ReasonCode   `json:"reason,omitempty"`
	Body     domain.Body         `json:"body,omitempty"`
	Personal domain.Personal     `json:"personal,omitempty"`
	Withheld bool                `json:"remark_withheld,omitempty"` // there is one, for those who work on the request
}

// remark is the key of a remark among what is sealed.
const remark = "remark"

func newSubjectExport() *cobra.Command {
	var o subjectFlags
	var remarks bool
	c := &cobra.Command{
		Use:   "export",
		Short: "Print all that is held of one person, as JSON",
		Long: `Export opens what is sealed of one person and prints it with the requests that it
belongs to: what each has gathered, every event, and the personal data in it. It
can be run beside the process that writes.

What it prints may be handed to the person. A remark of the staff is written for
those who work on the request: that there is one is told, and not what it says.
Whoever has to judge whether it is to be disclosed sees it with --remarks.
` + keysFirst + whose,
		Example: `  alur subject export --db alur.db < identity.txt > held.json`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var out exported
			err := withExisting(c, o.stores, func(ctx context.Context, h *house) error {
				s, err := o.subject(c, h)
				if err != nil {
					return err
				}
				out, err = h.export(ctx, s, remarks)
				return err
			})
			if err != nil {
				return err
			}
			return printJSON(c.OutOrStdout(), out)
		},
	}
	o.add(c)
	c.Flags().BoolVar(&remarks, "remarks", false, "with what the staff remarked: not to be handed out unread")
	return c
}

// export opens everything that is sealed for a subject; remarks of the staff only
// where they are asked for.
func (h *house) export(ctx context.Context, s domain.SubjectID, remarks bool) (exported, error) {
	out := exported{Subject: s, Exported: time.Now().UTC(), Keys: []exportedKey{}, Requests: []exportedRequest{}}
	var keys []uuid.UUID
	for k, err := range h.vault.All(ctx, s) {
		if err != nil {
			return exported{}, err
		}
		out.Keys = append(out.Keys, exportedKey{k.ID, k.Class, k.State})
		keys = append(keys, k.ID)
	}
	held, err := erasure.HeldUnder(ctx, h.log, keys)
	if err != nil {
		return exported{}, err
	}
	seen := map[uuid.UUID]bool{}
	for _, k := range keys {
		for _, id := range held.Requests[k] {
			if seen[id] {
				continue
			}
			seen[id] = true
			one, err := h.exportRequest(ctx, id, remarks)
			if err != nil {
				return exported{}, err
			}
			out.Requests = append(out.Requests, one)
		}
	}
	if len(out.Keys) == 0 {
		return exported{}, &hintError{errors.New("nothing is held of this person here"), "look whether the kind and the number are right, and whether it was erased"}
	}
	return out, nil
}

func (h *house) exportRequest(ctx context.Context, id uuid.UUID, remarks bool) (exportedRequest, error) {
	r, err := h.engine.Load(ctx, id)
	if err != nil {
		return exportedRequest{}, err
	}
	var by *workflows.Definition
	if w, err := h.library.Version(ctx, r.Tenant, r.Workflow); err == nil {
		by = w.Definition
	} // a definition that is damaged takes nothing from a person but the titles
	one := exportedRequest{shown: show(r, by)}
	for _, stream := range []string{domain.RequestStream(id), domain.NoticeStream(id)} {
		for e, err := range domain.Events(h.log.ReadStream(ctx, stream, 0)) {
			if err != nil {
				return exportedRequest{}, err
			}
			x := exportedOf(lineOf(e))
			if e.Box != nil {
				if x.Personal, err = h.vault.Open(ctx, *e.Box, e.Place()); err != nil {
					return exportedRequest{}, fmt.Errorf("%s of request %s, version %d: %w", domain.StreamKind(stream), r.Reference, e.Version, err)
				}
			}
			if _, there := x.Personal[remark]; there && !remarks && ofStaff(e.Actor) {
				x.Withheld = true
				delete(x.Personal, remark)
			}
			one.Events = append(one.Events, x)
		}
	}
	return one, nil
}

// exportedOf is a line of the audit without who of the staff is named in it. What an
// event says is shown of those types that name nobody; a type that is not listed here
// is not shown.
func exportedOf(l auditLine) exportedEvent {
	x := exportedEvent{Version: l.Version, Event: l.Event, Occurred: l.Occurred, Action: l.Action, To: l.To, Public: l.Public, Reason: l.Reason}
	switch b := l.Body.(type) {
	case domain.RequestMigrated:
		b.Approver = ""
		x.Body = b
	case domain.DocumentAttached, domain.DocumentRefused, domain.CheckAnswered, domain.FeeAssessed, domain.FeePaid, domain.ReviewRequested,
		domain.ReviewGiven, domain.AnswerReported, domain.TaskReady, domain.NoticeDue, domain.RequestCorrected, domain.ChecklistCleared, domain.FactsRecorded,
		domain.TermStarted, domain.TermSuspended, domain.TermResumed, domain.TermExtended, domain.TermRecomputed, domain.TermExpired,
		domain.TermEnded, domain.DecisionDeemed, domain.RequestLapsed, domain.SuspensionOrdered, domain.SuspensionLifted, domain.ReturnConsented,
		domain.TermCarried, domain.TermContinued, domain.TermDropped,
		domain.ApplicantNotified, domain.ApplicantNotNotified, domain.NoticesPreferred, domain.OfficeNotified, domain.OfficeNotNotified:
		x.Body = l.Body
	}
	return x
}

// ofStaff reports whether somebody acts for an office, and not for the applicant.
func ofStaff(a domain.Actor) bool {
	switch a.Capacity {
	case domain.CapacitySelf, domain.CapacityProxy, domain.CapacityProfessional:
		return false
	default:
		return true
	}
}

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
		why := "the request is open"
		if !k.Until.IsZero() {
			why = fmt.Sprintf("until %s: %s", k.Until.Format(time.DateOnly), k.Ground.EN)
		}
		rows = append(rows, []string{"kept", string(k.Class), string(k.Reference), why})
	}
	return table(c.OutOrStdout(), []string{"WHAT", "CLASS", "KEY OR REQUEST", "WHY"}, rows)
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
