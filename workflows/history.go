package workflows

import (
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// Trace is one case of an event log, as a reader such as adapters/xes gives it:
// nothing about it has been judged.
type Trace struct {
	Name       string // empty: the log does not name it
	Attributes []Attribute
	Events     []TraceEvent
}

// Attribute is a value of a whole case.
type Attribute struct {
	Key   string
	Kind  AttributeKind
	Value string
}

// AttributeKind is the kind of value an attribute has in the log.
type AttributeKind string

// The kinds of attribute (XES, IEEE 1849).
const (
	AttributeString  AttributeKind = "string"
	AttributeDate    AttributeKind = "date"
	AttributeInt     AttributeKind = "int"
	AttributeFloat   AttributeKind = "float"
	AttributeBoolean AttributeKind = "boolean"
)

// TraceEvent is one event of a case. A field the log does not give is empty.
type TraceEvent struct {
	Name      string // concept:name
	Lifecycle string // lifecycle:transition
	Resource  string // org:resource
	Role      string // org:role
	Group     string // org:group
	Time      time.Time
	TimeText  string // as written, when Time could not be read from it
}

// Activity is what the event says was done. Logs that record more of an activity
// than its completion have one activity for each of its lifecycle transitions.
func (e TraceEvent) Activity() string {
	switch e.Lifecycle {
	case "", "complete", "COMPLETE", "Complete":
		return e.Name
	default:
		return e.Name + " [" + e.Lifecycle + "]"
	}
}

// RoleBy is the value of the attribute that a definition's history names, or
// [Unrecorded] where the log leaves it blank.
func (e TraceEvent) RoleBy(attribute string) string {
	switch attribute {
	case "org:role":
		return orUnrecorded(e.Role)
	case "org:group":
		return orUnrecorded(e.Group)
	default:
		return orUnrecorded(e.Resource)
	}
}

// ParseTime reads an XES date (xs:dateTime). One without a zone is taken as UTC,
// which IEEE 1849-2023 asks for.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err == nil {
		return t, nil
	}
	if bare, bareErr := time.Parse("2006-01-02T15:04:05.999999999", s); bareErr == nil {
		return bare, nil
	}
	return time.Time{}, err
}

// RecordedActions are the actions of a definition by the activities that an event log
// has for them.
func (d *Definition) RecordedActions() map[string]domain.ActionID {
	return recorded(d.Actions, func(a Action) (string, string, domain.ActionID) { return a.RecordedAs, string(a.ID), a.ID })
}

// RecordedRoles are the roles of a definition by the names that an event log has for
// them; see [TraceEvent.RoleBy].
func (d *Definition) RecordedRoles() map[string]Role {
	return recorded(d.Roles, func(r Role) (string, string, Role) { return r.RecordedAs, string(r.ID), r })
}

// Unrecorded stands for whoever the log does not name.
const Unrecorded = "unrecorded"

func orUnrecorded(s string) string {
	if strings.TrimSpace(s) == "" {
		return Unrecorded
	}
	return s
}
