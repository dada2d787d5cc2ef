package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An applicant no longer wants SMS while two wait for the morning: one that goes by e-mail
// too, and one that does not. They get each by e-mail, once, before what comes after it, and
// no SMS.
func TestNothingGoesByAChannelThatIsNotWantedAnyMore(t *testing.T) {
	m, address := startMailTaker(t)
	var texted atomic.Int64
	gateway := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { texted.Add(1) }))
	t.Cleanup(gateway.Close)
	night := time.Now().UTC().Truncate(24 * time.Hour).Add(39 * time.Hour) // 22:00 of tomorrow, in Banda Aceh
	s, where, clock := newDatedSite(t, night)
	s.reactsTo(t, where, outwardTo(t, `
mail: {server: "smtp://%s?tls=none", from: alur@example.test}
sms: {url: %s, keys: [%s], networks: [127.0.0.0/8]}
`, address, gateway.URL, testSecret))
	const actor = `"actor":{"id":"applicant-1","role":"applicant","capacity":"self"}}`
	a, err := post(s.URL+"/api/v1/requests", "key-1", `{"tenant":"11.71","service":"sip-dokter","identity":"nik:1171019999990001",
		"form":{"kind":"new","profession":"doctor","name":"Cut Invented","nik":"1171019999990001","phone":"0811-000-0000","email":"cut@example.test",
			"str_number":"STR-0","practice_place":1,"practice_name":"Klinik Rekaan","practice_address":"Jalan Rekaan"},`+actor)
	if err != nil {
		t.Fatal(err)
	}
	waits := func(want map[string]int) {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			var all reactorStanding
			if err := json.Unmarshal([]byte(must(t, t.TempDir(), "", "reactor", "list", "--db", where.db, "--json", "--waiting")), &all); err != nil {
				t.Fatal(err)
			}
			got := map[string]int{}
			for _, x := range all.Sendings {
				got[x.Lane]++
			}
			if d := cmp.Diff(want, got); d == "" {
				return
			} else if time.Now().After(late) {
				t.Fatalf("waiting (-want +got)\n%s", d)
			}
		}
	}
	prefers := func(by string) {
		t.Helper()
		if r := s.ask(t, "PUT", "/api/v1/requests/"+a.Reference+"/notices", `{"channels":["`+by+`"],`+actor); r.StatusCode != http.StatusOK {
			t.Fatal(r.Status, r.body)
		}
	}
	waits(map[string]int{"notices/email": 1, "notices/sms": 1})
	prefers("sms")
	s.act(t, a.Reference, "return", "str-missing", "front-office")
	waits(map[string]int{"notices/sms": 2})
	prefers("email")
	waits(map[string]int{"notices/email": 2})
	s.act(t, a.Reference, "withdraw", "", "applicant")
	waits(map[string]int{"notices/email": 3})
	morning := night.Add(9 * time.Hour)
	clock.Store(&morning)
	waits(map[string]int{})
	m.mu.Lock()
	letters := m.to["cut@example.test"]
	m.mu.Unlock()
	var got []string
	for _, l := range letters {
		for _, w := range []string{"sudah kami terima", "Perlu perbaikan", "Dibatalkan"} {
			if strings.Contains(l, w) {
				got = append(got, w)
				break
			}
		}
	}
	if d := cmp.Diff([]string{"sudah kami terima", "Perlu perbaikan", "Dibatalkan"}, got); d != "" || texted.Load() != 0 {
		t.Errorf("%d SMS, and by e-mail (-want +got)\n%s", texted.Load(), d)
	}
}
