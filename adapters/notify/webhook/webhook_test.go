package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/notify/webhook"
	"github.com/alur-id/alur/domain"
)

var (
	secret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	seed     = ed25519.NewKeyFromSeed([]byte("an invented seed of 32 bytes, no"))
	private  = "whsk_" + base64.StdEncoding.EncodeToString(seed.Seed())
	noon     = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
)

func key(t *testing.T, s string) webhook.Key {
	t.Helper()
	k, err := webhook.ParseKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func client(t *testing.T, url string, change ...func(*webhook.Config)) *webhook.Client {
	t.Helper()
	c := webhook.Config{URL: url, Keys: []webhook.Key{key(t, secret), key(t, private)}, Allowed: loopback, Now: func() time.Time { return noon }}
	for _, f := range change {
		f(&c)
	}
	made, err := webhook.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The signature is the one that the libraries of Standard Webhooks test themselves by.
func TestTheSignatureIsThatOfTheStandard(t *testing.T) {
	const id, at, body, signature = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	then := time.Unix(1614265330, 0)
	if err := webhook.Verify(secret, id, at, "v1a,AAAA "+signature, []byte(body), then); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another body":   webhook.Verify(secret, id, at, signature, []byte(body+" "), then),
		"another id":     webhook.Verify(secret, id+"1", at, signature, []byte(body), then),
		"another secret": webhook.Verify("whsec_"+strings.Repeat("A", 32), id, at, signature, []byte(body), then),
		"long after":     webhook.Verify(secret, id, at, signature, []byte(body), then.Add(6*time.Minute)),
		"long before":    webhook.Verify(secret, id, at, signature, []byte(body), then.Add(-6*time.Minute)),
		"another time":   webhook.Verify(secret, id, "1614265331", signature, []byte(body), then),
		"another scheme": webhook.Verify(secret, id, at, strings.Replace(signature, "v1", "v1a", 1), []byte(body), then),
	} {
		if err == nil {
			t.Errorf("%s is let pass", name)
		}
	}
}

func TestWhatIsSentIsSignedByAllKeys(t *testing.T) {
	var got http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	if err := client(t, server.URL).Send(t.Context(), "msg-1", "application/json", []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if got.Get("Webhook-Id") != "msg-1" || got.Get("Content-Type") != "application/json" || string(body) != `{"a":1}` {
		t.Errorf("got %v %s", got, body)
	}
	for _, k := range []string{secret, key(t, private).Public()} {
		if err := webhook.Verify(k, "msg-1", got.Get("Webhook-Timestamp"), got.Get("Webhook-Signature"), body, noon); err != nil {
			t.Errorf("%.6s: %v", k, err)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	broken := append([]byte{}, seed...)
	broken[40] ^= 1
	for _, s := range []string{
		"", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "whsk_" + base64.StdEncoding.EncodeToString([]byte("short")),
		"whsk_" + base64.StdEncoding.EncodeToString(broken), key(t, private).Public(), "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)),
	} {
		if _, err := webhook.ParseKey(s); err == nil {
			t.Errorf("%q is let pass", s)
		} else if len(s) > 6 && strings.Contains(err.Error(), s[6:]) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
	if k := key(t, "whsk_"+base64.StdEncoding.EncodeToString(seed)); k.Public() != key(t, private).Public() {
		t.Error("with the public key behind it, it is another key")
	}
}

// Whatever a receiver does, the message is not said to be taken unless it was.
func TestReceiversThatMisbehave(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer inside.Close()
	hang := make(chan struct{})
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
		check  func(*domain.Undelivered) bool
	}{
		"answers 500":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "it answered 500", func(u *domain.Undelivered) bool { return u.Unreachable }},
		"answers 400":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }, "it answered 400", func(u *domain.Undelivered) bool { return !u.Unreachable && !u.Lasting }},
		"wants no more":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, "it answered 410", func(u *domain.Undelivered) bool { return u.Gone }},
		"hangs":            {func(_ http.ResponseWriter, _ *http.Request) { <-hang }, "it did not answer in time", func(u *domain.Undelivered) bool { return u.Unreachable }},
		"redirects inside": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) }, "redirect (302)", func(u *domain.Undelivered) bool { return !u.Unreachable }},
		"is busy": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "it answered 429", func(u *domain.Undelivered) bool { return u.Wait == 2*time.Minute }},
		"is busy until a date": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", noon.Add(time.Hour).Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "it answered 503", func(u *domain.Undelivered) bool { return u.Wait == time.Hour }},
		"closes mid-body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "cut off", func(u *domain.Undelivered) bool { return u.Unreachable }},
		"closes at once": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be reached", func(u *domain.Undelivered) bool { return u.Unreachable }},
		"hangs mid-body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			<-hang
		}, "cut off", func(u *domain.Undelivered) bool { return u.Unreachable }},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			err := client(t, server.URL, func(c *webhook.Config) { c.Timeout = 500 * time.Millisecond }).Send(t.Context(), "msg-1", "application/json", []byte("{}"))
			var u *domain.Undelivered
			if !errors.As(err, &u) || !strings.Contains(u.Text, c.says) || !c.check(u) {
				t.Errorf("it says %#v", err)
			}
			if u != nil && strings.Contains(u.Text, "127.0.0.1") {
				t.Errorf("it tells the address: %s", u.Text)
			}
			if strings.HasPrefix(name, "hangs") {
				hang <- struct{}{}
			}
			server.Close()
		})
	}
}

// An endless answer is not read to its end.
func TestAnEndlessAnswerIsLeft(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if err := client(t, server.URL).Send(t.Context(), "msg-1", "application/json", []byte("{}")); err != nil {
		t.Error(err)
	}
}

func TestPrivateAddressesAreRefusedAfterResolution(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	allow := func(prefix string) func(*webhook.Config) {
		return func(c *webhook.Config) { c.Allowed = []netip.Prefix{netip.MustParsePrefix(prefix)} }
	}
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1%25lo]",
		"100.64.0.1", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255", "[2001:db8::1]",
	} {
		err := client(t, "http://"+host+port, allow("8.8.8.8/32")).Send(t.Context(), "msg-1", "application/json", []byte("{}"))
		var u *domain.Undelivered
		if !errors.As(err, &u) || !strings.Contains(u.Text, "refused") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := webhook.NewClient(webhook.Config{URL: "http://example.test/", Keys: []webhook.Key{key(t, secret)}}); err == nil {
		t.Error("http is let pass to the public internet")
	}
}
