package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Channel is a way by which an applicant is told.
type Channel string

// The channels.
const (
	ChannelEmail    Channel = "email"
	ChannelWhatsApp Channel = "whatsapp"
	ChannelSMS      Channel = "sms"
)

// Channels lists every channel.
func Channels() []Channel { return []Channel{ChannelEmail, ChannelWhatsApp, ChannelSMS} }

// NoticeFault is why an applicant was not told.
type NoticeFault string

// The faults. Unreachable, refused and failed are given up only after some days of
// attempts, or when the gateway says that no attempt will help.
const (
	NoticeUnaddressed NoticeFault = "unaddressed" // there is no address for any channel that is served
	NoticeErased      NoticeFault = "erased"      // the address was, with the person's data
	NoticeUnreachable NoticeFault = "unreachable" // the gateway
	NoticeRefused     NoticeFault = "refused"     // by the gateway: it does not take this address or message
	NoticeFailed      NoticeFault = "failed"      // otherwise
)

// NoticeFaults lists every fault.
func NoticeFaults() []NoticeFault {
	return []NoticeFault{NoticeUnaddressed, NoticeErased, NoticeUnreachable, NoticeRefused, NoticeFailed}
}

// MessageID is the id of the message that tells an applicant, by one channel, of what
// began with an event: the same each time that it is sent. Former is the one to the
// address that they had before.
func MessageID(event uuid.UUID, c Channel, former bool) uuid.UUID {
	index := uint64(0)
	if former {
		index = 1
	}
	return derive(event, "message:"+string(c), index)
}

// Message is what is known of a message to an applicant. To whom it went, and what it
// said, is sealed beside it.
type Message struct {
	ID       uuid.UUID  `json:"message"`
	Event    uuid.UUID  `json:"event"`              // the first of what it tells of
	Version  Version    `json:"version"`            // of the request, with that event
	Channel  Channel    `json:"channel,omitempty"`  // none: there was no address
	Former   bool       `json:"former,omitempty"`   // it went where the applicant was told before: what it tells of changed that
	Language string     `json:"language,omitempty"` // "id" or "en"
	Notices  []NoticeID `json:"notices,omitempty"`  // of the workflow, whose texts it holds
	Attempts int        `json:"attempts,omitempty"` // the last one included
}

// ApplicantNotified says that a gateway took a message to the applicant. Whether it was
// read, nobody knows.
type ApplicantNotified struct{ Message }

// ApplicantNotNotified says that a message was given up, and why.
type ApplicantNotNotified struct {
	Message
	Fault NoticeFault `json:"fault"`
}

// Type implements [Body].
func (ApplicantNotified) Type() (string, int) { return "ApplicantNotified", 1 }

// Type implements [Body].
func (ApplicantNotNotified) Type() (string, int) { return "ApplicantNotNotified", 1 }

// NoticesPreferred says how an applicant wants to be told of a request: in which
// language ("id" or "en", empty for Indonesian), by which channels, the others being
// left out as long as there is an address for one of these, and when not.
type NoticesPreferred struct {
	Language string    `json:"language,omitempty"`
	Channels []Channel `json:"channels,omitempty"` // none: all
	Quiet    *Quiet    `json:"quiet,omitempty"`    // none: those that are usual there
}

// Type implements [Body].
func (NoticesPreferred) Type() (string, int) { return "NoticesPreferred", 1 }

// Check refuses what cannot be meant. No preference turns messages off: else whoever
// holds the reference could keep the applicant from being told.
func (b NoticesPreferred) Check() error {
	if b.Language != "" && b.Language != "id" && b.Language != "en" {
		return refuse(RuleNotices, fmt.Sprintf("%q is not a language of messages", b.Language), "use id or en")
	}
	for i, c := range b.Channels {
		if !slices.Contains(Channels(), c) || slices.Contains(b.Channels[:i], c) {
			return refuse(RuleNotices, fmt.Sprintf("%q is not a channel, or named twice", c), "use some of "+Listed(Channels()))
		}
	}
	if b.Quiet == nil {
		return nil
	}
	return b.Quiet.Check()
}

// Quiet are the hours in which nobody is told anything, in minutes since midnight by the
// tenant's clock. From and To the same are none.
type Quiet struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// ParseQuiet reads quiet hours: two times of the day, such as 21:00 and 06:00.
func ParseQuiet(from, to string) (Quiet, error) {
	minute := func(s string) int {
		t, err := time.Parse("15:04", s)
		if err != nil {
			return -1
		}
		return t.Hour()*60 + t.Minute()
	}
	q := Quiet{From: minute(from), To: minute(to)}
	return q, q.Check()
}

// Clock is the quiet hours as [ParseQuiet] reads them.
func (q Quiet) Clock() (from, to string) {
	return fmt.Sprintf("%02d:%02d", q.From/60, q.From%60), fmt.Sprintf("%02d:%02d", q.To/60, q.To%60)
}

// Check refuses hours that are none, or so many that hardly any are left.
func (q Quiet) Check() error {
	if q.From < 0 || q.From >= day || q.To < 0 || q.To >= day || q.long() > maxQuiet {
		return refuse(RuleNotices, "these quiet hours cannot be", fmt.Sprintf("give two times of the day such as 21:00, at most %d hours apart; the same twice is none", maxQuiet/60))
	}
	return nil
}

// UsualQuiet is assumed where neither the applicant nor the operator said anything: no
// rule that was found says when an authority may not write to people.
var UsualQuiet = Quiet{From: 21 * 60, To: 6 * 60}

const (
	day      = 24 * 60 // minutes
	maxQuiet = 14 * 60 // minutes: every day has hours in which everybody is told
)

// long is how long the quiet lasts, in minutes.
func (q Quiet) long() int { return (q.To - q.From + day) % day }

// Until is when the quiet that a moment falls into ends; the moment itself when it falls
// into none.
func (q Quiet) Until(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	minute := local.Hour()*60 + local.Minute()
	if (minute-q.From+day)%day >= q.long() {
		return t
	}
	to := time.Date(local.Year(), local.Month(), local.Day(), 0, q.To, 0, 0, zone)
	if q.To <= minute {
		to = to.AddDate(0, 0, 1)
	}
	return to
}

// NoticeStream names the stream of what the applicant of a request was told, and how
// they want to be.
func NoticeStream(request uuid.UUID) string { return "notice-" + request.String() }

// Notices is the folded state of that stream.
type Notices struct {
	Preferred NoticesPreferred
	Messages  []MessageOutcome   // in the order in which they were first recorded
	Offices   map[uuid.UUID]bool // messages to offices: true for those that were sent, false for those given up
}

// MessageOutcome is what became of a message in the end.
type MessageOutcome struct {
	Message
	Fault NoticeFault // empty: it was sent
	At    time.Time   // when that was recorded
}

// EvolveNotices adds an event to the state.
func EvolveNotices(n Notices, e Recorded) Notices {
	var o MessageOutcome
	switch b := e.Body.(type) {
	case NoticesPreferred:
		n.Preferred = b
		return n
	case ApplicantNotified:
		o = MessageOutcome{Message: b.Message, At: e.At}
	case ApplicantNotNotified:
		o = MessageOutcome{Message: b.Message, Fault: b.Fault, At: e.At}
	case OfficeNotified:
		n.Offices = toldOf(n.Offices, b.ID, true)
		return n
	case OfficeNotNotified:
		n.Offices = toldOf(n.Offices, b.ID, n.Offices[b.ID]) // what was sent stays sent
		return n
	default:
		return n
	}
	list := slices.Clone(n.Messages)
	if i := slices.IndexFunc(list, func(x MessageOutcome) bool { return x.ID == o.ID }); i >= 0 {
		list[i] = o
	} else {
		list = append(list, o)
	}
	n.Messages = list
	return n
}

// Outcome is what became of a message; false while it is not known.
func (n Notices) Outcome(message uuid.UUID) (MessageOutcome, bool) {
	for _, o := range n.Messages {
		if o.ID == message {
			return o, true
		}
	}
	return MessageOutcome{}, false
}

// Choose is which of some channels a message goes by: those that are preferred, or all
// where no preferred one is among them.
func (b NoticesPreferred) Choose(there []Channel) []Channel {
	var chosen []Channel
	for _, c := range there {
		if slices.Contains(b.Channels, c) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return there
	}
	return chosen
}

// Hours are the quiet hours that hold, where some are usual.
func (b NoticesPreferred) Hours(usual Quiet) Quiet {
	if b.Quiet == nil {
		return usual
	}
	return *b.Quiet
}
