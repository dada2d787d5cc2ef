package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// post is a gateway that keeps what it took, by the id of each letter.
type post struct {
	letters []notify.Letter
	fault   error
}

func (p *post) Send(_ context.Context, l notify.Letter) error {
	if p.fault != nil {
		return p.fault
	}
	p.letters = append(p.letters, l)
	return nil
}

type bench struct {
	*notify.Notifier
	log       *memory.Log
	vault     *keys.Vault
	store     *memory.KeyStore
	clock     time.Time
	mail, sms *post
}

// newBench has one service published, by its file in the catalogue. It is noon in Banda
// Aceh.
func newBench(t *testing.T, file string) *bench {
	t.Helper()
	b := &bench{log: memory.New(), store: memory.NewKeyStore(), clock: time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC), mail: &post{}, sms: &post{}}
	now := func() time.Time { return b.clock }
	var err error
	if b.vault, err = keys.Open(t.Context(), b.store, keys.Config{Ring: keys.Ring{keys.NewKEK()}, Now: now}); err != nil {
		t.Fatal(err)
	}
	library := workflows.NewLibrary(b.log)
	var drawn atomic.Uint64
	engine := workflows.NewEngine(b.log, library, workflows.EngineConfig{
		Now: now, Vault: b.vault, Random: func() uint64 { return drawn.Add(1) * 0x9E3779B97F4A7C15 },
	})
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := workflows.Read(file, source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := library.Publish(t.Context(), workflows.Publication{
		Tenant: "11.71", Source: source, Definition: d, Occurred: b.clock, At: b.clock, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	b.Notifier = &notify.Notifier{
		Engine: engine, Now: now, Quiet: domain.UsualQuiet, Public: "https://alur.example/",
		Gateways: map[domain.Channel]notify.Gateway{domain.ChannelEmail: b.mail, domain.ChannelSMS: b.sms},
	}
	return b
}

func header(t *testing.T, role domain.RoleID, as domain.Capacity) domain.Header {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return domain.Header{ID: id, Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: as}}
}

const sip, levy = "../../workflows/catalogue/11.71/sip-dokter.yaml", "../../workflows/testdata/levy.yaml"

// ask hands in a request for a doctor's licence, with some addresses.
func (b *bench) ask(t *testing.T, as domain.Capacity, addresses map[string]string) domain.Request {
	t.Helper()
	form := domain.Personal{
		"kind": "new", "profession": "doctor", "name": "Cut Invented", "nik": "1171010101900001", "phone": "--------", "str_number": "STR-0",
		"practice_place": 1, "practice_name": "Klinik Rekaan", "practice_address": "Jalan Rekaan",
	}
	for name, address := range addresses {
		form[name] = address
	}
	answer, err := b.Engine.Submit(t.Context(), domain.Submit{
		Header: header(t, "applicant", as), Tenant: "11.71", Service: "sip-dokter", Identity: "nik:1171010101900001", Form: form,
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Request
}

var both = map[string]string{"email": "cut@example.test", "phone": "0811-000-0000"}

// tell does what the reactor does for all events of a request, once for each channel.
func (b *bench) tell(t *testing.T, r domain.Request) (faults []error) {
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
			if err := b.Send(t.Context(), notify.Notice{ID: m.ID, Stream: e.Stream, Version: e.Version, Channel: m.Channel}); err != nil {
				faults = append(faults, err)
			}
		}
	}
	return faults
}

func (b *bench) tellIf(t *testing.T, is bool, r domain.Request) []error {
	t.Helper()
	if !is {
		return nil
	}
	return b.tell(t, r)
}

// outcomes are what the log says of the messages of a request.
func (b *bench) outcomes(t *testing.T, r domain.Request) []string {
	t.Helper()
	n, err := b.Engine.Notices(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, o := range n.Messages {
		list = append(list, strings.Join([]string{string(o.Channel), o.Language, string(o.Fault)}, "|"))
	}
	return list
}

// clear holds that no address is in the log as it is, and that what was sent can be opened.
func (b *bench) clear(t *testing.T) {
	t.Helper()
	for e, err := range b.log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"cut@example", "0811-000", "Invented"} {
			if bytes.Contains(e.Meta, []byte(word)) || bytes.Contains(e.Data, []byte(word)) || strings.Contains(e.Stream, word) {
				t.Errorf("%s version %d has %q in the clear", e.Stream, e.Version, word)
			}
		}
	}
}

func TestAnApplicantIsToldByEachChannelAndTheLogSaysSo(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacityProxy, both)
	act := domain.Act{Header: header(t, "front-office", domain.CapacityOfficer), Action: "return", Reason: "str-missing", Remark: "call back"}
	if _, err := b.Engine.Act(t.Context(), r.ID, act); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as after a crash
		if faults := b.tell(t, r); faults != nil {
			t.Fatal(faults)
		}
	}
	if len(b.mail.letters) != 2 || len(b.sms.letters) != 2 {
		t.Fatalf("%d e-mails and %d SMS were sent", len(b.mail.letters), len(b.sms.letters))
	}
	first, second := b.mail.letters[0], b.mail.letters[1]
	want := "Surat Izin Praktik Dokter, DPMPTSP Kota Banda Aceh. Nomor permohonan " + string(r.Reference) + `.

27 November 2026 pukul 12.00 WIB:
Permohonan SIP Anda sudah kami terima. Layanan ini tidak dipungut biaya; jangan membayar apa pun kepada siapa pun.
Status permohonan Anda: Menunggu verifikasi (Menunggu pemeriksaan berkas).
Permohonan ini diajukan atas nama Anda oleh orang lain. Jika Anda tidak menyuruhnya, hubungi kantor layanan.

Biaya resmi: Tidak dipungut biaya. Jangan membayar apa pun kepada siapa pun.
Jangan membayar apa pun selain biaya resmi, kepada siapa pun.

Riwayat dan langkah berikutnya: https://alur.example/lacak/` + string(r.Reference) + "\n"
	if d := cmp.Diff(want, first.Text); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if first.To != "cut@example.test" || first.Subject != "Permohonan "+string(r.Reference)+": Menunggu verifikasi" {
		t.Errorf("the letter is to %q: %q", first.To, first.Subject)
	}
	if b.sms.letters[0].To != "0811-000-0000" || b.sms.letters[0].ID == first.ID {
		t.Errorf("the SMS is %+v", b.sms.letters[0])
	}
	for _, word := range []string{"Perlu perbaikan", "STR"} {
		if !strings.Contains(second.Text, word) {
			t.Errorf("the second letter does not say %q:\n%s", word, second.Text)
		}
	}
	if strings.Contains(second.Text, "call back") || strings.Contains(second.Text, "front-office") {
		t.Errorf("the second letter tells what is the office's own:\n%s", second.Text)
	}
	if d := cmp.Diff([]string{"email|id|", "sms|id|", "email|id|", "sms|id|"}, b.outcomes(t, r)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	b.clear(t)
}

func TestMessagesAreInTheLanguageAndByTheChannelThatIsPreferred(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, both)
	p := domain.NoticesPreferred{Language: "en", Channels: []domain.Channel{domain.ChannelSMS}}
	if err := b.Engine.Prefer(t.Context(), r.ID, header(t, "applicant", domain.CapacitySelf), p); err != nil {
		t.Fatal(err)
	}
	b.tell(t, r)
	if len(b.mail.letters) != 0 || len(b.sms.letters) != 1 || !strings.Contains(b.sms.letters[0].Text, "Your application has come in") {
		t.Errorf("sent: %v, %v", b.mail.letters, b.sms.letters)
	}
}

// What waits for a channel that the applicant does not want any more goes by those that
// they want, unless it went by them already.
func TestWhatWaitsGoesByTheChannelThatIsPreferredThen(t *testing.T) {
	for name, c := range map[string]struct {
		first, then []domain.Channel
		waits       domain.Channel // what is sent when they say otherwise; before it, all else that was due
		rerouted    []domain.Channel
	}{
		"from one to another":               {[]domain.Channel{domain.ChannelSMS}, []domain.Channel{domain.ChannelEmail}, domain.ChannelSMS, []domain.Channel{domain.ChannelEmail}},
		"one of both, by which it has gone": {nil, []domain.Channel{domain.ChannelEmail}, domain.ChannelSMS, nil},
		"one more":                          {[]domain.Channel{domain.ChannelSMS}, domain.Channels(), domain.ChannelSMS, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, sip)
			r := b.ask(t, domain.CapacitySelf, both)
			prefer := func(by []domain.Channel) {
				t.Helper()
				if err := b.Engine.Prefer(t.Context(), r.ID, header(t, "applicant", domain.CapacitySelf), domain.NoticesPreferred{Channels: by}); err != nil {
					t.Fatal(err)
				}
			}
			prefer(c.first)
			var first domain.Recorded
			for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(r.ID), 0)) {
				if err != nil {
					t.Fatal(err)
				}
				first = e
				break
			}
			due, err := b.Due(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			var waiting notify.Notice
			for _, m := range due {
				x := notify.Notice{ID: m.ID, Stream: first.Stream, Version: first.Version, Channel: m.Channel}
				if m.Channel == c.waits {
					waiting = x
				} else if err := b.Send(t.Context(), x); err != nil {
					t.Fatal(err)
				}
			}
			prefer(c.then)
			var rerouted []domain.Channel
			var other *notify.Rerouted
			err = b.Send(t.Context(), waiting)
			if kept := slices.Contains(c.then, c.waits); errors.As(err, &other) == kept || kept && (err != nil || len(b.sms.letters) != 1) {
				t.Fatalf("it is sent: %v", err)
			} else if !kept {
				for _, m := range other.To {
					rerouted = append(rerouted, m.Channel)
					if err := b.Send(t.Context(), notify.Notice{ID: m.ID, Stream: first.Stream, Version: first.Version, Channel: m.Channel}); err != nil {
						t.Fatal(err)
					}
				}
				if len(b.sms.letters) != 0 || len(b.mail.letters) != 1 {
					t.Errorf("sent: %v, %v", b.mail.letters, b.sms.letters)
				}
			}
			if d := cmp.Diff(c.rerouted, rerouted); d != "" {
				t.Errorf("rerouted (-want +got)\n%s", d)
			}
		})
	}
}

func TestNobodyIsToldInQuietHours(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, map[string]string{"email": "cut@example.test"})
	b.clock = time.Date(2026, 11, 27, 15, 30, 0, 0, time.UTC) // 22:30 in Banda Aceh
	morning := time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC)
	var later *domain.Postponed
	if faults := b.tell(t, r); len(faults) != 2 || !errors.As(faults[0], &later) || !later.Until.Equal(morning) {
		t.Errorf("at night: %v", faults)
	}
	if len(b.mail.letters) != 0 || b.outcomes(t, r) != nil {
		t.Errorf("at night: sent %v, recorded %v", b.mail.letters, b.outcomes(t, r))
	}
	b.clock = morning
	if faults := b.tell(t, r); faults != nil || len(b.mail.letters) != 1 {
		t.Errorf("in the morning: %v, sent %v", faults, b.mail.letters)
	}
	if !strings.Contains(b.mail.letters[0].Text, "27 November 2026 pukul 12.00 WIB") {
		t.Errorf("the letter does not say when it was so:\n%s", b.mail.letters[0].Text)
	}
}

func TestWhoCannotBeToldIsRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *bench, domain.Request)
		want   string
	}{
		"no gateway for the addresses": {func(_ *testing.T, b *bench, _ domain.Request) { b.Gateways = nil }, "||unaddressed"},
		"erased": {func(t *testing.T, b *bench, r domain.Request) {
			id := uuid.New()
			if _, err := b.vault.Mark(t.Context(), id, []uuid.UUID{r.Key}); err != nil {
				t.Fatal(err)
			}
			if _, err := b.vault.Destroy(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}, "||erased"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, sip)
			r := b.ask(t, domain.CapacitySelf, both)
			c.change(t, b, r)
			for range 2 {
				b.tell(t, r)
			}
			if d := cmp.Diff([]string{c.want}, b.outcomes(t, r)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// What was given up is recorded, and so is that it was sent after all, under one id.
func TestWhatIsGivenUpMayBeSentAfterAll(t *testing.T) {
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, map[string]string{"email": "cut@example.test"})
	b.Gateways = map[domain.Channel]notify.Gateway{domain.ChannelEmail: b.mail}
	x := notify.Notice{Stream: domain.RequestStream(r.ID), Version: 1, Channel: domain.ChannelEmail, Attempts: 3}
	b.mail.fault = &domain.Undelivered{Text: "the mailbox is none", Lasting: true}
	err := b.Send(t.Context(), x)
	if !errors.Is(err, b.mail.fault) {
		t.Fatal(err)
	}
	if err := b.GiveUp(t.Context(), x, err); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"email|id|refused"}, b.outcomes(t, r)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	b.mail.fault = nil
	for range 2 {
		if err := b.Send(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"email|id|"}, b.outcomes(t, r)); d != "" || len(b.mail.letters) != 1 {
		t.Errorf("%d letters (-want +got)\n%s", len(b.mail.letters), d)
	}
	b.clear(t)
}

// Once a fee was assessed, the message says how much it is, and what of it is owed.
func TestTheOfficialFeeIsToldInFigures(t *testing.T) {
	b := newBench(t, levy)
	answer, err := b.Engine.Submit(t.Context(), domain.Submit{
		Header: header(t, "applicant", domain.CapacitySelf), Tenant: "11.71", Service: "permit", Form: domain.Personal{"phone": "0811-000-0000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := answer.Request
	for _, c := range []domain.Command{
		domain.Attach{Header: header(t, "applicant", domain.CapacitySelf), Document: "sketch", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("ab", 32)},
		domain.Act{Header: header(t, "clerk", domain.CapacityOfficer), Action: "accept"},
		domain.GiveReview{Header: header(t, "fire", domain.CapacityOfficer), Review: "fire", Opinion: domain.OpinionApproved},
	} {
		if _, err := b.Engine.Act(t.Context(), r.ID, c); err != nil {
			t.Fatalf("%T: %v", c, err)
		}
	}
	if faults := b.tell(t, r); faults != nil {
		t.Fatal(faults)
	}
	last := b.sms.letters[len(b.sms.letters)-1].Text
	for _, want := range []string{"Menunggu pembayaran", "Biaya resmi: Rp 1.000.", "Belum dibayar: Rp 1.000.", "Jangan membayar apa pun selain biaya resmi"} {
		if !strings.Contains(last, want) {
			t.Errorf("it does not say %q:\n%s", want, last)
		}
	}
	if n := len(b.sms.letters); n != 3 {
		t.Errorf("%d messages were sent", n)
	}
}

// Whoever replaces the address keeps nobody from hearing of it: a last message goes to the
// address of before.
func TestAReplacedAddressIsToldOfIt(t *testing.T) {
	t.Run("what was told in time", func(t *testing.T) {
		replaced(t, true, "0811-000-0000 false", "0811-000-0000 false", "0811-000-0000 true", "0899-000-0000 false")
	})
	t.Run("what waited until then goes to the new one", func(t *testing.T) {
		replaced(t, false, "0899-000-0000 false", "0899-000-0000 false", "0811-000-0000 true", "0899-000-0000 false")
	})
}

// replaced has an applicant's telephone replaced, and says to which numbers SMS went, and
// whether as the last one there.
func replaced(t *testing.T, inTime bool, want ...string) {
	t.Helper()
	b := newBench(t, sip)
	r := b.ask(t, domain.CapacitySelf, both)
	attach := func(doc domain.DocumentID, format string) domain.Attach {
		return domain.Attach{Header: header(t, "applicant", domain.CapacitySelf), Document: doc, Format: format, Bytes: 1, SHA256: strings.Repeat("ab", 32)}
	}
	for _, c := range []domain.Command{
		domain.Act{Header: header(t, "front-office", domain.CapacityOfficer), Action: "return", Reason: "str-missing"},
		attach("str", "pdf"), attach("place-statement", "pdf"), attach("photo", "jpg"),
		domain.Act{Header: header(t, "applicant", domain.CapacityProxy), Action: "resubmit", Form: domain.Personal{
			"kind": "new", "profession": "doctor", "name": "Cut Invented", "nik": "1171010101900001", "phone": "0899-000-0000", "email": "cut@example.test",
			"str_number": "STR-0", "practice_place": 1, "practice_name": "Klinik Rekaan", "practice_address": "Jalan Rekaan",
		}},
	} {
		if _, err := b.Engine.Act(t.Context(), r.ID, c); err != nil {
			t.Fatal(err)
		}
		if faults := b.tellIf(t, inTime, r); faults != nil {
			t.Fatal(faults)
		}
	}
	for range 2 {
		if faults := b.tell(t, r); faults != nil {
			t.Fatal(faults)
		}
	}
	var to []string
	for _, l := range b.sms.letters {
		to = append(to, fmt.Sprint(l.To, " ", strings.Contains(l.Text, "pesan terakhir")))
	}
	if d := cmp.Diff(want, to); d != "" {
		t.Errorf("SMS went to (-want +got)\n%s", d)
	}
	if len(b.mail.letters) != 3 {
		t.Errorf("%d e-mails went to an address that stayed", len(b.mail.letters))
	}
	b.clear(t)
}
