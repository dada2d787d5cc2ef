package workflows_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// What once let a clock be cheated, or say what was not so. A request that is complete on
// the second of June 2026 is due on the ninth at 16:00.

// otherwise publishes the licence of testdata/clock with some texts replaced.
func (s *swept) otherwise(changes ...string) {
	s.t.Helper()
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(source), "\ntests:")
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			s.t.Fatalf("there is no %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	d, err := workflows.Read("sip.yaml", []byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	s.now = s.now.Add(time.Second)
	if _, err := s.node().Library().Publish(s.t.Context(), workflows.Publication{
		Tenant: "33.14", Source: []byte(text), Definition: d, Occurred: s.now, At: s.now, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *swept) at(clock string) time.Time {
	s.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", "2026-"+clock, zone)
	if err != nil {
		s.t.Fatal(err)
	}
	s.now = at.UTC()
	return s.now
}

func (s *swept) act(n node, id uuid.UUID, role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) error {
	_, err := n.engine.Act(s.t.Context(), id, domain.Act{Header: newHeader(s.t, role), Action: action, Reason: reason})
	return err
}

func (s *swept) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *swept) swept(n node) {
	s.t.Helper()
	s.catchUp()
	_, err := s.sweeper(n).Sweep(s.t.Context())
	s.must(err)
}

// when tells when something of a type, or the step of a ladder, last occurred to a request.
func (s *swept) when(id uuid.UUID, what string) string {
	s.t.Helper()
	at := "never"
	for e, err := range domain.Events(s.log.ReadStream(s.t.Context(), domain.RequestStream(id), 0)) {
		s.must(err)
		name, _ := e.Body.Type()
		if x, ok := e.Body.(domain.TermEscalated); ok {
			name = string(x.Step)
		}
		if name == what {
			at = e.Occurred.In(zone).Format("01-02 15:04")
		}
	}
	return at
}

func (s *swept) is(got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s, not %s", got, want)
	}
}

// A reminder that a migration puts behind the end of a budget that was kept does not hold
// the end up.
func TestAReminderHoldsNoEndUp(t *testing.T) {
	s := newSwept(t)
	s.otherwise()
	n := s.node()
	id := s.complete(n, nil)
	r, err := n.engine.Load(t.Context(), id)
	s.must(err)
	s.otherwise("budget: 5 working days", "budget: 14 working days", "remind_after: 4 working days", "remind_after: 10 working days")
	n = s.node()
	_, err = n.engine.Migrate(t.Context(), id, domain.Migrate{Header: newHeader(t, "admin"), Plan: domain.Plan{
		From: r.Workflow.Version, To: r.Workflow.Version + 1, Ground: domain.Basis{ID: "x", EN: "x"}, Approver: "boss-9", Map: "m",
	}})
	s.must(err)
	s.at("06-11 09:00")
	if err := s.act(n, id, "head", "refuse", "str-invalid"); err == nil {
		t.Error("refused two days after the law had granted it")
	}
	s.is(s.when(id, "DecisionDeemed"), "06-09 16:00")
}

// A legal term that ends by a migration cannot begin again under another name.
func TestAMigrationRefillsNothing(t *testing.T) {
	s := newSwept(t)
	s.otherwise()
	n := s.node()
	id := s.complete(n, nil)
	r, err := n.engine.Load(t.Context(), id)
	s.must(err)
	s.otherwise("id: decision\n", "id: verdict\n", "suspensions:\n", "suspensions:\n")
	s.at("06-09 15:00")
	_, err = s.node().engine.Migrate(t.Context(), id, domain.Migrate{Header: newHeader(t, "admin"), Plan: domain.Plan{
		From: r.Workflow.Version, To: r.Workflow.Version + 1, Ground: domain.Basis{ID: "x", EN: "x"}, Approver: "boss-9", Map: "m",
		Mapping: domain.Mapping{Terms: map[domain.TermID]domain.TermID{"decision": ""}},
	}})
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) || refusal.Rule != domain.RuleMigration || !strings.Contains(refusal.Detail, `term "decision" of the law has run`) {
		t.Errorf("got %v", err)
	}
}

// A decree that comes after a term has run out changes nothing of that, whether or not
// somebody had noticed.
func TestADecreeComesTooLate(t *testing.T) {
	for name, sweeps := range map[string]bool{"swept in time": true, "nobody noticed": false} {
		t.Run(name, func(t *testing.T) {
			s := newSwept(t)
			n := s.node()
			id := s.complete(n, nil)
			day := s.dec.made[0].DateOf(s.now)
			s.at("06-09 16:05")
			if sweeps {
				s.swept(n)
			}
			s.dec.when = append(s.dec.when, s.at("06-09 16:30"))
			s.dec.add(day + 6) // Monday the eighth
			if err := s.act(n, id, "head", "refuse", "str-invalid"); err == nil {
				t.Error("refused after the law had granted it")
			}
			s.is(s.when(id, "DecisionDeemed"), "06-09 16:00")
			s.is(s.when(id, "TermRecomputed"), "never")
		})
	}
}

// A ladder goes on after the request was elsewhere, without the time that it was.
func TestALadderGoesOn(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	a, err := n.engine.Submit(t.Context(), domain.Submit{Header: newHeader(t, "applicant"), Tenant: "33.14", Service: "sip-mppdn"})
	s.must(err)
	id := a.Request.ID // the file check is due on the third; the ombudsman is told a working day later
	s.at("06-04 09:00")
	s.must(s.act(n, id, "clerk", "return", "unreadable"))
	s.at("06-10 09:00")
	s.must(s.act(n, id, "applicant", "resubmit", ""))
	s.at("12-04 10:00")
	s.swept(n)
	// A working day after the third at 16:00 is the fourth; of it, 07:30 to 09:00 had
	// passed. The rest of it passes on the tenth from 09:00 on.
	s.is(s.when(id, "ombudsman"), "06-10 16:00")
}

// Escalations of a legal term leave out the time that it stood still.
func TestALadderStandsStill(t *testing.T) {
	s := newSwept(t)
	s.otherwise("expires: {to: issued-by-law, ground: deemed_approval}", "expires: {escalate: [head], ombudsman: true}",
		"  - {id: issued-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Issued by law}}\n", "",
		"[refused, issued-by-law]", "[refused]")
	n := s.node()
	id := s.complete(n, nil) // due on the ninth
	s.at("06-10 07:30")
	s.must(s.act(n, id, "clerk", "return", "unreadable"))
	s.at("06-22 07:30")
	s.must(s.act(n, id, "applicant", "resubmit", ""))
	s.at("07-30 09:00")
	s.swept(n)
	s.is(s.when(id, "ombudsman"), "06-26 16:30") // five working days from the twenty-second on
}

// Sent back at the very last moment, a term has nothing left, and does not run out before
// the request comes back.
func TestSentBackAtTheLastMoment(t *testing.T) {
	s := newSwept(t)
	n := s.node()
	id := s.complete(n, nil)
	s.at("06-09 16:00")
	s.must(s.act(n, id, "clerk", "return", "unreadable"))
	s.at("06-12 09:00")
	s.must(s.act(n, id, "applicant", "resubmit", ""))
	s.at("06-12 09:01")
	s.swept(n)
	s.is(s.when(id, "DecisionDeemed"), "06-12 09:00")
}

// Of two calendars with as many decrees, neither moves what the other made of a term.
func TestCalendarsDoNotQuarrel(t *testing.T) {
	s := newSwept(t)
	other := newDecrees(t)
	day := s.dec.made[0].DateOf(s.now)
	s.dec.add(day + 6)
	other.add(day + 7)
	id := s.complete(s.nodeOn(s.log, s.dec), nil)
	for range 3 {
		for _, calendars := range []*decrees{other, s.dec} {
			s.now = s.now.Add(time.Minute)
			s.catchUp()
			sweeper := s.sweeper(s.nodeOn(s.log, calendars))
			sweeper.Calendars = calendars
			_, err := sweeper.Sweep(t.Context())
			s.must(err)
		}
	}
	s.is(s.when(id, "TermRecomputed"), "never")
}

// stale are calendars that were last looked at long ago.
type stale struct{ *decrees }

func (d stale) Known(context.Context, domain.TenantCode) (*calendar.Calendar, error) {
	return d.made[0], nil
}

// A node that has not seen a decree moves nothing back, also of what had ended.
func TestAStaleNodeMovesNothingBack(t *testing.T) {
	s := newSwept(t)
	s.dec.add(s.dec.made[0].DateOf(s.now) + 9)
	id := s.complete(s.node(), nil)
	old := s.nodeOn(s.log, stale{s.dec})
	s.at("06-03 10:00")
	s.must(s.act(s.node(), id, "head", "refuse", "str-invalid"))
	s.at("06-05 10:00")
	s.must(s.act(old, id, "head", "object", ""))
	r, err := old.engine.Load(t.Context(), id)
	s.must(err)
	s.is(r.Terms["decision"].Calendar, s.dec.made[1].Version().String())
	s.is(s.when(id, "TermRecomputed"), "never")
}

// A time that no calendar reaches yet keeps nobody from anything.
func TestBeyondTheCalendar(t *testing.T) {
	s := newSwept(t)
	s.otherwise("budget: 5 working days", "budget: 4000 working days", "promise: 3 working days", "promise: 5000 working days",
		"term: {budget: 1 working day, expires", "term: {budget: 1300 working days, expires")
	n := s.node()
	id := s.complete(n, nil)
	r, err := n.engine.Load(t.Context(), id)
	s.must(err)
	if k := r.Terms["decision"]; !k.Due.IsZero() || !k.Unsure || !k.Wakes.IsZero() {
		t.Errorf("%+v", k)
	}
	s.now = time.Date(2038, 1, 5, 3, 0, 0, 0, time.UTC) // when the calendar has ended
	_, err = n.engine.Submit(t.Context(), domain.Submit{Header: newHeader(t, "applicant"), Tenant: "33.14", Service: "sip-mppdn"})
	s.must(err)
	if _, err := n.engine.Ledger(t.Context(), id, s.dec); err != nil {
		t.Error(err)
	}
}

// Of a day that has passed, a decree may make a holiday, and no working time.
func TestADecreeTakesNothingBack(t *testing.T) {
	s := newSwept(t)
	l := workflows.NewCalendars(s.log)
	s.at("06-18 11:00")
	for text, admitted := range map[string]bool{
		"{date: 2026-06-08, kind: holiday, name: {id: Libur, en: Holiday}}":                  true,
		"{date: 2026-06-16, kind: working, name: {id: Kerja, en: Work}}":                     false, // the Islamic New Year
		"{date: 2026-06-17, kind: hours, hours: [07.30-12.00], name: {id: Kerja, en: Work}}": false,
		"{date: 2026-06-27, kind: working, name: {id: Kerja, en: Work}}":                     true, // a Saturday to come
	} {
		source := []byte("decree: 1\nnumber: " + text[7:17] + "\ntitle: {id: uji, en: test}\nsource: test\npublished: 2026-06-18\ndays:\n  - " + text + "\n")
		d, err := workflows.ReadDecree("d.yaml", source)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = l.Add(t.Context(), workflows.Addition{
			Source: source, Decree: d, Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer}, Why: "test", Occurred: s.now, At: s.now,
		})
		var refused *calendar.Refused
		if (err == nil) != admitted || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
