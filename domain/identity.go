package domain

import (
	"fmt"
	"regexp"
	"strings"
)

// Identity is what identifies a person to the state: a kind and a number, such as
// "nik:1171012304900001". It is personal data: it is sealed wherever it is
// stored, and requests of one person find each other by a [SubjectID] made of it.
type Identity string

// The kinds of identity, and what their numbers look like: NIK, 16 digits (Law
// 24/2013 art. 1(12)); NIB of a business, 13 digits; passport, letters and
// digits. That of the NIB and the passport is assumed.
var identityKinds = map[string]*regexp.Regexp{
	"nik":      regexp.MustCompile(`^[0-9]{16}$`),
	"nib":      regexp.MustCompile(`^[0-9]{13}$`),
	"passport": regexp.MustCompile(`^[A-Z0-9]{6,12}$`),
}

// separators are what people put into numbers.
var separators = strings.NewReplacer(" ", "", ".", "", "-", "")

// ParseIdentity reads an identity as people write it: spaces, dots and dashes in
// the number, and the case of its letters, do not matter. The error is a
// [*Refusal] under RuleIdentity that does not repeat the number.
func ParseIdentity(s string) (Identity, error) {
	kind, number, _ := strings.Cut(s, ":")
	kind = strings.ToLower(strings.TrimSpace(kind))
	number = strings.ToUpper(separators.Replace(number))
	form, ok := identityKinds[kind]
	if !ok {
		return "", refuse(RuleIdentity, "the identity names no kind that is known", "write it as nik:, nib: or passport: and the number")
	}
	if !form.MatchString(number) {
		return "", refuse(RuleIdentity, fmt.Sprintf("the number is not that of a %s", kind), "a NIK has 16 digits, a NIB 13, a passport 6 to 12 letters and digits")
	}
	return Identity(kind + ":" + number), nil
}
