package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Mailbox is where those are written to who have a role at a tenant.
type Mailbox struct {
	Tenant   domain.TenantCode
	Role     domain.RoleID
	Services []string // none: all
	Address  string   // e-mail
}

// Offices tells offices that terms run out, and what their workflows have a text for, and
// records what became of each message, in the log. It is safe for concurrent use.
type Offices struct {
	Engine    *workflows.Engine
	Gateway   Gateway
	Mailboxes []Mailbox
}

// Due are the messages by which an office is to be told of an event; none where there is
// nothing to tell. Where no mailbox is known of those who are to be told, it records that.
func (o *Offices) Due(ctx context.Context, e domain.Recorded) ([]uuid.UUID, error) {
	t, ok, err := o.telling(ctx, e)
	if err != nil || !ok {
		return nil, err
	}
	var due []uuid.UUID
	for _, address := range o.addresses(t) {
		due = append(due, domain.OfficeMessageID(e.ID, address))
	}
	if len(due) == 0 {
		return nil, o.record(ctx, t, o.message(t, domain.OfficeMessageID(e.ID, ""), 0), domain.NoticeUnaddressed)
	}
	return due, nil
}

func (o *Offices) telling(ctx context.Context, e domain.Recorded) (workflows.OfficeTelling, bool, error) {
	request, ok := requestOf(e.Stream)
	if !ok {
		return workflows.OfficeTelling{}, false, nil
	}
	return o.Engine.OfficeTelling(ctx, request, e)
}

// addresses are the mailboxes of those who are to be told.
func (o *Offices) addresses(t workflows.OfficeTelling) []string {
	var list []string
	for _, m := range o.Mailboxes {
		fits := m.Tenant == t.Request.Tenant && m.Role == t.Role && (len(m.Services) == 0 || slices.Contains(m.Services, t.Request.Service))
		if fits && !slices.Contains(list, m.Address) {
			list = append(list, m.Address)
		}
	}
	return list
}

// Send sends a message of [Offices.Due] about an event, unless it was sent, and records
// it. One to a mailbox that is no longer named is recorded as given up.
func (o *Offices) Send(ctx context.Context, e domain.Recorded, message uuid.UUID, failed int) error {
	t, ok, err := o.telling(ctx, e)
	if err != nil || !ok {
		return err
	}
	notices, err := o.Engine.Notices(ctx, t.Request.ID)
	if err != nil {
		return err
	}
	if sent, _ := notices.OfficeTold(message); sent {
		return nil // and the process died before it noted that
	}
	m := o.message(t, message, failed+1)
	for _, address := range o.addresses(t) {
		if domain.OfficeMessageID(e.ID, address) != message {
			continue
		}
		l := writeOffice(t)
		l.ID, l.To = message, address
		if err := o.Gateway.Send(ctx, l); err != nil {
			return err
		}
		return o.record(context.WithoutCancel(ctx), t, m, "")
	}
	return o.record(ctx, t, m, domain.NoticeUnaddressed)
}

// GiveUp records that a message was not sent after all attempts, and why.
func (o *Offices) GiveUp(ctx context.Context, e domain.Recorded, message uuid.UUID, failed int, fault error) error {
	t, ok, err := o.telling(ctx, e)
	if err != nil || !ok {
		return err
	}
	return o.record(ctx, t, o.message(t, message, failed), domain.FaultOf(fault))
}

func (o *Offices) message(t workflows.OfficeTelling, id uuid.UUID, attempts int) domain.OfficeMessage {
	m := domain.OfficeMessage{ID: id, Event: t.Event.ID, Version: t.Event.Version, Role: t.Role, Attempts: attempts}
	switch b := t.Event.Body.(type) {
	case domain.TermReminded:
		m.Term = b.Term
	case domain.TermEscalated:
		m.Term = b.Term
	case domain.NoticeDue:
		m.Notice = b.Notice
	}
	return m
}

func (o *Offices) record(ctx context.Context, t workflows.OfficeTelling, m domain.OfficeMessage, fault domain.NoticeFault) error {
	return insist(ctx, func(ctx context.Context) error { return o.Engine.RecordOffice(ctx, t, m, fault) })
}

// officeWords are what a message to an office says.
var officeWords = struct {
	subject, about, reminded, escalated, where, role, look workflows.Text
}{
	subject:   workflows.Text{ID: "%s: %s"},
	about:     workflows.Text{ID: "%s, %s. Permohonan %s.", EN: "%s, %s. Request %s."},
	reminded:  workflows.Text{ID: "Batas waktu \"%s\" akan habis pada %s.", EN: "The time for \"%s\" runs out on %s."},
	escalated: workflows.Text{ID: "Batas waktu \"%s\" habis pada %s, dan pekerjaan belum selesai.", EN: "The time for \"%s\" ran out on %s, and the work is not done."},
	where:     workflows.Text{ID: "Tahap: %s.", EN: "Stage: %s."},
	role:      workflows.Text{ID: "Pesan ini untuk peran \"%s\".", EN: "This message is for the role \"%s\"."},
	look:      workflows.Text{ID: "Lihat kotak masuk; permohonan mungkin sudah berubah sejak itu.", EN: "Look into the inbox; the request may have changed since."},
}

// tells is what happened, in a sentence.
func tells(t workflows.OfficeTelling, lang string) string {
	due := func(r domain.Reckoning) string { return moment(r.Due, t.Request.Tenant, lang) }
	switch b := t.Event.Body.(type) {
	case domain.TermReminded:
		return fmt.Sprintf(officeWords.reminded.In(lang), t.Term.In(lang), due(b.Reckoning))
	case domain.TermEscalated:
		return fmt.Sprintf(officeWords.escalated.In(lang), t.Term.In(lang), due(b.Reckoning))
	}
	if t.Notice == nil {
		return ""
	}
	return t.Notice.Text.In(lang)
}

// writeOffice makes the letter to an office: Indonesian first, then English. It names no
// person and not the reference, which opens the applicant's page for whoever knows it.
func writeOffice(t workflows.OfficeTelling) Letter {
	d := t.Workflow.Definition
	var subject string
	var parts []string
	for _, lang := range []string{"id", "en"} {
		say := func(text workflows.Text, args ...any) string { return fmt.Sprintf(text.In(lang), args...) }
		told := tells(t, lang)
		if subject == "" {
			subject = say(officeWords.subject, d.Title.In(lang), told)
		}
		state := string(t.Request.State)
		if s, ok := t.Workflow.State(t.Request.State); ok {
			state = s.Title.In(lang)
		}
		parts = append(parts, strings.Join([]string{
			say(officeWords.about, d.Title.In(lang), d.Agency.In(lang), t.Request.ID), "",
			when(t.Event.Occurred, t.Request.Tenant, lang), told, say(officeWords.where, state), "",
			say(officeWords.role, t.Role), say(officeWords.look), "",
		}, "\n"))
	}
	return Letter{Language: "id", Subject: subject, Text: strings.Join(parts, "\n--\n")}
}
