package domain

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Mandate is the folded state of one power of attorney (surat kuasa, KUHPerdata art.
// 1792): who may act for whom, for what, and when. The zero value is one that was not
// given.
type Mandate struct {
	ID     uuid.UUID
	Tenant TenantCode
	MandateGranted
	Grantor Actor     // who recorded it
	Granted time.Time // when that occurred
	End     MandateEnd
	Ender   Actor
	Ended   time.Time // when that occurred; zero while it was not
	Version Version

	grant, ending uuid.UUID // the commands
}

// MandateEnd is why a mandate ended before its last day.
type MandateEnd string

// The ends of a mandate, as KUHPerdata art. 1813 has them. (That a marriage ends some, as
// it says too, is not law any more.)
const (
	MandateRevoked   MandateEnd = "revoked"   // by whoever gave it
	MandateRenounced MandateEnd = "renounced" // by whoever held it
	MandateCeased    MandateEnd = "ceased"    // death, guardianship or bankruptcy of either
)

// MandateEnds lists every end.
func MandateEnds() []MandateEnd {
	return []MandateEnd{MandateRevoked, MandateRenounced, MandateCeased}
}

// MandateGranted begins a mandate. Who gave it is sealed beside it.
type MandateGranted struct {
	Holder   string   `json:"holder"`             // pseudonym of who may act
	Services []string `json:"services"`           // for which, by their codes
	From     string   `json:"from"`               // first day by the tenant's clock, such as 2026-11-28
	Until    string   `json:"until"`              // last day
	Document string   `json:"document,omitempty"` // SHA-256 of the signed paper, hex; none where whoever gave it said so themselves
	Fee      *int64   `json:"fee,omitempty"`      // rupiah that the holder takes for it; nil: not said
}

// MandateEnded ends a mandate before its last day.
type MandateEnded struct {
	End MandateEnd `json:"end"`
}

// Type implements [Body].
func (MandateGranted) Type() (string, int) { return "MandateGranted", 1 }

// Type implements [Body].
func (MandateEnded) Type() (string, int) { return "MandateEnded", 1 }

// MandateClass is the retention class under which it is sealed who gave a mandate.
const MandateClass RetentionClass = "mandate"

// MandateID derives the id of the mandate that a command grants.
func MandateID(command uuid.UUID) uuid.UUID { return derive(command, "mandate", 0) }

// MandateStream names the stream of a mandate. It says nothing about a person.
func MandateStream(id uuid.UUID) string { return "mandate-" + id.String() }

// Exists reports whether the mandate was granted.
func (m Mandate) Exists() bool { return m.Version > 0 }

// EvolveMandate folds an event into a mandate.
func EvolveMandate(m Mandate, e Recorded) Mandate {
	switch b := e.Body.(type) {
	case MandateGranted:
		m.ID, m.Tenant, m.MandateGranted = MandateID(e.Command), e.Tenant, b
		m.Grantor, m.Granted, m.grant = e.Actor, e.Occurred, e.Command
	case MandateEnded:
		m.End, m.Ender, m.Ended, m.ending = b.End, e.Actor, e.Occurred, e.Command
	}
	m.Version = e.Version
	return m
}

// days is the first moment of a mandate and the one after its last.
func (m Mandate) days() (from, after time.Time) {
	day := func(s string) time.Time {
		t, _ := time.ParseInLocation(time.DateOnly, s, m.Tenant.Zone()) // as it was granted
		return t
	}
	return day(m.From), day(m.Until).AddDate(0, 0, 1)
}

// Over reports whether a mandate holds no more, now or later.
func (m Mandate) Over(now time.Time) bool {
	_, after := m.days()
	return m.End != "" || !now.Before(after)
}

// Covers refuses what somebody does under a mandate that is not theirs, not for this
// tenant or service, or does not hold at the time; one that was ended holds for nothing
// that is recorded from then on, whenever it occurred. Whose it has to be is not known
// here: that is sealed. Errors: [*Refusal] under [RuleMandate].
func (m Mandate) Covers(a Actor, tenant TenantCode, service string, at time.Time) error {
	if why := m.uncovered(a, tenant, service, at); why != "" {
		return refuse(RuleMandate, why, "leave the mandate out, or name one that covers this")
	}
	return nil
}

// uncovered is why a mandate does not cover something; empty where it does.
func (m Mandate) uncovered(a Actor, tenant TenantCode, service string, at time.Time) string {
	from, after := m.days()
	switch {
	case !m.Exists() || m.Tenant != tenant:
		return "there is no such mandate here"
	case !a.SamePerson(m.Holder):
		return "the mandate was given to somebody else"
	case m.End != "":
		return "the mandate was ended (" + string(m.End) + ")"
	case at.Before(from) || !at.Before(after):
		return "the mandate holds from " + m.From + " until " + m.Until
	case !slices.Contains(m.Services, service):
		return "the mandate is not for this service, but for " + Listed(m.Services)
	}
	return ""
}
