package workflows_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

var now = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// bench is an engine over a log in memory, with one published workflow: the
// shipped SIP.
type bench struct {
	log     *memory.Log
	library *workflows.Library
	engine  *workflows.Engine
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{log: memory.New()}
	b.library = workflows.NewLibrary(b.log)
	b.engine = b.newEngine(nil)
	b.publish(t, example(t))
	return b
}

func (b *bench) newEngine(taken func(context.Context, domain.Reference) (bool, error)) *workflows.Engine {
	var drawn atomic.Uint64
	return workflows.NewEngine(b.log, b.library, workflows.EngineConfig{
		Now:    func() time.Time { return now },
		Random: func() uint64 { return drawn.Add(1) * 0x9E3779B97F4A7C15 },
		Taken:  taken,
	})
}

func (b *bench) publish(t *testing.T, source []byte) *workflows.Workflow {
	t.Helper()
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	w, err := b.library.Publish(t.Context(), workflows.Publication{
		Tenant: "11.71", Source: source, Definition: d, Occurred: now, At: now, Why: "test",
		Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newHeader(t *testing.T, role domain.RoleID) domain.Header {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	capacity := domain.CapacityOfficer
	if role == "applicant" {
		capacity = domain.CapacitySelf
	}
	return domain.Header{ID: id, Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: capacity}}
}

func (b *bench) submission(t *testing.T) domain.Submit {
	return domain.Submit{Header: newHeader(t, "applicant"), Tenant: "11.71", Service: "sip-dokter", Facts: domain.Facts{"kind": "new"}}
}

func (b *bench) submit(t *testing.T) domain.Request {
	t.Helper()
	answer, err := b.engine.Submit(t.Context(), b.submission(t))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Request
}

func (b *bench) act(t *testing.T, r domain.Request, role domain.RoleID, action domain.ActionID) workflows.Answer {
	t.Helper()
	answer, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, role), Action: action})
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return answer
}

func (b *bench) count(t *testing.T, r domain.Request) int {
	t.Helper()
	n := 0
	for _, err := range b.log.ReadStream(t.Context(), domain.RequestStream(r.ID), 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestARequestTravelsToItsEnd(t *testing.T) {
	b := newBench(t)
	r := b.submit(t)
	if _, err := domain.ParseReference(string(r.Reference)); err != nil {
		t.Errorf("reference %q: %v", r.Reference, err)
	}
	if !r.Submitted.Equal(now) {
		t.Errorf("submitted %s, want the engine's clock %s", r.Submitted, now)
	}
	for _, step := range []struct {
		role   domain.RoleID
		action domain.ActionID
	}{{"front-office", "accept"}, {"health-office", "recommend"}, {"licensing", "assign-number"}, {"head", "sign"}, {"licensing", "issue"}} {
		b.act(t, r, step.role, step.action)
	}
	got, err := b.engine.Load(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != "issued" || got.Public != domain.StatusApproved || got.Outcome != domain.OutcomeApproved || got.Version != 6 {
		t.Errorf("ends as %+v", got)
	}
}

func TestTheSameCommandAgainGetsTheFirstAnswer(t *testing.T) {
	b := newBench(t)
	c := b.submission(t)
	first, err := b.engine.Submit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	accept := domain.Act{Header: newHeader(t, "front-office"), Action: "accept"}
	one, err := b.engine.Act(t.Context(), first.Request.ID, accept)
	if err != nil {
		t.Fatal(err)
	}
	b.act(t, first.Request, "health-office", "recommend")

	again, err := b.engine.Submit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Repeated || again.Request.Reference != first.Request.Reference || again.Request.Version != 1 || again.Request.State != "submitted" || again.Position != first.Position {
		t.Errorf("answered %+v, first %+v", again, first)
	}
	two, err := b.engine.Act(t.Context(), first.Request.ID, accept)
	if err != nil {
		t.Fatal(err)
	}
	if !two.Repeated || two.Request.State != "health-check" || two.Request.Version != one.Request.Version || two.Position != one.Position {
		t.Errorf("answered %+v, first %+v", two, one)
	}
	if n := b.count(t, first.Request); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

// A client that gave up waiting sends the same submission again while the first
// one is still under way.
func TestOneSubmissionSentManyTimesAtOnceIsOneRequest(t *testing.T) {
	b := newBench(t)
	c := b.submission(t)
	references := make([]domain.Reference, 16)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range references {
		wg.Go(func() {
			<-start
			answer, err := b.engine.Submit(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			references[i] = answer.Request.Reference
		})
	}
	close(start)
	wg.Wait()
	for _, ref := range references {
		if ref != references[0] {
			t.Fatalf("one submission has references %q and %q", references[0], ref)
		}
	}
}

func TestTwoOfficersAtOnce(t *testing.T) {
	for name, expected := range map[string]domain.Version{"who saw the version": 1, "who saw none": 0} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := b.submit(t)
			const officers = 20
			errs := make(chan error, officers)
			start := make(chan struct{})
			for range officers {
				c := domain.Act{Header: newHeader(t, "front-office"), Action: "accept", Expected: expected}
				go func() {
					<-start
					_, err := b.engine.Act(context.Background(), r.ID, c)
					errs <- err
				}()
			}
			close(start)
			won := 0
			for range officers {
				err := <-errs
				var conflict *domain.ConflictError
				var refusal *domain.Refusal
				switch {
				case err == nil:
					won++
				case expected != 0 && errors.As(err, &conflict):
					if conflict.Expected != 1 || conflict.Actual != 2 {
						t.Errorf("told %v", conflict)
					}
				case expected == 0 && errors.As(err, &refusal) && refusal.Rule == domain.RuleNotFromHere:
				default:
					t.Errorf("a loser was told %v", err)
				}
			}
			if won != 1 {
				t.Errorf("%d officers won, want 1", won)
			}
			if n := b.count(t, r); n != 2 {
				t.Errorf("%d events, want 2", n)
			}
		})
	}
}

func TestARequestIsJudgedByTheVersionItWasSubmittedUnder(t *testing.T) {
	b := newBench(t)
	before := b.submit(t)
	// The new version has no numbering: the recommendation leads to the signature.
	changed := strings.Replace(string(example(t)), "{action: recommend, from: [health-check], to: numbering,", "{action: recommend, from: [health-check], to: signing,", 1)
	changed = strings.Replace(changed, "from: [submitted, returned, health-check, numbering]", "from: [submitted, returned, health-check]", 1)
	changed = strings.Replace(changed, "  - {action: assign-number, from: [numbering], to: signing, roles: [licensing]}\n", "", 1)
	changed = strings.Replace(changed, "  - id: assign-number\n    title: {id: Beri nomor, en: Assign a number}\n", "", 1)
	from := strings.Index(changed, "  - id: numbering\n")
	to := strings.Index(changed, "  - id: signing\n")
	changed = changed[:from] + changed[to:]
	if w := b.publish(t, []byte(changed)); w.Ref().Version != 2 {
		t.Fatalf("published as version %d, want 2", w.Ref().Version)
	}
	after := b.submit(t)
	for _, c := range []struct {
		r       domain.Request
		version int
		state   domain.StateID
	}{{before, 1, "numbering"}, {after, 2, "signing"}} {
		b.act(t, c.r, "front-office", "accept")
		answer := b.act(t, c.r, "health-office", "recommend")
		if answer.Request.State != c.state || answer.Request.Workflow.Version != c.version {
			t.Errorf("under version %d: state %s at version %d", c.version, answer.Request.State, answer.Request.Workflow.Version)
		}
	}
}

func TestPublishingTheSameAgainRecordsNothing(t *testing.T) {
	b := newBench(t)
	if w := b.publish(t, example(t)); w.Ref().Version != 1 {
		t.Errorf("version %d, want 1", w.Ref().Version)
	}
	if head, err := b.log.Head(t.Context()); err != nil || head != 1 {
		t.Errorf("%d events, %v; want 1", head, err)
	}
	// Another library over the same log, as after a restart, has the same.
	w, err := workflows.NewLibrary(b.log).Version(t.Context(), "11.71", domain.WorkflowRef{ID: "sip-dokter", Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	d, err := workflows.Read("w.yaml", example(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, w.Definition); diff != "" {
		t.Errorf("(-published +read) %s", diff)
	}
}

func TestEngineRefuses(t *testing.T) {
	b := newBench(t)
	r := b.submit(t)
	change := func(f func(*domain.Submit)) func() error {
		return func() error {
			c := b.submission(t)
			f(&c)
			_, err := b.engine.Submit(t.Context(), c)
			return err
		}
	}
	for name, c := range map[string]struct {
		do   func() error
		rule domain.Rule
		want string
	}{
		"a service that is not published": {change(func(c *domain.Submit) { c.Service = "sip-guru" }), domain.RuleService, "sip-guru"},
		"a tenant without services":       {change(func(c *domain.Submit) { c.Tenant = "34.71" }), domain.RuleService, "34.71"},
		"a missing fact":                  {change(func(c *domain.Submit) { c.Facts = nil }), domain.RuleFacts, `"kind" is missing`},
		"a fact with another value":       {change(func(c *domain.Submit) { c.Facts["kind"] = "old" }), domain.RuleFacts, "none of new, renewal"},
		"a fact of another type":          {change(func(c *domain.Submit) { c.Facts["practice_place"] = "one" }), domain.RuleFacts, "not a number"},
		"personal data as a fact":         {change(func(c *domain.Submit) { c.Facts["nik"] = "x" }), domain.RuleFacts, "not a fact"},
		"an action on no request": {func() error {
			_, err := b.engine.Act(t.Context(), uuid.New(), domain.Act{Header: newHeader(t, "head"), Action: "sign"})
			return err
		}, domain.RuleNotSubmitted, "no such request"},
		"a misspelt action": {func() error {
			_, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "front-office"), Action: "acept"})
			return err
		}, domain.RuleUnknownAction, `did you mean "accept"?`},
		"an action from elsewhere": {func() error {
			_, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "head"), Action: "sign"})
			return err
		}, domain.RuleNotFromHere, "possible now: accept, return, withdraw"},
		"a return without a reason": {func() error {
			_, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "front-office"), Action: "return"})
			return err
		}, domain.RuleReason, "str-missing"},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := b.log.Head(t.Context())
			err := c.do()
			var refusal *domain.Refusal
			if !errors.As(err, &refusal) || refusal.Rule != c.rule || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want a refusal by %s with %q", err, c.rule, c.want)
			}
			if after, _ := b.log.Head(t.Context()); after != before {
				t.Errorf("%d events were recorded", after-before)
			}
		})
	}
}

func TestAReferenceInUseIsNotGivenAgain(t *testing.T) {
	b := newBench(t)
	var asked []domain.Reference
	engine := b.newEngine(func(_ context.Context, ref domain.Reference) (bool, error) {
		asked = append(asked, ref)
		return len(asked) < 3, nil
	})
	answer, err := engine.Submit(t.Context(), b.submission(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 3 || answer.Request.Reference != asked[2] {
		t.Errorf("asked for %v, gave %s", asked, answer.Request.Reference)
	}
}

// Two clients that use one command id for different things: whoever comes second
// is told so, also when both are under way at once.
func TestOneCommandIDForTwoCommandsAtOnce(t *testing.T) {
	for range 50 {
		b := newBench(t)
		r := b.submit(t)
		accept := domain.Act{Header: newHeader(t, "front-office"), Action: "accept"}
		withdraw := domain.Act{Header: newHeader(t, "applicant"), Action: "withdraw"}
		withdraw.ID = accept.ID
		submissions := []domain.Submit{b.submission(t), b.submission(t)}
		submissions[1].ID, submissions[1].Facts = submissions[0].ID, domain.Facts{"kind": "renewal"}

		var won, lost atomic.Int64
		note := func(err error) {
			var refusal *domain.Refusal
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &refusal) && refusal.Rule == domain.RuleCommandReused:
				lost.Add(1)
			default:
				t.Errorf("told %v", err)
			}
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for _, c := range []domain.Act{accept, withdraw} {
			wg.Go(func() {
				<-start
				_, err := b.engine.Act(t.Context(), r.ID, c)
				note(err)
			})
		}
		for _, c := range submissions {
			wg.Go(func() {
				<-start
				answer, err := b.engine.Submit(t.Context(), c)
				if err == nil && answer.Request.Facts["kind"] != c.Facts["kind"] {
					t.Errorf("submitted %v, was answered %v", c.Facts, answer.Request.Facts)
				}
				note(err)
			})
		}
		close(start)
		wg.Wait()
		if won.Load() != 2 || lost.Load() != 2 {
			t.Fatalf("%d won, %d lost; want 2 and 2", won.Load(), lost.Load())
		}
	}
}

// Actors who named no version are never told of a conflict, however many they
// are: each waits for its turn.
func TestActionsInPlaceAllGetTheirTurn(t *testing.T) {
	b := newBench(t)
	b.publish(t, []byte(small))
	clerk := func() domain.Header { return newHeader(t, "clerk") }
	answer, err := b.engine.Submit(t.Context(), domain.Submit{Header: clerk(), Tenant: "11.71", Service: "permit"})
	if err != nil {
		t.Fatal(err)
	}
	const actors = 64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range actors {
		c := domain.Act{Header: clerk(), Action: "note"}
		wg.Go(func() {
			<-start
			if _, err := b.engine.Act(t.Context(), answer.Request.ID, c); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := b.count(t, answer.Request); n != actors+1 {
		t.Errorf("%d events, want %d", n, actors+1)
	}
}

// A newer program published a version that this one cannot read. Requests under
// the older version go on.
func TestAnUnreadableVersionHarmsNoOther(t *testing.T) {
	b := newBench(t)
	r := b.submit(t)
	command := domain.CommandID(now, "newer")
	_, err := b.log.Append(t.Context(), storetest.Behind(t, b.log, domain.WorkflowStream("11.71", "sip-dokter"), []domain.Event{{
		Envelope: domain.Envelope{
			ID: domain.EventID(command, 0), Tenant: "11.71", Service: "sip-dokter", Workflow: domain.WorkflowRef{ID: "sip-dokter", Version: 2},
			Command: command, Occurred: now, At: now,
		},
		Body: domain.WorkflowPublished{Source: "alur: 2\n", Hash: domain.HashOf("alur: 2\n")},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	b.library = workflows.NewLibrary(b.log) // as after a restart
	b.engine = b.newEngine(nil)
	b.act(t, r, "front-office", "accept")
	if _, err := b.library.InForce(t.Context(), "11.71", "sip-dokter", now); err == nil {
		t.Error("the version that does not load is the latest, and nobody is told")
	}
}
