package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/workflows/sample"
)

// An applicant's telephone is off for good, and they name another. What waited for the old
// number goes to the new one; the last message to the old one waits by itself, holds up
// nothing, and is recorded when it is taken after all. Nothing goes out twice.
func TestAReplacedAddressHoldsUpNothing(t *testing.T) {
	const was, is = "+628110000000", "+628990000000"
	var mu sync.Mutex
	off := true
	took := map[string][]string{}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var letter struct{ To, Text string }
		if err := json.NewDecoder(r.Body).Decode(&letter); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if letter.To == was && off {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, status, _ := strings.Cut(letter.Text, "Status permohonan Anda: ")
		status, _, _ = strings.Cut(status, " (")
		if strings.Contains(letter.Text, "pesan terakhir") {
			status += ", the last"
		}
		took[letter.To] = append(took[letter.To], status)
	}))
	t.Cleanup(gateway.Close)
	got := func(to string, want ...string) {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			mu.Lock()
			list := slices.Clone(took[to])
			mu.Unlock()
			if len(list) >= len(want) || time.Now().After(late) {
				if d := cmp.Diff(want, list); d != "" {
					t.Fatalf("to %s (-want +got)\n%s", to, d)
				}
				return
			}
		}
	}

	var where stores
	began := time.Now()
	noon := began.UTC().Truncate(24 * time.Hour).Add(29 * time.Hour) // tomorrow, in Banda Aceh: nobody is told at night
	s := newSite(t, func(w *stores) {
		w.sealing, w.now = true, func() time.Time { return noon.Add(time.Since(began)) }
		where = *w
	})
	corrects := strings.Replace(string(sample.Licence), "{action: resubmit, ", "{action: resubmit, kind: correct, ", 1)
	if err := s.publish(t.Context(), "sample", []byte(corrects)); err != nil {
		t.Fatal(err)
	}
	s.reactsTo(t, where, outwardTo(t, "sms: {url: %s, keys: [%s], networks: [127.0.0.0/8]}\n", gateway.URL, testSecret))
	a, err := post(s.URL+"/api/v1/requests", "key-1", formSubmission)
	if err != nil {
		t.Fatal(err)
	}
	s.act(t, a.Reference, "return", "str-missing", "front-office")
	waiting := func(lane string) []bus.Sending {
		t.Helper()
		var all reactorStanding
		if err := json.Unmarshal([]byte(must(t, t.TempDir(), "", "reactor", "list", "--db", where.db, "--json", "--waiting")), &all); err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(all.Sendings, func(x bus.Sending) bool { return x.Lane != lane || x.Tried.IsZero() })
	}
	tried := func(lane string) []bus.Sending {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; {
			if list := waiting(lane); len(list) > 0 || time.Now().After(late) {
				return list
			}
		}
	}
	if list := tried("notices/sms"); len(list) == 0 {
		t.Fatal("nothing waits for the old number")
	}
	again := strings.Replace(action("resubmit", "", "applicant"), `{`, `{"facts":{"kind":"new"},"form":{"name":"Cut Invented","phone":"0899-000-0000"},`, 1)
	if r := s.ask(t, "POST", "/api/v1/requests/"+a.Reference+"/actions", again); r.StatusCode != http.StatusOK {
		t.Fatal(r.Status, r.body)
	}
	told := []string{"Menunggu verifikasi", "Perlu perbaikan", "Menunggu verifikasi", "Sedang diproses"}
	got(is, told[:3]...)
	s.act(t, a.Reference, "accept", "", "front-office")
	got(is, told...)

	former := tried("notices/sms/former")
	if len(former) != 1 || len(waiting("notices/sms")) != 0 {
		t.Fatalf("to the old number wait %+v", former)
	}
	mu.Lock()
	off = false
	mu.Unlock()
	must(t, t.TempDir(), "", "reactor", "retry", "notices/sms/former", "--db", where.db)
	got(was, "Menunggu verifikasi, the last")
	r, err := s.find(t.Context(), a.Reference)
	if err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		n, err := s.engine.Notices(t.Context(), r.ID)
		if err != nil || time.Now().After(late) {
			t.Fatalf("%v: %+v", err, n)
		}
		if o, ok := n.Outcome(former[0].ID); ok && o.Former && o.Fault == "" {
			break
		}
	}
	got(is, told...)
}
