package notify_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
)

// mailServer is a server of SMTP in this process.
type mailServer struct {
	mu      sync.Mutex
	letters []string
	refuse  *smtp.SMTPError // on RCPT TO
	hang    chan struct{}   // on DATA, where there is one
	address string
	roots   *x509.CertPool
}

// startMail runs it, with a certificate for example.com.
func startMail(t *testing.T, change ...func(*smtp.Server)) *mailServer {
	t.Helper()
	web := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate
	t.Cleanup(web.Close)
	m := &mailServer{roots: x509.NewCertPool()}
	m.roots.AddCert(web.Certificate())
	s := smtp.NewServer(m)
	s.Domain, s.TLSConfig = "example.com", &tls.Config{Certificates: web.TLS.Certificates}
	s.ErrorLog = quiet{}
	for _, f := range change {
		f(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = l.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		_ = l.Close() // where it was closed before it served
		<-done
	})
	return m
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: m}, nil
}

func (m *mailServer) took() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{}, m.letters...)
}

type mailSession struct {
	server *mailServer
	in     bool
	to     string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "alur" || password != "a secret" {
			return errors.New("wrong")
		}
		s.in = true
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.server.refuse != nil {
		return s.server.refuse
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if s.server.hang != nil {
		<-s.server.hang
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.letters = append(s.server.letters, "Envelope-To: "+s.to+"\r\n"+string(b))
	return err
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

func (m *mailServer) gateway(t *testing.T, user string) *notify.Mail {
	t.Helper()
	g, err := notify.NewMail(notify.MailConfig{
		URL: "smtp://" + user + "@" + m.address, From: "DPMPTSP Rekaan <alur@example.com>",
		TLS: &tls.Config{RootCAs: m.roots, ServerName: "example.com"}, Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var noon = time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC)

var letter = notify.Letter{
	ID: uuid.MustParse("01939d0b-64c8-7000-8000-000000000001"), To: "Cut Rekaan <cut@example.test>", Language: "id",
	Subject: "Permohonan 7K3M-Q9XT-2WPN: Sedang diproses – é", Text: "Baris satu.\n.\nBaris tiga: é\n",
}

func TestALetterComesThroughARealServer(t *testing.T) {
	m := startMail(t)
	g := m.gateway(t, "alur:a%20secret")
	for range 2 { // sent again
		if err := g.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	all := m.took()
	if len(all) != 2 {
		t.Fatalf("%d letters came", len(all))
	}
	ids := map[string]bool{}
	for _, text := range all {
		got, err := netmail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		ids[got.Header.Get("Message-Id")] = true
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || subject != letter.Subject {
			t.Errorf("the subject is %q, %v", subject, err)
		}
		for name, want := range map[string]string{
			"Envelope-To": "cut@example.test", "To": "<cut@example.test>", "From": `"DPMPTSP Rekaan" <alur@example.com>`, "Auto-Submitted": "auto-generated", "Content-Language": "id",
			"Date": "Fri, 27 Nov 2026 05:00:00 +0000",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
			}
		}
		body, err := io.ReadAll(got.Body)
		if want := "Baris satu.\r\n.\r\nBaris tiga: =C3=A9"; err != nil || !strings.Contains(string(body), want) {
			t.Errorf("the body is %q", body)
		}
	}
	if want := "<" + letter.ID.String() + "@example.com>"; len(ids) != 1 || !ids[want] {
		t.Errorf("the ids are %v, want %s", ids, want)
	}
}

func TestMailServersThatDoNotTakeALetter(t *testing.T) {
	for name, c := range map[string]struct {
		user   string
		change func(*mailServer, *smtp.Server)
		to     string
		want   domain.NoticeFault
		says   string
	}{
		"no such mailbox": {change: func(m *mailServer, _ *smtp.Server) {
			m.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no cut@example.test here"}
		}, want: domain.NoticeRefused, says: "(550)"},
		"not now": {change: func(m *mailServer, _ *smtp.Server) {
			m.refuse = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "later, cut@example.test"}
		}, want: domain.NoticeFailed, says: "(451)"},
		"a wrong password":  {user: "alur:guessed", want: domain.NoticeUnreachable, says: "cannot be reached"},
		"no TLS":            {change: func(_ *mailServer, s *smtp.Server) { s.TLSConfig = nil }, want: domain.NoticeUnreachable, says: "cannot be reached"},
		"no address":        {to: "cut", want: domain.NoticeRefused, says: "is none"},
		"a header within":   {to: "cut@example.test\r\nBcc: other@example.test", want: domain.NoticeRefused, says: "is none"},
		"several addresses": {to: "cut@example.test, other@example.test", want: domain.NoticeRefused, says: "is none"},
	} {
		t.Run(name, func(t *testing.T) {
			m := startMail(t, func(s *smtp.Server) {
				if c.change != nil {
					c.change(&mailServer{}, s)
				}
			})
			if c.change != nil {
				c.change(m, &smtp.Server{})
			}
			if c.user == "" {
				c.user = "alur:a%20secret"
			}
			l := letter
			if c.to != "" {
				l.To = c.to
			}
			err := m.gateway(t, c.user).Send(t.Context(), l)
			var u *domain.Undelivered
			if !errors.As(err, &u) || !strings.Contains(u.Text, c.says) || domain.FaultOf(err) != c.want {
				t.Errorf("it says %v (%s)", err, domain.FaultOf(err))
			}
			if u != nil && strings.Contains(u.Text, "example.test") {
				t.Errorf("the text that is kept names the person: %s", u.Text)
			}
			if got := m.took(); len(got) != 0 {
				t.Errorf("a letter was taken: %v", got)
			}
		})
	}
}

func TestAMailServerThatIsGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	g, err := notify.NewMail(notify.MailConfig{URL: "smtp://" + address + "?tls=none", From: "alur@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Send(t.Context(), letter); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("it says %v", err)
	}
}

func TestMailConfigurationsThatCannotBeMeant(t *testing.T) {
	for _, c := range []notify.MailConfig{
		{URL: "smtp://mail.example.com", From: "nobody"},
		{URL: "http://mail.example.com", From: "alur@example.com"},
		{URL: "smtp://", From: "alur@example.com"},
		{URL: "smtp://alur:hidden@localhost?tls=none", From: "alur@example.com"},
		{URL: "smtp://mail.example.com?tls=none", From: "alur@example.com"}, // letters in the clear, over a network
		{URL: "smtp://192.0.2.1:25?tls=none", From: "alur@example.com"},
		{URL: "smtp://alur:hidden@mail.example.com:port", From: "alur@example.com"},
	} {
		if _, err := notify.NewMail(c); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q, %q: %v", c.URL, c.From, err)
		}
	}
	for _, here := range []string{"localhost", "127.0.0.1:2525", "[::1]:25"} {
		if _, err := notify.NewMail(notify.MailConfig{URL: "smtp://" + here + "?tls=none", From: "alur@example.com"}); err != nil {
			t.Errorf("without TLS on this machine: %s: %v", here, err)
		}
	}
}
