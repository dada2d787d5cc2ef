package workflows_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// timedBench is an engine whose clock goes where a test puts it, with the licence of
// testdata/clock published for a tenant.
type timedBench struct {
	*bench

	t      *testing.T
	tenant domain.TenantCode
	now    time.Time
	r      domain.Request
}

var published = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newTimedBench(t *testing.T, tenant domain.TenantCode, edits ...string) *timedBench {
	t.Helper()
	b := &timedBench{bench: &bench{log: memory.New()}, t: t, tenant: tenant}
	b.library = workflows.NewLibrary(b.log)
	b.engine = workflows.NewEngine(b.log, b.library, workflows.EngineConfig{
		Now: func() time.Time { return b.now }, Random: func() uint64 { return 7 },
	})
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source = []byte(strings.NewReplacer(edits...).Replace(string(source)))
	d, err := workflows.Read("sip.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.library.Publish(t.Context(), workflows.Publication{
		Tenant: tenant, Source: source, Definition: d, Occurred: published, At: published, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// at puts the clock to a time of the tenant, such as "2026-03-12 09:00".
func (b *timedBench) at(clock string) *timedBench {
	b.t.Helper()
	b.now = b.when(clock)
	return b
}

func (b *timedBench) when(clock string) time.Time {
	b.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", clock, b.tenant.Zone())
	if err != nil {
		b.t.Fatal(err)
	}
	return at
}

func (b *timedBench) submits() {
	b.t.Helper()
	c := domain.Submit{Header: newHeader(b.t, "applicant"), Tenant: b.tenant, Service: "sip-mppdn"}
	answer, err := b.engine.Submit(b.t.Context(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.r = answer.Request
}

func (b *timedBench) give(c domain.Command) error {
	answer, err := b.engine.Act(b.t.Context(), b.r.ID, c)
	if err == nil {
		b.r = answer.Request
	}
	return err
}

func (b *timedBench) does(role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) {
	b.t.Helper()
	if err := b.give(domain.Act{Header: newHeader(b.t, role), Action: action, Reason: reason}); err != nil {
		b.t.Fatalf("%s: %v", action, err)
	}
}

func (b *timedBench) refuses(rule domain.Rule, c domain.Command) {
	b.t.Helper()
	var refusal *domain.Refusal
	if err := b.give(c); !errors.As(err, &refusal) || refusal.Rule != rule {
		b.t.Fatalf("got %v, want a refusal by %s", err, rule)
	}
}

func (b *timedBench) due(id domain.TermID, clock string) {
	b.t.Helper()
	if got := b.r.Terms[id].Due; !got.Equal(b.when(clock)) {
		b.t.Errorf("term %s is due at %s, not at %s", id, got.In(b.tenant.Zone()).Format("2006-01-02 15:04"), clock)
	}
}

// sweeps fires all that has come by now, in order.
func (b *timedBench) sweeps() {
	b.t.Helper()
	for {
		id, due, ok := b.r.Overdue(b.now)
		if !ok {
			return
		}
		answer, err := b.engine.Expire(b.t.Context(), b.r.ID, id, due)
		if err != nil {
			b.t.Fatal(err)
		}
		b.r = answer.Request
	}
}

// events lists the events of the request, those on terms with what they say.
func (b *timedBench) events() []domain.Recorded {
	b.t.Helper()
	var list []domain.Recorded
	for e, err := range domain.Events(b.log.ReadStream(b.t.Context(), domain.RequestStream(b.r.ID), 0)) {
		if err != nil {
			b.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func (b *timedBench) types() string {
	var names []string
	for _, e := range b.events() {
		name, _ := e.Body.Type()
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// A tenant in each zone. No pilot lies in WIT: Jayapura stands for it.
var zones = map[string]domain.TenantCode{"WIB": "33.14", "WITA": "64.72", "WIT": "91.71"}

// SIP through the national MPP Digital: at most five working days, and with no answer
// by then it is issued by itself (Minister of Health, 9 September 2025). The twelfth of
// March 2026 is the Thursday before Nyepi and Idul Fitri (SKB 1497/2025): working days
// are the 13th, 16th, 17th, 25th and 26th.
func TestSilenceOverAHolidayWeek(t *testing.T) {
	for zone, tenant := range zones {
		t.Run(zone, func(t *testing.T) {
			b := newTimedBench(t, tenant)
			if got := tenant.Zone().String(); got != zone {
				t.Fatalf("the tenant is in %s", got)
			}
			b.at("2026-03-11 10:00").submits()
			b.at("2026-03-12 09:30").does("clerk", "accept", "")
			b.due("decision", "2026-03-26 16:00")
			if got, want := b.r.Terms["decision"].Promised, b.when("2026-03-17 15:00"); !got.Equal(want) {
				t.Errorf("promised by %s, not %s", got, want) // in Ramadan offices close earlier
			}
			b.at("2026-03-26 16:00").sweeps()
			if b.r.State != "review" {
				t.Fatalf("issued before the fifth day was over")
			}
			b.at("2026-03-30 08:00").sweeps() // the engine was off for the weekend
			if b.r.State != "issued-by-law" || b.r.Outcome != domain.OutcomeApproved || b.r.Public != domain.StatusApproved {
				t.Fatalf("in %s, %s", b.r.State, b.r.Outcome)
			}
			events := b.events()
			last := events[len(events)-1]
			want := domain.DecisionDeemed{
				Term: "decision", Ground: domain.DeemedApproval, Basis: domain.Basis{ID: "UU 30/2014 Pasal 53", EN: "Law 30/2014 art. 53"},
				From: "review", To: "issued-by-law", Public: domain.StatusApproved, Outcome: domain.OutcomeApproved,
			}
			if d := cmp.Diff(domain.Body(want), last.Body); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if !last.Occurred.Equal(b.when("2026-03-26 16:00")) || !last.At.Equal(b.now) {
				t.Errorf("it occurred at %s and was recorded at %s", last.Occurred, last.At)
			}
			if last.Actor != domain.System() {
				t.Errorf("issued by %v", last.Actor)
			}
			b.sweeps()
			if n := len(b.events()); n != len(events) {
				t.Errorf("a second sweep recorded %d events more", n-len(events))
			}
		})
	}
}

// A term that moves the request tells nobody that it ran out, whatever else it says: that
// is why check finds what it says.
func TestAMoveTellsNobodyAsLate(t *testing.T) {
	b := newTimedBench(t, "33.14", "ground: deemed_approval}", "ground: deemed_approval, escalate: [head], ombudsman: true}")
	b.at("2026-03-11 10:00").submits()
	b.at("2026-03-12 09:30").does("clerk", "accept", "")
	b.at("2026-03-26 15:59").sweeps()
	before := b.types()
	b.at("2026-04-30 08:00").sweeps()
	if types := strings.TrimPrefix(b.types(), before); b.r.State != "issued-by-law" || strings.Contains(types, "TermEscalated") || !strings.Contains(types, "TermExpired") {
		t.Errorf("in %s:%s", b.r.State, types)
	}
	b.does("head", "object", "")
	b.at("2026-06-30 08:00").sweeps()
	for _, e := range b.events() {
		if told, ok := e.Body.(domain.TermEscalated); ok && told.Term == "decision" {
			t.Errorf("told: %+v", told)
		}
	}
}

// Returned on the fourth day, and completed days later: what was left of the five days
// is left, and no more.
func TestAReturnDoesNotRestart(t *testing.T) {
	for zone, tenant := range zones {
		t.Run(zone, func(t *testing.T) {
			b := newTimedBench(t, tenant)
			b.at("2026-03-11 10:00").submits()
			b.at("2026-03-12 09:30").does("clerk", "accept", "")
			b.at("2026-03-25 07:30").does("clerk", "return", "unreadable") // three days used
			if left := b.r.Terms["decision"].Left; left != int64(2*calendar.Day) {
				t.Errorf("%d parts of a day are left", left)
			}
			if !b.r.Terms["decision"].Wakes.IsZero() {
				t.Error("it runs out while it stands still")
			}
			b.due("state:returned", "2026-04-09 16:00") // Good Friday is the third of April
			b.at("2026-03-31 07:30").does("applicant", "resubmit", "")
			b.due("decision", "2026-04-01 16:00")
			b.at("2026-04-02 07:30").sweeps()
			if b.r.State != "issued-by-law" {
				t.Fatalf("in %s", b.r.State)
			}
		})
	}
}

func TestTheLedgerOfATerm(t *testing.T) {
	clerk := func(a domain.ActionID, reason domain.ReasonCode) domain.Command {
		return domain.Act{Header: newHeader(t, "clerk"), Action: a, Reason: reason}
	}
	t.Run("a second return needs consent and another reason", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "return", "unreadable")
		b.does("applicant", "resubmit", "")
		b.refuses(domain.RuleReturn, clerk("return", "str-invalid"))
		b.refuses(domain.RuleReturn, domain.ConsentReturn{Header: newHeader(t, "head"), Action: "return", Reason: "unreadable"})
		b.refuses(domain.RuleRole, domain.ConsentReturn{Header: newHeader(t, "clerk"), Action: "return", Reason: "str-invalid"})
		if err := b.give(domain.ConsentReturn{Header: newHeader(t, "head"), Action: "return", Reason: "str-invalid"}); err != nil {
			t.Fatal(err)
		}
		b.refuses(domain.RuleReturn, clerk("return", "unreadable"))
		same := newHeader(t, "clerk")
		same.Actor.ID = "head-1"
		b.refuses(domain.RuleFourEyes, domain.Act{Header: same, Action: "return", Reason: "str-invalid"})
		b.does("clerk", "return", "str-invalid")
		b.does("applicant", "resubmit", "")
		b.refuses(domain.RuleReturn, clerk("return", "str-invalid"))
	})
	t.Run("a state's own term is not refilled", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "accept", "")
		b.at("2026-06-04 16:00").does("clerk", "return", "unreadable")
		b.at("2026-06-08 07:30").does("applicant", "resubmit", "")
		b.due("state:review", "2026-06-08 16:00")
	})
	t.Run("nobody passes by a term that has run out", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "accept", "")
		b.at("2026-06-10 08:00")
		b.refuses(domain.RuleNotFromHere, domain.Act{Header: newHeader(t, "head"), Action: "refuse", Reason: "str-invalid"})
		r, err := b.engine.Load(t.Context(), b.r.ID)
		if err != nil || r.State != "issued-by-law" {
			t.Fatalf("in %s, %v", r.State, err)
		}
	})
	t.Run("extended once, with a reason", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "accept", "")
		b.due("decision", "2026-06-09 16:00")
		extend := func(role domain.RoleID, reason domain.ReasonCode) domain.Command {
			return domain.ExtendTerm{Header: newHeader(t, role), Term: "decision", Reason: reason}
		}
		b.refuses(domain.RuleRole, extend("clerk", "site-visit"))
		b.refuses(domain.RuleReason, extend("head", "flood"))
		if err := b.give(extend("head", "site-visit")); err != nil {
			t.Fatal(err)
		}
		b.due("decision", "2026-06-12 16:30")
		b.refuses(domain.RuleTerm, extend("head", "site-visit"))
		b.refuses(domain.RuleTerm, domain.ExtendTerm{Header: newHeader(t, "head"), Term: "state:review", Reason: "site-visit"})
	})
	t.Run("a flood stops every clock, until somebody lifts that", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "accept", "")
		b.at("2026-06-03 07:30")
		if err := b.give(domain.OrderSuspension{Header: newHeader(t, "head"), Ground: domain.StopForceMajeure, Reason: "flood"}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []domain.TermID{"decision", "state:review"} {
			if got := b.r.Terms[id].Stopped(); got != domain.StopForceMajeure {
				t.Errorf("%s stands still on %q", id, got)
			}
		}
		b.at("2026-06-04 12:00").does("clerk", "return", "unreadable") // the flood goes on
		b.at("2026-06-05 07:30").does("applicant", "resubmit", "")
		b.at("2026-06-08 07:30")
		if err := b.give(domain.LiftSuspension{Header: newHeader(t, "head")}); err != nil {
			t.Fatal(err)
		}
		b.due("decision", "2026-06-12 16:30")
	})
	t.Run("reopened, it goes on with what was left", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "accept", "")
		b.at("2026-06-05 07:30").does("head", "refuse", "str-invalid") // two days used
		b.at("2026-06-15 07:30").does("head", "object", "")
		b.due("decision", "2026-06-18 16:00") // the sixteenth is the Islamic New Year
	})
	t.Run("a decision by law can be reviewed, and is not made again", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "accept", "")
		b.at("2026-06-15 07:30").does("head", "object", "")
		if b.r.State != "review" || b.r.Terms["decision"].Open() {
			t.Errorf("in %s with %+v", b.r.State, b.r.Terms["decision"])
		}
	})
	t.Run("the ladder", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.at("2026-06-03 16:01").sweeps()
		b.at("2026-06-05 07:30").sweeps()
		var steps []string
		for _, e := range b.events() {
			switch x := e.Body.(type) {
			case domain.TermExpired:
				steps = append(steps, "expired "+e.Occurred.In(b.tenant.Zone()).Format("02 15:04"))
			case domain.TermEscalated:
				steps = append(steps, string(x.Step)+" "+string(x.Role)+" "+e.Occurred.In(b.tenant.Zone()).Format("02 15:04"))
			}
		}
		if d := cmp.Diff([]string{"expired 03 16:00", "escalate head 03 16:00", "ombudsman  04 16:00"}, steps); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if b.r.State != "submitted" {
			t.Errorf("in %s", b.r.State)
		}
	})
	t.Run("the applicant's own time lapses", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		b.does("clerk", "return", "unreadable")
		b.at("2026-07-02 08:00").sweeps()
		if b.r.State != "lapsed" || !strings.HasSuffix(b.types(), "TermExpired RequestLapsed") {
			t.Errorf("in %s: %s", b.r.State, b.types())
		}
	})
	t.Run("nobody else may say that a term has run out", func(t *testing.T) {
		b := newTimedBench(t, "33.14")
		b.at("2026-06-02 08:00").submits()
		due := b.r.Terms["state:submitted"].Due
		b.at("2026-06-10 08:00")
		for _, x := range []domain.Expire{
			{Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "x", Role: "head", Capacity: "officer"}, Occurred: due}, Term: "state:submitted", Due: due},
		} {
			b.refuses(domain.RuleRole, x)
		}
		b.refuses(domain.RuleTerm, domain.Expire{Header: domain.Header{ID: uuid.New(), Actor: domain.System(), Occurred: due.Add(-time.Hour)}, Term: "state:submitted", Due: due.Add(-time.Hour)})
	})
}

// The tests that stand in the file say the same, in the language that agencies have.
func TestTheClockInTests(t *testing.T) {
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := workflows.Read("sip.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	run := workflows.RunTests("sip.yaml", source, d)
	if run.Failed > 0 || run.Passed != len(d.Tests) {
		t.Errorf("%d passed, %d failed\n%v", run.Passed, run.Failed, run.Problems)
	}
}

// A test that expects another clock fails, at the line that does, and says what it found.
func TestTheClockInTestsCanFail(t *testing.T) {
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[[2]string]string{
		{"due: {decision: 2026-03-26 16:00", "due: {decision: 2026-03-27 16:30"}: "term decision is due at 2026-03-26 16:00, and the test expects 2026-03-27 16:30",
		{"terms: {decision: expired", "terms: {decision: running"}:               "term decision is expired, and the test expects running",
		{"- until: 2026-03-12 09:30", "- until: 2026-03-10 09:30"}:               "step 1 goes back in time",
		{"reason: str-invalid, refused: return}", "reason: str-invalid}"}:        "is refused by rule return",
	} {
		text := strings.Replace(string(source), now[0], now[1], 1)
		d, err := workflows.Read("sip.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if run := workflows.RunTests("sip.yaml", []byte(text), d); run.Failed == 0 || !strings.Contains(run.Problems.Error(), want) {
			t.Errorf("%s: %d failed\n%v", now[1], run.Failed, run.Problems)
		}
	}
	for now, want := range map[[2]string]string{
		{"due: {decision: 2026-03-26 16:00", "due: {decision: tomorrow"}: `"tomorrow" is not a moment such as 2026-03-12 09:30`,
		{"terms: {decision: expired", "terms: {decisions: expired"}:      `term "decisions" is not defined; did you mean "decision"?`,
		{"{extend: decision", "{extend: 'state:lapsed'"}:                 `term "state:lapsed" is not defined`,
		{"- lift: force_majeure", "- lift: rain"}:                        `rain`,
	} {
		text := strings.Replace(string(source), now[0], now[1], 1)
		if _, err := workflows.Read("sip.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", now[1], err)
		}
	}
}
