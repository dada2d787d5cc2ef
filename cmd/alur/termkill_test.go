package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// sweptTenant is that of the requests whose terms are swept.
const sweptTenant = domain.TenantCode("33.14")

// publishTimed publishes the licence of the tests of the clock twice: with budgets of
// working days, which many requests use up at the same moment, and of hours.
func (h *house) publishTimed(t testing.TB) (services []string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "workflows", "testdata", "clock", "sip.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(source), "\ntests:") // which are of working days
	source = []byte(text)
	hours := regexp.MustCompile(`(\d+) working days?`).ReplaceAllString(string(source), "$1 hours")
	for _, text := range []string{string(source), strings.Replace(hours, "id: sip-mppdn", "id: sip-hours", 1)} {
		d, err := workflows.Read("sip.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w, err := h.library.Publish(t.Context(), workflows.Publication{
			Tenant: sweptTenant, Source: []byte(text), Definition: d, Occurred: time.Now(), At: time.Now(), Why: "test", Trial: "to be tried",
			Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
		})
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, w.Definition.ID)
	}
	return services
}

// makeLate records requests of weeks ago, in all their states, whose terms nobody
// looked at since, and a decree that makes one of the days a holiday.
func makeLate(t testing.TB, db string, n int) {
	t.Helper()
	h, err := openHouse(t.Context(), stores{db: db}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.publishCatalogue(t.Context(), slog.New(slog.DiscardHandler)); err != nil { // as a server would
		t.Fatal(err)
	}
	services := h.publishTimed(t)
	began := time.Now().AddDate(0, 0, -60).Truncate(time.Hour)
	for i := range n {
		at := began.Add(time.Duration(i%9) * time.Hour)
		header := func(role domain.RoleID) domain.Header {
			at = at.Add(time.Duration(i%3) * 20 * time.Minute)
			capacity := domain.CapacityOfficer
			if role == "applicant" {
				capacity = domain.CapacitySelf
			}
			return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: capacity}, Occurred: at}
		}
		a, err := h.engine.Submit(t.Context(), domain.Submit{Header: header("applicant"), Tenant: sweptTenant, Service: services[i%2]})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range [][]domain.Command{
			nil,
			{domain.Act{Header: header("clerk"), Action: "accept"}},
			{domain.Act{Header: header("clerk"), Action: "return", Reason: "unreadable"}},
			{domain.Act{Header: header("clerk"), Action: "accept"}, domain.OrderSuspension{Header: header("head"), Ground: domain.StopForceMajeure, Reason: "flood"}},
			{domain.Act{Header: header("clerk"), Action: "accept"}, domain.ExtendTerm{Header: header("head"), Term: "decision", Reason: "site-visit"}},
		}[i%5] {
			if _, err := h.engine.Act(t.Context(), a.Request.ID, c); err != nil {
				t.Fatal(err)
			}
		}
	}
	var decree strings.Builder
	decree.WriteString("decree: 1\nnumber: uji 1\ntitle: {id: uji, en: test}\nsource: invented for a test\npublished: 2026-01-01\ndays:\n")
	for day := began.AddDate(0, 0, 4); day.Before(began.AddDate(0, 0, 7)); day = day.AddDate(0, 0, 1) {
		fmt.Fprintf(&decree, "  - {date: %s, kind: holiday, name: {id: uji, en: test}}\n", day.Format(time.DateOnly))
	}
	d, err := workflows.ReadDecree("decree.yaml", []byte(decree.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.calendars.Add(t.Context(), workflows.Addition{
		Tenant: sweptTenant, Source: []byte(decree.String()), Decree: d, Occurred: time.Now(), At: time.Now(), Why: "test",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
}

// happened is every event of every request, without what depends on when it was
// recorded.
func happened(t testing.TB, db string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, e := range recordedIn(t, db) {
		if domain.StreamKind(e.Stream) != "request" {
			continue
		}
		e.At, e.Prev = time.Time{}, [32]byte{}
		all[e.Stream] = append(all[e.Stream], fmt.Sprintf("%d %T %+v", e.Version, e.Body, e.Event))
	}
	return all
}

func recordedIn(t testing.TB, db string) (list []domain.Recorded) {
	t.Helper()
	log, _, err := stores{db: db, readOnly: true}.openLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range domain.Events(log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return list
}

// killed is work on a log that is done by processes which are killed at any moment,
// and begun again until it is done: a sweep, or any other that says what it leads to.
type killed struct {
	db      string
	total   domain.Position // of the log when the work is done
	workers int             // at once
	start   func(round int) *exec.Cmd
}

// run kills so many rounds, then lets the last one work to the end, whichever way it
// has of ending.
func (k killed) run(t *testing.T, n int, finish func()) {
	t.Helper()
	log, _, err := stores{db: k.db, readOnly: true}.openLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	head := func() domain.Position {
		at, err := log.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	midway, began := 0, head()
	for round := 0; (round < n || midway == 0 && round < n+20) && head() < k.total; round++ {
		was := head()
		goal := min(was+domain.Position(rand.IntN(2*int(k.total-began)/n+1)), k.total)
		var alive []*exec.Cmd
		for range k.workers {
			alive = append(alive, k.start(round))
		}
		gone := waited(t, alive)
		until := func(goal domain.Position) { // or until all ended
			for head() < goal && slices.ContainsFunc(gone, running) {
				time.Sleep(time.Millisecond) // the moment of the kill, not a wait for anything
			}
		}
		rand.Shuffle(len(alive), func(i, j int) { alive[i], alive[j] = alive[j], alive[i] })
		for i, c := range alive {
			if i > 0 { // those that are left go on for a while
				goal = min(head()+domain.Position(rand.IntN(100)), k.total)
			}
			until(goal)
			if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
		for _, one := range gone {
			<-one
		}
		if at := head(); at > was && at < k.total {
			midway++
		}
		t.Logf("round %d: %d of %d events are there", round+1, head(), k.total)
	}
	switch {
	case midway > 0:
	case n < 10: // on a fast machine, a small log is swept before both servers are up
		t.Log("NOTHING WAS KILLED UNDER WAY: run make soak for more rounds over a larger log")
	default:
		t.Error("nothing was killed under way: the test tested nothing")
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	finish()
}

// waited collects processes: each channel is closed when its process is gone, which
// it may be because it was killed or because its work was done.
func waited(t *testing.T, processes []*exec.Cmd) (gone []chan struct{}) {
	for _, c := range processes {
		one := make(chan struct{})
		gone = append(gone, one)
		go func() {
			defer close(one)
			var exit *exec.ExitError
			err := c.Wait()
			if errors.As(err, &exit) {
				if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signal() == syscall.SIGKILL {
					return
				}
			}
			if err != nil {
				t.Errorf("ended by itself: %v", err)
			}
		}()
	}
	return gone
}

func running(gone chan struct{}) bool {
	select {
	case <-gone:
		return false
	default:
		return true
	}
}

// A late engine fires what it missed and is killed at any moment of it, again and
// again, on its own or beside another. What is there in the end is, event for event,
// what an undisturbed sweep of the same log records.
func TestKillDuringSweeps(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	late, undisturbed := filepath.Join(t.TempDir(), "alur.db"), filepath.Join(t.TempDir(), "alur.db")
	makeLate(t, late, 80+20*rounds(t, 3))
	must(t, t.TempDir(), "", "log", "copy", "--from", late, "--to", undisturbed)
	before := len(recordedIn(t, undisturbed))
	must(t, t.TempDir(), "", "term", "sweep", "--db", undisturbed)
	inOrder(t, recordedIn(t, undisturbed)[before:])
	want := happened(t, undisturbed)
	total := len(recordedIn(t, undisturbed))
	if total < before+400 {
		t.Fatalf("only %d events follow", total-before)
	}
	file := func(t *testing.T) string { return filepath.Join(t.TempDir(), "alur.db") }
	server := func(t *testing.T) string { return pgserver.Start(t).NewDatabase(t) }
	for _, x := range []struct {
		name    string
		serving bool
		workers int
		open    func(*testing.T) string
	}{
		{"sweep, a file", false, 1, file},
		{"serve, a file", true, 1, file},
		{"sweep, PostgreSQL", false, 1, server},
		{"two sweep, PostgreSQL", false, 2, server},
		{"two serve, PostgreSQL", true, 2, server},
	} {
		t.Run(x.name, func(t *testing.T) {
			db, flags := x.open(t), []string(nil)
			must(t, t.TempDir(), "", "log", "copy", "--from", late, "--to", db)
			if isPostgres(db) {
				flags = []string{"--kek", newKEK(t)}
			}
			work := killed{db: db, total: domain.Position(total), workers: x.workers}
			work.start = func(int) *exec.Cmd {
				if x.serving {
					return startServer(t, db, flags...).Cmd
				}
				c := child(t, "term", "sweep", "--db", db)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				return c
			}
			work.run(t, rounds(t, 3), func() { must(t, t.TempDir(), "", "term", "sweep", "--db", db) })
			if d := cmp.Diff(want, happened(t, db)); d != "" {
				t.Fatalf("(-undisturbed +killed)\n%s", d)
			}
			inOrder(t, recordedIn(t, db)[before:])
			h := openWhole(t, db)
			ledgersHold(t, h, db)
			viewsAgreeWithARebuild(t, h, db)
		})
	}
	t.Run("a server is asked to stop", func(t *testing.T) {
		db := file(t)
		must(t, t.TempDir(), "", "log", "copy", "--from", late, "--to", db)
		s := startServer(t, db)
		reaches(t, db, before+100)
		s.stop(t)
		if at := len(recordedIn(t, db)); at == total {
			t.Log("it had done everything before it stopped")
		}
		must(t, t.TempDir(), "", "term", "sweep", "--db", db)
		if d := cmp.Diff(want, happened(t, db)); d != "" {
			t.Errorf("(-undisturbed +stopped)\n%s", d)
		}
	})
	t.Run("PostgreSQL dies", func(t *testing.T) {
		db := server(t)
		must(t, t.TempDir(), "", "log", "copy", "--from", late, "--to", db)
		s := startServer(t, db, "--kek", newKEK(t))
		for i := range 3 {
			reaches(t, db, before+100*(i+1))
			pgserver.Start(t).Kill(t)
			pgserver.Start(t).Resume(t)
		}
		reaches(t, db, total)
		s.stop(t)
		if d := cmp.Diff(want, happened(t, db)); d != "" {
			t.Errorf("(-undisturbed +died)\n%s", d)
		}
		inOrder(t, recordedIn(t, db)[before:])
		h := openWhole(t, db)
		viewsAgreeWithARebuild(t, h, db)
	})
}

// reaches waits until a log has so many events.
func reaches(t *testing.T, db string, n int) {
	t.Helper()
	log, _, err := stores{db: db, readOnly: true}.openLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := log.Wait(ctx, domain.Position(n-1)); err != nil {
		t.Fatalf("%d events do not come: %v", n, err)
	}
}

// inOrder holds that what a late engine recorded stands in the log in the order in
// which it was due, and that both times are kept.
func inOrder(t *testing.T, events []domain.Recorded) {
	t.Helper()
	events = slices.DeleteFunc(events, func(e domain.Recorded) bool { return domain.StreamKind(e.Stream) != "request" })
	if !slices.IsSortedFunc(events, func(a, b domain.Recorded) int { return a.Occurred.Compare(b.Occurred) }) {
		t.Error("not in the order in which they were due")
	}
	for _, e := range events {
		if !e.Occurred.Before(e.At) {
			t.Errorf("%T occurred %s, recorded %s", e.Body, e.Occurred, e.At)
		}
	}
}

// ledgersHold reckons every line of every ledger again, and shows some as people are
// shown them.
func ledgersHold(t *testing.T, h *house, db string) {
	t.Helper()
	shown := 0
	for e, err := range domain.Events(h.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		b, ok := e.Body.(domain.RequestSubmitted)
		if !ok {
			continue
		}
		lines, err := h.engine.Ledger(t.Context(), b.Request, h.calendars)
		if err != nil || len(lines) == 0 {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		for _, l := range lines {
			if l.Again != "" {
				t.Errorf("%s %s: not %s", l.Event, l.Term, l.Again)
			}
		}
		r, err := h.engine.Load(t.Context(), b.Request)
		if id, due, ok := r.Overdue(time.Now()); err != nil || ok {
			t.Errorf("term %s was forgotten: it was due %s (%v)", id, due, err)
		}
		if shown++; shown <= 10 {
			must(t, t.TempDir(), "", "term", "show", string(b.Reference), "--db", db)
		}
	}
	if shown == 0 {
		t.Error("there are no ledgers")
	}
}
