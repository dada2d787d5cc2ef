package workflows_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// What is still to be handed in, by the facts of the request and where it stands: not
// what nobody asks for, what is not taken here, or what the office brings itself.
func TestWhatAnApplicantHasToHandIn(t *testing.T) {
	d := &single{t: t, w: compiled(t, signedPermit)}
	wants := func(want ...string) {
		t.Helper()
		var got []string
		for _, x := range d.w.Wanted(d.r) {
			text := string(x.Document.ID)
			if x.Refused {
				text += " refused: " + string(x.Reason)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in %s (-want +got)\n%s", d.r.State, diff)
		}
	}
	d.submit(domain.Facts{"big": true})
	wants("sketch", "plan") // the plan is asked for only when it is signed, and taken only here
	d.attach("plan")
	d.attach("sketch")
	wants()
	d.do(domain.RefuseDocument{Header: d.header("c-1", "clerk"), Document: "sketch", Reason: "bad"})
	wants("sketch refused: bad")
	d.attach("sketch")
	d.act("c-1", "clerk", "accept")
	wants()
	d.do(domain.GiveReview{Header: d.header("f-1", "fire"), Review: "fire", Opinion: domain.OpinionApproved})
	wants("proof") // what follows by itself needs it
	d.attach("proof")
	d.do(domain.Pay{Header: d.header("bank", "bank"), Fee: "levy", Amount: 1000, Receipt: "R-1"})
	wants() // the report is the head's to bring
	d.do(domain.Attach{Header: d.header("h-1", "head"), Document: "report", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64)})
	d.act("h-1", "head", "sign")
	wants()

	d = &single{t: t, w: compiled(t, signedPermit)}
	d.submit(nil)
	wants("sketch")
}

// What a transition asks for that this request cannot take is not asked of it.
func TestADocumentForOthersIsNotAskedFor(t *testing.T) {
	d := &single{t: t, w: compiled(t, signedWith(t,
		"- {action: sign, from: [signing], to: issued,", "- {action: sign, from: [signing], to: issued, roles: [head], when: facts.big, needs: {documents: [photo]}}\n  - {action: sign, from: [signing], to: issued,",
	))}
	for big, want := range map[bool][]domain.DocumentID{false: {"sketch"}, true: {"sketch", "photo"}} {
		d.r = domain.Request{}
		d.submit(domain.Facts{"big": big})
		var got []domain.DocumentID
		for _, x := range d.w.Wanted(d.r) {
			got = append(got, x.Document.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("big %v: %v, want %v", big, got, want)
		}
	}
}
