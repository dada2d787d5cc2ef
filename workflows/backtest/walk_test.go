package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

func entries(t testing.TB) []catalogue.Entry {
	t.Helper()
	list, err := catalogue.Entries()
	if err != nil || len(list) < 10 {
		t.Fatal(len(list), err)
	}
	return list
}

// The tests that stand in the definitions of the catalogue, played by the engine, come
// out the same by the very definition.
func TestScenariosOfTheCatalogueDoNotDiffer(t *testing.T) {
	played := 0
	for _, e := range entries(t) {
		o := newOffice(t, e.Source)
		cal, err := o.calendars.Latest(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		for i := range e.Definition.Tests {
			played++
			var request uuid.UUID
			o.clock = monday
			err := o.w.Play(&e.Definition.Tests[i], cal, func(c domain.Command) (domain.Request, error) {
				o.clock = c.Head().Occurred
				if request != uuid.Nil {
					o.sweep(request)
				}
				r, err := o.give(request, c)
				if err == nil {
					request = r.ID
				}
				return r, err
			})
			if err != nil {
				t.Logf("%s, %s: %v", e.Path, e.Definition.Tests[i].Name, err) // by the calendar, something else may come first
			}
		}
		o.clock = o.clock.AddDate(0, 0, 40)
		o.same(t)
	}
	if played < 100 {
		t.Errorf("%d scenarios", played)
	}
}

// walker asks of a request what somebody might ask, most of it possible.
type walker struct {
	*office
	draw  func(n int) int // below n
	facts []workflows.ScenarioFile
	done  map[string]int
	calm  bool // no decrees
}

func (k *walker) rarely(n int) bool { return k.draw(n) == n-1 }

func one[T any](k *walker, list []T) T { return list[k.draw(len(list))] }

func (k *walker) actor(role domain.RoleID) domain.Header {
	if role == "" {
		role = "nobody"
	}
	as := domain.CapacityOfficer
	if list := k.w.Capacities(role); len(list) > 0 {
		as = one(k, list)
	}
	h := domain.Header{Actor: domain.Actor{ID: fmt.Sprintf("%s-%d", role, k.draw(2)), Role: role, Capacity: as}}
	if k.rarely(8) { // told late
		h.Occurred = k.clock.Add(-time.Duration(k.draw(72)) * time.Hour)
	}
	return h
}

// filled are the facts and the form of one of the definition's own tests.
func (k *walker) filled() (domain.Facts, domain.Personal) {
	g := one(k, k.facts)
	var f domain.Facts
	for name, v := range g.Facts {
		if f == nil {
			f = domain.Facts{}
		}
		if n, ok := v.(int); ok {
			v = float64(n)
		}
		f[name] = v
	}
	return f, g.Form
}

func (k *walker) command(r domain.Request) domain.Command {
	d := k.w.Definition
	list := []func() domain.Command{
		func() domain.Command { return k.act(r) },
		func() domain.Command { return k.act(r) },
		func() domain.Command { return k.act(r) },
	}
	add := func(f func() domain.Command) { list = append(list, f, f) }
	if len(d.Documents) > 0 {
		doc := one(k, d.Documents)
		for _, x := range d.Documents {
			if r.Dossier.Documents[x.ID].Version == 0 && k.draw(3) > 0 {
				doc = x
				break
			}
		}
		attach := func() domain.Command {
			return domain.Attach{Header: k.actor(one(k, doc.By)), Document: doc.ID, Format: one(k, doc.Formats), Bytes: 1, SHA256: aHash}
		}
		add(attach)
		add(attach)
		if len(doc.RefusedBy) > 0 {
			rule, _ := k.w.Document(doc.ID)
			list = append(list, func() domain.Command {
				return domain.RefuseDocument{Header: k.actor(one(k, doc.RefusedBy)), Document: doc.ID, Reason: one(k, rule.Reasons)}
			})
		}
	}
	if len(d.Checklists) > 0 {
		c := one(k, d.Checklists)
		add(func() domain.Command {
			return domain.AnswerCheck{Header: k.actor(one(k, c.By)), Check: domain.Check{Checklist: c.ID, Item: item(k, r, c)}, Yes: !k.rarely(6)}
		})
	}
	if owed := owed(r); len(owed) > 0 && len(d.Payers) > 0 {
		add(func() domain.Command {
			c := domain.Pay{Header: k.actor(one(k, d.Payers)), Fee: owed[0].Fee, Amount: owed[0].Amount, Receipt: fmt.Sprint("r", k.n)}
			if k.draw(2) == 0 {
				c.Also = owed[1:]
			}
			return c
		})
	}
	for _, x := range d.Reviews {
		if r.Dossier.Reviews[x.ID].Opinion == domain.OpinionOpen {
			add(func() domain.Command {
				c := domain.GiveReview{Header: k.actor(x.Role), Review: x.ID, Opinion: domain.OpinionApproved}
				if k.rarely(4) {
					c.Opinion, c.Reason, c.Remark = domain.OpinionRefused, one(k, x.Reasons), "a remark"
				}
				return c
			})
		}
	}
	for _, y := range d.Systems {
		if _, ok := k.w.System(r, y.ID); ok {
			add(func() domain.Command {
				return domain.ReportAnswer{Header: k.actor(y.Role), Answer: domain.Answer{System: y.ID, Outcome: one(k, y.Outcomes)}}
			})
		}
	}
	if task, ok := k.w.Task(r.State); ok {
		add(func() domain.Command { return k.work(task) })
	}
	list = append(list, func() domain.Command { return k.ordered(r) })
	return one(k, list)()
}

// item is one that is not answered with yes, if there is one.
func item(k *walker, r domain.Request, c workflows.Checklist) domain.CheckID {
	for _, i := range c.Items {
		if !r.Dossier.Checks[c.ID][i.ID] {
			return i.ID
		}
	}
	return one(k, c.Items).ID
}

func owed(r domain.Request) []domain.Payment {
	var list []domain.Payment
	for _, id := range slices.Sorted(maps.Keys(r.Dossier.Fees)) {
		if f := r.Dossier.Fees[id]; f.Owed() > 0 && !f.Stale {
			list = append(list, domain.Payment{Fee: id, Amount: f.Owed()})
		}
	}
	return list
}

func (k *walker) work(task domain.TaskRule) domain.Command {
	switch {
	case len(task.Assigner) > 0 && k.rarely(3):
		return domain.Reassign{Header: k.actor(one(k, task.Assigner)), To: fmt.Sprintf("%s-%d", task.Role, k.draw(2)), Reason: "absent"}
	case task.Rule == domain.AllocateByOrder:
		return domain.Pick{Header: k.actor(task.Role)}
	}
	c := domain.Allocate{Allocation: domain.Allocation{Seed: fmt.Sprintf("%064x", k.draw(1000))}}
	c.Header = k.actor(task.Role)
	c.Actor = domain.System()
	for i := range 2 {
		c.Candidates = append(c.Candidates, domain.Candidate{Officer: fmt.Sprintf("%s-%d", task.Role, i), Load: k.draw(2)})
	}
	return c
}

// ordered is what concerns terms.
func (k *walker) ordered(r domain.Request) domain.Command {
	d := k.w.Definition
	switch k.draw(3) {
	case 0:
		if r.Halt != "" {
			rule, _ := k.w.Order(r.Halt)
			return domain.LiftSuspension{Header: k.actor(one(k, rule.Roles))}
		}
		for _, x := range d.Suspensions {
			if rule, ok := k.w.Order(x.Ground); ok {
				return domain.OrderSuspension{Header: k.actor(one(k, rule.Roles)), Ground: x.Ground, Reason: one(k, rule.Reasons)}
			}
		}
	case 1:
		for _, x := range d.Terms {
			if x.Extension != nil {
				return domain.ExtendTerm{Header: k.actor(one(k, x.Extension.Roles)), Term: domain.TermID(x.ID), Reason: one(k, x.Extension.Reasons)}
			}
		}
	default:
		for _, t := range d.Transitions {
			if slices.Contains(t.From, r.State) && len(t.Consent) > 0 {
				return domain.ConsentReturn{Header: k.actor(one(k, t.Consent)), Action: t.Action, Reason: one(k, t.Reasons)}
			}
		}
	}
	return k.act(r)
}

func (k *walker) act(r domain.Request) domain.Command {
	var here []workflows.Transition
	for _, t := range k.w.Definition.Transitions {
		if !t.Automatic && slices.Contains(t.From, r.State) && (t.Kind != domain.ActionWithdraw || k.rarely(4)) {
			here = append(here, t)
		}
	}
	if len(here) == 0 {
		return domain.Act{Header: k.actor("nobody"), Action: "nothing"}
	}
	t := one(k, here)
	c := domain.Act{Header: k.actor(one(k, t.Roles)), Action: t.Action}
	if len(t.Reasons) > 0 {
		c.Reason = one(k, t.Reasons)
	}
	if t.Kind == domain.ActionOverride || k.rarely(5) {
		c.Remark = "a remark"
	}
	if t.Kind == domain.ActionCorrect {
		c.Facts, c.Form = k.filled()
	}
	for _, id := range t.Records {
		for _, f := range k.w.Definition.Facts {
			if f.ID != id {
				continue
			}
			if c.Facts == nil {
				c.Facts = domain.Facts{}
			}
			c.Facts[id] = f.Default
			if f.Type == workflows.FactBoolean {
				c.Facts[id] = k.draw(2) == 0
			}
			if len(f.Values) > 0 {
				c.Facts[id] = one(k, f.Values)
			}
		}
	}
	return c
}

// walk takes a request for so many steps.
func (k *walker) walk(t interface{ Fatalf(string, ...any) }, steps int) {
	var roles []domain.RoleID
	for _, role := range k.w.Definition.Submit {
		if len(k.w.Capacities(role)) > 0 {
			roles = append(roles, role)
		}
	}
	facts, form := k.filled()
	r, err := k.give(uuid.Nil, domain.Submit{Header: k.actor(one(k, roles)), Service: k.w.Definition.ID, Facts: facts, Form: form})
	if err != nil {
		k.done["submission refused"]++
		return
	}
	k.goOn(t, r, steps)
}

// goOn takes a request that was begun for so many steps more.
func (k *walker) goOn(t interface{ Fatalf(string, ...any) }, r domain.Request, steps int) {
	for range steps {
		k.clock = k.clock.Add(time.Duration(k.draw(1+[]int{1, 60, 60 * 24, 60 * 24 * 9}[k.draw(4)])) * time.Minute)
		switch k.draw(12) {
		case 0, 1, 2, 3, 4, 5:
			k.sweep(r.ID)
		case 6:
			if k.rarely(4) && !k.calm {
				k.decree(1+k.draw(9), k.draw(3) > 0)
				k.recompute(r.ID)
			}
		case 7:
			k.recompute(r.ID)
		}
		c := k.command(r)
		next, err := k.give(r.ID, c)
		var refusal *domain.Refusal
		switch {
		case err == nil:
			k.done[fmt.Sprintf("%T", c)]++
			r = next
		case !errors.As(err, &refusal):
			t.Fatalf("%T: %v", c, err)
		default:
			if loaded, err := k.engine.Load(context.Background(), r.ID); err == nil {
				r = loaded
			}
		}
	}
	if r.Outcome != "" {
		k.done["ended"]++
	}
}

func (k *walker) recompute(request uuid.UUID) {
	if _, err := k.engine.Recompute(context.Background(), request); err == nil {
		k.done["recomputed"]++
	}
}

func newWalker(o *office, draw func(int) int) *walker {
	k := &walker{office: o, draw: draw, done: map[string]int{}}
	for _, s := range o.w.Definition.Tests {
		if s.Given.Refused == "" {
			k.facts = append(k.facts, s.Given)
		}
	}
	if len(k.facts) == 0 {
		k.facts = []workflows.ScenarioFile{{}}
	}
	return k
}

// Whatever is done to requests of any service, when it is told, and whenever the clock
// was looked at: the very definition that they ran under makes no difference.
func TestTheSameDefinitionMakesNoDifference(t *testing.T) {
	var sources [][]byte
	for _, e := range entries(t) {
		sources = append(sources, e.Source)
	}
	for _, name := range []string{"../testdata/clock/sip.yaml", "testdata/work.yaml"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	done := map[string]int{}
	for i, source := range sources {
		r := rand.New(rand.NewPCG(uint64(i), 20261127))
		k := newWalker(newOffice(t, source), r.IntN)
		k.done = done
		for range 30 {
			k.walk(t, 1+k.draw(90))
			k.clock = k.clock.Add(time.Duration(k.draw(100)) * time.Hour)
			if k.clock.Year() > 2034 { // the calendar ends
				k.clock = monday
			}
		}
		k.clock = k.clock.AddDate(0, 0, k.draw(60))
		t.Log(k.w.Definition.ID, k.clock)
		k.same(t)
	}
	t.Log(done)
	for _, what := range []string{
		"domain.Act", "domain.Attach", "domain.RefuseDocument", "domain.AnswerCheck", "domain.Pay", "domain.GiveReview", "domain.ReportAnswer",
		"domain.Pick", "domain.Allocate", "domain.Reassign",
		"domain.OrderSuspension", "domain.LiftSuspension", "domain.ExtendTerm", "domain.ConsentReturn", "recomputed", "ended",
	} {
		if done[what] == 0 {
			t.Errorf("%s never happened", what)
		}
	}
}
