package workflows_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// tellings are what there is to tell of all events of a request, by their versions.
func (b *sealedBench) tellings(t *testing.T, r domain.Request) map[domain.Version]workflows.Telling {
	t.Helper()
	all := map[domain.Version]workflows.Telling{}
	for v := range b.count(t, r) {
		at := domain.Version(v + 1)
		told, ok, err := b.engine.Telling(t.Context(), r.ID, at)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			all[at] = told
		}
	}
	return all
}

func sentence(w workflows.Telling) string {
	var notices []string
	for _, n := range w.Notices {
		notices = append(notices, string(n.ID))
	}
	return strings.Join(append([]string{string(w.Request.Public), w.Reason.EN, string(w.FiledBy)}, notices...), "|")
}

// Each command that changes what the public sees, or that the workflow has a text for, is
// told once, with all that followed from it.
func TestWhatAnApplicantIsTold(t *testing.T) {
	b := newSealedBench(t)
	source, err := os.ReadFile("catalogue/11.71/sip-dokter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b.publish(t, source)
	s := b.submission(t)
	s.Actor.Capacity, s.Identity = domain.CapacityProxy, nik
	s.Facts = nil
	s.Form = domain.Personal{
		"kind": "new", "profession": "doctor", "name": "Cut Invented", "nik": "1171010101900001", "phone": "0811-000-0000", "email": "cut@example.test",
		"str_number": "STR-0", "practice_place": 1, "practice_name": "Klinik Rekaan", "practice_address": "Jalan Rekaan",
	}
	answer, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	r := answer.Request
	if _, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "front-office"), Action: "return", Reason: "str-missing", Remark: "call back"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	all := b.tellings(t, r)
	for _, at := range slices.Sorted(maps.Keys(all)) {
		told := all[at]
		got = append(got, sentence(told))
		want := map[domain.Channel]string{"email": "cut@example.test", "sms": "0811-000-0000", "whatsapp": "0811-000-0000"}
		if d := cmp.Diff(want, told.Contact); d != "" {
			t.Errorf("version %d: (-want +got)\n%s", at, d)
		}
	}
	want := []string{"verification||proxy|received", "needs_correction|Registration certificate (STR) missing or unreadable||to-complete"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Without a text of the workflow, the public status is what is told, and only when it is
// another one.
func TestAPublicChangeIsToldWithoutATextOfTheWorkflow(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	b.act(t, r, "front-office", "accept")     // in process
	b.act(t, r, "health-office", "recommend") // still
	b.act(t, r, "licensing", "assign-number") // still
	if err := b.remark(t, r, "head", "sign"); err != nil {
		t.Fatal(err)
	}
	b.act(t, r, "licensing", "issue")
	var got []string
	all := b.tellings(t, r)
	for _, at := range slices.Sorted(maps.Keys(all)) {
		got = append(got, sentence(all[at]))
		if all[at].Contact[domain.ChannelSMS] != "0811-000-0000" {
			t.Errorf("version %d: addresses %v", at, all[at].Contact)
		}
	}
	if d := cmp.Diff([]string{"verification||self", "in_process||", "approved||"}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if _, _, err := b.engine.Telling(t.Context(), r.ID, 99); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("of an event that is not there: %v", err)
	}
}

func TestAnImportedHistoryIsToldToNobody(t *testing.T) {
	b := newSealedBench(t)
	b.publish(t, []byte(clerksMayFile)) // whose clerk is told of each that comes in
	s := b.submission(t)
	s.Facts, s.Imported, s.Occurred = nil, &domain.Imported{Case: "case-1"}, now.AddDate(-1, 0, 0)
	answer, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if all := b.tellings(t, answer.Request); len(all) > 0 {
		t.Errorf("told: %v", all)
	}
	due := 0
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(answer.Request.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if x, is := e.Body.(domain.NoticeDue); is && x.To == "clerk" {
			due++
		}
		if told, ok, err := b.engine.OfficeTelling(t.Context(), answer.Request.ID, e); err != nil || ok {
			t.Errorf("told to %s: %v", told.Role, err)
		}
	}
	if due != 1 {
		t.Errorf("%d notices are due to the clerk", due)
	}
}

func TestWhatBecameOfAMessageIsRecordedOnce(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	told, _, err := b.engine.Telling(t.Context(), r.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	m := domain.Message{ID: domain.MessageID(told.First.ID, domain.ChannelSMS, false), Event: told.First.ID, Version: 1, Channel: domain.ChannelSMS, Language: "id", Attempts: 1}
	personal := domain.Personal{"to": "0811-000-0000", "text": "Cut Invented"}
	for i, fault := range []domain.NoticeFault{domain.NoticeUnreachable, domain.NoticeRefused, "", "", domain.NoticeFailed} {
		if err := b.engine.RecordMessage(t.Context(), told, domain.MessageOutcome{Message: m, Fault: fault}, personal); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	var types []string
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.NoticeStream(r.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		name, _ := e.Body.Type()
		types = append(types, name)
		if got, err := b.vault.Open(t.Context(), *e.Box, e.Place()); err != nil || got["to"] != "0811-000-0000" {
			t.Errorf("%s: sealed is %v, %v", name, got, err)
		}
	}
	if d := cmp.Diff([]string{"ApplicantNotNotified", "ApplicantNotified"}, types); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	n, err := b.engine.Notices(t.Context(), r.ID)
	if o, ok := n.Outcome(m.ID); err != nil || !ok || o.Fault != "" {
		t.Errorf("it came to %+v, %v", o, err)
	}
	b.verify(t)
}

func TestOnlyTheApplicantSaysHowTheyAreTold(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	english := domain.NoticesPreferred{Language: "en"}
	prefer := func(h domain.Header, p domain.NoticesPreferred) domain.Rule {
		t.Helper()
		var refusal *domain.Refusal
		err := b.engine.Prefer(t.Context(), r.ID, h, p)
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		if refusal == nil {
			return ""
		}
		return refusal.Rule
	}
	self, proxy := newHeader(t, "applicant"), newHeader(t, "applicant")
	proxy.Actor.Capacity = domain.CapacityProxy
	if rule := prefer(proxy, english); rule != domain.RuleCapacity {
		t.Errorf("of a proxy: %q", rule)
	}
	if rule := prefer(newHeader(t, "head"), english); rule != domain.RuleRole {
		t.Errorf("of an officer: %q", rule)
	}
	if rule := prefer(self, domain.NoticesPreferred{Language: "xx"}); rule != domain.RuleNotices {
		t.Errorf("of a language that is none: %q", rule)
	}
	for range 2 { // the second is the first again
		if rule := prefer(self, english); rule != "" {
			t.Errorf("of the applicant: %q", rule)
		}
	}
	later := newHeader(t, "applicant")
	b.clock = b.clock.Add(time.Hour)
	if rule := prefer(later, domain.NoticesPreferred{}); rule != "" {
		t.Errorf("of the applicant, later: %q", rule)
	}
	s := 0
	for _, err := range b.log.ReadStream(t.Context(), domain.NoticeStream(r.ID), 0) {
		if err != nil {
			t.Fatal(err)
		}
		s++
	}
	if n, err := b.engine.Notices(t.Context(), r.ID); err != nil || s != 2 || n.Preferred.Language != "" {
		t.Errorf("%d events, %+v, %v", s, n, err)
	}
}

// The schema of a form may say which fields are the applicant's addresses.
func TestAddressesAreTheFieldsThatTheFormSays(t *testing.T) {
	b := newSealedBench(t)
	source := strings.Replace(string(example(t)), "\nfacts:\n", `
form:
  type: object
  properties:
    mobile: {type: string, contact: phone}
    phone: {type: string, title: Of whoever files}

facts:
`, 1)
	b.publish(t, []byte(source))
	s := b.submission(t)
	s.Form = domain.Personal{"phone": "0899-000-0000", "mobile": " 0811-000-0000 "}
	answer, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	told, _, err := b.engine.Telling(t.Context(), answer.Request.ID, 1)
	want := map[domain.Channel]string{"sms": "0811-000-0000", "whatsapp": "0811-000-0000"}
	if d := cmp.Diff(want, told.Contact); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// What is corrected without another status is told when it takes the addresses away.
func TestACorrectionOfAnAddressIsTold(t *testing.T) {
	b := newSealedBench(t)
	source := strings.Replace(string(example(t)), "\ntransitions:\n", `
transitions:
  - {action: amend, kind: correct, from: [submitted], to: submitted, roles: [applicant]}
`, 1)
	source = strings.Replace(source, "\nactions:\n", "\nactions:\n  - {id: amend, title: {id: Perbaiki, en: Amend}}\n", 1)
	b.publish(t, []byte(source))
	r := b.apply(t, nik)
	amend := func(form domain.Personal) {
		t.Helper()
		if _, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "applicant"), Action: "amend", Facts: domain.Facts{"kind": "new"}, Form: form}); err != nil {
			t.Fatal(err)
		}
	}
	amend(domain.Personal{"name": "Cut Other", "phone": "0811-000-0000"})
	amend(domain.Personal{"name": "Cut Other", "phone": "0899-000-0000"})
	all := b.tellings(t, r)
	at := slices.Sorted(maps.Keys(all))
	if len(all) != 2 || at[0] != 1 {
		t.Fatalf("told at %v", at)
	}
	told := all[at[1]]
	if told.Changed || told.Former[domain.ChannelSMS] != "0811-000-0000" || told.Contact[domain.ChannelSMS] != "0899-000-0000" {
		t.Errorf("told %v, before %v", told.Contact, told.Former)
	}
}

// Of those who send the same message at once, one records it.
func TestAMessageIsRecordedOnceByWhoeverSendsIt(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	told, _, err := b.engine.Telling(t.Context(), r.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 16 {
		c := domain.Channels()[i%2]
		m := domain.Message{ID: domain.MessageID(told.First.ID, c, false), Event: told.First.ID, Version: 1, Channel: c, Language: "id", Attempts: 1}
		all.Go(func() {
			if err := b.engine.RecordMessage(t.Context(), told, domain.MessageOutcome{Message: m}, domain.Personal{"to": "0811-000-0000"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	events := 0
	for _, err := range b.log.ReadStream(t.Context(), domain.NoticeStream(r.ID), 0) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if n, err := b.engine.Notices(t.Context(), r.ID); err != nil || events != 2 || len(n.Messages) != 2 {
		t.Errorf("%d events, %+v, %v", events, n.Messages, err)
	}
	b.verify(t)
}
