package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// rounds is how often a test kills; make soak asks for more.
func rounds(t *testing.T, n int) int {
	t.Helper()
	if s := os.Getenv("ALUR_SOAK_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if underRace {
		return 1 // the program that is killed is built without it anyway
	}
	return n
}

// program builds the program, once, as its users do: without the race detector
// that the test itself may run under.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programDir, "alur")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// child is the program as a process of its own, to be killed.
func child(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// server is alur serve in a process of its own.
type server struct {
	*exec.Cmd
	url string
}

func startServer(t testing.TB, db string, more ...string) *server {
	t.Helper()
	c := child(t, append([]string{"serve", "--db", db, "--listen", "127.0.0.1:0"}, more...)...)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{Cmd: c}
	lines := bufio.NewScanner(stderr)
	var all strings.Builder
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if m := regexp.MustCompile(`pages=(http://\S+)/lacak`).FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
			break
		}
	}
	if s.url == "" {
		t.Fatalf("the server did not start:\n%s", all.String())
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	return s
}

// withSample makes a database where the sample licence stands for the doctor's, and
// returns its path.
func withSample(t *testing.T, db string) string {
	t.Helper()
	h, err := openHouse(t.Context(), stores{db: db}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.publishSample(t.Context()), h.close()); err != nil {
		t.Fatal(err)
	}
	return db
}

// stop asks the server to end and expects it to end well.
func (s *server) stop(t testing.TB) {
	t.Helper()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("the server did not end cleanly: %v", err)
	}
}

// kill ends the server as a power switch would.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := s.Wait(); err == nil {
		t.Error("a killed server ended well")
	}
}

// acknowledged is what a client was told.
type acknowledged struct {
	Reference string `json:"reference"`
	Version   int    `json:"version"`
	Position  int    `json:"position"`
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

func post(url, key, body string) (acknowledged, error) {
	var a acknowledged
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	resp, err := client.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if resp.StatusCode >= 300 {
		return a, fmt.Errorf("%s %s", resp.Status, b)
	}
	return a, json.Unmarshal(b, &a)
}

// sent is one client's request and what it was told; a zero answer means that it
// was told nothing.
type sent struct {
	body                 string // that is submitted; empty is [submission]
	submitKey, acceptKey string
	submitted, accepted  acknowledged
}

// carryOn sends what has not been acknowledged, under its old keys.
func (s *sent) carryOn(url string) error {
	var err error
	if s.submitted.Reference == "" {
		body := s.body
		if body == "" {
			body = submission
		}
		if s.submitted, err = post(url+"/api/v1/requests", s.submitKey, body); err != nil {
			return err
		}
	}
	if s.accepted.Reference == "" {
		s.accepted, err = post(url+"/api/v1/requests/"+s.submitted.Reference+"/actions", s.acceptKey, action("accept", "", "front-office"))
	}
	return err
}

// 64 clients submit requests and have them accepted; the server is killed at any
// moment, again and again; each client repeats what it has no answer to.
func TestKillDuringSubmissions(t *testing.T) {
	db := withSample(t, filepath.Join(t.TempDir(), "alur.db"))
	var all []*sent
	var answered atomic.Int64
	for round := range rounds(t, 4) {
		s := startServer(t, db)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for { // until the server is gone
					one := &sent{submitKey: uuid.NewString(), acceptKey: uuid.NewString()}
					mu.Lock()
					all = append(all, one)
					mu.Unlock()
					if one.carryOn(s.url) != nil {
						return
					}
					answered.Add(1)
				}
			})
		}
		goal := answered.Load() + 1 + rand.Int64N(300)
		gone := make(chan struct{})
		go func() { wg.Wait(); close(gone) }()
		for running := true; running && answered.Load() < goal; {
			select {
			case <-gone:
				t.Error("the clients gave up before the server was killed")
				running = false
			case <-time.After(time.Millisecond): // the moment of the kill, not a wait for anything
			}
		}
		s.kill(t)
		<-gone
		t.Logf("round %d: %d requests so far", round+1, len(all))
	}

	s := startServer(t, db)
	firstAnswers := map[*sent]sent{}
	for _, one := range all {
		firstAnswers[one] = *one
		if err := one.carryOn(s.url); err != nil {
			t.Fatal(err)
		}
		// What was acknowledged is answered the same again.
		again := &sent{submitKey: one.submitKey, acceptKey: one.acceptKey}
		if err := again.carryOn(s.url); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(*one, *again, cmp.AllowUnexported(sent{})); d != "" {
			t.Errorf("answered otherwise (-first +again)\n%s", d)
		}
	}
	s.stop(t)

	h := openWhole(t, db)
	versions := map[string]int{}
	for e, err := range domain.Events(h.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok {
			versions[string(b.Reference)] = 0
		}
	}
	if len(versions) != len(all) {
		t.Errorf("%d requests were sent, %d are there: some are lost or doubled", len(all), len(versions))
	}
	told := 0
	for one, first := range firstAnswers {
		if first.accepted.Reference != "" {
			told++
		}
		r, err := h.find(t.Context(), one.submitted.Reference)
		if err != nil {
			t.Fatal(err)
		}
		if r.Version != 2 || r.State != "health-check" {
			t.Errorf("request %s is at version %d, %s", r.Reference, r.Version, r.State)
		}
	}
	if told == 0 {
		t.Error("nothing was acknowledged before a kill: the test tested nothing")
	}
	viewsAgreeWithARebuild(t, h, db)
}

// openWhole opens the database after the kills, and has the log checked.
func openWhole(t *testing.T, db string) *house {
	t.Helper()
	h, err := openHouse(t.Context(), stores{db: db}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	storetest.Verify(t, storetest.Features{Gapless: true}, h.log)
	return h
}

// viewsAgreeWithARebuild closes the house, has the views built from zero, and
// compares every row.
func viewsAgreeWithARebuild(t *testing.T, h *house, db string) {
	t.Helper()
	live := rowsOf(t, h.viewsDB.reader)
	if isPostgres(db) {
		tx, err := h.viewsDB.writer.Begin(t.Context())
		if err == nil {
			_, err = tx.Exec(t.Context(), `DROP SCHEMA alur_views CASCADE`)
		}
		if err == nil {
			err = tx.Commit(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(beside(db, "views") + suffix); err != nil && !errors.Is(err, os.ErrNotExist) && !isPostgres(db) {
			t.Fatal(err)
		}
	}
	again := openWhole(t, db)
	rebuilt := rowsOf(t, again.viewsDB.reader)
	if err := again.close(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rebuilt, live) {
		t.Errorf("views (-rebuilt +live)\n%s", cmp.Diff(rebuilt, live))
	}
	if len(live) == 0 {
		t.Error("the views are empty")
	}
}

func rowsOf(t *testing.T, db *sql.DB) []string {
	t.Helper()
	var out []string
	for _, table := range []string{"status", "timeline", "service", "term", "checkpoint"} {
		out = append(out, storetest.Rows(t, db, "SELECT * FROM "+table+" ORDER BY 1, 2")...)
	}
	return out
}

// writeLog makes an event log of many cases.
func writeLog(t testing.TB, path string, cases, events int) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("<log>\n")
	for c := range cases {
		fmt.Fprintf(&b, `<trace><string key="concept:name" value="case-%d"/><date key="deadline" value="2026-03-01T00:00:00Z"/>`+"\n", c)
		for e := range events {
			fmt.Fprintf(&b, `<event><string key="concept:name" value="Step %d"/><string key="org:resource" value="R%d"/><date key="time:timestamp" value="2026-01-%02dT08:%02d:00+07:00"/></event>`+"\n",
				(c+e)%7, (c*e)%5, 1+e%28, c%60)
		}
		b.WriteString("</trace>\n")
	}
	b.WriteString("</log>\n")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An import is killed at any moment, again and again. What a reader once saw is
// there ever after, no case is there in part, and the import can be repeated
// until it ends.
func TestKillDuringImport(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it, and checking its log with it takes minutes; go test ./... runs this")
	}
	const cases, events = 1500, 8
	dir := t.TempDir()
	db, log, workflow := filepath.Join(dir, "alur.db"), filepath.Join(dir, "log.xes"), filepath.Join(dir, "w.yaml")
	writeLog(t, log, cases, events)
	draft, err := child(t, "workflow", "discover", log).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(workflow, draft, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", "xes", log, "--workflow", workflow, "--db", db, "--tenant", "11.71", "--json"}
	undisturbed := filepath.Join(dir, "undisturbed.db")
	if out, err := child(t, "import", "xes", log, "--workflow", workflow, "--db", undisturbed, "--tenant", "11.71").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	reference := openWhole(t, undisturbed)
	whole, total := imported(t, reference)
	if err := reference.close(); err != nil {
		t.Fatal(err)
	}

	seen := map[uuid.UUID]domain.Position{}
	killed := 0
	n := rounds(t, 5)
	for round := 0; round < n || killed == 0 && round < 20; round++ {
		c := child(t, args...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// Kill when the log has grown by a random measure.
		exited := make(chan error, 1)
		go func() { exited <- c.Wait() }()
		was := domain.Position(len(seen))
		goal := was + 1 + domain.Position(rand.IntN(cases*events/max(n, 5)))
		var ended error
		for running := true; running && watch(t, db, was, seen) < goal; {
			select {
			case ended = <-exited:
				running = false
			case <-time.After(time.Millisecond): // the moment of the kill, not a wait for anything
			}
		}
		if err := c.Process.Kill(); err == nil {
			ended = <-exited
		} else if !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if errors.As(ended, &exit) {
			if s, ok := exit.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
				t.Errorf("the import ended by itself: %v\n%s", ended, &stderr)
			}
			killed++
		}
		h := openWhole(t, db)
		for e, err := range domain.Events(h.log.ReadAll(t.Context(), 0)) {
			if err != nil {
				t.Fatal(err)
			}
			if at, ok := seen[e.ID]; ok && at != e.Position {
				t.Errorf("event %s was at position %d and is at %d", e.ID, at, e.Position)
			}
			delete(seen, e.ID)
		}
		if len(seen) > 0 {
			t.Errorf("%d events that a reader saw are gone", len(seen))
		}
		streams, _ := imported(t, h)
		for stream, got := range streams {
			want := whole[stream]
			late := len(want) - 1 // what has come of an open case is recorded behind it
			if !slices.Equal(got, want) && (want[late] != "TermExpired" || !slices.Equal(got, want[:late])) {
				t.Errorf("%s has %v, want %v: a case is there in part", stream, got, want)
			}
		}
		for e, err := range domain.Events(h.log.ReadAll(t.Context(), 0)) {
			if err != nil {
				t.Fatal(err)
			}
			seen[e.ID] = e.Position
		}
		t.Logf("round %d: %d cases are there", round+1, len(streams))
		viewsAgreeWithARebuildIfAny(t, h, db)
	}
	if killed == 0 {
		t.Error("no import was killed under way: the test tested nothing")
	}

	out, err := child(t, args...).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var summary workflows.ImportSummary
	if err := json.Unmarshal(out, &summary); err != nil {
		t.Fatal(err)
	}
	if summary.KeptCases != cases || summary.KeptEvents != cases*events || len(summary.Refused) != 0 {
		t.Errorf("the last import: %+v", summary)
	}
	h := openWhole(t, db)
	head, err := h.log.Head(t.Context())
	if err != nil || head != total {
		t.Errorf("%d events, %v; want %d: some are lost or doubled", head, err, total)
	}
	viewsAgreeWithARebuild(t, h, db)
}

// imported are the types of the events of each request of a log, and how many events there
// are in all.
func imported(t *testing.T, h *house) (map[string][]string, domain.Position) {
	t.Helper()
	streams, total := map[string][]string{}, domain.Position(0)
	for e, err := range domain.Events(h.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		total++
		if domain.StreamKind(e.Stream) == "request" {
			name, _ := e.Body.Type()
			streams[e.Stream] = append(streams[e.Stream], name)
		}
	}
	return streams, total
}

func viewsAgreeWithARebuildIfAny(t *testing.T, h *house, db string) {
	t.Helper()
	if head, err := h.log.Head(t.Context()); err != nil || head == 0 {
		if err := errors.Join(err, h.close()); err != nil {
			t.Fatal(err)
		}
		return
	}
	viewsAgreeWithARebuild(t, h, db)
}

// watch reads, as another process, what the import has recorded so far.
func watch(t *testing.T, path string, after domain.Position, seen map[uuid.UUID]domain.Position) domain.Position {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), `SELECT position, id FROM event WHERE position > ?`, after)
	if err != nil {
		return after // not there yet
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&after, &b); err != nil {
			t.Fatal(err)
		}
		id, err := uuid.FromBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		seen[id] = after
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return after
}
