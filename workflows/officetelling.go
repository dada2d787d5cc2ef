package workflows

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// OfficeTelling is what those of an office who have a role are to be told of an event.
type OfficeTelling struct {
	Event    domain.Recorded
	Request  domain.Request // as the event left it
	Workflow *Workflow      // that it was under then
	Role     domain.RoleID  // who is told
	Term     Text           // what the term is called that it is about; zero for none
	Notice   *Notice        // text of the workflow; nil for none
}

// OfficeTelling says what an office is to be told of an event of a request: that a term is about to
// run out or has, as the workflow says whom to tell, and what it has a text for. False
// when nothing is: for other events, for what is told to applicants ([Engine.Telling]),
// and for imported histories, which others told of. Errors are those of the log and the
// library.
func (e *Engine) OfficeTelling(ctx context.Context, request uuid.UUID, ev domain.Recorded) (OfficeTelling, bool, error) {
	t := OfficeTelling{Event: ev}
	var term domain.TermID
	var notice domain.NoticeID
	switch b := ev.Body.(type) {
	case domain.TermReminded:
		t.Role, term = b.Role, b.Term
	case domain.TermEscalated:
		t.Role, term = b.Role, b.Term
	case domain.NoticeDue:
		t.Role, notice = b.To, b.Notice
	}
	if t.Role == "" { // the list that the ombudsman sees is told to no role
		return t, false, nil
	}
	first, err := e.loadUntil(ctx, request, 1)
	if err != nil || !first.Exists() || first.Imported != nil {
		return t, false, err
	}
	if t.Request, err = e.loadUntil(ctx, request, ev.Version); err != nil {
		return t, false, err
	}
	if t.Workflow, err = e.library.Version(ctx, t.Request.Tenant, t.Request.Workflow); err != nil {
		return t, false, err
	}
	d := t.Workflow.Definition
	if d.IsApplicant(t.Role) {
		return t, false, nil
	}
	if title := d.termTitle(term); title != nil {
		t.Term = *title
	}
	if i := slices.IndexFunc(d.Notices, func(n Notice) bool { return n.ID == notice }); i >= 0 {
		t.Notice = &d.Notices[i]
	}
	return t, true, nil
}

// RecordOffice records what became of a message to an office, once: what was sent stays
// sent, and what was given up is recorded again only when it was sent after all. An empty
// fault says that it was sent.
func (e *Engine) RecordOffice(ctx context.Context, t OfficeTelling, m domain.OfficeMessage, fault domain.NoticeFault) error {
	envelope := t.Event.Envelope
	envelope.Actor, envelope.Box, envelope.Workflow = domain.System(), nil, t.Request.Workflow
	return e.notice(ctx, envelope, t.Request, nil, func(s noticed) (uuid.UUID, int, domain.Body) {
		sent, known := s.notices.OfficeTold(m.ID)
		switch {
		case sent || known && fault != "":
			return m.ID, 0, nil
		case fault != "":
			return m.ID, 0, domain.OfficeNotNotified{OfficeMessage: m, Fault: fault}
		}
		return m.ID, 1, domain.OfficeNotified{OfficeMessage: m}
	})
}
