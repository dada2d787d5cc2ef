package domain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Ground is the legal ground on which somebody's personal data is erased.
type Ground string

// The grounds. The first four are those of article 43(1) of Law 27/2022 on
// personal data protection, the fifth is article 44 with article 51 of Law
// 43/2009 on archives, as they are given in the project's sources; a lawyer has
// not checked them.
const (
	GroundNoLongerNeeded   Ground = "no_longer_needed"
	GroundConsentWithdrawn Ground = "consent_withdrawn"
	GroundSubjectRequest   Ground = "subject_request"
	GroundUnlawful         Ground = "unlawfully_obtained"
	GroundRetentionEnded   Ground = "retention_ended"
	GroundCourtOrder       Ground = "court_order"
)

// Grounds lists every ground.
func Grounds() []Ground {
	return []Ground{
		GroundNoLongerNeeded, GroundConsentWithdrawn, GroundSubjectRequest,
		GroundUnlawful, GroundRetentionEnded, GroundCourtOrder,
	}
}

// BeforeItsTime reports whether the ground stands above the retention schedule:
// what should not have been taken, and what a court says, is not kept for an
// archive's sake. (That is this project's reading, not a rule it found.)
func (g Ground) BeforeItsTime() bool { return g == GroundUnlawful || g == GroundCourtOrder }

// SubjectErased says that data keys were destroyed, on which ground and by whom.
// What was sealed under them cannot be opened any more; everything else stays. It
// names no subject: nothing leads from here to a person.
type SubjectErased struct {
	Keys   []ErasedKey `json:"keys"`
	Ground Ground      `json:"ground"`
	Note   string      `json:"note"` // where the decision is on file; nothing personal
}

// Check refuses an erasure that is on no ground, or whose note is missing, too long
// or plainly personal.
func (b SubjectErased) Check() error {
	switch {
	case !slices.Contains(Grounds(), b.Ground):
		return refuse(RuleGround, fmt.Sprintf("%q is not a ground to erase on", b.Ground), "give one of "+Listed(Grounds()))
	case strings.TrimSpace(b.Note) == "" || len(b.Note) > maxNote:
		return refuse(RuleGround, "the note that says where the decision is on file is missing or too long", fmt.Sprintf("write at most %d bytes", maxNote))
	case looksPersonal(b.Note):
		return refuse(RulePersonalData, "the note looks as if it held a NIK or an e-mail address", "the note is kept in the clear: leave it out")
	}
	return CheckClear("the note", b.Note)
}

const maxNote = 500 // bytes

// ErasedKey is one key that was destroyed.
type ErasedKey struct {
	ID    uuid.UUID      `json:"id"`
	Class RetentionClass `json:"class"`
}

// Type implements [Body].
func (SubjectErased) Type() (string, int) { return "SubjectErased", 1 }

// ErasureStream names the stream of one erasure.
func ErasureStream(erasure uuid.UUID) string { return "erasure-" + erasure.String() }
