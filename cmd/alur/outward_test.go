package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/bus/jetstream"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

// startNATS runs a server of NATS with JetStream in this process.
func startNATS(t *testing.T) string {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS does not start")
	}
	return s.ClientURL()
}

// elsewhere is another system, which takes integration events.
func elsewhere(t *testing.T, url, subjects string) <-chan *message.Message {
	t.Helper()
	s, err := jetstream.NewSubscriber(jetstream.Server{URL: url, Name: "elsewhere"}, jetstream.Group{Name: "elsewhere"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	messages, err := s.Subscribe(t.Context(), subjects)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return messages
}

func take(t *testing.T, messages <-chan *message.Message) bus.CloudEvent {
	t.Helper()
	var c bus.CloudEvent
	select {
	case m := <-messages:
		if err := json.Unmarshal(m.Payload, &c); err != nil {
			t.Fatal(err)
		}
		m.Ack()
	case <-time.After(time.Minute):
		t.Fatal("no event came in a minute")
	}
	return c
}

func getJSON(t *testing.T, url string, into any) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", url, resp.Status, err, b)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatalf("%s: %v\n%s", url, err, b)
		}
	}
	return string(b)
}

// Another system is told of a request by events that lead to it, and not to the page
// that its reference opens.
func TestServeForwardsIntegrationEvents(t *testing.T) {
	url := startNATS(t)
	var where stores
	s := newSite(t, func(w *stores) { where = *w })
	logger := slog.New(slog.DiscardHandler)
	if err := s.openOutward(t.Context(), where, outward{nats: url, content: "binary"}, logger); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.react(ctx, logger) }()
	defer func() { cancel(); <-done }()
	a, err := post(s.URL+"/api/v1/requests", "key-1", submission)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := post(s.URL+"/api/v1/requests/"+a.Reference+"/actions", "key-2", action("accept", "", "front-office")); err != nil {
		t.Fatal(err)
	}
	messages := elsewhere(t, url, "alur.11-71.sip-dokter.request.>")
	first := take(t, messages)
	if first.Type != "alur.request.submitted" {
		t.Errorf("first came %s", first.Type)
	}
	var told bus.Told
	if err := json.Unmarshal(first.Data, &told); err != nil {
		t.Fatal(err)
	}
	if text := string(first.Data) + first.Subject; strings.Contains(text, a.Reference) || strings.Contains(text, "secret") {
		t.Errorf("the event holds the reference or an actor: %s", text)
	}
	var shown struct {
		Reference string `json:"reference"`
		Version   int    `json:"version"`
	}
	getJSON(t, s.URL+told.Link, &shown)
	if shown.Reference != a.Reference || shown.Version < int(told.Version) {
		t.Errorf("the link leads to %+v", shown)
	}
	var steps struct {
		Reference string            `json:"reference"`
		Steps     []json.RawMessage `json:"steps"`
	}
	getJSON(t, s.URL+"/api/v1/requests/"+told.Request+"/timeline?position=1000000", &steps)
	if steps.Reference != a.Reference || len(steps.Steps) < 2 {
		t.Errorf("the timeline by the id: %+v", steps)
	}
	if second := take(t, messages); second.Type != "alur.request.moved" || second.Subject != told.Request {
		t.Errorf("then came %+v", second)
	}
	for _, path := range []string{"/lacak/" + told.Request, "/api/v1/requests/01939d0b-64c8-7000-8000-0000000000aa", "/api/v1/requests/01939d0b-64c8-7000-8000-0000000000aa/timeline"} {
		resp, err := client.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if metrics := getJSON(t, s.URL+"/metrics", nil); !strings.Contains(metrics, `alur_consumer_active{consumer="forwarder"} 1`) || !strings.Contains(metrics, `became="handled",consumer="forwarder"`) {
		t.Errorf("metrics:\n%s", metrics)
	}
	if schema := getJSON(t, s.URL+bus.SchemaPath, nil); schema != bus.Schema {
		t.Errorf("schema: %s", schema)
	}
}

// Two nodes on one database: the one that forwards is killed under load, again and
// again. The other takes over; every event arrives, in order, and one that comes again
// has the id that it had.
func TestKillOfTheNodeThatForwards(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	url := startNATS(t)
	db := pgserver.Start(t).NewDatabase(t)
	withSample(t, db)
	kek := filepath.Join(t.TempDir(), "kek")
	must(t, t.TempDir(), "", "keys", "new", "--kek", kek)
	t.Setenv(natsVariable, url)
	nodes := []*server{startServer(t, db, "--kek", kek), startServer(t, db, "--kek", kek)}
	active := func() int {
		for late := time.After(10 * time.Second); ; {
			for i, n := range nodes {
				if strings.Contains(getJSON(t, n.url+"/metrics", nil), `alur_consumer_active{consumer="forwarder"} 1`) {
					return i
				}
			}
			select {
			case <-late:
				t.Fatal("10 seconds have passed, and no node forwards")
			case <-time.After(50 * time.Millisecond): // the moment of the kill, not a wait for anything
			}
		}
	}
	messages := elsewhere(t, url, jetstream.Subjects)
	for round := range rounds(t, 1) {
		i := active()
		var load []chan error
		for range 8 {
			done := make(chan error, 1)
			load = append(load, done)
			go func() {
				for range 25 {
					one := &sent{submitKey: uuid.NewString(), acceptKey: uuid.NewString()}
					if err := patiently(func() error { return one.carryOn(nodes[1-i].url) }); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		nodes[i].kill(t)
		for _, done := range load {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		t.Logf("round %d: node %d was killed", round+1, i)
		nodes[i] = startServer(t, db, "--kek", kek)
	}
	var want, got []string
	for _, e := range recordedIn(t, db) {
		if _, ok, err := bus.Outward(e, ""); err != nil {
			t.Fatal(err)
		} else if ok {
			want = append(want, e.ID.String())
		}
	}
	seen := map[string]bool{}
	for len(got) < len(want) {
		if c := take(t, messages); !seen[c.ID] {
			seen[c.ID] = true
			got = append(got, c.ID)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-recorded +arrived)\n%s", d)
	}
	for _, n := range nodes {
		n.stop(t)
	}
}

// patiently does what a client does whose server answers that it cannot answer now: the
// views of a node that was killed are taken over some seconds later.
func patiently(do func() error) error {
	for late := time.Now().Add(time.Minute); ; {
		if err := do(); err == nil || time.Now().After(late) {
			return err
		}
	}
}

// The page for integrators tells of every integration event, and its example is one.
func TestIntegratorsPageTellsOfEveryIntegrationEvent(t *testing.T) {
	page := readText(t, "docs/integrators.md")
	for told, names := range bus.OutwardTypes() {
		for _, name := range append(names, told) {
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("docs/integrators.md does not say `%s`", name)
			}
		}
	}
	for _, said := range regexp.MustCompile("`(alur\\.(?:request|workflow|calendar)\\.[a-z_]+)`").FindAllStringSubmatch(page, -1) {
		if bus.OutwardTypes()[said[1]] == nil {
			t.Errorf("there is no integration event %s", said[1])
		}
	}
	examples := blocks(page, "json")
	var c bus.CloudEvent
	if err := json.Unmarshal([]byte(examples[len(examples)-1]), &c); err != nil {
		t.Fatal(err)
	}
	strict := json.NewDecoder(strings.NewReader(string(c.Data)))
	strict.DisallowUnknownFields()
	var told bus.Told
	if err := strict.Decode(&told); err != nil || told.Request != c.Subject || bus.OutwardTypes()[c.Type] == nil {
		t.Errorf("the example: %v, %+v", err, c)
	}
}
