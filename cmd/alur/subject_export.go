package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/erasure"
)

// exported is all that is held of one subject.
type exported struct {
	Subject  domain.SubjectID  `json:"subject"` // stands for the person; says nothing to others
	Exported time.Time         `json:"exported"`
	Keys     []exportedKey     `json:"keys"`
	Requests []exportedRequest `json:"requests"`
	Mandates []exportedMandate `json:"mandates"` // that the person gave
}

// exportedMandate is a mandate as whoever gave it reads it.
type exportedMandate struct {
	ID     uuid.UUID         `json:"id"`
	Tenant domain.TenantCode `json:"tenant"`
	domain.MandateGranted
	Granted  time.Time         `json:"granted"`
	End      domain.MandateEnd `json:"end,omitempty"`
	Ended    time.Time         `json:"ended,omitzero"`
	Personal domain.Personal   `json:"personal,omitempty"`
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
	Mandate  uuid.UUID           `json:"mandate,omitzero"` // of the person, that it was done under
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
	out := exported{Subject: s, Exported: time.Now().UTC(), Keys: []exportedKey{}, Requests: []exportedRequest{}, Mandates: []exportedMandate{}}
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
		for _, id := range held.Mandates[k] {
			one, err := h.exportMandate(ctx, id)
			if err != nil {
				return exported{}, err
			}
			out.Mandates = append(out.Mandates, one)
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

func (h *house) exportMandate(ctx context.Context, id uuid.UUID) (one exportedMandate, err error) {
	var m domain.Mandate
	for e, err := range domain.Events(h.log.ReadStream(ctx, domain.MandateStream(id), 0)) {
		if err != nil {
			return one, err
		}
		if m = domain.EvolveMandate(m, e); e.Box == nil {
			continue
		}
		if one.Personal, err = h.vault.Open(ctx, *e.Box, e.Place()); err != nil {
			return one, fmt.Errorf("mandate %s: %w", id, err)
		}
	}
	one.ID, one.Tenant, one.MandateGranted, one.Granted, one.End, one.Ended = m.ID, m.Tenant, m.MandateGranted, m.Granted, m.End, m.Ended
	return one, nil
}

// exportedOf is a line of the audit without who of the staff is named in it. What an
// event says is shown of those types that name nobody; a type that is not listed here
// is not shown.
func exportedOf(l auditLine) exportedEvent {
	x := exportedEvent{Version: l.Version, Event: l.Event, Occurred: l.Occurred, Action: l.Action, To: l.To, Public: l.Public, Reason: l.Reason, Mandate: l.Actor.Mandate}
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
