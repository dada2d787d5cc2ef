package notify_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// A status that stays "being processed" from the acceptance to the decision.
const processed = `
alur: 1
id: sip-dokter
title: {id: Dua, en: Two}
agency: {id: DPMPTSP, en: One-stop licensing office}
office: dpmptsp
form:
  schema: {type: object, properties: {email: {type: string}}}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: front-office, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: ministry, title: {id: Kementerian, en: Ministry}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
submit: [applicant]
reasons:
  - {code: flood, title: {id: Banjir, en: Flood}}
  - {code: blurred, title: {id: Buram, en: Blurred}}
suspensions:
  - {ground: other_agency, in: [asked], basis: {id: UU, en: Law}}
  - {ground: force_majeure, roles: [head], reasons: [flood], basis: {id: UU, en: Law}}
documents:
  - {id: photo, title: {id: Foto, en: Photograph}, formats: [jpg], max_size: 1 MB, required: true, by: [applicant], refused_by: [front-office], reasons: [blurred]}
terms:
  - {id: decision, title: {id: Jangka waktu keputusan, en: Time for the decision}, budget: 20 working days, suspended_in: [asked], extension: {by: 3 working days, roles: [head], reasons: [flood], basis: {id: UU, en: Law}}, expires: {escalate: [head]}, basis: {id: UU, en: Law}}
states:
  - {id: submitted, kind: start, public: verification, owner: front-office, title: {id: Diperiksa, en: Being checked}}
  - {id: review, kind: work, public: in_process, owner: front-office, title: {id: Ditelaah, en: Under review}}
  - {id: asked, kind: wait, public: in_process, owner: ministry, title: {id: Ditanyakan, en: Asked}}
  - {id: second, kind: work, public: in_process, owner: front-office, title: {id: Ditelaah lagi, en: Reviewed again}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: accept, title: {id: a, en: a}}
  - {id: ask, title: {id: a, en: a}}
  - {id: answer, title: {id: a, en: a}}
  - {id: look, title: {id: a, en: a}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: accept, kind: complete, from: [submitted], to: review, roles: [front-office]}
  - {action: ask, from: [review], to: asked, roles: [front-office]}
  - {action: answer, from: [asked], to: review, roles: [ministry]}
  - {action: look, from: [review], to: second, roles: [front-office]}
  - {action: issue, from: [second], to: issued, roles: [head], needs: {documents: [photo]}}
`

// The applicant is told of all that the public page tells otherwise, and of nothing that it
// does not: that the status is the same word does not matter.
func TestWhatChangesForTheApplicantIsToldThoughTheStatusStays(t *testing.T) {
	b, r := newBenchOf(t, processed, domain.Personal{"email": "cut@example.test"})
	office := func(role domain.RoleID) domain.Header { return header(t, role, domain.CapacityOfficer) }
	photo := domain.Attach{Header: header(t, "applicant", domain.CapacitySelf), Document: "photo", Format: "jpg", Bytes: 1, SHA256: strings.Repeat("ab", 32)}
	for _, step := range []struct {
		name string
		c    domain.Command
		want []string // of the letter, what is not the same each time; nil for none
	}{
		{"accepted", domain.Act{Header: office("front-office"), Action: "accept"}, []string{
			"Status permohonan Anda: Sedang diproses (Ditelaah).", "Jangka waktu keputusan: sampai ",
		}},
		{"asked of the ministry", domain.Act{Header: office("front-office"), Action: "ask"}, []string{"Jangka waktu keputusan: dihentikan sementara, kami menunggu instansi lain."}},
		{"answered", domain.Act{Header: office("ministry"), Action: "answer"}, []string{"Jangka waktu keputusan: sampai "}},
		{"ordered to stand still", domain.OrderSuspension{Header: office("head"), Ground: domain.StopForceMajeure, Reason: "flood"}, []string{
			"Jangka waktu keputusan: dihentikan sementara, tidak ada yang dapat memprosesnya (keadaan kahar).", "Alasan: Banjir.",
		}},
		{"ordered to go on", domain.LiftSuspension{Header: office("head")}, []string{"Jangka waktu keputusan: sampai "}},
		{"extended", domain.ExtendTerm{Header: office("head"), Term: "decision", Reason: "flood"}, []string{"Jangka waktu keputusan: sampai ", "Alasan: Banjir."}},
		{"a photograph", photo, nil},
		{"that is sent back", domain.RefuseDocument{Header: office("front-office"), Document: "photo", Reason: "blurred"}, []string{"Dokumen dikembalikan, mohon serahkan lagi: Foto (Buram)."}},
		{"looked at within the office", domain.Act{Header: office("front-office"), Action: "look"}, nil},
	} {
		t.Run(step.name, func(t *testing.T) {
			b.tell(t, r)
			b.mail.letters = nil
			if _, err := b.Engine.Act(t.Context(), r.ID, step.c); err != nil {
				t.Fatal(err)
			}
			b.tell(t, r)
			if len(b.mail.letters) != len(step.want[:min(1, len(step.want))]) {
				t.Fatalf("%d letters: %v", len(b.mail.letters), b.mail.letters)
			}
			var said []string
			for _, l := range b.mail.letters {
				for line := range strings.Lines(l.Text) {
					for _, w := range step.want {
						if strings.HasPrefix(strings.TrimSpace(line), w) {
							said = append(said, w)
						}
					}
				}
			}
			if d := cmp.Diff(step.want, said); d != "" {
				t.Errorf("(-want +got)\n%s\n%v", d, b.mail.letters)
			}
		})
	}
	b.clear(t)
}
