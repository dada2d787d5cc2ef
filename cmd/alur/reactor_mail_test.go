package main

import (
	"io"
	"net"
	netmail "net/mail"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/alur-id/alur/domain"
)

// mailTaker is a mail server that keeps whom each letter was for.
type mailTaker struct {
	mu  sync.Mutex
	to  map[string][]string // letters by address
	ids []string            // of the messages, as they came
}

type mailTaking struct {
	*mailTaker
	to string
}

func startMailTaker(t *testing.T) (*mailTaker, string) {
	t.Helper()
	m := &mailTaker{to: map[string][]string{}}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailTaking{mailTaker: m}, nil }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return m, l.Addr().String()
}

func (m *mailTaking) Reset()                               {}
func (m *mailTaking) Logout() error                        { return nil }
func (m *mailTaking) Mail(string, *smtp.MailOptions) error { return nil }
func (m *mailTaking) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.to = to
	return nil
}

func (m *mailTaking) Data(r io.Reader) error {
	letter, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(letter.Body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mailTaker.to[m.to] = append(m.mailTaker.to[m.to], string(text))
	id, _, _ := strings.Cut(strings.TrimPrefix(letter.Header.Get("Message-Id"), "<"), "@")
	m.ids = append(m.ids, id)
	return nil
}

func (m *mailTaker) got(t *testing.T, address string) string {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		m.mu.Lock()
		letters := slices.Clone(m.to[address])
		m.mu.Unlock()
		if len(letters) > 0 {
			return letters[0]
		}
		if time.Now().After(late) {
			t.Fatalf("nothing came to %s in a minute", address)
		}
	}
}

// newDatedSite serves the doctors' licence of the catalogue, by a clock that a test sets.
func newDatedSite(t *testing.T, at time.Time) (s *site, where stores, clock *atomic.Pointer[time.Time]) {
	t.Helper()
	clock = &atomic.Pointer[time.Time]{}
	clock.Store(&at)
	s = newSite(t, func(w *stores) {
		w.sealing, w.now = true, func() time.Time { return *clock.Load() }
		where = *w
	})
	source, err := os.ReadFile("../../workflows/catalogue/11.71/sip-dokter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.publish(t.Context(), "sip-dokter", source); err != nil {
		t.Fatal(err)
	}
	return s, where, clock
}

// By the mail server that the file names: the applicant is told that the request came in,
// and each step of the ladder of a term that ran out, the mailbox that the file names for
// it.
func TestApplicantsAndOfficesAreWrittenTo(t *testing.T) {
	m, address := startMailTaker(t)
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(29 * time.Hour) // tomorrow, in Banda Aceh: nobody is told at night
	s, where, clock := newDatedSite(t, noon)
	s.reactsTo(t, where, outwardTo(t, `
mail: {server: "smtp://%s?tls=none", from: alur@example.test}
offices:
  - {tenant: "11.71", role: secretary, mail: secretary@example.test}
  - {tenant: "11.71", role: head, mail: head@example.test}
`, address))
	if _, err := post(s.URL+"/api/v1/requests", "key-1", `{"tenant":"11.71","service":"sip-dokter","identity":"nik:1171019999990001",
		"form":{"kind":"new","profession":"doctor","name":"Cut Invented","nik":"1171019999990001","phone":"0811-000-0000","email":"cut@example.test",
			"str_number":"STR-0","practice_place":1,"practice_name":"Klinik Rekaan","practice_address":"Jalan Rekaan"},
		"actor":{"id":"applicant-secret","role":"applicant","capacity":"self"}}`); err != nil {
		t.Fatal(err)
	}
	if l := m.got(t, "cut@example.test"); !strings.Contains(l, "sudah kami terima") {
		t.Errorf("to the applicant:\n%s", l)
	}
	late := noon.AddDate(0, 0, 30)
	clock.Store(&late)
	if done, err := s.swept.Sweep(t.Context()); err != nil || done.Failed > 0 {
		t.Fatal(done, err)
	}
	for _, to := range []string{"secretary@example.test", "head@example.test"} {
		if l := m.got(t, to); !strings.Contains(l, "pekerjaan belum selesai") || strings.Contains(l, "Invented") {
			t.Errorf("to %s:\n%s", to, l)
		}
	}
	named := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(m.got(t, "head@example.test"))
	if shown := must(t, t.TempDir(), "", "audit", named, "--db", where.db); !strings.Contains(shown, "RequestSubmitted") {
		t.Errorf("by what the letter calls it:\n%s", shown)
	}
	// What became of it is recorded after the letter was taken.
	var recorded []string
	for late := time.Now().Add(time.Minute); len(recorded) < 2 && time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
		recorded = nil
		for e, err := range domain.Events(s.log.ReadAll(t.Context(), 0)) {
			if err != nil {
				t.Fatal(err)
			}
			if x, ok := e.Body.(domain.OfficeNotified); ok {
				recorded = append(recorded, string(x.Role))
			}
		}
	}
	slices.Sort(recorded)
	if len(recorded) < 2 || recorded[0] != "head" || !slices.Contains(recorded, "secretary") {
		t.Errorf("recorded: %v", recorded)
	}
}
