package workflows_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Dates that systems write where there is none, and ends that lie ahead.
func TestDatesThatStandForNone(t *testing.T) {
	for _, x := range []struct{ key, value string }{
		{"deadline", "0001-01-01T00:00:00+07:00"},
		{"deadline", "0001-01-01T00:00:00Z"},
		{"deadline", "1753-01-01T00:00:00+07:00"},
		{"deadline", "1899-12-30T00:00:00+07:00"},
		{"deadline", "1900-01-01T00:00:00+07:00"},
		{"deadline", "1969-12-31T00:00:00Z"},
		{"deadline", "9999-12-31T23:59:59Z"},
		{"deadline", "9999-12-31T23:59:59-05:00"},
		{"deadline", "9999-12-31T00:00:00+07:00"},
		{"closed", "0001-01-01T00:00:00+07:00"},
		{"closed", "0001-01-01T00:00:00Z"},
		{"closed", "1900-01-01T00:00:00+07:00"},
		{"closed", "9999-12-31T23:59:59Z"},
		{"closed", "9999-12-31T23:59:59-05:00"},
		{"received", "0001-01-01T00:00:00+07:00"},
		{"received", "1753-01-01T00:00:00+07:00"},
		{"received", "9999-12-31T23:59:59-05:00"},
	} {
		t.Run(x.key+" "+x.value, func(t *testing.T) {
			a := newArchive(t)
			good := oldCase(t, "good", "check 3 09:00; grant 5 10:00", map[string]string{"deadline": "9", "closed": "6"})
			bad := oldCase(t, "bad", "check 3 09:00", map[string]string{"deadline": "9", "closed": "6"})
			for i := range bad.Attributes {
				if bad.Attributes[i].Key == x.key {
					bad.Attributes[i].Value = x.value
				}
			}
			if x.key == "received" {
				bad.Attributes = append(bad.Attributes, workflows.Attribute{Key: x.key, Kind: workflows.AttributeDate, Value: x.value})
			}
			s, err := (&workflows.Importer{Log: a.log, Engine: a.engine}).Import(t.Context(), grobogan, a.w, traces([]workflows.Trace{good, bad, oldCase(t, "good2", "check 3 09:00", map[string]string{"deadline": "9", "closed": "6"})}))
			if err != nil {
				t.Errorf("the whole import fails: %v; %+v", err, s)
				return
			}
			if len(s.Refused) > 0 && s.Refused[0].Event > 0 {
				t.Errorf("the case is refused, and not for the date: %+v", s.Refused)
			}
			for _, id := range a.requests() {
				lines, err := a.engine.Ledger(t.Context(), id, a.calendars)
				if err != nil {
					t.Error(err)
				}
				for _, l := range lines {
					if l.Again != "" {
						t.Errorf("%s: reckoned again: %s; %+v", l.Event, l.Again, l.Reckoning)
					}
				}
			}
		})
	}
}

// The end that the record says lies ahead: it is 5 March, the case is to be closed on the 20th.
func TestAnEndThatLiesAhead(t *testing.T) {
	a := newArchive(t)
	a.now = march(t, "5 12:00")
	a.imports(oldCase(t, "1", "check 3 09:00", map[string]string{"deadline": "9", "closed": "20"}))
	for _, id := range a.requests() {
		r, err := a.engine.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Punctuality(); p != "open" {
			t.Errorf("it is 5 March, due the 9th: %s", p)
		}
	}
}

// A term in working days before the calendar begins has no due time: whether it was kept is
// more than anybody knows.
func TestWhatHasNoDueTimeIsNotOnTime(t *testing.T) {
	a := newArchive(t, "budget: 5 days", "budget: 5 working days", "promise: 3 days", "promise: 3 working days", "remind_after: 4 days", "remind_after: 4 working days")
	old := oldCase(t, "1", "check 3 09:00; grant 25 10:00", map[string]string{"closed": "25"})
	for i := range old.Attributes {
		old.Attributes[i].Value = "2011" + old.Attributes[i].Value[4:]
	}
	for i := range old.Events {
		old.Events[i].Time = old.Events[i].Time.AddDate(-15, 0, 0)
	}
	s := a.imports(old)
	if s.Punctuality["unknown"] != 1 || len(s.Punctuality) != 1 {
		t.Errorf("five working days from 3 March 2011, ended on the 25th: %v", s.Punctuality)
	}
	r, err := a.engine.Load(t.Context(), a.requests()[0])
	if err != nil {
		t.Fatal(err)
	}
	if r.Punctuality() != domain.PunctualityUnknown {
		t.Errorf("%+v", r.Terms["law"])
	}
}
