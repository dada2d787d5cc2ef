package backtest_test

import (
	"compress/gzip"
	"encoding/xml"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
)

const receiptLog = "../../../shared/data/logs/receipt.xes.gz"

// receipt is a case of the log, read from its XML by nothing of this project.
type receipt struct {
	name                              string
	started, deadline, planned, ended time.Time
	first                             time.Time // its first event
}

func receipts(t *testing.T) []receipt {
	t.Helper()
	f, err := os.Open(receiptLog)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("THE REAL LOGS ARE NOT BESIDE THE CHECKOUT: not tested")
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	type attribute struct {
		Key   string `xml:"key,attr"`
		Value string `xml:"value,attr"`
	}
	var log struct {
		Traces []struct {
			Strings []attribute `xml:"string"`
			Dates   []attribute `xml:"date"`
			Events  []struct {
				Dates []attribute `xml:"date"`
			} `xml:"event"`
		} `xml:"trace"`
	}
	if err := xml.NewDecoder(plain).Decode(&log); err != nil {
		t.Fatal(err)
	}
	of := func(list []attribute, key string) time.Time {
		for _, a := range list {
			if a.Key == key {
				at, err := time.Parse(time.RFC3339Nano, a.Value)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
		}
		return time.Time{}
	}
	var all []receipt
	for _, x := range log.Traces {
		c := receipt{
			started: of(x.Dates, "startdate"), deadline: of(x.Dates, "deadline"), planned: of(x.Dates, "enddate_planned"), ended: of(x.Dates, "enddate"),
			first: of(x.Events[0].Dates, "time:timestamp"),
		}
		for _, a := range x.Strings {
			if a.Key == "concept:name" {
				c.name = a.Value
			}
		}
		all = append(all, c)
	}
	if len(all) != 1434 {
		t.Fatalf("%d cases", len(all))
	}
	return all
}

// ranOut reports whether a case was not over by a due time, as it is known at a moment.
func (c receipt) ranOut(due, now time.Time) bool {
	if c.ended.IsZero() {
		return now.After(due)
	}
	return c.ended.After(due)
}

// days is the end of a term of so many days: the day on which it starts does not count,
// and days are those of the tenant's zone.
func days(from time.Time, n int) time.Time {
	y, m, d := from.In(domain.TenantCode(tenant).Zone()).Date()
	return time.Date(y, m, d+1+n, 0, 0, 0, 0, domain.TenantCode(tenant).Zone())
}

// importedReceipts is an office with the log imported under the draft that is learnt from
// it, and the references of its cases.
func importedReceipts(t *testing.T, change func(*workflows.Definition)) (*office, *workflows.Definition, map[string]domain.Reference) {
	t.Helper()
	traces := func() func(func(workflows.Trace, error) bool) {
		f, err := os.Open(receiptLog)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return xes.Read(receiptLog, f)
	}
	draft, err := discovery.Learn(traces(), discovery.Options{ID: "receipt", Role: "org:group"})
	if err != nil {
		t.Fatal(err)
	}
	change(draft.Definition)
	source, err := workflows.Write(draft.Definition, "")
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, source)
	o.clock = time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC)
	s, err := (&workflows.Importer{Log: o.log, Engine: o.engine}).Import(t.Context(), tenant, o.w, traces())
	if err != nil || s.KeptCases != 1434 || s.KeptEvents != 8577 {
		t.Fatalf("%+v %v", s, err)
	}
	references := map[string]domain.Reference{}
	for e, err := range domain.Events(o.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok {
			references[b.Imported.Case] = b.Reference
			o.all = append(o.all, b.Request)
		}
	}
	return o, read(t, string(source)), references
}

// uncounted makes of the log one that a program of before would have imported, which counted
// no terms of it.
func (o *office) uncounted(t *testing.T) {
	t.Helper()
	log, tips := memory.New(), map[string]domain.Tip{}
	for e, err := range domain.Events(o.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if _, is := e.Body.(domain.TermEvent); is {
			continue
		}
		a, tip, err := domain.Enter(e.Stream, tips[e.Stream], e.At, []domain.Event{e.Event})
		if err == nil {
			_, err = log.Append(t.Context(), a)
		}
		if err != nil {
			t.Fatal(err)
		}
		tips[e.Stream] = tip
	}
	o.log, o.library = log, workflows.NewLibrary(log)
	o.calendars = workflows.NewCalendars(log)
}

// The punctuality of a real log is told by terms: of every case, the events on its term
// are what the log's own dates say.
func TestTheReceiptLogThroughTerms(t *testing.T) {
	cases := receipts(t)
	o, _, references := importedReceipts(t, func(*workflows.Definition) {})
	type ledger struct {
		Due, Expired, Ended time.Time
		Late                bool
	}
	got := map[domain.Reference]ledger{}
	for _, id := range o.all {
		var l ledger
		var ref domain.Reference
		for e, err := range domain.Events(o.log.ReadStream(t.Context(), domain.RequestStream(id), 0)) {
			if err != nil {
				t.Fatal(err)
			}
			switch b := e.Body.(type) {
			case domain.RequestSubmitted:
				ref = b.Reference
			case domain.TermStarted:
				l.Due = b.Due
			case domain.TermExpired:
				l.Expired = e.Occurred
			case domain.TermEnded:
				l.Ended, l.Late = e.Occurred, b.Late
			case domain.TermEscalated, domain.DecisionDeemed, domain.RequestLapsed:
				t.Errorf("%s: %T", ref, b)
			}
		}
		got[ref] = l
	}
	counts := map[string]int{}
	for _, c := range cases {
		l := got[references[c.name]]
		want := ledger{Due: c.deadline.UTC(), Ended: c.ended.UTC(), Late: !c.ended.IsZero() && c.ended.After(c.deadline)}
		if c.ranOut(c.deadline, o.clock) {
			want.Expired = c.deadline.UTC()
		}
		if l != want {
			t.Errorf("%s: %+v, want %+v", c.name, l, want)
		}
		switch {
		case l.Ended.IsZero():
			counts["open"]++
		case l.Late:
			counts["late"]++
		default:
			counts["on_time"]++
		}
	}
	if d := cmp.Diff(map[string]int{"on_time": 952, "late": 377, "open": 105}, counts); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A backtest of a version with another deadline finds exactly the cases that are late by
// it, counted here from the log alone, each under its cause.
func TestStricterDeadlinesOverTheReceiptLog(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT WITH -short, AS UNDER THE RACE DETECTOR: it takes minutes; go test ./... runs this")
	}
	cases := receipts(t)
	with := func(*workflows.Definition) {}
	for name, recorded := range map[string]func(*workflows.Definition){
		"imported with its deadlines":    with,
		"imported when none was counted": with,
		"imported without any term":      func(d *workflows.Definition) { d.Terms = nil },
	} {
		t.Run(name, func(t *testing.T) {
			o, own, references := importedReceipts(t, recorded)
			if strings.HasSuffix(name, "counted") {
				o.uncounted(t)
			} else {
				o.same(t)
			}
			if r := o.run(own); r.Changed > 0 {
				t.Errorf("by its own definition: %s", r.Words())
			}
			counted := len(own.Terms) > 0
			for name, x := range map[string]struct {
				term workflows.LegalTerm
				due  func(receipt) time.Time
			}{
				"40 days":        {workflows.LegalTerm{Budget: workflows.Budget{Amount: 40, Unit: "days"}, Starts: []domain.ActionID{"submit"}}, func(c receipt) time.Time { return days(c.started, 40) }},
				"56 days":        {workflows.LegalTerm{Budget: workflows.Budget{Amount: 56, Unit: "days"}, Starts: []domain.ActionID{"submit"}}, func(c receipt) time.Time { return days(c.started, 56) }},
				"one day":        {workflows.LegalTerm{Budget: workflows.Budget{Amount: 1, Unit: "days"}, Starts: []domain.ActionID{"confirmation-of-receipt"}}, func(c receipt) time.Time { return days(c.first, 1) }},
				"when planned":   {workflows.LegalTerm{Due: "enddate-planned", Starts: []domain.ActionID{"submit"}}, func(c receipt) time.Time { return c.planned }},
				"by the minutes": {workflows.LegalTerm{Budget: workflows.Budget{Amount: 900, Unit: "hours"}, Starts: []domain.ActionID{"submit"}}, func(c receipt) time.Time { return c.started.Add(900 * time.Hour) }},
			} {
				x.term.ID, x.term.Title = "deadline", workflows.Text{ID: "Tenggat", EN: "Deadline"}
				x.term.Basis = workflows.Text{ID: "andaian", EN: "assumed"}
				stricter := *own
				stricter.Terms = []workflows.LegalTerm{x.term}
				source, err := workflows.Write(&stricter, "")
				if err != nil {
					t.Fatal(err)
				}
				want := map[string][]domain.Reference{}
				for _, c := range cases {
					if cause := caused(c, x.due(c), counted, o.clock); cause != "" {
						want[cause] = append(want[cause], references[c.name])
					}
				}
				r := o.run(read(t, string(source)))
				got := map[string][]domain.Reference{}
				for _, g := range r.Groups {
					got[string(g.Kind)+": "+g.Cause] = g.Requests
				}
				for _, m := range []map[string][]domain.Reference{want, got} {
					for k := range m {
						slices.Sort(m[k])
					}
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s: (-want +got)\n%s", name, d)
				}
				if r.Changed+r.Unchanged != 1434 || r.Faults != 0 {
					t.Errorf("%s: %d changed, %d unchanged, %d faults", name, r.Changed, r.Unchanged, r.Faults)
				}
				late := 0
				for _, cause := range slices.Sorted(maps.Keys(got)) {
					t.Logf("%s: %4d %s", name, len(got[cause]), cause)
					if strings.HasSuffix(cause, "newly missed") {
						late += len(got[cause])
					}
				}
				if late == 0 {
					t.Errorf("%s: nothing is late by it", name)
				}
			}
		})
	}
}

// caused is under what cause a case is told of; empty for one that does not differ.
func caused(c receipt, due time.Time, counted bool, now time.Time) string {
	const about = `deadline: term "deadline": `
	missed := c.ranOut(due, now)
	if !counted {
		if missed {
			return about + "newly counted, newly missed"
		}
		return about + "newly counted"
	}
	was := c.ranOut(c.deadline, now)
	cause := ""
	switch {
	case due.Before(c.deadline):
		cause = "due earlier"
	case due.After(c.deadline):
		cause = "due later"
	}
	switch {
	case missed && !was:
		return about + cause + ", newly missed"
	case was && !missed:
		return about + cause + ", newly met"
	case cause == "":
		return ""
	}
	return about + cause
}
