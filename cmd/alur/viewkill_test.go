package main

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// everyRow is every row of every view.
func everyRow(t *testing.T, h *house) (rows []string) {
	t.Helper()
	for _, name := range h.views.Names() {
		rows = append(rows, storetest.Rows(t, h.viewsDB.reader, "SELECT * FROM "+name+" ORDER BY 1, 2")...)
	}
	return rows
}

// leftBehind is what a rebuild that died left in the database.
func leftBehind(t *testing.T, h *house, db string) (names []string) {
	t.Helper()
	if isPostgres(db) {
		return storetest.Rows(t, h.viewsDB.reader, `SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'alur_views_next%'`)
	}
	entries, err := os.ReadDir(filepath.Dir(db))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".next-") {
			names = append(names, e.Name())
		}
	}
	return names
}

// A rebuild is killed at any moment: what people read is as it was, and nothing is in
// the way of the next one.
func TestKillDuringRebuilds(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	for _, name := range []string{"a file", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			s := everyStores[name](t)
			h, err := openHouse(t.Context(), s, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if err := h.publishSample(t.Context()); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					var life stream
					for range 60 + 10*rounds(t, 4) {
						if err := (&bench{house: h}).extend(t.Context(), &life, 10); err != nil {
							t.Error(err)
							return
						}
					}
					request := uuid.Nil
					for turn := range 150 {
						var err error
						if request, err = (&bench{house: h}).unsealed(t, request, turn); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			if err := h.views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := everyRow(t, h)
			began := time.Now()
			must(t, t.TempDir(), "", "projection", "rebuild", "--db", s.db)
			long, midway := time.Since(began), 0
			for round := range rounds(t, 4) {
				c := child(t, "projection", "rebuild", "--db", s.db)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				gone, before := waited(t, []*exec.Cmd{c})[0], leftBehind(t, h, s.db)
				for running(gone) && (len(leftBehind(t, h, s.db)) == 0 || slices.Equal(before, leftBehind(t, h, s.db))) {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(time.Duration(rand.Int64N(int64(long) / 20))) // the moment of the kill, not a wait for anything
				_ = c.Process.Kill()                                     // it may have ended
				<-gone
				if left := leftBehind(t, h, s.db); len(left) > 0 {
					midway++
					t.Logf("round %d: killed under way, which left %v", round+1, left)
				}
				if d := cmp.Diff(want, everyRow(t, h)); d != "" {
					t.Fatalf("round %d (-before +after)\n%s", round+1, d)
				}
			}
			if midway == 0 {
				t.Log("NOTHING WAS KILLED UNDER WAY: run make soak for more rounds over a larger log")
			}
			must(t, t.TempDir(), "", "projection", "rebuild", "--db", s.db)
			must(t, t.TempDir(), "", "projection", "verify", "--db", s.db)
			if left := leftBehind(t, h, s.db); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if d := cmp.Diff(want, everyRow(t, h)); d != "" {
				t.Errorf("(-before +after)\n%s", d)
			}
			if err := h.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// unsealed is the next command of a request without personal data.
func (b *bench) unsealed(t *testing.T, request uuid.UUID, turn int) (uuid.UUID, error) {
	s := life[turn%len(life)]
	h := domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "bench-" + string(s.role), Role: s.role, Capacity: domain.CapacityOfficer}}
	if s.action != "" {
		_, err := b.engine.Act(t.Context(), request, domain.Act{Header: h, Action: s.action})
		return request, err
	}
	h.Actor.Capacity = domain.CapacitySelf
	a, err := b.engine.Submit(t.Context(), domain.Submit{Header: h, Tenant: "11.71", Service: "sip-dokter", Facts: domain.Facts{"kind": "new"}})
	return a.Request.ID, err
}

// twoNodes are two servers of one database.
type twoNodes struct {
	t     *testing.T
	s     stores
	more  []string // that they are told
	mu    sync.Mutex
	nodes [2]*server
}

func newTwoNodes(t *testing.T, more ...string) *twoNodes {
	t.Helper()
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	x := &twoNodes{t: t, s: everyStores["PostgreSQL"](t), more: more}
	withSample(t, x.s.db)
	x.start(0)
	x.start(1)
	return x
}

func (x *twoNodes) start(i int) {
	n := startServer(x.t, x.s.db, append([]string{"--kek", x.s.kek}, x.more...)...)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.nodes[i] = n
}

func (x *twoNodes) node(i int) *server {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.nodes[i]
}

// lags is what a node says of the views.
func (x *twoNodes) lags(i int) []projections.Lag {
	x.t.Helper()
	answer, err := client.Get(x.node(i).url + "/healthz")
	if err != nil {
		x.t.Fatal(err)
	}
	defer answer.Body.Close()
	var told struct{ Views []projections.Lag }
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
		x.t.Fatal(err)
	}
	return told.Views
}

// here is which views a node runs.
func (x *twoNodes) here(i int) (views []string) {
	x.t.Helper()
	for _, l := range x.lags(i) {
		if l.Here {
			views = append(views, l.View)
		}
	}
	return views
}

// holds waits until a node runs every view and has folded what was in the log when it
// was first asked, and says how long that took.
func (x *twoNodes) holds(i int, since time.Time, atMost time.Duration) time.Duration {
	x.t.Helper()
	head := domain.Position(-1)
	for {
		lags := x.lags(i)
		if head < 0 && len(lags) > 0 {
			head = lags[0].Head
		}
		took := time.Since(since)
		if len(lags) > 0 && !slices.ContainsFunc(lags, func(l projections.Lag) bool { return !l.Here || l.Position < head }) {
			return took
		}
		if took > atMost {
			x.t.Fatalf("after %s not all views were taken over: %+v", took, lags)
		}
		time.Sleep(20 * time.Millisecond) // between two looks, which are told how long they may go on
	}
}

// oneRunsEach asks both nodes in turn. What one says before and after the other says the
// same would be run by both.
func (x *twoNodes) oneRunsEach() {
	x.t.Helper()
	before, other := x.here(0), x.here(1)
	after := x.here(0)
	for _, view := range before {
		if slices.Contains(other, view) && slices.Contains(after, view) {
			x.t.Errorf("both nodes run the view %s", view)
		}
	}
}

// takeOver is how long it may take until another node runs the views of one that died.
const takeOver = 10 * time.Second

// Two nodes serve one database. Each view is run by one of them, and by the other soon
// after that was killed; whoever asks either of them sees their own write.
func TestKillOfTheNodeThatRunsTheViews(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	x := newTwoNodes(t)
	for since := time.Now(); len(x.here(0))+len(x.here(1)) < len(everyProjection(nil)); {
		if time.Since(since) > time.Minute {
			t.Fatalf("nobody runs the views: %v, %v", x.here(0), x.here(1))
		}
	}
	x.oneRunsEach()
	holder, other := 0, 1
	if len(x.here(0)) < len(x.here(1)) {
		holder, other = 1, 0
	}
	submitAndRead := func(n *server) bool {
		a, err := post(n.url+"/api/v1/requests", uuid.NewString(), submission)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Get(n.url + "/api/v1/requests/" + a.Reference)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	for _, n := range x.nodes {
		if !submitAndRead(n) {
			t.Error("a node does not show what was just submitted to it")
		}
	}
	x.node(holder).kill(t)
	died := time.Now()
	for !submitAndRead(x.node(other)) {
		if time.Since(died) > takeOver {
			t.Fatalf("nobody took the views over in %s", time.Since(died))
		}
	}
	t.Logf("all views were taken over %s after the node that ran them was killed", x.holds(other, died, takeOver).Round(100*time.Millisecond))
	x.node(other).stop(t)
	must(t, t.TempDir(), "", "projection", "verify", "--db", x.s.db)
}
