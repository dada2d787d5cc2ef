package workflows_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// decrees are calendars to which a test adds holidays: version n has the first n.
type decrees struct {
	t    interface{ Fatal(...any) }
	list []calendar.Decree
	made []*calendar.Calendar
	when []time.Time // the decrees were recorded, of those that say so
}

func newDecrees(t interface{ Fatal(...any) }) *decrees {
	base, err := undecreed()
	if err != nil {
		t.Fatal(err)
	}
	return &decrees{t: t, made: []*calendar.Calendar{base}}
}

var undecreed = sync.OnceValues(func() (*calendar.Calendar, error) {
	return calendar.Compile(domain.TenantCode("33.14").Zone(), nil, nil)
})

func (d *decrees) make() {
	c, err := calendar.Compile(domain.TenantCode("33.14").Zone(), d.list, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.made = append(d.made, c)
}

func (d *decrees) add(holiday calendar.Date) {
	d.list = append(d.list, calendar.Decree{
		Number: fmt.Sprintf("test %d", len(d.list)+1), Title: calendar.Text{ID: "uji", EN: "test"},
		Days: []calendar.DayRule{{Date: holiday, Kind: calendar.Holiday, Name: calendar.Text{ID: "uji", EN: "test"}}},
	})
	d.make()
}

func (d *decrees) Known(context.Context, domain.TenantCode) (*calendar.Calendar, error) {
	return d.made[len(d.made)-1], nil
}

func (d *decrees) Latest(ctx context.Context, t domain.TenantCode) (*calendar.Calendar, error) {
	return d.Known(ctx, t)
}

// KnownAt goes by when the test added its decrees, if it says so.
func (d *decrees) KnownAt(_ context.Context, _ domain.TenantCode, at time.Time) (*calendar.Calendar, error) {
	n := len(d.made) - 1
	for ; n > 0 && len(d.when) >= n && d.when[n-1].After(at); n-- {
	}
	return d.made[n], nil
}

func (d *decrees) At(_ context.Context, _ domain.TenantCode, v calendar.Version) (*calendar.Calendar, error) {
	for _, c := range d.made {
		if c.Version() == v {
			return c, nil
		}
	}
	return nil, domain.ErrNotFound
}

// revised is the licence of testdata/clock as another version has it: a state, its term
// and the term of law have other names, budgets and reminders are others, and
// the work on the decision has no term any more.
func revised(source []byte) []byte {
	source, _, _ = bytes.Cut(source, []byte("\ntests:")) // they are of the licence as it is
	source = append(bytes.Clone(source), '\n')
	return []byte(strings.NewReplacer(
		"id: decision\n", "id: verdict\n", "budget: 5 working days", "budget: 7 working days", "promise: 3 working days", "promise: 2 working days",
		"remind_after: 4 working days", "remind_after: 1 working day", "id: review\n", "id: assess\n", "to: review,", "to: assess,", "[review]", "[assess]", ", review]", ", assess]",
		"budget: 1 working day, expires: {escalate: [head]", "budget: 2 working days, expires: {escalate: [head, clerk]",
		"    term: {budget: 3 working days, expires: {escalate: [head]}}\n", "",
	).Replace(string(source)))
}

// versions are the licence, its revision, one with two times of the law of which only the
// one that is new decides, one without any, and two that count in working hours and in days
// of the almanac.
func versions(source []byte) [][]byte {
	text, _, _ := strings.Cut(string(source), "\ntests:")
	text += "\n"
	both := strings.Replace(text, "    expires: {to: issued-by-law, ground: deemed_approval}\n", "    expires: {escalate: [head]}\n", 1)
	both = strings.Replace(both, "suspensions:\n", `  - id: verdict
    title: {id: Putusan, en: Verdict}
    budget: 6 working days
    suspended_in: [returned]
    expires: {to: issued-by-law, ground: deemed_approval}
    basis: {id: andaian, en: assumed}
suspensions:
`, 1)
	none := text[:strings.Index(text, "terms:\n")] + text[strings.Index(text, "suspensions:\n"):]
	none = strings.Replace(none, "term: {budget: 3 working days, expires: {escalate: [head]}}",
		"term: {budget: 30 working days, expires: {to: issued-by-law, ground: deemed_approval, basis: {id: andaian, en: assumed}}}", 1)
	hours := strings.NewReplacer("budget: 5 working days\n", "budget: 40 working hours\n", "promise: 3 working days", "promise: 24 working hours",
		"remind_after: 4 working days", "remind_after: 32 working hours", "by: 3 working days", "by: 8 working hours", "budget: 3 working days", "budget: 20 working hours").Replace(text)
	almanac := strings.NewReplacer("budget: 5 working days\n", "budget: 7 days\n", "promise: 3 working days", "promise: 4 days",
		"remind_after: 4 working days", "remind_after: 5 days", "by: 3 working days", "by: 3 days", "budget: 3 working days", "budget: 4 days").Replace(text)
	return [][]byte{source, revised(source), []byte(both), []byte(none), []byte(hours), []byte(almanac)}
}

// anyPlan is some migration between two of the versions, lawful or not.
func anyPlan(t *rapid.T, from, to *workflows.Workflow) domain.Plan {
	p := domain.Plan{
		From: from.Ref().Version, To: to.Ref().Version, Take: map[domain.TermID]bool{}, Elsewhere: map[domain.StateID]domain.Basis{},
		Ground: domain.Basis{ID: "uji", EN: "test"}, Approver: "head-9", Map: "ab",
		Mapping: domain.Mapping{States: map[domain.StateID]domain.StateID{}, Terms: map[domain.TermID]domain.TermID{}},
	}
	work := func(w *workflows.Workflow) domain.StateID {
		if _, ok := w.State("assess"); ok {
			return "assess"
		}
		return "review"
	}
	if a, b := work(from), work(to); a != b {
		p.States[a] = b
	}
	if rapid.IntRange(0, 9).Draw(t, "moved") == 0 {
		p.States[work(from)], p.Elsewhere[work(from)] = "submitted", domain.Basis{}
	}
	legal := func(w *workflows.Workflow) []domain.TermID {
		var list []domain.TermID
		for _, rule := range w.Terms("submitted") {
			if rule.ID.Legal() {
				list = append(list, rule.ID)
			}
		}
		return list
	}
	left := append(legal(to), "")
	for _, id := range legal(from) {
		now := rapid.SampledFrom(left).Draw(t, "now")
		if now == "" && rapid.IntRange(0, 2).Draw(t, "kept") > 0 {
			now = left[0]
		}
		left = slices.DeleteFunc(left, func(x domain.TermID) bool { return x == now && x != "" })
		if now != id {
			p.Terms[id] = now
		}
	}
	for _, id := range append(legal(from), "state:submitted", domain.StateTerm(work(from))) {
		if rapid.Bool().Draw(t, "take") {
			p.Take[id] = rapid.Bool().Draw(t, "shorter")
		}
	}
	return p
}

// Whatever is done to a request, also by migrations of any kind in any order: what its
// terms consumed and what remains make their budgets; a legal due time becomes later only
// by a suspension, an extension or a decree that is recorded; no migration gives anything
// of the law's time once more; nothing is recorded that its calendar does not give again.
func TestNoSequenceCheatsTheClock(t *testing.T) {
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sources := versions(source)
	read := make([]*workflows.Definition, len(sources))
	for i, text := range sources {
		if read[i], err = workflows.Read("sip.yaml", text); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	sequence := func(t *rapid.T) {
		dec := newDecrees(t)
		clock := time.Date(2026, time.Month(rapid.IntRange(1, 11).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), rapid.IntRange(0, 12).Draw(t, "hour"), 7, 3, 123456789, time.UTC)
		log := memory.New()
		library := workflows.NewLibrary(log)
		publish := func(d *workflows.Definition, source []byte) {
			if _, err := library.Publish(context.Background(), workflows.Publication{
				Tenant: "33.14", Source: source, Definition: d, Occurred: clock, At: clock, Why: "test", Trial: "to be tried",
				Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
			}); err != nil {
				t.Fatal(err)
			}
		}
		publish(read[0], sources[0])
		engine := workflows.NewEngine(log, library, workflows.EngineConfig{Now: func() time.Time { return clock }, Random: func() uint64 { return 7 }, Calendars: dec})
		header := func(role domain.RoleID) domain.Header {
			capacity := domain.CapacityOfficer
			if role == "applicant" {
				capacity = domain.CapacitySelf
			}
			return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: capacity}}
		}
		a, err := engine.Submit(context.Background(), domain.Submit{Header: header("applicant"), Tenant: "33.14", Service: "sip-mppdn"})
		if err != nil {
			t.Fatal(err)
		}
		id := a.Request.ID
		for i := range sources[1:] {
			publish(read[i+1], sources[i+1])
		}
		ops := map[string]func() error{}
		give := func(c domain.Command) error { _, err := engine.Act(context.Background(), id, c); return err }
		for _, x := range []struct {
			role   domain.RoleID
			action domain.ActionID
			reason domain.ReasonCode
		}{
			{"clerk", "accept", ""},
			{"clerk", "return", "unreadable"},
			{"clerk", "return", "str-invalid"},
			{"applicant", "resubmit", ""},
			{"head", "issue", ""},
			{"head", "refuse", "str-invalid"},
			{"head", "object", ""},
		} {
			ops[fmt.Sprint(x.action, " ", x.reason)] = func() error {
				return give(domain.Act{Header: header(x.role), Action: x.action, Reason: x.reason})
			}
		}
		ops["consent"] = func() error {
			return give(domain.ConsentReturn{Header: header("head"), Action: "return", Reason: "str-invalid"})
		}
		ops["order"] = func() error {
			return give(domain.OrderSuspension{Header: header("head"), Ground: domain.StopForceMajeure, Reason: "flood"})
		}
		ops["lift"] = func() error { return give(domain.LiftSuspension{Header: header("head")}) }
		ops["extend"] = func() error {
			return give(domain.ExtendTerm{Header: header("head"), Term: rapid.SampledFrom([]domain.TermID{"decision", "verdict"}).Draw(t, "term"), Reason: "site-visit"})
		}
		ops["recompute"] = func() error { _, err := engine.Recompute(context.Background(), id); return err }
		ops["decree"] = func() error {
			dec.add(dec.made[0].DateOf(clock) + calendar.Date(rapid.IntRange(-3, 8).Draw(t, "holiday")))
			return nil
		}
		ops["migrate"] = func() error {
			r, err := engine.Load(context.Background(), id)
			if err != nil {
				return err
			}
			if !r.Exists() {
				t.Fatal("there is no request")
			}
			to := rapid.IntRange(1, len(sources)).Filter(func(n int) bool { return n != r.Workflow.Version }).Draw(t, "to")
			between := make([]*workflows.Workflow, 2)
			for i, n := range []int{r.Workflow.Version, to} {
				if between[i], err = library.Version(context.Background(), "33.14", domain.WorkflowRef{ID: "sip-mppdn", Version: n}); err != nil {
					return err
				}
			}
			c := domain.Migrate{
				Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "legal-1", Role: "publisher", Capacity: domain.CapacityOfficer}},
				Plan:   anyPlan(t, between[0], between[1]),
			}
			f, err := engine.Foresee(context.Background(), id, c)
			if err != nil {
				return err
			}
			_, err = engine.Migrate(context.Background(), id, c)
			var happened []domain.Body
			for e, err := range domain.Events(log.ReadStream(context.Background(), domain.RequestStream(id), r.Version)) {
				if err != nil {
					return err
				}
				happened = append(happened, e.Body)
			}
			var foreseen []domain.Body
			for _, e := range f.Events {
				foreseen = append(foreseen, e.Body)
			}
			if d := cmp.Diff(foreseen, happened); d != "" || (err != nil) != (f.Refused != nil || f.Before.Outcome != "") {
				t.Fatalf("foreseen %v, happened %v\n%s", f.Refused, err, d)
			}
			if err == nil {
				cal, _ := dec.Known(context.Background(), "33.14")
				nothingRefilled(t, f, between, c.Plan, cal, clock.Truncate(time.Microsecond))
				seen["migrated"]++
			}
			return err
		}
		names := []string{"migrate", "migrate", "migrate", "accept ", "accept ", "return unreadable", "return str-invalid", "resubmit ", "resubmit ", "issue ", "refuse str-invalid", "object ", "consent", "order", "lift", "lift", "extend", "extend", "recompute", "decree"}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			hours := rapid.SampledFrom([]int{0, 0, 1, 7, 20, 30, 40, 100, 170}).Draw(t, "hours")
			clock = clock.Add(time.Duration(hours)*time.Hour + time.Duration(rapid.IntRange(0, 59).Draw(t, "minutes"))*time.Minute)
			name := rapid.SampledFrom(names).Draw(t, "op")
			var refusal *domain.Refusal
			if err := ops[name](); err != nil && !errors.As(err, &refusal) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		lines, err := engine.Ledger(context.Background(), id, dec)
		if err != nil {
			t.Fatal(err)
		}
		var events []domain.Recorded
		for e, err := range domain.Events(log.ReadStream(context.Background(), domain.RequestStream(id), 0)) {
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		audited(t, events, lines, dec, seen)
	}
	kinds := []string{"TermStarted", "TermSuspended", "TermResumed", "TermExtended", "TermRecomputed", "TermReminded", "TermExpired", "TermEscalated", "TermEnded", "TermCarried", "TermContinued", "TermDropped", "migrated"}
	untried := func() []string {
		return slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return seen[k] > 0 })
	}
	rapid.Check(t, sequence)
	for more := 0; len(untried()) > 0 && more < 5 && !testing.Short(); more++ { // the rarest comes in nine of ten rounds
		rapid.Check(t, sequence)
	}
	if left := untried(); len(left) > 0 && !testing.Short() {
		t.Errorf("%v were never tried: %v", left, seen)
	}
}

// nothingRefilled holds that a migration has given nothing of the law's time once more,
// nor put off what the law decides, nor cut what stands still without a word.
func nothingRefilled(t *rapid.T, f workflows.Foreseen, between []*workflows.Workflow, p domain.Plan, cal *calendar.Calendar, now time.Time) {
	if f.After.Outcome != "" {
		return
	}
	least := map[bool]calendar.Span{} // that was used of a time of the law
	for id, was := range f.Before.Terms {
		if !id.Legal() {
			continue
		}
		if used := usedUp(t, was, cal, now); len(least) == 0 || used < least[true] {
			least[true] = used
		}
		is := f.After.Terms[called(p, id)]
		switch {
		case is.Started.IsZero():
			t.Fatalf("%s is forgotten: %+v", id, f.After.Terms)
		case is.Open() != was.Open() || !is.Expired.Equal(was.Expired) || usedUp(t, is, cal, now) != usedUp(t, was, cal, now):
			t.Fatalf("%s was %+v, and is %+v", id, was, is)
		}
	}
	for id, is := range f.After.Terms {
		if used := usedUp(t, is, cal, now); id.Legal() && len(least) > 0 && used < least[true] {
			t.Fatalf("of %s %d is used, and %d was of the law's time", id, used, least[true])
		}
	}
	for id, was := range f.Before.Terms {
		is := f.After.Terms[called(p, id)]
		if shorter, take := p.Take[id]; !take || shorter || !was.Open() || !is.Open() || is.Stopped() == "" || is.Budget == was.Budget {
			continue
		}
		if a, b := budget(t, was.Budget), budget(t, is.Budget); b.Measure() != a.Measure() || b.Span() < a.Span() {
			t.Fatalf("%s stands still, and nobody said that it may be shorter: %s is %s now", id, a, b)
		}
	}
	was, excused := decides(f.Before, between[0], p.Take, cal)
	if is, _ := decides(f.After, between[1], nil, cal); !excused && !was.IsZero() && !is.IsZero() && is.After(was) {
		t.Fatalf("the law was to decide at %s, and is at %s: %+v", was, is, p)
	}
}

// called is what a term is called after a migration; one that is dropped keeps its name.
func called(p domain.Plan, id domain.TermID) domain.TermID {
	if now := p.Called(id); now != "" {
		return now
	}
	return id
}

// decides is when the law decides in silence, and whether that may be another time: a term
// by which it does is given another budget, or was reckoned by an earlier calendar.
func decides(r domain.Request, w *workflows.Workflow, take map[domain.TermID]bool, cal *calendar.Calendar) (at time.Time, excused bool) {
	for _, rule := range w.Terms(r.State) {
		t := r.Terms[rule.ID]
		if !rule.ID.Legal() || rule.To == "" || !t.Open() || !t.Expired.IsZero() || t.Due.IsZero() {
			continue
		}
		if _, ok := take[rule.ID]; ok || t.Calendar != cal.Version().String() {
			excused = true
		}
		if at.IsZero() || t.Due.Before(at) {
			at = t.Due
		}
	}
	return at, excused
}

func budget(t *rapid.T, text string) calendar.Budget {
	b, err := calendar.ParseBudget(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// usedUp is the working days that were used of a term by a moment, whatever it counts, by
// arithmetic of its own.
func usedUp(t *rapid.T, term domain.Term, cal *calendar.Calendar, now time.Time) calendar.Span {
	const m = calendar.WorkingDays
	if !term.Ended.IsZero() {
		now = term.Ended
	}
	from := cal.Begins(m, term.Started)
	used, err := cal.Used(m, from, later(from, now))
	for _, s := range term.Stops {
		if s.To.IsZero() {
			s.To = now
		}
		stood, err2 := cal.Used(m, later(from, s.From), later(later(from, s.From), s.To))
		used, err = used-stood, errors.Join(err, err2)
	}
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// audited goes through a ledger with arithmetic of its own.
func audited(t *rapid.T, events []domain.Recorded, lines []workflows.LedgerLine, dec *decrees, seen map[string]int) {
	type account struct {
		total, used calendar.Span
		budget      calendar.Span // of it, without what an extension gave
		measure     calendar.Measure
		due         time.Time // the latest that there was a reason for
		calendar    string
	}
	accounts := map[domain.TermID]*account{}
	var r domain.Request
	var closed []time.Time      // when it ended
	ran := map[uuid.UUID]bool{} // migrations of requests of which a time of the law had run
	for _, e := range events {
		was := r
		r = domain.Evolve(r, e)
		if r.Outcome != "" {
			closed = append(closed, e.Occurred)
		}
		if m, ok := e.Body.(domain.RequestMigrated); ok {
			for id := range accounts {
				ran[e.Command] = ran[e.Command] || id.Legal()
			}
			// Of two that come under one name, the one that is open is, else the last to end.
			renamed, by := map[domain.TermID]*account{}, map[domain.TermID]domain.Term{}
			for _, id := range slices.Sorted(maps.Keys(accounts)) {
				now, mapped := m.Mapping.Terms[id]
				if !mapped {
					now = id
				}
				t, other := was.Terms[id], by[now]
				if now != "" && (renamed[now] == nil || !other.Open() && (t.Open() || t.Ended.After(other.Ended))) {
					renamed[now], by[now] = accounts[id], t
				}
			}
			for id, a := range accounts {
				if _, taken := renamed[id]; m.Mapping.Terms[id] == "" && !taken { // what ends keeps its name
					renamed[id] = a
				}
			}
			accounts = renamed
		}
		if len(lines) == 0 || lines[0].Version != e.Version {
			continue
		}
		l := lines[0]
		lines = lines[1:]
		seen[l.Event]++
		if l.Again != "" {
			t.Fatalf("version %d: %s %s is recorded with %+v, and its calendar gives %s", l.Version, l.Event, l.Term, l.Reckoning, l.Again)
		}
		b, err := calendar.ParseBudget(l.Budget)
		if err != nil {
			t.Fatal(err)
		}
		v, err := calendar.ParseVersion(l.Calendar)
		if err != nil {
			t.Fatal(err)
		}
		cal, err := dec.At(context.Background(), "33.14", v)
		if err != nil {
			t.Fatal(err)
		}
		switch x := e.Body.(type) {
		case domain.TermStarted:
			if l.Term.Legal() && ran[e.Command] {
				t.Fatalf("version %d: %s begins from nothing, and a time of the law has run", l.Version, l.Term)
			}
			accounts[l.Term] = &account{total: b.Span(), budget: b.Span(), measure: b.Measure(), due: l.Due}
		case domain.TermContinued:
			accounts[l.Term] = &account{total: b.Span(), budget: b.Span(), measure: b.Measure(), due: l.Due}
		case domain.TermResumed:
			if x.Ground == domain.StopClosed && !slices.ContainsFunc(closed, x.Away.Equal) {
				t.Fatalf("version %d: %s goes on as if the request had been closed at %s", l.Version, l.Term, x.Away)
			}
		case domain.TermDropped:
			if l.Term.Legal() && r.Outcome == "" {
				t.Fatalf("version %d: the law's %s is dropped", l.Version, l.Term)
			}
		}
		at := accounts[l.Term]
		if l.Event == "TermCarried" {
			if l.Ground == "" && (b.Span() != at.budget || !l.Due.IsZero() && !l.Due.Equal(at.due)) {
				t.Fatalf("version %d: %s is carried without a word, and due at %s, not %s", l.Version, l.Term, l.Due, at.due)
			}
			at.total, at.budget = at.total-at.budget+b.Span(), b.Span()
			if at.measure != b.Measure() {
				at.measure, at.used = b.Measure(), calendar.Span(l.Consumed)
			}
		}
		if l.Event == "TermExtended" {
			at.total += b.Span()
			if b.Measure() != at.measure || l.Due.IsZero() && r.Terms[l.Term].Stopped() == "" {
				t.Fatalf("version %d: %s is extended by %s, and was %s: due %s", l.Version, l.Term, b, r.Terms[l.Term].Budget, l.Due)
			}
		}
		if got := calendar.Span(l.Consumed + l.Remaining); got != at.total {
			t.Fatalf("version %d: %s: consumed %d and remaining %d make %d, not %d", l.Version, l.Event, l.Consumed, l.Remaining, got, at.total)
		}
		// A holiday behind the due time of what has run out moves nothing.
		amended := l.Calendar != at.calendar && l.Remaining < 0
		at.calendar = l.Calendar
		if l.Consumed < int64(at.used) && !amended && l.Event != "TermRecomputed" && l.Event != "TermStarted" {
			t.Fatalf("version %d: %s: %d was consumed before, and %d now", l.Version, l.Event, at.used, l.Consumed)
		}
		at.used = calendar.Span(l.Consumed)
		switch l.Event {
		case "TermResumed", "TermExtended", "TermRecomputed", "TermCarried":
			if !l.Due.IsZero() {
				at.due = l.Due
			}
		default:
			if l.Due.After(at.due) {
				t.Fatalf("version %d: %s moved the due time of %s from %s to %s", l.Version, l.Event, l.Term, at.due, l.Due)
			}
		}
		if l.Event == "TermResumed" {
			// What is given back is what stood still: from now on there is what remained.
			rest, err := cal.Used(b.Measure(), later(l.Occurred, cal.Begins(b.Measure(), l.Occurred)), l.Due)
			whole, err2 := cal.Used(b.Measure(), l.Occurred, l.Due)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			near := int64(1)
			if m := b.Measure(); m == calendar.WorkingTime || m == calendar.PlainTime {
				near = int64(time.Microsecond) // as exactly as a moment is recorded
			}
			if l.Remaining > 0 && (int64(whole) < l.Remaining-near || int64(rest) > l.Remaining+near) {
				t.Fatalf("version %d: resumed with %d remaining, due in %d (%d from tomorrow)", l.Version, l.Remaining, whole, rest)
			}
		}
	}
	if len(lines) > 0 {
		t.Fatalf("%d lines are of no event", len(lines))
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
