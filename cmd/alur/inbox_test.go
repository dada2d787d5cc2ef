package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alur-id/alur/projections"
)

// told reads an answer of the API into a value.
func told[T any](t *testing.T, s *site, path string) (v T) {
	t.Helper()
	a := s.ask(t, "GET", path, "")
	if err := json.Unmarshal([]byte(a.body), &v); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", path, a.Status, a.body, err)
	}
	return v
}

// What waits for officers, over the API, as a request goes from hand to hand. What the
// engine records and what the definition says come together: the role of a state where
// nothing is given out, and no row while the applicant has to act.
func TestInboxOverTheAPI(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	for _, step := range []struct {
		action, reason, role string
		want                 string
	}{
		{want: "state submitted front-office"},
		{"return", "str-missing", "front-office", ""},
		{"resubmit", "", "applicant", "state submitted front-office"},
		{"accept", "", "front-office", "state health-check health-office"},
		{"recommend", "", "health-office", "state numbering licensing"},
	} {
		var done struct{ Position int }
		if step.action != "" {
			if err := json.Unmarshal([]byte(s.act(t, ref, step.action, step.reason, step.role).body), &done); err != nil {
				t.Fatal(err)
			}
		}
		s.waitForViews(t)
		page := told[projections.InboxPage](t, s, fmt.Sprint("/api/v1/inbox?tenant=11.71&position=", done.Position))
		var got []string
		for _, x := range page.Tasks {
			got = append(got, fmt.Sprint(x.Kind, " ", x.State, " ", x.Role))
			if string(x.Reference) != ref || x.Office == "" {
				t.Errorf("%+v", x)
			}
		}
		if strings.Join(got, ", ") != step.want {
			t.Errorf("after %q: %q, want %q", step.action, got, step.want)
		}
	}
	type held struct {
		MustAct      bool `json:"must_act"`
		Holder, Next struct{ EN string }
		Spent        map[string]int64
	}
	if got := told[held](t, s, "/api/v1/requests/"+ref); got.MustAct || got.Holder.EN == "" || got.Next.EN == "" || len(got.Spent) != 3 {
		t.Errorf("%+v", got)
	}
	for _, path := range []string{
		"/api/v1/inbox?tenant=11.71&state=signing", "/api/v1/inbox?tenant=11.71&after=x", "/api/v1/inbox?tenant=11.71&holder=a&free=true",
		"/api/v1/inbox?tenant=11.71&sort=name", "/api/v1/inbox", "/api/v1/queue?tenant=Aceh", "/api/v1/queue?tenant=11.71&line=true",
	} {
		if a := s.ask(t, "GET", path, ""); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"code":"`) {
			t.Errorf("%s: %s %s", path, a.Status, a.body)
		}
	}
	// PostgreSQL takes no such text.
	if a := s.ask(t, "GET", "/api/v1/inbox?tenant=11.71&role=%00", ""); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a NUL: %s %s", a.Status, a.body)
	}
}

// Work that is given out: three wait, the second is taken first. The others are told, and
// what happened is told without the officer to their applicant.
func TestQueueOverTheAPI(t *testing.T) {
	s := newSite(t, func(at *stores) { at.db, at.sealing = filepath.Join(t.TempDir(), "alur.db"), true })
	s.stall(t)
	refs := []string{s.openStall(t, `{"area":2}`), s.openStall(t, `{"area":2}`), s.openStall(t, `{"area":2}`)}
	s.does(t, refs[1], "assessor", `"reassign":{"to":"officer-2","reason":"urgent"}`)
	s.waitForViews(t)
	type queues struct {
		Queues []struct {
			projections.Queue
			Line []projections.Waiting
		}
	}
	list := told[queues](t, s, "/api/v1/queue?tenant=11.71&service=stall&state=submitted&line=true").Queues
	if len(list) != 1 || list[0].Waiting != 2 || list[0].Taken != 1 || len(list[0].Line) != 2 || string(list[0].Line[0].Reference) != refs[0] || list[0].Line[0].Overtaken != 1 || list[0].Line[1].Overtaken != 0 {
		t.Errorf("%+v", list)
	}
	type where struct {
		Place     *projections.Place
		Overtaken int
	}
	place := told[where](t, s, "/api/v1/requests/"+refs[0]+"/queue")
	if p := place.Place; p == nil || p.Position != 1 || p.Waiting != 2 || place.Overtaken != 1 || p.Overtaken[0].Reason != "urgent" {
		t.Errorf("%+v", place)
	}
	if place := told[where](t, s, "/api/v1/requests/"+refs[1]+"/queue"); place.Place != nil {
		t.Errorf("it does not wait: %+v", place.Place)
	}
	for ref, want := range map[string]bool{refs[1]: false, refs[2]: true} { // it does not wait: nothing is known; it waits, and nobody came before
		place := told[map[string]any](t, s, "/api/v1/requests/"+ref+"/queue")
		if n, is := place["overtaken"]; is != want || is && n != 0.0 {
			t.Errorf("overtaken: %v, told %t, want %t", n, is, want)
		}
		if page := s.pageOf(t, "/api/v1/requests/"+ref); strings.Contains(page, "taken first</span>") || strings.Contains(page, "Place in the queue</span>") != want {
			t.Errorf("the page of one that nobody overtook, waiting %t:\n%s", want, page)
		}
	}
	page := s.pageOf(t, "/api/v1/requests/"+refs[0])
	for _, want := range []string{"Place in the queue</span> 1 of 2 waiting", "taken first</span> 1<", "With the agency"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "urgent") || strings.Contains(page, "officer-2") {
		t.Errorf("the page says who took it, or why:\n%s", page)
	}
	mine := told[projections.InboxPage](t, s, "/api/v1/inbox?tenant=11.71&holder=OFFICER-2").Tasks
	if len(mine) != 1 || string(mine[0].Reference) != refs[1] || mine[0].Rule == "" {
		t.Errorf("%+v", mine)
	}
	free := told[projections.InboxPage](t, s, "/api/v1/inbox?tenant=11.71&free=true&service=stall&limit=1")
	if len(free.Tasks) != 1 || free.Next == "" {
		t.Fatalf("%+v", free)
	}
	rest := told[projections.InboxPage](t, s, "/api/v1/inbox?tenant=11.71&free=true&service=stall&limit=1&after="+free.Next)
	if len(rest.Tasks) != 1 || rest.Next != "" || rest.Tasks[0].Reference == free.Tasks[0].Reference {
		t.Errorf("%+v", rest)
	}
	type counted struct{ Tasks, Free int }
	if n := told[counted](t, s, "/api/v1/inbox/counts?tenant=11.71&service=stall"); n.Tasks != 3 || n.Free != 2 {
		t.Errorf("%+v", n)
	}
}
