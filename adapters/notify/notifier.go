// Package notify tells applicants what became of their requests, by e-mail and by a
// gateway for SMS and WhatsApp, and offices what runs out of time, by e-mail.
package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Letter is a message as a gateway takes it.
type Letter struct {
	ID       uuid.UUID // the same each time that it is sent
	To       string    // an e-mail address or a telephone number, as the applicant wrote it
	Subject  string
	Text     string
	Language string // "id" or "en"
}

// Gateway sends messages. It is safe for concurrent use. An error may be a
// [*domain.Undelivered]. Nil says that it took the message.
type Gateway interface {
	Send(ctx context.Context, l Letter) error
}

// Notifier tells applicants of what happens to their requests, and records what became of
// each message, in the log. It is safe for concurrent use.
type Notifier struct {
	Engine   *workflows.Engine
	Gateways map[domain.Channel]Gateway
	Public   string       // address that links to the tracking page begin with; empty for none
	Quiet    domain.Quiet // hours, of those who did not say which
	Now      func() time.Time
}

// Due are the messages by which the applicant is to be told of what begins with an event;
// none where there is nothing to tell. Where nobody can be told, it records that. Where an
// address was replaced, they are told there too: whoever replaced it may not have been
// them.
func (n *Notifier) Due(ctx context.Context, e domain.Recorded) ([]domain.Message, error) {
	request, ok := requestOf(e.Stream)
	if !ok {
		return nil, nil
	}
	t, ok, err := n.Engine.Telling(ctx, request, e.Version)
	if err != nil || !ok {
		return nil, err
	}
	var due []domain.Message
	for _, c := range domain.Channels() {
		if n.Gateways[c] != nil && t.Former[c] != "" {
			due = append(due, n.message(t, c, true, domain.Notices{}, 0))
		}
	}
	there := n.there(t)
	if len(there) == 0 {
		return due, n.record(ctx, t, n.message(t, "", false, domain.Notices{}, 0), unaddressed(t), nil)
	}
	notices, err := n.Engine.Notices(ctx, request)
	if err != nil {
		return nil, err
	}
	for _, c := range notices.Preferred.Choose(there) {
		due = append(due, n.message(t, c, false, notices, 0))
	}
	return due, nil
}

// there are the channels by which the applicant can be told.
func (n *Notifier) there(t workflows.Telling) (there []domain.Channel) {
	for _, c := range domain.Channels() {
		if n.Gateways[c] != nil && t.Contact[c] != "" {
			there = append(there, c)
		}
	}
	return there
}

// Rerouted is an error that says that the applicant is to be told by other channels than a
// message was to go by, since they want that or have no address for it any more: by the
// messages To, where they were not told by these already.
type Rerouted struct{ To []domain.Message }

func (r *Rerouted) Error() string { return "the applicant is to be told by another channel" }

func unaddressed(t workflows.Telling) domain.NoticeFault {
	if t.Erased {
		return domain.NoticeErased
	}
	return domain.NoticeUnaddressed
}

// Notice names a message: its id, the first event that it tells of, and how it goes.
type Notice struct {
	ID       uuid.UUID
	Stream   string
	Version  domain.Version
	Channel  domain.Channel
	Attempts int // that failed
}

// Send sends a message, unless it was sent, and records it. In the applicant's quiet hours
// it is [*domain.Postponed] until they end, and [*Rerouted] where they do not want to be told
// by this channel any more.
func (n *Notifier) Send(ctx context.Context, x Notice) error {
	t, notices, ok, err := n.open(ctx, x)
	if err != nil || !ok {
		return err
	}
	m := n.message(t, x.Channel, x.former(t), notices, x.Attempts+1)
	to := address(t, m)
	if o, known := notices.Outcome(m.ID); known && o.Fault == "" {
		return nil // and the process died before it noted that
	}
	if by, other := n.rerouted(t, m, notices); other {
		return &Rerouted{by}
	}
	if to == "" {
		return n.record(ctx, t, m, unaddressed(t), nil)
	}
	now := n.Now()
	if until := notices.Preferred.Hours(n.Quiet).Until(now, t.Request.Tenant.Zone()); until.After(now) {
		return &domain.Postponed{Until: until}
	}
	gateway := n.Gateways[x.Channel]
	if gateway == nil {
		return &domain.Undelivered{Text: fmt.Sprintf("no gateway for %s is set up", x.Channel), Unreachable: true}
	}
	l := write(t, m, n.Public)
	if err := gateway.Send(ctx, l); err != nil {
		return err
	}
	return n.record(context.WithoutCancel(ctx), t, m, "", l.sealed())
}

// Reroute says whether a message that waits is to go otherwise by now, and how, as
// [Rerouted] does.
func (n *Notifier) Reroute(ctx context.Context, x Notice) ([]domain.Message, bool, error) {
	t, notices, ok, err := n.open(ctx, x)
	if err != nil || !ok {
		return nil, false, err
	}
	to, other := n.rerouted(t, n.message(t, x.Channel, x.former(t), notices, 0), notices)
	return to, other, nil
}

func (n *Notifier) rerouted(t workflows.Telling, m domain.Message, notices domain.Notices) (to []domain.Message, other bool) {
	by := notices.Preferred.Choose(n.there(t))
	if m.Former || len(by) == 0 || slices.Contains(by, m.Channel) {
		return nil, false
	}
	for _, c := range by {
		instead := n.message(t, c, false, notices, 0)
		if o, known := notices.Outcome(instead.ID); !known || o.Fault != "" {
			to = append(to, instead)
		}
	}
	return to, true
}

// GiveUp records that a message was not sent after all attempts, and why.
func (n *Notifier) GiveUp(ctx context.Context, x Notice, fault error) error {
	t, notices, ok, err := n.open(ctx, x)
	if err != nil || !ok {
		return err
	}
	m := n.message(t, x.Channel, x.former(t), notices, x.Attempts)
	return n.record(ctx, t, m, domain.FaultOf(fault), write(t, m, n.Public).sealed())
}

func (n *Notifier) open(ctx context.Context, x Notice) (workflows.Telling, domain.Notices, bool, error) {
	request, ok := requestOf(x.Stream)
	if !ok {
		return workflows.Telling{}, domain.Notices{}, false, fmt.Errorf("%s is no request", x.Stream)
	}
	t, ok, err := n.Engine.Telling(ctx, request, x.Version)
	if err != nil || !ok {
		return t, domain.Notices{}, false, err
	}
	notices, err := n.Engine.Notices(ctx, request)
	return t, notices, err == nil, err
}

// former reports whether it is the message to the address of before.
func (x Notice) former(t workflows.Telling) bool {
	return x.ID == domain.MessageID(t.First.ID, x.Channel, true)
}

// address is where a message goes.
func address(t workflows.Telling, m domain.Message) string {
	if m.Former {
		return t.Former[m.Channel]
	}
	return t.Contact[m.Channel]
}

func (n *Notifier) message(t workflows.Telling, c domain.Channel, former bool, notices domain.Notices, attempts int) domain.Message {
	m := domain.Message{
		ID: domain.MessageID(t.First.ID, c, former), Event: t.First.ID, Version: t.First.Version, Channel: c, Former: former,
		Language: "id", Attempts: attempts,
	}
	if notices.Preferred.Language != "" {
		m.Language = notices.Preferred.Language
	}
	for _, x := range t.Notices {
		m.Notices = append(m.Notices, x.ID)
	}
	if c == "" {
		m.Language = ""
	}
	return m
}

// patience is how long it is tried to record what a gateway took: what is not recorded is
// sent again.
const patience = 20 * time.Second

func (n *Notifier) record(ctx context.Context, t workflows.Telling, m domain.Message, fault domain.NoticeFault, personal domain.Personal) error {
	return insist(ctx, func(ctx context.Context) error {
		return n.Engine.RecordMessage(ctx, t, domain.MessageOutcome{Message: m, Fault: fault}, personal)
	})
}

// insist does something again for a while, as long as the log cannot be reached.
func insist(ctx context.Context, record func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := record(ctx)
		if err == nil || !errors.Is(err, domain.ErrUnavailable) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// sealed is what is kept of a letter for those who may open it.
func (l Letter) sealed() domain.Personal {
	return domain.Personal{"to": l.To, "subject": l.Subject, "text": l.Text}
}

func requestOf(stream string) (uuid.UUID, bool) {
	name, ok := strings.CutPrefix(stream, "request-")
	id, err := uuid.Parse(name)
	return id, ok && err == nil
}
