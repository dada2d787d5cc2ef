package domain_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
)

// An actor's id is kept in the clear for ever, so it is not somebody's number or
// address, however that is written.
func TestActorsHavePseudonyms(t *testing.T) {
	for id, fits := range map[string]bool{
		"officer-17": true, "c-1": true, "1171-2026-000123": true, "urn:uuid:01a206c6-7880-74bf-99aa-61d2ffa53429": true,
		"1171010101900001": false, "nik 1171 0101 0190 0001": false, "1171_0101_0190_0001": false, "1171/0101/0190/0001": false,
		"11.71.01.010190.0001": false, "11,71,01,010190,0001": false, "1171\u200b010101900001": false,
		"01234567-8901-4234-9abc-012345678901": true, "0811-2345-6789": false, "628112345678": false, "08-2026": true,
		"x ": false, " x": false, "\u00a0x": false, "x\u200b": false, "x\u00ad": false, "\ufeffx": false, "a b": true, "": false, " ": false, "a\tb": false,
		"passport:A1234567": false, "+62 812-3456-7890": false, "cut@example.org": false,
	} {
		err := domain.Actor{ID: id, Role: "front-office", Capacity: domain.CapacityOfficer}.Check()
		if (err == nil) != fits {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// Two ids that look the same would be two people, and four eyes one person's.
func TestAnIDIsWrittenInOneWay(t *testing.T) {
	for id, fits := range map[string]bool{
		"abu": true, "jos\u00e9": true, "stra\u00dfe": true, "\u03c3": true, "\u0430\u0431\u0443": true, "\u738b-7": true, "o-1": true, "A_b.c/d:e": true,
		"ab\ufe0fu": false, "ab\u034fu": false, "ab\u3164u": false, "ab\u17b5u": false, "ab\u115fu": false, "ab\U000e0101u": false, // nothing shows
		"a\u00a0b": false, "a\u2800b": false, "a\u2028b": false,
		"jose\u0301": false, "i\u0307da": false, // joined
		"\uff41bu": false, "\U0001d41abu": false, "\ufb01n": false, "\u2163": false, "o\u20111": false, "o-\u00b9": false, // another form
		"\u0430bu": false, "\u03bfbu": false, // two alphabets
	} {
		actor := domain.Actor{ID: id, Role: "front-office", Capacity: domain.CapacityOfficer}
		if err := actor.Check(); (err == nil) != fits {
			t.Errorf("%+q: %v", id, err)
		}
	}
	imported := domain.Actor{ID: "jose\u0301", Role: "front-office", Capacity: domain.CapacityUnrecorded}
	if err := imported.Check(); err != nil {
		t.Errorf("another system's id: %v", err)
	}
	for _, old := range []string{"ab\ufe0fu", "ab\u034fu", "ab\u3164u", "\uff41bu", " ABU", "ab\u200du"} {
		if !(domain.Actor{ID: "abu"}).SamePerson(old) {
			t.Errorf("%+q of an older log is somebody else than abu", old)
		}
	}
	if (domain.Actor{ID: "abu"}).SamePerson("abi") {
		t.Error("abi is abu")
	}
}
