package notify_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/adapters/notify/webhook"
	"github.com/alur-id/alur/domain"
)

func phone(t *testing.T, url string) notify.Phone {
	t.Helper()
	key, err := webhook.ParseKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	c, err := webhook.NewClient(webhook.Config{URL: url, Keys: []webhook.Key{key}, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	return notify.Phone{Client: c, Channel: domain.ChannelSMS}
}

func TestATelephoneIsWrittenToByItsNumberInTheWorld(t *testing.T) {
	var got map[string]string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Header.Get("Webhook-Id") != got["id"] {
			t.Errorf("%v: %v", err, r.Header)
		}
	}))
	defer server.Close()
	g := phone(t, server.URL)
	for given, want := range map[string]string{
		"0811-000-0000": "+628110000000", "+62 811 000 0000": "+628110000000", "62811.000.0000": "+628110000000", "+62 (0) 811-000-0000": "+628110000000", "(0651) 700 000": "+62651700000", "+1 202 555 0100": "+12025550100", "0062 811 000 0000": "+628110000000", "0062 (0) 811 000 0000": "+628110000000",
	} {
		l := letter
		l.To = given
		if err := g.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]string{"id": l.ID.String(), "channel": "sms", "to": want, "text": l.Text, "language": "id"}, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", given, d)
		}
	}
	for _, given := range []string{"", "call me", "+62", "001-202-555-0143", "001 62 811 000 0000", "00811 000 0000", "0811-000-0000 or 0812-000-0000", "+0811000000"} {
		l := letter
		l.To = given
		if err := g.Send(t.Context(), l); domain.FaultOf(err) != domain.NoticeRefused {
			t.Errorf("%q: %v", given, err)
		}
	}
}

func TestWhatAGatewayDoesNotTake(t *testing.T) {
	for status, want := range map[int]domain.NoticeFault{
		400: domain.NoticeRefused, 422: domain.NoticeRefused, 401: domain.NoticeUnreachable, 410: domain.NoticeUnreachable, 429: domain.NoticeFailed, 502: domain.NoticeUnreachable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		l := letter
		l.To = "0811-000-0000"
		err := phone(t, server.URL).Send(t.Context(), l)
		var u *domain.Undelivered
		if domain.FaultOf(err) != want || !errors.As(err, &u) || u.Gone {
			t.Errorf("%d: %v is %s", status, err, domain.FaultOf(err))
		}
		server.Close()
	}
}
