package backtest_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/workflows/catalogue"
)

// walked are random walks under the doctor's licence that ships.
func walked(t testing.TB, n int) *office {
	t.Helper()
	source, err := os.ReadFile("../catalogue/11.71/sip-dokter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k := newWalker(newOffice(t, source), rand.New(rand.NewPCG(7, 7)).IntN)
	k.calm = true
	for len(k.all) < n {
		k.clock = monday.Add(time.Duration(len(k.all)) * time.Minute)
		k.walk(t, 40)
	}
	return k.office
}

// over is some requests over and over, so many times.
func over(list []uuid.UUID, n int) iter.Seq2[uuid.UUID, error] {
	return func(yield func(uuid.UUID, error) bool) {
		for i := range n {
			if !yield(list[i%len(list)], nil) {
				return
			}
		}
	}
}

// What is kept of ten thousand histories is their references and no more.
func TestTenThousandHistoriesInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT WITH -short, AS UNDER THE RACE DETECTOR: it takes minutes; go test ./... runs this")
	}
	o := walked(t, 100)
	d := read(t, string(shorter(t)))
	held := func(n int) uint64 {
		r, err := o.backtest(d).Run(context.Background(), over(o.all, n))
		if err != nil || r.Histories != n || r.Changed == 0 {
			t.Fatalf("%+v, %v", r.Histories, err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(r)
		return m.HeapAlloc
	}
	few, many := held(100), held(10_000)
	if more := int64(many) - int64(few); more > 10<<20 {
		t.Errorf("%d bytes more for 10,000 histories than for 100", more)
	}
}

// shorter is the doctor's licence with other terms.
func shorter(t testing.TB) []byte {
	t.Helper()
	list, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Definition.ID == "sip-dokter" {
			return replaced(t, replaced(t, e.Source, "5 working days", "4 working days"), "remind_after: 4 working days", "remind_after: 3 working days")
		}
	}
	t.Fatal("there is no sip-dokter")
	return nil
}

// BenchmarkHistories judges histories of the doctor's licence, each of some 40 commands
// of which about half were refused when they were given, by another version.
func BenchmarkHistories(b *testing.B) {
	o := walked(b, 500)
	events := 0
	for _, err := range o.log.ReadAll(context.Background(), 0) {
		if err != nil {
			b.Fatal(err)
		}
		events++
	}
	d := read(b, string(shorter(b)))
	for b.Loop() {
		if _, err := o.backtest(d).Run(context.Background(), over(o.all, 10_000)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(10_000*b.N)/b.Elapsed().Seconds(), "histories/s")
	b.ReportMetric(float64(events)/500, "events/history")
}
