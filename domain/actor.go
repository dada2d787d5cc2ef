package domain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// Capacity says as what somebody acts. The same person may file for themself in
// the morning and for a client in the afternoon; which of the two it was is
// recorded with every event.
type Capacity string

// The capacities. Unrecorded is for imported histories only: the source did not
// say, and an invented answer would be an untrue one.
const (
	CapacitySelf         Capacity = "self"
	CapacityProxy        Capacity = "proxy"
	CapacityCounter      Capacity = "counter"
	CapacityProfessional Capacity = "professional"
	CapacityOfficer      Capacity = "officer"
	CapacitySystem       Capacity = "system"
	CapacityUnrecorded   Capacity = "unrecorded"
)

// Capacities lists every capacity, in the order they are documented.
func Capacities() []Capacity {
	return []Capacity{
		CapacitySelf, CapacityProxy, CapacityCounter, CapacityProfessional,
		CapacityOfficer, CapacitySystem, CapacityUnrecorded,
	}
}

// RoleID names a role of a workflow, such as "front-office".
type RoleID string

// Actor is who acts, with what right, and as what. ID is a pseudonym: it is
// stored in the clear and outlives the person's data. Mandate is the power of attorney
// that they say they act under, if they do: see [Mandate.Covers].
type Actor struct {
	ID       string    `json:"id"`
	Role     RoleID    `json:"role"`
	Capacity Capacity  `json:"capacity"`
	Mandate  uuid.UUID `json:"mandate,omitzero"`
}

const maxActorID = 128 // bytes

// Check refuses an actor that is incomplete, and an id that is plainly personal
// data: a NIK (16 digits, Permendagri: PPKKCC DDMMYY NNNN) or an e-mail
// address.
func (a Actor) Check() error {
	switch {
	case strings.TrimSpace(a.ID) == "":
		return refuse(RuleActor, "the actor has no id", "name the actor by a pseudonym")
	case strings.TrimSpace(a.ID) != a.ID:
		return refuse(RuleActor, "the actor id begins or ends with a space", "leave that out: it would look like somebody else's")
	case len(a.ID) > maxActorID || strings.ContainsFunc(a.ID, unseen):
		return refuse(RuleActor, "the actor id is too long or holds characters that nobody sees",
			fmt.Sprintf("use at most %d bytes of printable text", maxActorID))
	case a.Capacity != CapacityUnrecorded && ambiguous(a.ID) != "": // another system's ids are what they are
		return refuse(RuleActor, "the actor id holds "+ambiguous(a.ID)+": another id would look the same",
			"use letters of one alphabet, each as one character, digits and signs as on a keyboard")
	case looksPersonal(a.ID):
		return refuse(RulePersonalData, "the actor id looks like a NIK or an e-mail address",
			"use a pseudonym: this id is kept in the clear for ever")
	case a.Role == "":
		return refuse(RuleActor, "the actor has no role", "say in which role the actor acts")
	case !slices.Contains(Capacities(), a.Capacity):
		return refuse(RuleActor, fmt.Sprintf("%q is not a capacity", a.Capacity),
			"use one of "+Listed(Capacities()))
	case a.Mandate != uuid.Nil && !forAnother(a.Capacity):
		return refuse(RuleMandate, fmt.Sprintf("capacity %q acts under no mandate", a.Capacity),
			"leave the mandate out, or act as "+string(CapacityProxy)+" or "+string(CapacityProfessional))
	}
	return nil
}

// forAnother reports whether a capacity is that of somebody who was asked to act for
// another. Staff at a counter write down what the applicant says who stands there.
func forAnother(c Capacity) bool { return c == CapacityProxy || c == CapacityProfessional }

// samePerson reports whether two pseudonyms are one person's, where two people are wanted:
// neither capitals, nor a space around it or what does not show, which older logs have,
// make another of it.
func samePerson(a, b string) bool {
	return a == b || strings.EqualFold(folded(strings.TrimSpace(a)), folded(strings.TrimSpace(b)))
}

// SamePerson reports whether an actor is one who is known by an id.
func (a Actor) SamePerson(id string) bool { return samePerson(a.ID, id) }

// looksPersonal tells what is plainly somebody's number or address: 16 digits,
// whatever stands between them that is no letter; a telephone number with its
// country; an e-mail address; an identity as it is given at submission.
func looksPersonal(s string) bool {
	if strings.Contains(s, "@") {
		return true
	}
	if _, err := ParseIdentity(s); err == nil {
		return true
	}
	if _, err := uuid.Parse(s); err == nil {
		return false // a pseudonym if there ever was one
	}
	run, digits := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
			if run++; run == 16 {
				return true
			}
		case unicode.IsLetter(r):
			run = 0
		}
	}
	return strings.HasPrefix(strings.TrimSpace(s), "+") && digits > 8 || mobile.MatchString(s)
}

// mobile is an Indonesian mobile number: 08 or 628, and 7 to 11 digits more.
var mobile = regexp.MustCompile(`^\s*(62[ .-]?8|08)([ .-]?[0-9]){7,11}\s*$`)

// Listed is a list of names as a sentence holds it: "a, b, c".
func Listed[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}
