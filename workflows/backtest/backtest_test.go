package backtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
	"github.com/alur-id/alur/workflows/discovery"
	"github.com/alur-id/alur/workflows/sample"
)

func work(t testing.TB) string {
	t.Helper()
	source, err := os.ReadFile("testdata/work.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// courses are three requests: one that was granted, one that was refused after it was
// corrected, and one that waits for its decision.
func courses(t testing.TB) *office {
	t.Helper()
	o := newOffice(t, []byte(work(t)))
	header := func(a domain.Actor) domain.Header { return domain.Header{Actor: a} }
	applicant := domain.Actor{ID: "applicant-1", Role: "applicant", Capacity: domain.CapacitySelf}
	system := func(role domain.RoleID) domain.Header {
		return domain.Header{Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: domain.CapacitySystem}}
	}
	lot := func(seed string) domain.Command {
		return domain.Allocate{Header: header(domain.System()), Allocation: domain.Allocation{Seed: strings.Repeat(seed, 64), Candidates: []domain.Candidate{{Officer: "clerk-1"}, {Officer: "clerk-2"}}}}
	}
	begin := func(size float64) uuid.UUID {
		r := o.must(uuid.Nil, domain.Submit{Header: header(applicant), Service: "work", Form: domain.Personal{"size": size, "name": "Rekaan"}})
		o.clock = o.clock.Add(time.Hour)
		o.must(r.ID, domain.Attach{Header: header(applicant), Document: "photo", Format: "jpg", Bytes: 1, SHA256: aHash})
		return r.ID
	}
	act := func(id uuid.UUID, a domain.ActionID, actor domain.Actor, reason domain.ReasonCode) {
		c := domain.Act{Header: header(actor), Action: a, Reason: reason}
		if a == "report" {
			c.Facts = domain.Facts{"sound": true}
		}
		if a == "resubmit" {
			c.Form = domain.Personal{"size": 20.0}
		}
		o.clock = o.clock.Add(time.Hour)
		o.must(id, c)
	}
	worker := func(id uuid.UUID, seed string) domain.Actor {
		return domain.Actor{ID: o.must(id, lot(seed)).Dossier.Picked, Role: "clerk", Capacity: domain.CapacityOfficer}
	}
	accept := func(id uuid.UUID, levy int64) {
		clerk := worker(id, "a")
		o.must(id, domain.Pay{Header: system("bank"), Fee: "levy", Amount: levy, Also: []domain.Payment{{Fee: "stamp", Amount: 10000}}, Receipt: "r-1"})
		act(id, "accept", clerk, "")
		o.clock = o.clock.AddDate(0, 0, 2)
		o.must(id, domain.GiveReview{Header: header(head), Review: "fire", Opinion: domain.OpinionApproved})
		o.must(id, domain.ReportAnswer{Header: system("registry"), Answer: domain.Answer{System: "land", Outcome: "clear"}})
		act(id, "report", worker(id, "b"), "")
	}
	granted := begin(30)
	accept(granted, 30000)
	o.must(granted, domain.Pick{Header: header(head)})
	act(granted, "grant", head, "")
	refused := begin(10)
	act(refused, "return", worker(refused, "c"), "wrong")
	o.clock = o.clock.AddDate(0, 0, 3)
	act(refused, "resubmit", applicant, "")
	accept(refused, 20000)
	o.must(refused, domain.Pick{Header: header(head)})
	act(refused, "refuse", head, "wrong")
	accept(begin(15), 15000)
	return o
}

// Each change of the definition gives what follows from it, and nothing else.
func TestWhatAChangeWouldHaveDone(t *testing.T) {
	o := courses(t)
	o.same(t)
	source := work(t)
	for name, x := range map[string]struct {
		change [][2]string
		want   []string
	}{
		"a word":                     {[][2]string{{"Trial", "Attempt"}}, nil},
		"a document newly required":  {[][2]string{{"\nchecklists:", "\n  - {id: map, title: {id: Peta, en: Map}, by: [applicant], formats: [pdf], max_size: 1 MB, required: true}\nchecklists:"}}, []string{`3 document: document "map" was not handed in by then: action "accept" in state "looking" is refused`}},
		"a document no longer taken": {[][2]string{{"formats: [jpg]", "formats: [pdf]"}}, []string{`3 refused: action "accept" in state "looking" is refused (incomplete): the file is not complete: photo is missing or was refused; hand in what is missing`, `3 refused: document "photo" in state "looking" is refused (document)`}},
		"a guard":                    {[][2]string{{"roles: [clerk], needs: {req", "roles: [clerk], when: 'facts.size > 15.0', needs: {req"}}, []string{`1 refused: action "accept" in state "looking" is refused (guard): action "accept" is not possible for this request in state "looking"; it needs: facts.size > 15.0`}},
		"another role":               {[][2]string{{"to: granted, roles: [head]", "to: granted, roles: [clerk]"}}, []string{`1 refused: action "grant" in state "deciding" is refused (role): role "head" may not take action "grant"; it belongs to clerk`}},
		"a term a little shorter":    {[][2]string{{"9 working days", "8 working days"}}, []string{`3 deadline: term "decision": due earlier by 1 working days`}},
		"a term longer":              {[][2]string{{"9 working days", "10 working days"}}, []string{`3 deadline: term "decision": due later by 1 working days`}},
		"a term much shorter": {[][2]string{{"9 working days", "1 working day"}}, []string{
			`3 deadline: term "decision": due earlier, newly missed by 8 working days`,
			`1 outcome: approved then, approved (deemed) now`, `1 outcome: open then, approved (deemed) now`, `1 outcome: rejected then, approved (deemed) now`,
		}},
		"a fee raised":      {[][2]string{{"amount: 10000", "amount: 12000"}}, []string{`3 fee: fee "stamp": raised by Rp 2000`}},
		"a fee by facts":    {[][2]string{{"facts.size * 1000.0", "facts.size * 900.0"}}, []string{`3 fee: fee "levy": lowered by Rp 1500 to Rp 3000`}},
		"a fee abolished":   {[][2]string{{"  - {id: stamp, title: {id: Meterai, en: Stamp}, amount: 10000, due_in: [looking], basis: {id: Perda, en: By-law}}\n", ""}}, []string{`3 fee: fee "stamp": no longer due by Rp 10000`}},
		"a fee newly asked": {[][2]string{{"\nsystems:", "\n  - {id: map, title: {id: Peta, en: Map}, amount: 5, due_in: [looking], basis: {id: Perda, en: By-law}}\nsystems:"}, {"fees: [levy]", "fees: [levy, map]"}}, []string{`3 refused: action "accept" in state "looking" is refused (unpaid): fee map is not paid; pay it first`, `3 fee: fee "map": newly due by Rp 5`}},
		"a review newly asked": {
			[][2]string{{"\nterms:", "\n  - {id: water, title: {id: Air, en: Water}, role: head, reasons: [wrong]}\nterms:"}, {"reviews: [fire]", "reviews: [fire, water]"}},
			[]string{`3 waits: waits in state "opinion" for review "water", that nobody was asked for`},
		},
		"a review no longer asked": {[][2]string{{"facts.size > 5.0", "facts.size > 25.0"}}, []string{`2 review: review "fire": no longer asked for`}},
		"a step that follows by itself": {[][2]string{{"{action: grant, from: [deciding], to: granted, roles: [head], when: facts.sound}", "{action: grant, automatic: true, from: [deciding], to: granted, when: facts.sound}"}}, []string{
			`1 outcome: open then, approved now`, `1 outcome: rejected then, approved now`,
			`1 needless: the work is taken in state "deciding" and what came after: the request had ended by then`,
		}},
		"a step in the middle that follows by itself": {[][2]string{{"{action: report, from: [visit], to: deciding, roles: [clerk], records: [sound], clears: [site]}", "{action: report, automatic: true, from: [visit], to: deciding}"}}, []string{
			`3 needless: action "report" in state "visit": the request is in "deciding" by itself`, `3 needless: work of state "visit": the request goes on by itself`,
			`1 refused: action "grant" in state "deciding" is refused (guard): action "grant" is not possible for this request in state "deciding"; it needs: facts.sound`,
		}},
		"work that is no longer given out": {[][2]string{{", allocate: {rule: order}", ""}}, []string{`2 work: work of state "deciding": no longer given out`}},
		"work by another rule":             {[][2]string{{"rule: order", "rule: lottery"}}, []string{`2 work: work of state "deciding": given out by rule lottery, no longer picked`}},
		"work that is picked now":          {[][2]string{{"rule: lottery", "rule: order"}}, []string{`3 work: work of state "looking": picked, no longer given out by a rule`}},
		"a state removed": {
			[][2]string{{"  - {id: asking,", "  - {id: asked,"}, {"to: asking", "to: asked"}, {"from: [asking]", "from: [asked]"}},
			[]string{`3 route: from opinion to asked, not to asking`},
		},
		"a form that says something else": {[][2]string{{"name: {type: string}", "name: {type: string, minLength: 3}"}}, []string{"3 unsaid: whether the form is taken as it was filled in"}},
		"a fact computed otherwise":       {[][2]string{{"from: form.size,", "from: form.size + 1.0,"}}, []string{`3 unsaid: fact "size": it is computed otherwise from the form`}},
		"a fact newly required":           {[][2]string{{"\ndocuments:", "\n  - {id: place, type: string, title: {id: Tempat, en: Place}, values: [a, b], required: true}\ndocuments:"}}, []string{`3 refused: submission is refused (facts): fact "place" is missing; its facts are size, kind, sound, place`}},
	} {
		t.Run(name, func(t *testing.T) {
			text := source
			for _, c := range x.change {
				if !strings.Contains(text, c[0]) {
					t.Fatalf("there is no %q", c[0])
				}
				text = strings.ReplaceAll(text, c[0], c[1])
			}
			r := o.run(read(t, text))
			var got []string
			for _, g := range r.Groups {
				by := ""
				if g.Least != "" {
					by = " by " + g.Least
				}
				if g.Most != g.Least {
					by += " to " + g.Most
				}
				got = append(got, fmt.Sprintf("%d %s: %s%s", g.Count, g.Kind, g.Cause, by))
			}
			if d := cmp.Diff(x.want, got); d != "" {
				t.Errorf("(-want +got)\n%s\n%s", d, r.Words())
			}
			again, err := o.backtest(read(t, text)).Run(context.Background(), o.requests())
			if d := cmp.Diff(r.Words(), again.Words()); d != "" || err != nil {
				t.Errorf("the second time: %s %v", d, err)
			}
		})
	}
}

// An imported history has no clock: it is judged by its steps alone, and by its own
// draft it does not differ. Who may not do a step any more is told.
func TestImportedHistories(t *testing.T) {
	draft, err := discovery.Learn(sample.Traces(sample.Log()), discovery.Options{ID: "old-system", Role: "org:resource"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := workflows.Write(draft.Definition, draft.Comment("log.xes"))
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, source)
	im := workflows.Importer{Log: o.log, Engine: o.engine}
	if s, err := im.Import(t.Context(), tenant, o.w, sample.Traces(sample.Log())); err != nil || s.KeptCases != 3 {
		t.Fatal(s, err)
	}
	for e, err := range domain.Events(o.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok {
			o.all = append(o.all, b.Request)
		}
	}
	o.same(t)
	d := read(t, string(source))
	for i := range d.Transitions {
		if t := &d.Transitions[i]; t.Action == "decide" {
			t.Roles = d.Submit
		}
	}
	r := o.run(d)
	if r.Changed != 2 || r.Faults != 2 || r.Groups[0].Kind != backtest.Refused {
		t.Errorf("%s", r.Words())
	}
}

// damaged is a log of which one stream cannot be read.
type damaged struct {
	domain.EventLog
	stream string
	err    error
}

func (d damaged) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	if stream == d.stream {
		return func(yield func(domain.Entry, error) bool) { yield(domain.Entry{}, d.err) }
	}
	return d.EventLog.ReadStream(ctx, stream, after)
}

// A history that is damaged is one that cannot be judged, and stops no other. A log that
// cannot be reached is told at once.
func TestAHistoryThatCannotBeRead(t *testing.T) {
	o := courses(t)
	b := o.backtest(o.w.Definition)
	b.Log = damaged{o.log, domain.RequestStream(o.all[1]), domain.ErrDamaged}
	r, err := b.Run(t.Context(), o.requests())
	if err != nil || r.Unchanged != 2 || r.Unjudged != 1 || len(r.Groups) != 1 || r.Groups[0].Kind != backtest.Unjudged || r.Faults != 0 {
		t.Errorf("%v\n%s", err, r.Words())
	}
	b.Log = damaged{o.log, domain.RequestStream(o.all[1]), domain.ErrUnavailable}
	if _, err := b.Run(t.Context(), o.requests()); !errors.Is(err, domain.ErrUnavailable) {
		t.Error(err)
	}
}

// Nothing is recorded, and what is told of a request holds nothing that was sealed.
func TestNothingIsRecordedOrOpened(t *testing.T) {
	o := courses(t)
	before, err := o.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := o.run(read(t, strings.ReplaceAll(work(t), "9 working days", "1 working day")))
	after, err := o.log.Head(t.Context())
	if err != nil || before != after {
		t.Errorf("%d, then %d, %v", before, after, err)
	}
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), "Rekaan") {
		t.Errorf("%v\n%s", err, text)
	}
}
