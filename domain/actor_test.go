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
