package notify_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
)

// runsOut has the clock go on to where a term of a request next does something by itself.
func (b *bench) runsOut(t *testing.T, r domain.Request, id domain.TermID) {
	t.Helper()
	r, err := b.Engine.Load(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	at := r.Terms[id].Wakes
	if at.IsZero() {
		t.Fatalf("the term %s does not run: %v", id, r.TermIDs())
	}
	b.clock = at
	if _, err := b.Engine.Expire(t.Context(), r.ID, id, at); err != nil {
		t.Fatal(err)
	}
}

// officeTold does what the reactor does for all events of a request, and says what the
// log then has of messages to offices.
func (b *bench) officeTold(t *testing.T, o *notify.Offices, r domain.Request) (outcomes []string) {
	t.Helper()
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(r.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		due, err := o.Due(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range due {
			if err := o.Send(t.Context(), e, id, 0); err != nil {
				if err := o.GiveUp(t.Context(), e, id, 1, err); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.NoticeStream(r.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		switch x := e.Body.(type) {
		case domain.OfficeNotified:
			outcomes = append(outcomes, string(x.Role)+" of "+string(x.Term)+string(x.Notice)+" sent")
		case domain.OfficeNotNotified:
			outcomes = append(outcomes, string(x.Role)+" of "+string(x.Term)+string(x.Notice)+" "+string(x.Fault))
		}
	}
	return outcomes
}

func TestAnOfficeIsToldThatATermRanOut(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, both)
	b.runsOut(t, r, "state:submitted")
	desk := &post{}
	o := &notify.Offices{Engine: b.Engine, Gateway: desk, Mailboxes: []notify.Mailbox{
		{Tenant: "11.71", Role: "secretary", Address: "head@example.test"},
		{Tenant: "11.71", Role: "secretary", Services: []string{"sip-dokter"}, Address: "second@example.test"},
		{Tenant: "11.71", Role: "secretary", Services: []string{"pbg"}, Address: "other-service@example.test"},
		{Tenant: "33.14", Role: "secretary", Address: "other-tenant@example.test"},
		{Tenant: "11.71", Role: "licensing", Address: "other-role@example.test"},
	}}
	want := []string{"secretary of state:submitted sent", "secretary of state:submitted sent"}
	for range 2 { // once, however often it is gone through
		if d := cmp.Diff(want, b.officeTold(t, o, r)); d != "" {
			t.Fatalf("(-want +got)\n%s", d)
		}
	}
	var to []string
	for _, l := range desk.letters {
		to = append(to, l.To)
		for _, part := range []string{r.ID.String(), "pekerjaan belum selesai", "the work is not done", "secretary"} {
			if !strings.Contains(l.Text, part) {
				t.Errorf("%q is not in\n%s", part, l.Text)
			}
		}
		for _, secret := range []string{string(r.Reference), "Cut", "1171010101900001", "cut@example.test"} {
			if strings.Contains(l.Subject+l.Text, secret) {
				t.Errorf("%q is in\n%s", secret, l.Text)
			}
		}
	}
	if d := cmp.Diff([]string{"head@example.test", "second@example.test"}, to); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if n, err := b.Engine.Notices(t.Context(), r.ID); err != nil || len(n.Messages) > 0 {
		t.Errorf("messages to the applicant: %v %v", n.Messages, err)
	}
}

// Whom nobody can write to, and what a gateway does not take, is recorded, and may be sent
// after all.
func TestAnOfficeThatIsNotToldIsRecorded(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, both)
	b.runsOut(t, r, "state:submitted")
	desk := &post{fault: &domain.Undelivered{Text: "gone", Lasting: true}}
	o := &notify.Offices{Engine: b.Engine, Gateway: desk}
	if d := cmp.Diff([]string{"secretary of state:submitted unaddressed"}, b.officeTold(t, o, r)); d != "" {
		t.Fatalf("(-want +got)\n%s", d)
	}
	o.Mailboxes = []notify.Mailbox{{Tenant: "11.71", Role: "secretary", Address: "head@example.test"}}
	want := []string{"secretary of state:submitted unaddressed", "secretary of state:submitted refused"}
	for range 2 {
		if d := cmp.Diff(want, b.officeTold(t, o, r)); d != "" {
			t.Fatalf("(-want +got)\n%s", d)
		}
	}
	desk.fault = nil
	if d := cmp.Diff(append(want, "secretary of state:submitted sent"), b.officeTold(t, o, r)); d != "" {
		t.Fatalf("(-want +got)\n%s", d)
	}
}

// What is told to the applicant is told to no office: not even to one whose role has their
// name. They are reminded of their own time.
func TestAnApplicantIsRemindedOfTheirOwnTime(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, both)
	if _, err := b.Engine.Act(t.Context(), r.ID, domain.Act{Header: header(t, "front-office", domain.CapacityOfficer), Action: "return", Reason: "str-missing", Remark: "call back"}); err != nil {
		t.Fatal(err)
	}
	b.tell(t, r)
	before := len(b.mail.letters)
	b.runsOut(t, r, "state:returned")
	if faults := b.tell(t, r); len(faults) > 0 {
		if p := (*domain.Postponed)(nil); !errors.As(faults[0], &p) {
			t.Fatal(faults)
		}
		t.Fatal("it was reminded in quiet hours: put the clock elsewhere")
	}
	if len(b.mail.letters) != before+1 {
		t.Fatalf("%d letters, want one more than %d", len(b.mail.letters), before)
	}
	l := b.mail.letters[before]
	if !strings.Contains(l.Text, `Waktu Anda untuk "Dikembalikan untuk dilengkapi" habis pada 11 Desember 2026 pukul`) {
		t.Error(l.Text)
	}
	o := &notify.Offices{Engine: b.Engine, Gateway: &post{}, Mailboxes: []notify.Mailbox{{Tenant: "11.71", Role: "applicant", Address: "applicant@example.test"}}}
	if told := b.officeTold(t, o, r); slices.ContainsFunc(told, func(s string) bool { return strings.HasPrefix(s, "applicant") }) {
		t.Error(told)
	}
}
