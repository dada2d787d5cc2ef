package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// Client sends messages to one address of another system. It is safe for concurrent use.
type Client struct {
	url  string
	keys []Key
	http *http.Client
	now  func() time.Time
}

// Config says where a client sends to.
type Config struct {
	URL  string
	Keys []Key // all sign; at least one
	// Allowed are networks that may be sent to although they are private.
	Allowed []netip.Prefix
	// Timeout is of a whole attempt; zero is 20 s.
	Timeout time.Duration
	Now     func() time.Time // nil is [time.Now]
}

// NewClient makes a client. It connects to nothing. The error does not repeat the URL,
// which may hold a secret.
func NewClient(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("want an https:// URL")
	case u.User != nil:
		return nil, errors.New("a URL with a password in it: messages are signed instead")
	case u.Scheme == "http" && len(c.Allowed) == 0:
		return nil, errors.New("http:// is only for networks that are allowed: what is sent there is not hidden from those between")
	case len(c.Keys) == 0:
		return nil, errors.New("there is no key to sign with")
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	dialer := &net.Dialer{Timeout: c.Timeout / 2, Control: guard(c.Allowed, u.Scheme == "http")}
	return &Client{url: c.URL, keys: c.Keys, now: c.Now, http: &http.Client{
		Timeout: c.Timeout,
		// No proxy: it would do the dialling.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: c.Timeout / 2, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// mostOfAnswer is how much of an answer's body is read: to the end of most, so that the
// connection can be used again.
const mostOfAnswer = 64 << 10

// mostWait is the longest time that another system's wish to wait is granted.
const mostWait = 24 * time.Hour

// StatusError is an answer that does not say that the message was taken.
type StatusError int

func (s StatusError) Error() string { return "it answered " + strconv.Itoa(int(s)) }

// Send posts a message under its id. Nil says that the other system took it: it answered
// 2xx, and the answer came to its end. Any other end is a [*domain.Undelivered]: the
// message may have been taken, and is to be sent again under the same id.
func (c *Client) Send(ctx context.Context, id, contentType string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return &domain.Undelivered{Text: "the address cannot be used", Err: err}
	}
	at := c.now()
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "alur")
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Webhook-Signature", sign(c.keys, id, at, body))
	answer, err := c.http.Do(request)
	if err != nil {
		return unanswered(err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, mostOfAnswer))
	status := answer.StatusCode
	switch {
	case status >= 200 && status < 300 && err != nil:
		return &domain.Undelivered{Text: "the answer was cut off", Err: err, Unreachable: true}
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return &domain.Undelivered{Text: fmt.Sprintf("it answered with a redirect (%d), which is not followed", status), Err: StatusError(status)}
	}
	return &domain.Undelivered{
		Text: StatusError(status).Error(), Err: StatusError(status), Unreachable: status >= 500, Gone: status == http.StatusGone, Wait: c.wait(answer.Header.Get("Retry-After")),
	}
}

// unanswered says why there was no answer, without the address, which may be a secret.
func unanswered(err error) error {
	var named *net.DNSError
	var timeout interface{ Timeout() bool }
	u := &domain.Undelivered{Text: "it cannot be reached", Err: err, Unreachable: true}
	switch {
	case errors.Is(err, errPrivate):
		u.Text, u.Unreachable = "refused: "+errPrivate.Error(), false
	case errors.As(err, &timeout) && timeout.Timeout():
		u.Text = "it did not answer in time"
	case errors.As(err, &named):
		u.Text = "its name cannot be resolved"
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		u.Text = "its certificate or its TLS is not right"
	}
	return u
}

// wait is what Retry-After says: seconds, or a date.
func (c *Client) wait(after string) time.Duration {
	seconds, err := strconv.Atoi(after)
	wait := time.Duration(min(max(seconds, 0), int(mostWait/time.Second))) * time.Second
	if err != nil {
		at, err := http.ParseTime(after)
		if err != nil {
			return 0
		}
		wait = at.Sub(c.now())
	}
	return min(max(wait, 0), mostWait)
}
