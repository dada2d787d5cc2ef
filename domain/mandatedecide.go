package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// GrantMandate asks for a mandate to be recorded. Its id is MandateID(ID).
type GrantMandate struct {
	Header
	Tenant    TenantCode
	Principal Identity // who gives it; sealed
	MandateGranted
}

// EndMandate asks for a mandate to end.
type EndMandate struct {
	Header
	End MandateEnd
}

// DecideMandate is what a command on a mandate leads to: the event that follows, none
// where the command is part of it already, or a [*Refusal]. Who gives it is sealed by
// then, so whether a grant that is sent again names the same is not seen here.
func DecideMandate(m Mandate, c Command) ([]Event, error) {
	h := c.Head()
	if err := h.Actor.Check(); err != nil {
		return nil, err
	}
	if h.Actor.Mandate != uuid.Nil {
		return nil, refuse(RuleMandate, "a mandate is given and ended under none", "leave the mandate out of the actor")
	}
	var body Body
	var err error
	switch c := c.(type) {
	case GrantMandate:
		if m.Exists() {
			return nil, m.again(m.Grantor == h.Actor && m.Tenant == c.Tenant && sameGrant(m.MandateGranted, c.MandateGranted))
		}
		m.Tenant, m.MandateGranted = c.Tenant, c.MandateGranted
		body, err = c.MandateGranted, m.grantable(c)
	case EndMandate:
		if m.ending == h.ID && m.End != "" {
			return nil, m.again(m.Ender == h.Actor && m.End == c.End)
		}
		body, err = MandateEnded{c.End}, m.endable(c)
	}
	if err != nil {
		return nil, err
	}
	e := Envelope{ID: EventID(h.ID, 0), Tenant: m.Tenant, Actor: h.Actor, Command: h.ID, Correlation: h.Correlation, Occurred: h.Occurred.UTC()}
	if e.Correlation == [16]byte{} {
		e.Correlation = h.ID
	}
	return []Event{{Envelope: e, Body: body}}, nil
}

// again is nil for a command that asks for what it did the first time.
func (m Mandate) again(same bool) error {
	if same {
		return nil
	}
	return refuse(RuleCommandReused, "this command id was used for another command", "use a new id for each command")
}

func sameGrant(a, b MandateGranted) bool {
	fee := a.Fee == b.Fee || a.Fee != nil && b.Fee != nil && *a.Fee == *b.Fee
	return fee && a.Holder == b.Holder && slices.Equal(a.Services, b.Services) && a.From == b.From && a.Until == b.Until && a.Document == b.Document
}

// What one mandate may be for, and how long: limits of this program, no law's.
const (
	maxMandateServices = 100
	maxMandateYears    = 10
)

// grantable says what stands against recording a mandate.
func (m Mandate) grantable(c GrantMandate) error {
	if err := mayRecord(c.Actor, "record a mandate"); err != nil {
		return err
	}
	if _, err := ParseIdentity(string(c.Principal)); err != nil {
		return err
	}
	holder := Actor{ID: m.Holder, Role: "holder", Capacity: CapacityProxy}
	if err := holder.Check(); err != nil {
		return fmt.Errorf("who may act: %w", err)
	}
	if c.Actor.SamePerson(m.Holder) {
		return refuse(RuleMandate, "nobody gives a mandate to themselves", "whoever gives it records it, or staff who have seen the signed paper")
	}
	if err := m.checkServices(); err != nil {
		return err
	}
	if err := m.checkDays(c.Occurred); err != nil {
		return err
	}
	switch {
	case m.Document == "" && c.Actor.Capacity != CapacitySelf:
		return refuse(RuleMandate, "the mandate names no signed paper", "give the SHA-256 of the paper; only whoever gives the mandate needs none")
	case m.Document != "" && !isSHA256(m.Document):
		return refuse(RuleMandate, "the document is no SHA-256", "give it as 64 hexadecimal digits in small letters")
	case m.Fee != nil && (*m.Fee < 0 || *m.Fee > maxRupiah):
		return refuse(RuleMandate, fmt.Sprintf("a fee of Rp %d is none", *m.Fee), "give whole rupiah, 0 where the holder takes nothing")
	}
	return nil
}

// maxRupiah is what a float64 holds exactly, which is how many read JSON.
const maxRupiah = 1 << 53

func (m Mandate) checkServices() error {
	if len(m.Services) == 0 || len(m.Services) > maxMandateServices {
		return refuse(RuleMandate, "the mandate is for no service, or for too many", fmt.Sprintf("name 1 to %d services", maxMandateServices))
	}
	for i, s := range m.Services {
		if s == "" || slices.Contains(m.Services[:i], s) {
			return refuse(RuleMandate, fmt.Sprintf("service %q is no service, or named twice", s), "name each once, by its code")
		}
	}
	return nil
}

func (m Mandate) checkDays(now time.Time) error {
	for _, day := range []string{m.From, m.Until} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return refuse(RuleTime, fmt.Sprintf("%q is no day", day), "write it as 2026-11-28")
		}
	}
	switch from, after := m.days(); {
	case !from.Before(after):
		return refuse(RuleTime, "the mandate ends before it begins", "")
	case after.After(from.AddDate(maxMandateYears, 0, 1)):
		return refuse(RuleTime, fmt.Sprintf("the mandate is for more than %d years", maxMandateYears), "give one for less, and another when it has run out")
	case !now.Before(after):
		return refuse(RuleTime, "the mandate is over", "")
	}
	return nil
}

// endable says what stands against ending a mandate.
func (m Mandate) endable(c EndMandate) error {
	switch {
	case !m.Exists():
		return refuse(RuleMandate, "there is no such mandate", "")
	case !slices.Contains(MandateEnds(), c.End):
		return refuse(RuleMandate, fmt.Sprintf("%q is not how a mandate ends", c.End), "give one of "+Listed(MandateEnds()))
	case m.End != "":
		return refuse(RuleMandate, "the mandate was ended before ("+string(m.End)+")", "")
	case !c.Actor.SamePerson(m.Holder):
		return mayRecord(c.Actor, "end a mandate")
	case c.End != MandateRenounced:
		return refuse(RuleMandate, "whoever holds a mandate does not revoke it", "they give it up: "+string(MandateRenounced))
	}
	return nil
}

// mayRecord is the rule of who may: whoever gives a mandate, for themselves, and staff.
func mayRecord(a Actor, what string) error {
	if by := []Capacity{CapacitySelf, CapacityCounter, CapacityOfficer}; !slices.Contains(by, a.Capacity) {
		return refuse(RuleCapacity, fmt.Sprintf("capacity %q does not %s", a.Capacity, what), "possible as "+Listed(by))
	}
	return nil
}
