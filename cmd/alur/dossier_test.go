package main

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// stall publishes a service whose requests gather something of every kind.
func (s *site) stall(t *testing.T, change ...string) {
	t.Helper()
	source, err := os.ReadFile("testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("the definition does not hold %q", change[i])
		}
		text = strings.Replace(text, change[i], change[i+1], 1)
	}
	d, err := workflows.Read("stall.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.library.Publish(t.Context(), workflows.Publication{
		Tenant: "11.71", Source: []byte(text), Definition: d, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}, Why: "to be tried", Trial: "to be tried",
	})
	if err != nil {
		t.Fatal(err)
	}
}

var stallActors = map[string]string{
	"applicant": `{"id":"p-1","role":"applicant","capacity":"self"}`,
	"officer":   `{"id":"officer-1","role":"officer","capacity":"officer"}`,
	"second":    `{"id":"officer-2","role":"officer","capacity":"officer"}`,
	"assessor":  `{"id":"assessor-1","role":"assessor","capacity":"officer"}`,
	"health":    `{"id":"health-1","role":"health","capacity":"officer"}`,
	"registry":  `{"id":"registry-1","role":"registry","capacity":"system"}`,
}

// openStall begins a request for a stall.
func (s *site) openStall(t *testing.T, facts string) string {
	t.Helper()
	a := s.ask(t, "POST", "/api/v1/requests", `{"tenant":"11.71","service":"stall","identity":"nik:1171019999990001","facts":`+facts+
		`,"form":{"name":"Cut Rekaan"},"actor":`+stallActors["applicant"]+`}`)
	var done struct{ Reference string }
	if err := json.Unmarshal([]byte(a.body), &done); err != nil || a.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s %v", a.Status, a.body, err)
	}
	return done.Reference
}

// does sends what somebody adds, or the action that they take, and wants it recorded.
func (s *site) does(t *testing.T, ref, who, what string) {
	t.Helper()
	if a := s.tries(t, ref, who, what); a.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", what, a.Status, a.body)
	}
}

func (s *site) tries(t *testing.T, ref, who, what string) answer {
	t.Helper()
	where := "/dossier"
	if strings.HasPrefix(what, `"action"`) {
		where = "/actions"
	}
	return s.ask(t, "POST", "/api/v1/requests/"+ref+where, `{`+what+`,"actor":`+stallActors[who]+`}`)
}

const sketch = `"attach":{"document":"sketch","format":"pdf","bytes":7,"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}`

// played takes a request through all that it can gather; nine steps.
func (s *site) played(t *testing.T) string {
	ref := s.openStall(t, `{"area":2}`)
	for _, step := range [][2]string{
		{"applicant", sketch},
		{"officer", `"pick":{}`},
		{"officer", `"refuse_document":{"document":"sketch","reason":"unclear"}`},
		{"applicant", sketch},
		{"assessor", `"reassign":{"to":"officer-2","reason":"absent"}`},
		{"second", `"check":{"checklist":"formal","item":"signed","yes":true}`},
		{"second", `"pay":{"fee":"retribution","amount":2000,"receipt":"R-1"}`},
		{"second", `"action":"forward","remark":"dipanggil lewat telepon"`},
		{"registry", `"answer":{"system":"register","outcome":"free"}`},
		{"health", `"review":{"review":"hygiene","opinion":"refused","reason":"unclear","remark":"dapurnya kotor"}`},
	} {
		s.does(t, ref, step[0], step[1])
	}
	return ref
}

// A replay shows what a request had gathered then, and not what it has gathered since.
func TestReplayShowsTheDossierAsItWas(t *testing.T) {
	db := filepath.Join(t.TempDir(), "alur.db")
	s := newSite(t, func(at *stores) { at.db, at.sealing = db, true })
	s.stall(t)
	ref := s.played(t)
	for version, want := range map[string][]string{
		"1":  {},
		"2":  {"fee retribution Rp 2000, received Rp 0"},
		"4":  {"fee retribution Rp 2000, received Rp 0", "work offered", "announced received"},
		"5":  {"document sketch number 1", "fee retribution Rp 2000, received Rp 0", "work offered", "announced received"},
		"7":  {"document sketch number 1, refused: unclear", "fee retribution Rp 2000, received Rp 0", "work taken", "announced received"},
		"8":  {"document sketch number 2", "fee retribution Rp 2000, received Rp 0", "work taken", "announced received"},
		"11": {"document sketch number 2", "check formal/signed yes", "fee retribution Rp 2000, received Rp 2000", "work taken", "announced received"},
		"13": {"document sketch number 2", "check formal/signed yes", "fee retribution Rp 2000, received Rp 2000", "answer of register free"},
		"15": {"document sketch number 2", "check formal/signed yes", "fee retribution Rp 2000, received Rp 2000", "review hygiene open", "answer of register free"},
		"17": {"document sketch number 2", "check formal/signed yes", "fee retribution Rp 2000, received Rp 2000", "review hygiene refused: unclear", "answer of register free"},
	} {
		out := must(t, ".", "", "replay", ref, "--version", version, "--db", db)
		state, events, _ := strings.Cut(out, "\n\n")
		got := []string{}
		for _, line := range strings.Split(state, "\n") {
			cells := strings.Join(strings.Fields(line), " ")
			if first, _, _ := strings.Cut(cells, " "); strings.Contains("document check fee review answer work announced", first) && first != "" {
				got = append(got, cells)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("version %s (-want +got)\n%s\n%s", version, d, out)
		}
		// The events are those that audit shows, as it shows them.
		audited := strings.Split(strings.TrimSpace(must(t, ".", "", "audit", ref, "--db", db)), "\n")
		last := strings.Split(strings.TrimSpace(events), "\n")
		if a, b := strings.Fields(audited[len(last)-1]), strings.Fields(last[len(last)-1]); cmp.Diff(a, b) != "" || a[0] != version {
			t.Errorf("version %s ends with %v, audit has %v", version, b, a)
		}
		for _, secret := range []string{"Cut Rekaan", "dipanggil", "1171019999990001", "dapur"} {
			if strings.Contains(out, secret) {
				t.Errorf("version %s shows %q", version, secret)
			}
		}
	}
	var shown struct{ Dossier workflows.Gathered }
	if err := json.Unmarshal([]byte(must(t, ".", "", "replay", ref, "--version", "17", "--json", "--db", db)), &shown); err != nil {
		t.Fatal(err)
	}
	want := workflows.Gathered{
		Documents: []workflows.GatheredDocument{{Document: "sketch", Number: 2}},
		Checks:    []workflows.GatheredCheck{{Checklist: "formal", Item: "signed", Yes: true}},
		Fees:      []workflows.GatheredFee{{Fee: "retribution", Amount: 2000, Received: 2000, Paid: true}},
		Reviews:   []workflows.GatheredReview{{Review: "hygiene", Opinion: "refused", Reason: "unclear"}},
		Answers:   []workflows.GatheredAnswer{{System: "register", Outcome: "free"}}, Told: []domain.NoticeID{},
	}
	if d := cmp.Diff(want, shown.Dossier); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A person is given what their request gathered, in words, and nothing of the staff:
// no remark, no pseudonym.
func TestAnExportHoldsTheDossierOfThePerson(t *testing.T) {
	db := filepath.Join(t.TempDir(), "alur.db")
	s := newSite(t, func(at *stores) { at.db, at.sealing = db, true })
	s.stall(t)
	s.played(t)
	given := must(t, ".", "nik:1171019999990001", "subject", "export", "--db", db)
	for _, want := range []string{"Cut Rekaan", `"en": "Sketch"`, `"id": "Denah"`, `"number": 2`, `"en": "Signed"`, `"en": "Levy"`, `"receipt": "R-1"`, `"opinion": "refused"`, `"outcome": "free"`, `"remark_withheld": true`} {
		if !strings.Contains(given, want) {
			t.Errorf("the export does not hold %s\n%s", want, given)
		}
	}
	for _, secret := range []string{"dipanggil", "dapur", "officer-1", "officer-2", "assessor-1", "health-1"} {
		if strings.Contains(given, secret) {
			t.Errorf("the export holds %q", secret)
		}
	}
	judged := must(t, ".", "nik:1171019999990001", "subject", "export", "--remarks", "--db", db)
	for _, want := range []string{"dipanggil lewat telepon", "dapurnya kotor"} {
		if !strings.Contains(judged, want) {
			t.Errorf("the export with remarks does not hold %q", want)
		}
	}
}

// A request over the API tells all that it has gathered, as the description says; the
// example of docs/integrators.md is such an answer.
func TestTheAPITellsTheDossier(t *testing.T) {
	s := newSite(t, func(at *stores) { at.sealing = true })
	s.stall(t)
	ref := s.played(t)
	var got struct{ Dossier json.RawMessage }
	a := s.ask(t, "GET", "/api/v1/requests/"+ref, "")
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatalf("%v %s", err, a.body)
	}
	documented := blocks(readText(t, "docs/integrators.md"), "json")
	if len(documented) != 2 {
		t.Fatalf("%d examples, want one of an answer and one of an integration event", len(documented))
	}
	var want, told any
	if err := errors.Join(json.Unmarshal([]byte(documented[0]), &want), json.Unmarshal(got.Dossier, &told)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("docs/integrators.md shows another answer (-documented +told)\n%s\n%s", d, got.Dossier)
	}
	for _, secret := range []string{"officer-2", "Cut Rekaan", "dipanggil", "dapur"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the answer holds %q", secret)
		}
	}
	// The description has each field that was told, and no other.
	var description struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(s.ask(t, "GET", "/api/openapi.json", "").body), &description); err != nil {
		t.Fatal(err)
	}
	described := slices.Sorted(maps.Keys(description.Components.Schemas["Gathered"].Properties))
	if d := cmp.Diff(slices.Sorted(maps.Keys(told.(map[string]any))), described); d != "" {
		t.Errorf("(-told +described)\n%s", d)
	}
}

// A condition that fails refuses what needs it, says where it stands, why it fails and
// what would help, and leaves the log and everything else as they are.
func TestAConditionThatFailsIsTold(t *testing.T) {
	grant, levy := "to: granted, roles: [officer]", "'facts.area > 0.0 && facts.area < 1000.0 ? facts.area * 1000.0 : 0.0'"
	for name, c := range map[string]struct {
		change        []string
		facts         string
		who, fails    string // "" fails: the submission
		detail        string
		remedy, other string
	}{
		"of a fee": {
			change: []string{levy, "'1000 / (int(facts.area) - 2)'"}, facts: `{"area":2}`,
			detail: `workflow stall version 1: fee "retribution", formula (line 24) cannot be judged: it divides by zero`,
			remedy: `look whether fact area (2) is right and, if not, correct it; otherwise the agency has to mend the condition: 1000 / (int(facts.area) - 2)`,
		},
		"of a review": {
			change: []string{"role: health,", "role: health, when: '7 % (int(facts.area) - 3) > 2',"}, facts: `{"area":3}`,
			who: "registry", fails: `"answer":{"system":"register","outcome":"free"}`,
			detail: `workflow stall version 1: review "hygiene", when (line 26) cannot be judged: it divides by zero`,
			other:  `"answer":{"system":"register","outcome":"taken"}`,
		},
		"of a transition": {
			change: []string{grant, grant + ", when: '7 / (int(facts.area) - 4) > 2'"}, facts: `{"area":4}`,
			who: "officer", fails: `"action":"grant"`,
			detail: `workflow stall version 1: transition "grant" to "granted", when (line 50) cannot be judged: it divides by zero`,
			other:  `"action":"refuse","reason":"unclear"`,
		},
		// Whether the first way is meant is not known, so the second is not taken.
		"of the first of two": {
			change: []string{"  - {action: grant,", "  - {action: grant, from: [deciding], to: refused, roles: [officer], when: '7 / (int(facts.area) - 4) > 2'}\n  - {action: grant,"}, facts: `{"area":4}`,
			who: "officer", fails: `"action":"grant"`,
			detail: `workflow stall version 1: transition "grant" to "refused", when (line 50) cannot be judged: it divides by zero`,
			other:  `"action":"refuse","reason":"unclear"`,
		},
		"of a document": {
			change: []string{"required: true, by: [applicant]", "required_when: '7 / (int(facts.area) - 4) > 2', by: [applicant]"}, facts: `{"area":4}`,
			who: "second", fails: `"action":"forward"`,
			detail: `workflow stall version 1: document "sketch", required_when (line 20) cannot be judged: it divides by zero`,
			other:  sketch,
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now().Add(time.Minute) // after it was published, and then for ever: nobody spends a second in between
			s := newSite(t, func(at *stores) { at.sealing, at.now = true, func() time.Time { return now } })
			s.stall(t, c.change...)
			if c.fails == "" {
				head, err := s.log.Head(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				a := s.ask(t, "POST", "/api/v1/requests", `{"tenant":"11.71","service":"stall","facts":`+c.facts+`,"actor":`+stallActors["applicant"]+`}`)
				s.told(t, a, c.detail, c.remedy)
				if now, err := s.log.Head(t.Context()); err != nil || now != head {
					t.Errorf("the log went from %d to %d, %v", head, now, err)
				}
				return
			}
			ref := s.openStall(t, c.facts)
			paid := strings.Replace(`"pay":{"fee":"retribution","amount":N000,"receipt":"R-1"}`, "N", c.facts[len(`{"area":`):len(c.facts)-1], 1)
			for _, step := range [][2]string{
				{"applicant", sketch},
				{"second", `"pick":{}`},
				{"second", `"check":{"checklist":"formal","item":"signed","yes":true}`},
				{"second", paid},
				{"second", `"action":"forward"`},
				{"registry", `"answer":{"system":"register","outcome":"free"}`},
				{"health", `"review":{"review":"hygiene","opinion":"approved"}`},
			} {
				if step[1] == c.fails {
					break
				}
				s.does(t, ref, step[0], step[1])
			}
			before := s.ask(t, "GET", "/api/v1/requests/"+ref, "")
			if before.StatusCode != http.StatusOK {
				t.Fatalf("%s %s", before.Status, before.body)
			}
			s.told(t, s.tries(t, ref, c.who, c.fails), c.detail, c.remedy)
			if after := s.ask(t, "GET", "/api/v1/requests/"+ref, ""); after.body != before.body {
				t.Errorf("before %s\nafter %s", before.body, after.body)
			}
			who := c.who
			if c.other == sketch {
				who = "applicant"
			}
			s.does(t, ref, who, c.other)
		})
	}
}

// told wants the refusal of a condition.
func (s *site) told(t *testing.T, a answer, detail, remedy string) {
	t.Helper()
	var p struct{ Code, Detail, Remedy string }
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v %s", err, a.body)
	}
	if a.StatusCode != http.StatusConflict || p.Code != "condition" || p.Detail != detail || !strings.Contains(p.Remedy, remedy) {
		t.Errorf("got %s %s\nwant %s; %s", a.Status, a.body, detail, remedy)
	}
}

// What should follow by itself and cannot be judged is no reason to refuse what
// leaves the request where it is; it is told what does not follow.
func TestAConditionThatFailsLaterHoldsNothingElseUp(t *testing.T) {
	db := filepath.Join(t.TempDir(), "alur.db")
	s := newSite(t, func(at *stores) { at.db, at.sealing = db, true })
	s.stall(t, "needs: {answer: taken}}", "needs: {answer: taken}}\n"+
		"  - {action: note, from: [submitted], to: submitted, roles: [assessor]}\n"+
		"  - {action: clear, from: [submitted], to: refused, automatic: true, when: '7 / (history.times(\"note\") - 1) > 2'}\n"+
		"  - {action: clear, from: [submitted], to: granted, automatic: true, when: 'history.times(\"note\") == 1'}",
		"actions:", "actions:\n  - {id: note, title: {id: Catat, en: Note}}")
	ref := s.openStall(t, `{"area":2}`)
	s.does(t, ref, "assessor", `"action":"note"`)
	s.does(t, ref, "applicant", sketch)
	a := s.ask(t, "GET", "/api/v1/requests/"+ref, "")
	for _, want := range []string{`"state":"submitted"`, `"stalled":"workflow stall version 1: transition \"clear\" to \"refused\", when (line 50) cannot be judged: it divides by zero; the agency has to mend`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the request does not tell %s\n%s", want, a.body)
		}
	}
	if out := must(t, ".", "", "request", "show", ref, "--db", db); !strings.Contains(out, `stalled          workflow stall version 1: transition "clear"`) || !strings.Contains(out, "document sketch") {
		t.Errorf("alur request show:\n%s", out)
	}
	s.does(t, ref, "assessor", `"action":"note"`)
	if a := s.ask(t, "GET", "/api/v1/requests/"+ref, ""); !strings.Contains(a.body, `"state":"refused"`) {
		t.Errorf("what can be judged again does not follow: %s", a.body)
	}
}
