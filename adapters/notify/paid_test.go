package notify_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
)

const paidFor = `
alur: 1
id: sip-dokter
title: {id: Dua, en: Two}
agency: {id: DPMPTSP, en: One-stop licensing office}
office: dpmptsp
form:
  schema: {type: object, properties: {email: {type: string}, phone: {type: string}}}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: front-office, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
reasons:
  - {code: blurred, title: {id: Buram, en: Blurred}}
documents:
  - {id: photo, title: {id: Foto, en: Photograph}, formats: [jpg], max_size: 1 MB, required: true, by: [applicant], refused_by: [front-office], reasons: [blurred]}
fees:
  - {id: levy, title: {id: Retribusi, en: Levy}, amount: 1000, due_in: [paying], basis: {id: Perda, en: By-law}}
states:
  - {id: submitted, kind: start, public: verification, owner: front-office, title: {id: Diperiksa, en: Being checked}}
  - {id: returned, kind: wait, public: needs_correction, owner: applicant, title: {id: Dikembalikan, en: Sent back}}
  - {id: review, kind: work, public: in_process, owner: front-office, title: {id: Ditelaah, en: Under review}}
  - {id: paying, kind: wait, public: in_process, owner: applicant, title: {id: Bayar dan ambil, en: Pay and collect}}
  - {id: second, kind: work, public: in_process, owner: front-office, title: {id: Ditelaah lagi, en: Reviewed again}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: return, title: {id: a, en: a}}
  - {id: resubmit, title: {id: a, en: a}}
  - {id: accept, title: {id: a, en: a}}
  - {id: bill, title: {id: a, en: a}}
  - {id: paid, title: {id: a, en: a}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: return, from: [submitted], to: returned, roles: [front-office], reasons: [blurred]}
  - {action: resubmit, kind: correct, from: [returned], to: submitted, roles: [applicant]}
  - {action: accept, kind: complete, from: [submitted], to: review, roles: [front-office]}
  - {action: bill, from: [review], to: paying, roles: [front-office]}
  - {action: paid, from: [paying], to: second, roles: [applicant]}
  - {action: issue, from: [second], to: issued, roles: [head], needs: {documents: [photo], fees: [levy]}}
`

// newBenchOf has a service published, by its definition, and one request for it.
func newBenchOf(t *testing.T, definition string, form domain.Personal) (*bench, domain.Request) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "w.yaml")
	if err := os.WriteFile(file, []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, file)
	a, err := b.Engine.Submit(t.Context(), domain.Submit{
		Header: header(t, "applicant", domain.CapacitySelf), Tenant: "11.71", Service: "sip-dokter", Form: form,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, a.Request
}

func (b *bench) do(t *testing.T, r domain.Request, c domain.Command) {
	t.Helper()
	if _, err := b.Engine.Act(t.Context(), r.ID, c); err != nil {
		t.Fatalf("%T: %v", c, err)
	}
}

// waiting are the messages that the events of a request are due to be told by, as they
// stand in the lanes.
func (b *bench) waiting(t *testing.T, r domain.Request) (list []notify.Notice) {
	t.Helper()
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(r.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		due, err := b.Due(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range due {
			list = append(list, notify.Notice{ID: m.ID, Stream: e.Stream, Version: e.Version, Channel: m.Channel})
		}
	}
	return list
}

func (b *bench) sendAll(t *testing.T, list []notify.Notice) {
	t.Helper()
	for len(list) > 0 {
		x := list[0]
		list = list[1:]
		err := b.Send(t.Context(), x)
		var other *notify.Rerouted
		if errors.As(err, &other) {
			for _, m := range other.To {
				list = append(list, notify.Notice{ID: m.ID, Stream: x.Stream, Version: x.Version, Channel: m.Channel})
			}
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A request comes at night with an e-mail address alone, so what is to be told of it waits
// there. Before the morning it is sent back and comes again, with a telephone alone: what
// waited goes there.
func TestAnAddressThatIsGoneWhileAnotherIsThere(t *testing.T) {
	b, r := newBenchOf(t, paidFor, domain.Personal{"email": "old@example.test"})
	office := func(role domain.RoleID) domain.Header { return header(t, role, domain.CapacityOfficer) }
	b.do(t, r, domain.Act{Header: office("front-office"), Action: "return", Reason: "blurred"})
	waits := b.waiting(t, r) // for the morning
	b.do(t, r, domain.Act{Header: header(t, "applicant", domain.CapacitySelf), Action: "resubmit", Form: domain.Personal{"phone": "0811-000-0000"}})
	b.sendAll(t, waits)
	if len(b.sms.letters) != len(waits) {
		t.Errorf("%d messages waited, and %d were told by the telephone that is there: %v", len(waits), len(b.sms.letters), b.outcomes(t, r))
	}
}

// Where no address is left, it is recorded that the applicant was not told.
func TestAnAddressThatIsGone(t *testing.T) {
	b, r := newBenchOf(t, paidFor, domain.Personal{"email": "old@example.test"})
	waits := b.waiting(t, r)
	b.do(t, r, domain.Act{Header: header(t, "front-office", domain.CapacityOfficer), Action: "return", Reason: "blurred"})
	b.do(t, r, domain.Act{Header: header(t, "applicant", domain.CapacitySelf), Action: "resubmit", Form: domain.Personal{"phone": ""}})
	b.sendAll(t, waits)
	if d := cmp.Diff([]string{"email|id|unaddressed"}, b.outcomes(t, r)); d != "" || len(b.mail.letters)+len(b.sms.letters) > 0 {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// The applicant owes a photograph all along, for the end. Then the request comes to a state
// in which they have to pay and collect, under the same public status: they are told, with
// the fee.
func TestAnotherThingToDoIsTold(t *testing.T) {
	b, r := newBenchOf(t, paidFor, domain.Personal{"email": "cut@example.test"})
	office := func(role domain.RoleID) domain.Header { return header(t, role, domain.CapacityOfficer) }
	b.do(t, r, domain.Act{Header: office("front-office"), Action: "accept"})
	b.sendAll(t, b.waiting(t, r))
	b.mail.letters = nil
	b.do(t, r, domain.Act{Header: office("front-office"), Action: "bill"})
	b.sendAll(t, b.waiting(t, r))
	if len(b.mail.letters) != 1 || !strings.Contains(b.mail.letters[0].Text, "Rp 1.000") {
		t.Errorf("of what they have to pay they are told: %v", b.mail.letters)
	}
}

// A date that holidays may still move is told with that, as on the page.
func TestADateThatMayMoveIsToldSo(t *testing.T) {
	source := strings.Replace(paidFor, "states:\n", "terms:\n  - {id: decision, title: {id: Jangka waktu keputusan, en: Time for the decision}, budget: 600 working days, expires: {escalate: [head]}, basis: {id: UU, en: Law}}\nstates:\n", 1)
	b, asked := newBenchOf(t, source, domain.Personal{"email": "cut@example.test"})
	b.do(t, asked, domain.Act{Header: header(t, "front-office", domain.CapacityOfficer), Action: "accept"})
	b.sendAll(t, b.waiting(t, asked))
	r, err := b.Engine.Load(t.Context(), asked.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := b.mail.letters[len(b.mail.letters)-1].Text
	if !r.Terms["decision"].Unsure || !strings.Contains(last, "Jangka waktu keputusan: sampai") || !strings.Contains(last, "dapat bergeser") {
		t.Errorf("%+v is told as\n%s", r.Terms["decision"], last)
	}
}

// The time for the decision ran out, which the applicant was told. It is not told as if there
// were time, nor once more with each step; but what somebody orders is.
func TestATimeThatRanOutIsNotToldAsRunning(t *testing.T) {
	b, r := newBenchOf(t, processed, domain.Personal{"email": "cut@example.test"})
	office := func(role domain.RoleID) domain.Header { return header(t, role, domain.CapacityOfficer) }
	b.do(t, r, domain.Act{Header: office("front-office"), Action: "accept"})
	b.clock = b.clock.AddDate(0, 2, 0)
	for _, c := range []domain.Command{
		domain.Act{Header: office("front-office"), Action: "ask"},
		domain.Act{Header: office("ministry"), Action: "answer"},
	} {
		b.do(t, r, c)
		b.clock = b.clock.AddDate(0, 0, 3)
	}
	b.do(t, r, domain.OrderSuspension{Header: office("head"), Ground: domain.StopForceMajeure, Reason: "flood"})
	b.clock = b.clock.AddDate(0, 0, 3)
	b.do(t, r, domain.LiftSuspension{Header: office("head")})
	b.sendAll(t, b.waiting(t, r))
	var told []string
	for _, l := range b.mail.letters[1:] {
		for _, word := range []string{"sampai", "dihentikan sementara, tidak ada", "habis pada", "dihentikan"} {
			if strings.Contains(l.Text, "Jangka waktu keputusan: "+word) {
				told = append(told, word)
				break
			}
		}
	}
	// It begins and runs out; then somebody orders that it stand still, and go on.
	if d := cmp.Diff([]string{"sampai", "habis pada", "dihentikan sementara, tidak ada", "habis pada"}, told); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Staff at a counter who also decide write down how the applicant for whom they filed wants
// to be told.
func TestTheCounterMayRecordWhatIsPreferred(t *testing.T) {
	file := filepath.Join(t.TempDir(), "w.yaml")
	source := strings.NewReplacer("Clerk}, capacities: [officer]", "Clerk}, capacities: [counter, officer]", "submit: [applicant]", "submit: [applicant, front-office]").Replace(paidFor)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, file)
	counter := func() domain.Header { return header(t, "front-office", domain.CapacityCounter) }
	a, err := b.Engine.Submit(t.Context(), domain.Submit{Header: counter(), Tenant: "11.71", Service: "sip-dokter", Form: domain.Personal{"email": "cut@example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Engine.Prefer(t.Context(), a.Request.ID, counter(), domain.NoticesPreferred{Language: "en"}); err != nil {
		t.Errorf("%v", err)
	}
}
