package projections_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// longLines is a log of requests of one tenant that wait to be taken, half of them in one
// queue, the others in some forty. Others were taken when it was their turn, and one in a
// hundred before it was.
func longLines(t interface{ Fatal(...any) }, waiting, before int) *memory.Log {
	log, chance := newLog(), rand.New(rand.NewPCG(1, 2))
	for i := range before + waiting + waiting/100 {
		x := teller{request: requestOf(i)}
		service, state := chance.IntN(12), domain.StateID(fmt.Sprint("s", chance.IntN(4)))
		if i%2 == 0 {
			service, state = 0, "s0"
		}
		at := now.Add(time.Duration(i-before-waiting) * time.Minute) // one a minute
		bodies := []domain.Body{submitted(i, state, at).body, domain.TaskReady{State: state, Role: "head", Rule: "order"}}
		if i < before || i%101 == 0 {
			bodies = append(bodies, domain.TaskPicked{State: state}, moves(state, "issued", domain.OutcomeApproved))
		}
		for step, body := range bodies {
			x.version++
			e := domain.Event{Envelope: domain.Envelope{
				ID: domain.EventID(x.request, x.version), Tenant: "11.71", Service: fmt.Sprint("service-", service), Office: fmt.Sprint("office-", service%4),
				Actor: officer("a"), Workflow: domain.WorkflowRef{ID: "permit", Version: 1}, Command: x.request, Correlation: x.request, Occurred: at.Add(time.Duration(step) * 10 * time.Minute),
			}, Body: body}
			a, next, err := domain.Enter(domain.RequestStream(x.request), x.tip, at, []domain.Event{e})
			if err == nil {
				_, err = log.Append(context.Background(), a)
			}
			if err != nil {
				t.Fatal(err)
			}
			x.tip = next
		}
	}
	return log
}

func queueViews(t testing.TB, log domain.EventLog, db database) {
	t.Helper()
	v, err := projections.NewViews(t.Context(), log, db.writer, slog.New(slog.DiscardHandler), projections.StatusProjection{}, projections.QueueProjection{})
	if err == nil {
		err = v.CatchUp(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// planned answers as a database does, and keeps by which plan it does.
type planned struct {
	testing.TB
	*sql.DB
	asked, plans []string
}

func (p *planned) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	p.asked, p.plans = append(p.asked, statement), append(p.plans, planOf(p, p.DB, statement, args))
	return p.DB.QueryContext(ctx, statement, args...)
}

func (p *planned) QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row {
	p.asked, p.plans = append(p.asked, statement), append(p.plans, planOf(p, p.DB, statement, args))
	return p.DB.QueryRowContext(ctx, statement, args...)
}

// Whatever is asked of the queues is read from the index that is for it, whether or not the
// database has looked at what it holds.
func TestQueuesAreReadFromIndexes(t *testing.T) {
	log := longLines(t, 2000, 10_000)
	for name, open := range map[string]func(t testing.TB) database{"SQLite": fileDatabase, "PostgreSQL": serverDatabase} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			queueViews(t, log, db)
			one := projections.QueueFilter{Tenant: "11.71", Service: "service-0", Office: "office-0", State: "s0"}
			const itself, overtook = "key", "key passed"
			for _, analyzed := range []bool{false, true} {
				if analyzed {
					analyze(t, db, "queue")
				} else if name == "PostgreSQL" {
					continue // it looks by itself in time
				}
				for what, x := range map[string]struct {
					ask  func(v *projections.QueueView) error
					want []string
				}{
					"all queues": {func(v *projections.QueueView) error {
						_, err := v.List(t.Context(), projections.QueueFilter{Tenant: "11.71"}, now)
						return err
					}, []string{"waiting", "taken", "gone"}},
					"those of a service": {func(v *projections.QueueView) error {
						_, err := v.List(t.Context(), projections.QueueFilter{Tenant: "11.71", Service: "service-3"}, now)
						return err
					}, []string{"waiting", "taken", "gone"}},
					"one": {func(v *projections.QueueView) error {
						_, err := v.List(t.Context(), one, now)
						return err
					}, []string{"waiting", "taken", "gone"}},
					"a line": {func(v *projections.QueueView) error {
						_, err := v.Line(t.Context(), one, 50)
						return err
					}, []string{overtook + " waiting"}},
					"a place": {func(v *projections.QueueView) error {
						_, _, err := v.Of(t.Context(), requestOf(11_000))
						return err
					}, []string{itself, "waiting", overtook}},
				} {
					p := &planned{TB: t, DB: db.reader}
					if err := x.ask(projections.NewQueueViewOf(p)); err != nil {
						t.Fatal(err)
					}
					if len(p.plans) != len(x.want) {
						t.Errorf("%s: %d statements, want %d", what, len(p.plans), len(x.want))
						continue
					}
					for i, plan := range p.plans {
						if used := indexesOf(plan); used != x.want[i] {
							t.Errorf("%s, analyzed %t: reads %q, want %q\n%s", what, analyzed, used, x.want[i], plan)
						}
					}
				}
			}
		})
	}
}

// indexesOf are the indexes of the table of queues that a plan reads, and "all" where it
// reads the table whole.
func indexesOf(plan string) string {
	var used []string
	for _, m := range regexp.MustCompile(`queue_(pkey|[a-z]+)|Seq Scan on queue|SCAN (queue|w|o|was)( USING\b.*)?\n`).FindAllStringSubmatch(
		strings.NewReplacer("sqlite_autoindex_queue_1", "queue_pkey").Replace(plan), -1) {
		switch {
		case m[1] == "pkey":
			used = append(used, "key")
		case m[1] != "":
			used = append(used, m[1])
		default:
			used = append(used, "all")
		}
	}
	slices.Sort(used)
	return strings.Join(slices.Compact(used), " ")
}

// BenchmarkQueue reads queues of 100,000 requests that wait, half of them in one: the list
// of all, its first 50 and places in it. The figures are of single reads, one after the
// other.
func BenchmarkQueue(b *testing.B) {
	log := longLines(b, 100_000, 20_000)
	for name, open := range map[string]func(t testing.TB) database{"a file": fileDatabase, "PostgreSQL": serverDatabase} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			queueViews(b, log, db)
			if name == "PostgreSQL" {
				analyze(b, db, "queue")
			}
			queue := projections.NewQueueView(db.reader)
			one := projections.QueueFilter{Tenant: "11.71", Service: "service-0", Office: "office-0", State: "s0"}
			chance := rand.New(rand.NewPCG(3, 4))
			for b.Loop() {
				for what, ask := range map[string]func() error{
					"list": func() error {
						_, err := queue.List(b.Context(), projections.QueueFilter{Tenant: "11.71"}, now)
						return err
					},
					"list-one": func() error { _, err := queue.List(b.Context(), one, now); return err },
					"line":     func() error { _, err := queue.Line(b.Context(), one, 50); return err },
					"place":    func() error { _, _, err := queue.Of(b.Context(), requestOf(20_000+2*chance.IntN(45_000))); return err },
				} {
					var all []time.Duration
					for range 20 {
						began := time.Now()
						if err := ask(); err != nil {
							b.Fatal(err)
						}
						all = append(all, time.Since(began))
					}
					slices.Sort(all)
					b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, what+"-p50-ms")
				}
			}
			load, _ := os.ReadFile("/proc/loadavg") // Linux only
			b.Logf("load %s", strings.TrimSpace(string(load)))
		})
	}
}
