package postgres

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

// Of appends that continue each other and are sent as one, the server's refusal is
// for the one that it is about and what comes behind.
func TestRefusedPartOfARequest(t *testing.T) {
	config, _, err := configured(pgserver.Start(t).NewDatabase(t), forWriting, planning)
	if err != nil {
		t.Fatal(err)
	}
	if err := logSchema.migrate(t.Context(), config, migrations); err != nil {
		t.Fatal(err)
	}
	w := &writer{config: config}
	defer w.end()
	c := &committer{writer: w, saw: func(domain.Position) {}, closing: make(chan struct{}), ctx: t.Context()}
	var line []item
	var jobs []*job
	var tip domain.Tip
	for n := range 3 {
		var a domain.Append
		a, tip = storetest.Entered(t, "s", tip, storetest.Events(2))
		if n == 1 {
			a.Entries[1].Type = "not a\x00text"
		}
		j := &job{
			ctx: t.Context(), appends: []domain.Append{a}, answers: make([]domain.Appended, 1), errs: make([]error, 1),
			left: 1, done: make(chan struct{}),
		}
		jobs, line = append(jobs, j), enter(line, j)
	}
	g, rest := group(line)
	if len(g) != 1 || len(rest) != 0 {
		t.Fatalf("%d requests and %d appends that wait, want one request", len(g), len(rest))
	}
	if again := c.record(g); len(again) != 0 {
		t.Errorf("%d appends are to be tried again", len(again))
	}
	for _, j := range jobs {
		select {
		case <-j.done:
		default:
			t.Fatal("an append has no answer")
		}
	}
	if jobs[0].err != nil || jobs[0].errs[0] != nil || jobs[0].answers[0].Position != 2 {
		t.Errorf("the first: %+v, %v, %v", jobs[0].answers[0], jobs[0].errs[0], jobs[0].err)
	}
	if jobs[1].err == nil {
		t.Error("the second was recorded")
	}
	if conflict, ok := jobs[2].errs[0].(*domain.ConflictError); jobs[2].err != nil || !ok || conflict.Actual != 2 { //nolint:errorlint // as it was made
		t.Errorf("the third: %v, %v", jobs[2].errs[0], jobs[2].err)
	}
}

// What one caller hands in together is recorded in its order, also where streams take
// turns in it: a copy of a log has the order of the log.
func TestOneCallersAppendsKeepTheirOrder(t *testing.T) {
	tips := map[string]domain.Tip{}
	var batch []domain.Append
	var want []string
	for _, stream := range []string{"a", "b", "a", "c", "b", "b", "d", "a"} {
		var a domain.Append
		a, tips[stream] = storetest.Entered(t, stream, tips[stream], storetest.Events(1))
		batch, want = append(batch, a), append(want, fmt.Sprint(stream, a.Entries[0].Version))
	}
	line := enter(nil, &job{ctx: t.Context(), appends: batch, answers: make([]domain.Appended, len(batch)), errs: make([]error, len(batch)), left: len(batch), done: make(chan struct{})})
	var got []string
	for len(line) > 0 {
		var g []request
		g, line = group(line)
		for _, r := range g {
			for _, p := range r.parts {
				got = append(got, fmt.Sprint(r.stream, p.append().Entries[0].Version))
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-handed in +recorded)\n%s", d)
	}
}
