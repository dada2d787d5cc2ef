package backtest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
)

// publishNext publishes another version.
func (o *office) publishNext(t fatal, source string) *workflows.Workflow {
	t.Helper()
	w, err := o.library.Publish(context.Background(), workflows.Publication{
		Tenant: o.tenant, Source: []byte(source), Definition: read(t, source), Occurred: o.clock, At: o.clock, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// migrate moves a request, if the rules let it.
func (o *office) migrate(request uuid.UUID, from, to int, p domain.Plan) (domain.Request, error) {
	o.n++
	p.From, p.To, p.Ground, p.Approver, p.Map = from, to, domain.Basis{ID: "andaian", EN: "assumed"}, "head-2", strings.Repeat("0", 64)
	a, err := o.engine.Migrate(context.Background(), request, domain.Migrate{
		Header: domain.Header{ID: domain.CommandID(o.clock, "migrate", request.String(), string(rune(o.n))), Occurred: o.clock, Actor: head}, Plan: p,
	})
	return a.Request, err
}

// renamed is the licence with other names: of a state, an action, the term of law.
func renamed(t fatal, more ...string) string {
	return sip(t, append([]string{
		"id: accept,", "id: declare,", "action: accept,", "action: declare,", `times("accept")`, `times("declare")`, "id: decision\n", "id: verdict\n",
		"id: review\n", "id: assess\n", "to: review,", "to: assess,", "[review]", "[assess]", ", review]", ", assess]",
	}, more...)...)
}

var renaming = domain.Mapping{
	States: map[domain.StateID]domain.StateID{"review": "assess"}, Actions: map[domain.ActionID]domain.ActionID{"accept": "declare"},
	Terms: map[domain.TermID]domain.TermID{"decision": "verdict"},
}

// A request that was migrated is judged in each part by the version that it was under, in
// the place of one of which the new version stands. By those that it was under, it does
// not differ; what another would have made of its part is told.
func TestAMigratedHistoryByItsOwnVersions(t *testing.T) {
	o := newOffice(t, []byte(sip(t)))
	id := o.submits()
	o.clock = o.clock.Add(time.Hour)
	o.acts(id, clerk, "accept", "")
	o.clock = o.clock.AddDate(0, 0, 1)
	o.publishNext(t, renamed(t))
	if _, err := o.migrate(id, 1, 2, domain.Plan{Mapping: renaming}); err != nil {
		t.Fatal(err)
	}
	o.clock = o.clock.AddDate(0, 0, 1)
	if r := o.acts(id, head, "issue", ""); r.Outcome != domain.OutcomeApproved {
		t.Fatal(r)
	}
	shorter := []string{"budget: 5 working days", "budget: 4 working days", "    remind_after: 4 working days\n", ""}
	for name, x := range map[string]struct {
		source string
		want   []string
	}{
		"the version it ended under":            {renamed(t), nil},
		"the version it began under":            {sip(t), nil},
		"a shorter term before":                 {sip(t, shorter...), []string{`deadline: term "verdict": due earlier`}},
		"another role before":                   {sip(t, "to: review, roles: [clerk]}", "to: review, roles: [head]}"), []string{`refused: action "accept" in state "submitted" is refused (role): role "clerk" may not take action "accept"; it belongs to head`}},
		"another role after":                    {renamed(t, "to: issued, roles: [head]", "to: issued, roles: [clerk]"), []string{`refused: action "issue" in state "assess" is refused (role): role "head" may not take action "issue"; it belongs to clerk`}},
		"other names than any":                  {renamed(t, "id: assess\n", "id: weigh\n", "to: assess,", "to: weigh,", "[assess]", "[weigh]", ", assess]", ", weigh]"), []string{"refused: migration to version 2 in state \"review\" is refused (migration)"}},
		"a term that the law has decided by":    {sip(t, "budget: 5 working days", "budget: 1 working day", "promise: 3 working days", "promise: 1 working day", "    remind_after: 4 working days\n", ""), []string{"outcome: approved then, approved (deemed) now"}},
		"a term that is shorter since, kept as": {renamed(t, shorter...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := o.run(read(t, x.source))
			if got := r.Words(); len(x.want) == 0 && r.Changed > 0 {
				t.Errorf("it differs\n%s", got)
			} else {
				for _, w := range x.want {
					if !strings.Contains(got, "1 "+w+"\n") {
						t.Errorf("want %q\n%s", w, got)
					}
				}
			}
		})
	}
}

// What a migration made of a term, and how it ended a request, is done on either side.
func TestMigratedHistories(t *testing.T) {
	o := courses(t)
	ended := o.must(uuid.Nil, domain.Submit{Header: domain.Header{Actor: applicant}, Service: "work", Form: domain.Personal{"size": 30.0, "name": "Rekaan"}}).ID
	source := strings.ReplaceAll(work(t), "9 working days", "10 working days")
	o.publishNext(t, source)
	r, err := o.migrate(o.all[2], 1, 2, domain.Plan{Take: map[domain.TermID]bool{"decision": false}})
	if err != nil || r.Terms["decision"].Budget != "10 working days" {
		t.Fatal(r.Terms["decision"], err)
	}
	if _, err := o.migrate(ended, 1, 2, domain.Plan{
		Mapping:   domain.Mapping{States: map[domain.StateID]domain.StateID{"looking": "lapsed"}},
		Elsewhere: map[domain.StateID]domain.Basis{"looking": {ID: "andaian", EN: "assumed"}},
	}); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"before": work(t), "after": source} {
		for _, id := range []uuid.UUID{o.all[2], ended} {
			h, err := o.backtest(read(t, text)).History(t.Context(), id, false)
			if err != nil || len(h.Differences) > 0 {
				t.Errorf("by the version %s: %v\n%s", name, err, h.Words())
			}
		}
	}
	if h, err := o.backtest(read(t, source)).History(t.Context(), ended, true); err != nil || h.Then != "closed" || h.Now != "closed" {
		t.Errorf("%+v %v", h, err)
	}
}

// other is the definition of testdata/work.yaml with other names for nearly all that it
// has, and the mapping to it.
func other(t testing.TB) (string, domain.Mapping) {
	source := work(t)
	rename := func(was, now string) {
		for _, around := range [][2]string{{"id: ", ","}, {"to: ", ","}, {"action: ", ","}, {"[", "]"}, {"[", ","}, {", ", "]"}, {"waits_for: ", ","}, {"state: ", "}"}} {
			source = strings.ReplaceAll(source, around[0]+was+around[1], around[0]+now+around[1])
		}
	}
	m := domain.Mapping{
		States:     map[domain.StateID]domain.StateID{"looking": "look", "opinion": "gathering", "visit": "inspection", "returned": "sent-back", "deciding": "judging"},
		Actions:    map[domain.ActionID]domain.ActionID{"accept": "declare", "return": "send-back", "report": "tell"},
		Terms:      map[domain.TermID]domain.TermID{"decision": "verdict"},
		Reviews:    map[domain.ReviewID]domain.ReviewID{"fire": "safety"},
		Fees:       map[domain.FeeID]domain.FeeID{"levy": "dues"},
		Documents:  map[domain.DocumentID]domain.DocumentID{"photo": "picture"},
		Checklists: map[domain.ChecklistID]domain.ChecklistID{"site": "place"},
		Systems:    map[domain.SystemID]domain.SystemID{"land": "cadastre"},
	}
	each := func(list map[string]string) {
		for was, now := range list {
			rename(was, now)
		}
	}
	each(texts(m.States))
	each(texts(m.Actions))
	each(texts(m.Terms))
	each(texts(m.Reviews))
	each(texts(m.Fees))
	each(texts(m.Documents))
	each(texts(m.Checklists))
	each(texts(m.Systems))
	return source, m
}

func texts[K ~string](m map[K]K) map[string]string {
	out := map[string]string{}
	for was, now := range m {
		out[string(was)] = string(now)
	}
	return out
}

// Whatever was done to requests before they were migrated, and after: by either of the
// versions that they were under, none differs.
func TestByItsOwnVersionsNoMigratedHistoryDiffers(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT WITH -short, AS UNDER THE RACE DETECTOR: it takes minutes, one history after another; go test ./... runs this")
	}
	workNext, workNames := other(t)
	for name, x := range map[string]struct {
		before, after string
		mapping       domain.Mapping
		take          domain.TermID
	}{
		"the licence": {sip(t), renamed(t), renaming, "verdict"},
		"the licence, with a longer term": {
			sip(t), renamed(t, "budget: 5 working days", "budget: 7 working days"), renaming, "verdict",
		},
		"work": {work(t), workNext, workNames, "verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			done := map[string]int{}
			r := rand.New(rand.NewPCG(5, 20261127))
			o := newOffice(t, []byte(x.before))
			k := newWalker(o, r.IntN)
			k.done, k.calm = done, true
			for range 100 {
				k.walk(t, 1+k.draw(8))
			}
			first, last := o.w, o.publishNext(t, x.after)
			for _, id := range o.all {
				if k.draw(4) == 0 {
					continue // it stays
				}
				o.sweep(id)
				plan := domain.Plan{Mapping: x.mapping}
				if k.draw(2) == 0 {
					plan.Take = map[domain.TermID]bool{x.take: true}
				}
				moved, err := o.migrate(id, first.Ref().Version, last.Ref().Version, plan)
				var refusal *domain.Refusal
				if err != nil && !errors.As(err, &refusal) {
					t.Fatal(err)
				}
				if err != nil {
					done["refused"]++
					continue
				}
				done["migrated"]++
				o.w = last
				k.goOn(t, moved, k.draw(25))
				if now, err := o.engine.Load(t.Context(), id); err == nil && now.Outcome != "" {
					done["ended after"]++
				}
				o.w = first
			}
			k.clock = k.clock.AddDate(0, 0, k.draw(30))
			t.Log(done)
			if done["migrated"] < 15 || done["ended after"] == 0 {
				t.Errorf("%v", done)
			}
			for _, source := range []string{x.before, x.after} {
				for _, id := range o.all {
					r, err := o.engine.Load(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					if r.Workflow.Version != last.Ref().Version && source == x.after {
						continue // it was never under that
					}
					h, err := o.backtest(read(t, source)).History(t.Context(), id, true)
					if err != nil || h.Verdict != backtest.Same {
						t.Fatalf("%v\n%s", err, h.Words())
					}
					was, is, err := o.backtest(read(t, source)).Sides(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					is.Key = was.Key // nothing is sealed
					if d := cmp.Diff(was, is, cmpopts.IgnoreUnexported(domain.Request{}), cmpopts.EquateEmpty()); d != "" {
						t.Fatalf("%s (-then +now)\n%s", id, d)
					}
				}
			}
		})
	}
	if !slices.Contains(strings.Split(workNext, "\n"), "  - {id: safety, title: {id: Damkar, en: Fire}, role: head, reasons: [wrong], when: facts.size > 5.0, term: {budget: 3 working hours, expires: {escalate: [head]}}}") {
		t.Error(workNext)
	}
}
