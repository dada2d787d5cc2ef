package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/alur-id/alur/domain"
)

// Mail is a gateway for e-mail: a mail server that takes letters by SMTP.
type Mail struct {
	client *mail.Client
	from   *netmail.Address
	now    func() time.Time
}

// MailConfig says by which server letters go.
type MailConfig struct {
	// URL is smtp://USER:PASSWORD@HOST:PORT, with STARTTLS (port 587), or smtps:// with TLS
	// from the beginning (465). smtp://localhost:PORT?tls=none is for a server on this machine.
	URL  string
	From string // "Name <address>"
	TLS  *tls.Config
	Now  func() time.Time // nil is [time.Now]
}

// mailTimeout is how long a server may take until it is connected, until it lets us in, and
// until it has taken the letter: each.
const mailTimeout = 15 * time.Second

// NewMail makes the gateway. It connects to nothing. The error does not repeat the URL,
// which may hold a password.
func NewMail(c MailConfig) (*Mail, error) {
	from, err := netmail.ParseAddress(c.From)
	if err != nil {
		return nil, errors.New("the sender of e-mail: want an address, such as Alur <alur@example.id>")
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("the mail server: want smtp://HOST:PORT or smtps://HOST:PORT")
	}
	options := []mail.Option{mail.WithTimeout(mailTimeout)}
	switch plain := u.Query().Get("tls") == "none"; {
	case plain && u.User != nil:
		return nil, errors.New("the mail server: a password is not sent without TLS")
	case plain && !isHere(u.Hostname()):
		return nil, errors.New("the mail server: letters go without TLS (tls=none) only to this machine, localhost")
	case plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS), mail.WithPort(25))
	case u.Scheme == "smtps":
		options = append(options, mail.WithSSL(), mail.WithPort(465))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithPort(587))
	}
	if u.Port() != "" {
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil, errors.New("the mail server: its port is no number")
		}
		options = append(options, mail.WithPort(port))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	if c.TLS != nil {
		options = append(options, mail.WithTLSConfig(c.TLS))
	}
	client, err := mail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("the mail server: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Mail{client, from, c.Now}, nil
}

// isHere reports whether a host is this machine, and nobody between can read what is sent.
func isHere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send implements [Gateway]. Sent again, a letter has the same Message-ID.
func (m *Mail) Send(ctx context.Context, l Letter) error {
	to, err := netmail.ParseAddress(l.To)
	if err != nil {
		return &domain.Undelivered{Text: "what was given as the e-mail address is none", Lasting: true}
	}
	letter := mail.NewMsg()
	letter.FromMailAddress(m.from)
	letter.ToMailAddress(&netmail.Address{Address: to.Address}) // the name is not needed
	letter.Subject(l.Subject)
	letter.SetDateWithValue(m.now())
	letter.SetMessageIDWithValue(l.ID.String() + "@" + m.from.Address[strings.LastIndex(m.from.Address, "@")+1:])
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetGenHeader("Content-Language", l.Language)
	letter.SetBodyString(mail.TypeTextPlain, l.Text)
	return undelivered(m.client.DialAndSendWithContext(ctx, letter), letter.IsDelivered())
}

// undelivered says why the server did not take a letter, without what it said: that names
// the person.
func undelivered(err error, taken bool) error {
	if err == nil || taken { // only what came after failed, such as the farewell
		return nil
	}
	u := &domain.Undelivered{Text: "the mail server cannot be reached", Err: err, Unreachable: true}
	var send *mail.SendError
	if !errors.As(err, &send) {
		return u
	}
	code := send.ErrorCode()
	switch {
	case code >= 500 && send.Reason == mail.ErrSMTPRcptTo:
		u.Text, u.Unreachable, u.Lasting = fmt.Sprintf("the mail server does not take letters to this address (%d)", code), false, true
	case code >= 400 && code < 500:
		u.Text, u.Unreachable = fmt.Sprintf("the mail server does not take the letter now (%d)", code), false
	case code >= 500:
		u.Text, u.Unreachable = fmt.Sprintf("the mail server does not take the letter (%d)", code), false
	}
	return u
}
