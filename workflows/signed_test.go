package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// signedPermit is a service with a desk, reviews, a payment and a signature. The lines in
// capitals are where a test says more.
const signedPermit = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: big, type: boolean, title: {id: Besar, en: Big}, default: false}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: boss, title: {id: Atasan, en: Superior}, capacities: [officer]}
  - {id: fire, title: {id: Damkar, en: Fire office}, capacities: [officer]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
reasons:
  - {code: bad, title: {id: Buruk, en: It is bad}}
documents:
  - {id: sketch, title: {id: Denah, en: Sketch}, formats: [pdf], max_size: 1 MB, required: true, by: [applicant], refused_by: [clerk], reasons: [bad]}
  - {id: plan, title: {id: Rencana, en: Plan}, formats: [pdf, dwg], max_size: 5 MB, required_when: facts.big, by: [applicant], in: [submitted]}
  - {id: photo, title: {id: Foto, en: Photograph}, formats: [jpg], max_size: 1 MB, by: [applicant]}
  - {id: report, title: {id: Laporan, en: Report}, formats: [pdf], max_size: 1 MB, required: true, by: [head], in: [signing]}
  - {id: proof, title: {id: Bukti, en: Proof}, formats: [pdf], max_size: 1 MB, by: [applicant], in: [paying]}
fees:
  - {id: levy, title: {id: Retribusi, en: Levy}, amount: 1000, due_in: [paying], basis: {id: Perda, en: By-law}}
reviews:
  - {id: fire, title: {id: Kebakaran, en: Fire safety}, role: fire, reasons: [bad]}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}}
  - {id: looking, kind: gather, public: in_process, owner: fire, reviews: [fire], title: {id: Rekomendasi, en: Reviews}}
  - {id: paying, kind: wait, public: waiting_payment, owner: applicant, title: {id: Bayar, en: Payment}}
  - {id: signing, kind: work, public: in_process, owner: head, title: {id: Tanda tangan, en: Signing}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
actions:
  - {id: accept, title: {id: Terima, en: Accept}}
  - {id: reject, title: {id: Tolak, en: Reject}}
  - {id: passed, title: {id: Lolos, en: Passed}}
  - {id: failed, title: {id: Gagal, en: Failed}}
  - {id: paid, title: {id: Lunas, en: Paid}}
  - {id: sign, title: {id: Tanda tangani, en: Sign}}
transitions:
  - {action: accept, from: [submitted], to: looking, roles: [clerk], kind: complete, needs: {documents: [sketch]}}
  - {action: reject, from: [submitted], to: refused, roles: [clerk], reasons: [bad]}
  - {action: passed, from: [looking], to: paying, automatic: true, needs: {reviews: approved}}
  - {action: failed, from: [looking], to: refused, automatic: true, needs: {reviews: refused}}
  - {action: paid, from: [paying], to: signing, automatic: true, needs: {fees: [levy], documents: [proof]}}
  - {action: sign, from: [signing], to: issued, roles: [head], not_by: [accept], needs: {required_documents: true}}
`

// signedWith is the permit with some of its lines changed: what was, what is instead.
func signedWith(t *testing.T, change ...string) string {
	t.Helper()
	text := signedPermit
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("the permit does not hold %q", change[i])
		}
		text = strings.Replace(text, change[i], change[i+1], 1)
	}
	return text
}

// single gives commands to one request and holds it.
type single struct {
	t *testing.T
	w *workflows.Workflow
	r domain.Request
	n int
}

func (d *single) header(person string, role domain.RoleID) domain.Header {
	as := domain.CapacityOfficer
	if allowed := d.w.Capacities(role); len(allowed) > 0 {
		as = allowed[0]
	}
	d.n++
	return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: person, Role: role, Capacity: as}, Occurred: time.Date(2026, 1, 5, 8, d.n, 0, 0, time.UTC)}
}

// try decides, and folds what was decided.
func (d *single) try(c domain.Command) error {
	events, err := domain.Decide(d.r, c, d.w)
	for _, e := range events {
		d.r = domain.Evolve(d.r, domain.Recorded{Event: e, Version: d.r.Version + 1})
	}
	return err
}

func (d *single) do(c domain.Command) {
	d.t.Helper()
	if err := d.try(c); err != nil {
		d.t.Fatal(err)
	}
}

func (d *single) submit(facts domain.Facts) {
	d.t.Helper()
	d.do(domain.Submit{Header: d.header("p-1", "applicant"), Tenant: "11.71", Service: d.w.Definition.ID, Reference: "0000-0000-0000", Facts: facts})
}

func (d *single) attach(id domain.DocumentID) {
	d.t.Helper()
	d.do(domain.Attach{Header: d.header("p-1", "applicant"), Document: id, Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64)})
}

func (d *single) act(person string, role domain.RoleID, a domain.ActionID) {
	d.t.Helper()
	d.do(domain.Act{Header: d.header(person, role), Action: a})
}
