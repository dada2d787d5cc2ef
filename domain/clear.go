package domain

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxClear = 2000 // bytes

// CheckClear refuses a text that is kept in the clear for ever and shown in tables and
// on pages: one that plainly holds somebody's number or address, is not one line of
// text, or is too long. What says in the refusal which text it is, such as "the reason".
// An empty text is fine. The error is a [*Refusal] that does not repeat the text.
func CheckClear(what, text string) error {
	switch unprintable := Unprintable(text); {
	case !utf8.ValidString(text):
		return refuse(RuleText, what+" is not text", "write it in UTF-8")
	case len(text) > maxClear:
		return refuse(RuleText, fmt.Sprintf("%s has %d bytes", what, len(text)), fmt.Sprintf("write at most %d", maxClear))
	case unprintable != "":
		return refuse(RuleText, what+" holds "+unprintable, "write it as one line, of characters that can be seen")
	}
	return CheckImpersonal(what, text)
}

// CheckImpersonal is the part of [CheckClear] that a text of several lines has to keep:
// it plainly holds nobody's number or address.
func CheckImpersonal(what, text string) error {
	if found := personalIn(text); found != "" {
		return refuse(RulePersonalData, what+" looks as if it held "+found,
			"it is kept in the clear for ever: leave that out, and name a person by a pseudonym and a letter by its number")
	}
	return nil
}

// CheckClear is [CheckClear] of both languages.
func (b Basis) CheckClear(what string) error {
	if err := CheckClear(what+" in Indonesian", b.ID); err != nil {
		return err
	}
	return CheckClear(what+" in English", b.EN)
}

// Unprintable says where the first character of a text stands that cannot be shown in
// one line as it is written, and what it is; empty where there is none.
func Unprintable(text string) string {
	at := strings.IndexFunc(text, unprintable)
	if at < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(text[at:])
	return fmt.Sprintf("%s after %d characters", named(r), utf8.RuneCountInString(text[:at]))
}

// Printable is a text in which what cannot be shown so is a question mark.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '?'
		}
		return r
	}, text)
}

// unprintable is a character that breaks a line, moves the cursor, or has the text read
// in another order than it is written.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

func named(r rune) string {
	switch r {
	case '\n', '\r', '\u2028', '\u2029':
		return "a line break"
	case '\t':
		return "a tab"
	}
	return fmt.Sprintf("the control character %U", r)
}

// What is plainly personal, wherever it stands in a sentence. Sixteen digits or more are
// a NIK, or the NIP of an official: in one piece, or in groups with one space, dot or
// dash between them. What ends a group is wider where a whole name is looked at
// ([looksPersonal]): sentences hold numbers of decrees and dates, one after the other.
var (
	longNumber = regexp.MustCompile(`\p{Nd}(?:[\s._–-]?\p{Nd}){15}`)
	mail       = regexp.MustCompile(`@\s?[^\s@]*\p{L}`)
	phone      = regexp.MustCompile(`(?:^|[^\p{L}\p{Nd}])(?:\+\p{Nd}(?:[\s.-]?\p{Nd}){8,}|(?:62[\s.-]?|0)8[1-9](?:[\s.-]?\p{Nd}){6,10})(?:$|[^\p{L}\p{Nd}])`)
	document   = regexp.MustCompile(`(?i)passport:\s*[A-Z0-9]{6}`)
)

// personalIn says what of a person's is plainly in a sentence; empty for nothing.
func personalIn(text string) string {
	// What nobody sees between two digits keeps them together.
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	switch {
	case longNumber.MatchString(text):
		return "a NIK or another number of a person (16 digits)"
	case mail.MatchString(text):
		return "an e-mail address"
	case phone.MatchString(text):
		return "a telephone number"
	case document.MatchString(text):
		return "the number of a passport"
	}
	return ""
}

// personalNumber says whose number a quantity is; empty for nobody's. An amount may have as
// many digits as a telephone number, and an amount of rupiah as many as a NIK: it is one
// where its digits hold a province and a date of birth, of a woman with 40 added to the
// day (Permendagri: PPKKCC DDMMYY NNNN; the count is not looked at, since a float64 does not
// hold the last digit of those that begin with 91). A NIP begins with a date of birth and the month
// of an appointment (YYYYMMDD YYYYMM SNNN).
func personalNumber(n float64) string {
	text := strconv.FormatFloat(math.Trunc(math.Abs(n)), 'f', -1, 64) // a long fraction is nobody's number
	part := func(from, to int) int {
		v, _ := strconv.Atoi(text[from:to])
		return v
	}
	within := func(v, from, to int) bool { return from <= v && v <= to }
	switch {
	case len(text) == 16 && within(part(0, 2), 11, 97) && part(2, 4) > 0 && part(4, 6) > 0 &&
		(within(part(6, 8), 1, 31) || within(part(6, 8), 41, 71)) && within(part(8, 10), 1, 12):
		return "a NIK (16 digits: a place, a date of birth, and a count)"
	case len(text) == 18 && within(part(0, 4), 1930, 2029) && within(part(4, 6), 1, 12) && within(part(6, 8), 1, 31) &&
		within(part(8, 12), 1950, 2099) && within(part(12, 14), 1, 12):
		return "the NIP of an official (18 digits: a date of birth, and when they were appointed)"
	}
	return ""
}
