package domain

import (
	"maps"

	"github.com/google/uuid"
)

// OfficeMessageID is the id of the message by which a mailbox of an office is told of an
// event: the same each time that it is sent.
func OfficeMessageID(event uuid.UUID, mailbox string) uuid.UUID {
	return derive(event, "office:"+mailbox, 0)
}

// OfficeMessage is what is known of a message to those of an office who have a role. The
// mailbox is the operator's affair, and not recorded.
type OfficeMessage struct {
	ID       uuid.UUID `json:"message"`
	Event    uuid.UUID `json:"event"`   // that it tells of
	Version  Version   `json:"version"` // of the request, with that event
	Role     RoleID    `json:"role"`
	Term     TermID    `json:"term,omitempty"`   // that it is about
	Notice   NoticeID  `json:"notice,omitempty"` // of the workflow, whose text it holds
	Attempts int       `json:"attempts,omitempty"`
}

// OfficeNotified says that a gateway took a message to an office.
type OfficeNotified struct{ OfficeMessage }

// OfficeNotNotified says that a message to an office was given up, and why.
type OfficeNotNotified struct {
	OfficeMessage
	Fault NoticeFault `json:"fault"`
}

// Type implements [Body].
func (OfficeNotified) Type() (string, int) { return "OfficeNotified", 1 }

// Type implements [Body].
func (OfficeNotNotified) Type() (string, int) { return "OfficeNotNotified", 1 }

// toldOf is a map with one more message.
func toldOf(m map[uuid.UUID]bool, message uuid.UUID, sent bool) map[uuid.UUID]bool {
	if m = maps.Clone(m); m == nil {
		m = map[uuid.UUID]bool{}
	}
	m[message] = sent
	return m
}

// OfficeTold reports whether a message to an office was sent, and whether anything is
// recorded of it.
func (n Notices) OfficeTold(message uuid.UUID) (sent, known bool) {
	sent, known = n.Offices[message]
	return sent, known
}
