package projections_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// crowd is a log of n open requests of one tenant: of 12 services at 4 offices, in 6
// states of which each role has some, a third of them with one of a hundred officers who
// has the work, a fifth with one to whom all of it went, and most with due times.
func crowd(t interface{ Fatal(...any) }, n int) *memory.Log {
	log, chance := newLog(), rand.New(rand.NewPCG(1, 2))
	for i := range n {
		x := teller{request: requestOf(i)}
		at := now.Add(-time.Duration(chance.IntN(1_000_000)) * time.Second)
		service := chance.IntN(12)
		state := domain.StateID(fmt.Sprint("s", chance.IntN(6)))
		tell := func(body domain.Body) {
			x.version++
			e := domain.Event{Envelope: domain.Envelope{
				ID: domain.EventID(x.request, x.version), Tenant: "11.71", Service: fmt.Sprint("service-", service), Office: fmt.Sprint("office-", service%4),
				Actor: officer("a"), Workflow: domain.WorkflowRef{ID: "permit", Version: 1}, Command: x.request, Correlation: x.request, Occurred: at,
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
		tell(submitted(i, state, at).body)
		if chance.IntN(10) > 0 {
			tell(domain.TermStarted{Term: "law", Budget: "5 working days", Reckoning: domain.Reckoning{Due: at.Add(time.Duration(chance.IntN(400)) * time.Hour), Calendar: "c"}})
		}
		switch has := chance.IntN(15); {
		case has < 5:
			tell(domain.TaskReassigned{State: state, To: fmt.Sprint("officer-", chance.IntN(100))})
		case has < 8:
			tell(domain.TaskReassigned{State: state, To: "Laden"})
		}
	}
	return log
}

// desk is whose work a state is in a crowd: of three roles, each has two.
func desk(_ domain.TenantCode, _ domain.WorkflowRef, state domain.StateID) (domain.RoleID, bool, error) {
	return domain.RoleID(fmt.Sprint("role-", (state[1]-'0')/2)), false, nil
}

func crowdViews(t testing.TB, log domain.EventLog, store projections.Store) *projections.Views {
	t.Helper()
	v, err := projections.NewViews(t.Context(), log, store, slog.New(slog.DiscardHandler), projections.StatusProjection{}, projections.InboxProjection{Owner: desk})
	if err == nil {
		err = v.CatchUp(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// everyFilter is every combination of filters and sorts that is offered.
func everyFilter() map[string]projections.InboxFilter {
	all := map[string]projections.InboxFilter{}
	for mask := range 1 << 4 {
		for _, who := range []string{"", "free", "mine", "much"} {
			for _, sort := range []string{"due", "due before", "since"} {
				f := projections.InboxFilter{Tenant: "11.71", Limit: 50, Sort: projections.ByDue, Free: who == "free"}
				name := sort + " " + who
				if mask&1 > 0 {
					f.Office, name = "office-1", name+" office"
				}
				if mask&2 > 0 {
					f.Role, name = "role-1", name+" role"
				}
				if mask&4 > 0 {
					f.Service, name = "service-5", name+" service"
				}
				if mask&8 > 0 {
					f.State, name = "s2", name+" state"
				}
				switch who {
				case "mine":
					f.Holder = "OFFICER-7"
				case "much":
					f.Holder = "laden"
				}
				switch sort {
				case "due before":
					f.DueBefore = now
				case "since":
					f.Sort = projections.BySince
				}
				if f.State == "" || f.Service != "" {
					all[name] = f
				}
			}
		}
	}
	return all
}

func TestInboxFiltersAndPages(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		db := open()()
		crowdViews(t, crowd(t, 3000), db.writer)
		inbox := projections.NewInboxView(db.reader)
		read := func(f projections.InboxFilter) []projections.Task {
			t.Helper()
			var all []projections.Task
			for {
				page, err := inbox.List(t.Context(), f)
				if err != nil {
					t.Fatalf("%+v: %v", f, err)
				}
				all = append(all, page.Tasks...)
				if f.After = page.Next; f.After == "" {
					return all
				}
			}
		}
		everything := read(projections.InboxFilter{Tenant: "11.71", Limit: 200})
		if len(everything) != 3000 {
			t.Fatalf("%d of 3000", len(everything))
		}
		first := func(x projections.Task) int64 {
			if x.Legal.IsZero() {
				return math.MaxInt64
			}
			return x.Legal.UnixMicro()
		}
		for name, f := range everyFilter() {
			var want []projections.Task
			for _, x := range everything {
				if (f.Office == "" || x.Office == f.Office) && (f.Role == "" || x.Role == f.Role) && (f.Service == "" || x.Service == f.Service) &&
					(f.State == "" || x.State == f.State) && (!f.Free || x.Holder == "") && (f.Holder == "" || strings.EqualFold(x.Holder, f.Holder)) &&
					(f.DueBefore.IsZero() || first(x) < f.DueBefore.UnixMicro()) {
					want = append(want, x)
				}
			}
			slices.SortFunc(want, func(a, b projections.Task) int {
				ka, kb := first(a), first(b)
				if f.Sort == projections.BySince {
					ka, kb = a.Since.UnixMicro(), b.Since.UnixMicro()
				}
				return cmpOr(ka, kb, a.Request.String(), b.Request.String())
			})
			if d := cmp.Diff(want, read(f)); d != "" {
				t.Errorf("%s (-want +got)\n%s", name, d)
			}
			counts, err := inbox.Count(t.Context(), func() projections.InboxFilter { f.Sort = ""; return f }(), now)
			n, late, free := 0, 0, 0
			for _, c := range counts {
				n, late, free = n+c.Tasks, late+c.Late, free+c.Free
			}
			for _, x := range want {
				if late--; first(x) >= now.UnixMicro() {
					late++
				}
				if x.Holder == "" {
					free--
				}
			}
			if err != nil || n != len(want) || late != 0 || free != 0 {
				t.Errorf("%s: counted %d of %d, late off by %d, free by %d, %v", name, n, len(want), late, free, err)
			}
		}
	})
}

func cmpOr(a, b int64, x, y string) int {
	if a != b {
		if a < b {
			return -1
		}
		return 1
	}
	return strings.Compare(x, y)
}

// Somebody can have work at more places than a database merges at once, and a role be that
// of more offices.
func TestInboxOfManyPlaces(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		db := open()()
		log := newLog()
		const offices = 260
		for i := range 2 * offices {
			x, at := teller{request: requestOf(i), office: fmt.Sprint("office-", i/2)}, now.Add(-time.Duration(i*7%1000)*time.Second)
			x.tell(t, log, submitted(i, "s0", at))
			if i%2 == 0 {
				x.tell(t, log, happened{domain.TaskReassigned{State: "s0", To: "laden"}, officer("b"), at})
			}
		}
		crowdViews(t, log, db.writer)
		inbox := projections.NewInboxView(db.reader)
		for what, x := range map[string]struct {
			f    projections.InboxFilter
			want int
		}{
			"one person": {projections.InboxFilter{Holder: "laden", Service: "permit"}, offices},
			"a role":     {projections.InboxFilter{Role: "role-0"}, 2 * offices},
			"a service":  {projections.InboxFilter{Service: "permit"}, 2 * offices},
		} {
			seen, last := map[string]bool{}, time.Time{}
			x.f.Tenant, x.f.Sort, x.f.Limit = "11.71", projections.BySince, projections.MostTasks
			for more := true; more; more = x.f.After != "" {
				page, err := inbox.List(t.Context(), x.f)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				for _, task := range page.Tasks {
					if seen[task.Request.String()] = true; task.Since.Before(last) {
						t.Errorf("%s: %s after %s", what, task.Since, last)
					}
					last = task.Since
				}
				x.f.After = page.Next
			}
			if len(seen) != x.want {
				t.Errorf("%s: %d of %d", what, len(seen), x.want)
			}
		}
	})
}

// Whoever reads on sees everybody once who did not move, whoever else comes, goes and
// moves meanwhile.
func TestInboxPagesStayRightWhileTheyMove(t *testing.T) {
	log := crowd(t, 300)
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	crowdViews(t, log, file.Writer)
	inbox := projections.NewInboxView(file.Reader)
	chance := rand.New(rand.NewPCG(3, 4))
	for _, sort := range []projections.InboxOrder{projections.ByDue, projections.BySince} {
		f := projections.InboxFilter{Tenant: "11.71", Sort: sort, Limit: 7}
		before, err := inbox.List(t.Context(), projections.InboxFilter{Tenant: "11.71", Sort: sort, Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		moved, seen := map[string]bool{}, map[string]int{}
		for {
			page, err := inbox.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range page.Tasks {
				seen[x.Request.String()]++
			}
			if f.After = page.Next; f.After == "" {
				break
			}
			for range 3 { // one ends, or comes to another time
				x := before.Tasks[chance.IntN(len(before.Tasks))].Request.String()
				moved[x] = true
				statement := `DELETE FROM inbox WHERE request = '` + x + `'`
				if chance.IntN(2) == 0 {
					statement = fmt.Sprintf(`UPDATE inbox SET first = %d, since = %d WHERE request = '%s' OR request = 'nobody'`, now.UnixMicro(), now.UnixMicro(), x)
				}
				tx, err := file.Writer.Begin(t.Context())
				if err == nil {
					_, err = tx.Exec(t.Context(), statement)
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := tx.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, x := range before.Tasks {
			if id := x.Request.String(); !moved[id] && seen[id] != 1 {
				t.Errorf("by %s, %s was seen %d times", sort, id, seen[id])
			}
		}
	}
}

func TestInboxThatCannotBeShownSo(t *testing.T) {
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	crowdViews(t, newLog(), file.Writer)
	inbox := projections.NewInboxView(file.Reader)
	since := base64.RawURLEncoding.EncodeToString([]byte("since 1 " + requestOf(1).String() + " b"))
	for name, f := range map[string]projections.InboxFilter{
		"of no tenant":            {Limit: 1},
		"a state of no service":   {Tenant: "11.71", Limit: 1, State: "s"},
		"somebody's and nobody's": {Tenant: "11.71", Limit: 1, Free: true, Holder: "a"},
		"no rows":                 {Tenant: "11.71"},
		"too many rows":           {Tenant: "11.71", Limit: projections.MostTasks + 1},
		"sorted by name":          {Tenant: "11.71", Limit: 1, Sort: "name"},
		"bounded, by since":       {Tenant: "11.71", Limit: 1, Sort: projections.BySince, DueBefore: now},
		"behind nonsense":         {Tenant: "11.71", Limit: 1, After: "nonsense"},
		"behind nobody":           {Tenant: "11.71", Limit: 1, After: base64.RawURLEncoding.EncodeToString([]byte("due 1 \x00 b"))},
		"behind another order":    {Tenant: "11.71", Limit: 1, After: since},
	} {
		if _, err := inbox.List(t.Context(), f); !errors.Is(err, projections.ErrInbox) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, f := range everyFilter() {
		if page, err := inbox.List(t.Context(), f); err != nil || len(page.Tasks) > 0 {
			t.Errorf("an empty inbox: %+v, %v", page, err)
		}
	}
}

// Every page that is offered is read from an index, in its order.
func TestInboxIsReadFromIndexes(t *testing.T) {
	log := crowd(t, 20_000)
	for name, open := range map[string]func(t testing.TB) database{"SQLite": fileDatabase, "PostgreSQL": serverDatabase} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			crowdViews(t, log, db.writer)
			analyze(t, db, "inbox")
			for name, f := range everyFilter() {
				p := &planned{TB: t, DB: db.reader}
				if _, err := projections.NewInboxViewOf(p).List(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				of := "inbox"
				switch {
				case f.Holder != "" && f.Office == "" && f.Role == "" && f.Service == "":
					of = "inbox_holder"
				case f.Holder != "":
					of = "inbox_claimant"
				case f.Service != "":
					of = "inbox_place"
				case f.Office != "" || f.Role != "":
					of = "inbox_desk"
				}
				page := of + map[bool]string{true: "_since", false: "_due"}[f.Sort == projections.BySince]
				for i, plan := range p.plans {
					want := []string{page}
					if strings.HasPrefix(p.asked[i], "WITH RECURSIVE") { // where there is work, which both indexes say
						want = []string{of + "_due", of + "_since"}
					}
					used := regexp.MustCompile(`inbox_[a-z]+(_[a-z]+)?`).FindAllString(strings.ReplaceAll(plan, "inbox_pkey", ""), -1)
					if len(used) == 0 || slices.ContainsFunc(used, func(index string) bool { return !slices.Contains(want, index) }) ||
						strings.Contains(plan, "Seq Scan on inbox") || strings.Contains(plan, "SCAN inbox") {
						t.Errorf("%s, wants %s\n%s", name, want, plan)
					}
				}
			}
		})
	}
}

func planOf(t testing.TB, db *sql.DB, statement string, args []any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		rows, err = db.QueryContext(t.Context(), "EXPLAIN "+statement, args...)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, *values[len(values)-1].(*any))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func fileDatabase(t testing.TB) database {
	v, err := sqlite.OpenViews(t.Context(), filepath.Join(t.TempDir(), "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return database{v.Writer, v.Reader}
}

func serverDatabase(t testing.TB) database {
	v, err := postgres.OpenViews(t.Context(), pgserver.Start(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return database{v.Writer, v.Reader}
}

// analyze has the database look at what a table holds, as PostgreSQL does by itself in time.
func analyze(t testing.TB, db database, table string) {
	tx, err := db.writer.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), "ANALYZE "+table)
	}
	if err == nil {
		err = tx.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkInbox reads pages of an inbox of 100,000 open requests, of one tenant: every
// filter and sort that is offered, a page at the beginning and pages further in. The
// figures are of single reads, one after the other; the slowest combination is named.
// The load of the machine is told, for on a busy one the slowest reads are those that
// waited for a processor.
func BenchmarkInbox(b *testing.B) {
	log := crowd(b, 100_000)
	for name, open := range map[string]func(t testing.TB) database{"a file": fileDatabase, "PostgreSQL": serverDatabase} {
		b.Run(name, func(b *testing.B) {
			started, db := time.Now(), open(b)
			crowdViews(b, log, db.writer)
			if name == "PostgreSQL" {
				analyze(b, db, "inbox")
			}
			inbox := projections.NewInboxView(db.reader)
			const reads = 30 // of each combination, one page after the other
			var all []time.Duration
			var slowest, median time.Duration // p99 and p50 of the combination where it is highest
			which := ""
			b.Logf("filled in %s", time.Since(started))
			for b.Loop() {
				for name, f := range everyFilter() {
					var own []time.Duration
					for range reads {
						began := time.Now()
						page, err := inbox.List(b.Context(), f)
						if err != nil {
							b.Fatal(err)
						}
						own = append(own, time.Since(began))
						f.After = page.Next
					}
					slices.Sort(own)
					if p99 := own[len(own)*99/100]; p99 > slowest {
						slowest, which = p99, name
					}
					median = max(median, own[len(own)/2])
					all = append(all, own...)
				}
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-p99-ms")
			b.ReportMetric(float64(median.Microseconds())/1000, "slowest-p50-ms")
			began := time.Now()
			if _, err := inbox.Count(b.Context(), projections.InboxFilter{Tenant: "11.71"}, now); err != nil {
				b.Fatal(err)
			}
			load, _ := os.ReadFile("/proc/loadavg") // Linux only
			b.Logf("slowest: %s; %d pages; counting all took %s; load %s", which, len(all), time.Since(began), strings.TrimSpace(string(load)))
		})
	}
}
