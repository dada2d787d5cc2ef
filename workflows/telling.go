package workflows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Telling is what the applicant of a request is to be told of one command, or of one
// moment of the clock: all that it led to is told at once.
type Telling struct {
	First    domain.Recorded // event of the command
	Request  domain.Request  // as the command left it
	Workflow *Workflow       // that it was under then
	When     time.Time       // the last of it happened
	Changed  bool            // the public status is another one
	Notices  []*Notice       // texts of the workflow that are due
	Reason   Text            // that was given; zero for none
	Reminded *Reminder       // the applicant's own time is about to run out; nil when it is not
	Acts     bool            // the applicant has something to do, and had nothing before
	SentBack []Wanted        // documents that have to be handed in again
	Timed    []Timed         // of law, or of the applicant: what the command did to the time there is
	Migrated *domain.Basis   // on which it goes on under another version of the workflow; nil when it does not
	FiledBy  domain.Capacity // with a submission: as what somebody filed it

	Contact map[domain.Channel]string // the applicant's addresses, by the form as it is now
	Former  map[domain.Channel]string // those that the command replaced by others, or by none
	Erased  bool                      // they were erased

	boxed int // how many boxes there were when the command had been carried out
}

// Reminder is of a term that is about to run out.
type Reminder struct {
	Title Text // of the term
	Due   time.Time
}

// Telling says what there is to tell the applicant of the command that an event is the
// first of: of another public status, of what they have to do, of the time that there is
// for a decision or for them, of a migration, of what the workflow has a text for, of their
// own time that is about to run out, and of other addresses. False when nothing is: for
// the other events of a command, for what concerns only the office, and for imported
// histories, which others told of.
//
// The applicant is told, and not who acts for them: addresses are those that the form
// gives for the applicant, as it is now, since what waited to be told may be about a time
// when another address stood there, which need not have been theirs. Errors are those of the log, the library and the vault.
func (e *Engine) Telling(ctx context.Context, request uuid.UUID, at domain.Version) (Telling, bool, error) {
	t, before, boxes, err := e.command(ctx, request, at)
	if err != nil || !t.Request.Exists() || t.Request.Imported != nil {
		return Telling{}, false, err
	}
	t.Changed = !before.Exists() || before.Public != t.Request.Public
	filled := slices.ContainsFunc(boxes[:t.boxed], func(ev domain.Recorded) bool { return ev.Version >= at })
	if !t.tells() && !filled {
		return Telling{}, false, nil
	}
	err = e.openContact(ctx, &t, boxes)
	return t, err == nil && (t.tells() || len(t.Former) > 0), err
}

func (t *Telling) tells() bool {
	return t.Changed || t.Acts || t.Reminded != nil || t.Migrated != nil || len(t.Notices)+len(t.SentBack)+len(t.Timed) > 0
}

// command folds a request up to a command and past it. The boxes are all that a form may
// be in, the newest last, those of later commands too.
func (e *Engine) command(ctx context.Context, request uuid.UUID, at domain.Version) (t Telling, before domain.Request, boxes []domain.Recorded, err error) {
	var last uuid.UUID // command
	s := mentioned{before: &before}
	over := false
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return Telling{}, before, nil, fmt.Errorf("load request %s: %w", request, err)
		}
		switch {
		case over || ev.Version > at && ev.Command != t.First.Command:
			over = true
			if ev.Box != nil {
				boxes = append(boxes, ev)
			}
			continue
		case ev.Version == at && ev.Command == last:
			return Telling{}, before, nil, nil
		case ev.Version == at:
			t.First, before = ev, t.Request
		}
		last = ev.Command
		if t.Request = domain.Evolve(t.Request, ev); t.Request.Imported != nil {
			return t, before, nil, nil // of thousands of events, perhaps
		}
		if ev.Box != nil {
			boxes, t.boxed = append(boxes, ev), t.boxed+1
		}
		if ev.Version < at {
			continue
		}
		t.When = ev.Occurred
		if _, submitted := ev.Body.(domain.RequestSubmitted); submitted {
			t.FiledBy = ev.Actor.Capacity
		}
		s.note(ev.Body)
	}
	if t.First.Version == 0 {
		return Telling{}, before, nil, fmt.Errorf("request %s at version %d: %w", request, at, domain.ErrNotFound)
	}
	err = t.named(ctx, e.library, s)
	return t, before, boxes, err
}

// named finds what the workflow calls what was mentioned.
func (t *Telling) named(ctx context.Context, l *Library, s mentioned) error {
	var err error
	if t.Workflow, err = l.Version(ctx, t.Request.Tenant, t.Request.Workflow); err != nil {
		return err
	}
	d := t.Workflow.Definition
	for _, due := range s.notices {
		i := slices.IndexFunc(d.Notices, func(n Notice) bool { return n.ID == due.Notice })
		if i >= 0 && d.IsApplicant(due.To) {
			t.Notices = append(t.Notices, &d.Notices[i])
		}
	}
	for _, b := range s.reminded {
		if title := d.termTitle(b.Term); title != nil && d.IsApplicant(b.Role) {
			t.Reminded = &Reminder{*title, b.Due}
		}
	}
	t.Reason = d.ReasonTitle(s.reason)
	t.Migrated = s.migrated
	return t.changed(ctx, l, s)
}

// openContact looks for addresses in the newest form, and in the one before the command
// if that brought another.
func (e *Engine) openContact(ctx context.Context, t *Telling, boxes []domain.Recorded) error {
	newest, _, err := e.contactIn(ctx, t, boxes)
	if err != nil || t.Erased {
		return err
	}
	t.Contact = newest
	boxes = boxes[:t.boxed]
	contact, at, err := e.contactIn(ctx, t, boxes)
	if err != nil || t.Erased {
		return err
	}
	before := slices.IndexFunc(boxes, func(ev domain.Recorded) bool { return ev.Version >= t.First.Version })
	if before < 1 || at < t.First.Version {
		return nil
	}
	former, _, err := e.contactIn(ctx, t, boxes[:before])
	for c, address := range former {
		if address == contact[c] || address == newest[c] { // it came back
			delete(former, c)
		}
	}
	t.Former = former
	return err
}

// contactIn finds the addresses in the newest form that is in boxes, and where that is.
func (e *Engine) contactIn(ctx context.Context, t *Telling, boxes []domain.Recorded) (map[domain.Channel]string, domain.Version, error) {
	if e.vault == nil {
		return nil, 0, nil
	}
	for _, ev := range slices.Backward(boxes) {
		p, err := e.vault.Open(ctx, *ev.Box, ev.Place())
		if errors.Is(err, domain.ErrErased) {
			t.Erased = true // all of a request is under one key
			return nil, 0, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("request %s version %d: %w", t.Request.ID, ev.Version, err)
		}
		form, ok := p["form"].(map[string]any)
		if !ok {
			continue
		}
		w, err := e.library.Version(ctx, t.Request.Tenant, ev.Workflow)
		if err != nil {
			return nil, 0, err
		}
		return w.Definition.Form.contact(form), ev.Version, nil
	}
	return nil, 0, nil
}

// contact finds the applicant's addresses in a form that was filled in: in the fields
// whose schema says "contact: email" or "contact: phone", or, where the schema says that
// of none, in those that are called email and phone. Of several, it is the one whose name
// comes first. A telephone is written to by SMS and by WhatsApp.
func (f *Form) contact(form map[string]any) map[domain.Channel]string {
	fields := map[string]string{}
	var properties map[string]any
	if f != nil {
		properties, _ = f.Schema["properties"].(map[string]any)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, _ := properties[name].(map[string]any)
		if kind, ok := property["contact"].(string); ok && fields[kind] == "" {
			fields[kind] = name
		}
	}
	if len(fields) == 0 {
		fields = map[string]string{"email": "email", "phone": "phone"}
	}
	given := func(kind string) string {
		text, _ := form[fields[kind]].(string)
		return strings.TrimSpace(text)
	}
	contact := map[domain.Channel]string{}
	if mail := given("email"); mail != "" {
		contact[domain.ChannelEmail] = mail
	}
	if phone := given("phone"); phone != "" {
		contact[domain.ChannelSMS], contact[domain.ChannelWhatsApp] = phone, phone
	}
	return contact
}
