package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// seeded is chance by a seed, which is told and can be given again as ALUR_SOAK_SEED. What
// processes make of it is different each time.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("ALUR_SOAK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("ALUR_SOAK_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// hearers are a mail server, a gateway for SMS and another system.
type hearers struct {
	*taker
	mail *mailTaker
	file string // that names them
}

func newHearers(t *testing.T) *hearers {
	t.Helper()
	x := &hearers{taker: newTaker(t)}
	var address string
	x.mail, address = startMailTaker(t)
	x.file = outwardTo(t, `
quiet: {from: "00:00", to: "00:00"}
mail: {server: "smtp://%[3]s?tls=none", from: alur@example.test}
sms: {url: %[1]s/sms, keys: [%[2]s], networks: [127.0.0.0/8]}
webhooks:
  - {name: elsewhere, url: %[1]s/elsewhere, keys: [%[2]s], networks: [127.0.0.0/8], types: [alur.request.*]}
`, x.URL, testSecret, address)
	return x
}

// heard is how often each message came, by its id, to each of them.
func (x *hearers) heard() map[string]map[string]int {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mail.mu.Lock()
	defer x.mail.mu.Unlock()
	all := map[string]map[string]int{}
	for who, ids := range map[string][]string{"mail": x.mail.ids, "sms": x.took["/sms"], "webhook": x.took["/elsewhere"]} {
		all[who] = map[string]int{}
		for _, id := range ids {
			all[who][id]++
		}
	}
	return all
}

// fewest is how many messages came at least to each of them.
func (x *hearers) fewest() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mail.mu.Lock()
	defer x.mail.mu.Unlock()
	return min(len(x.mail.ids), len(x.took["/sms"]), len(x.took["/elsewhere"]))
}

// load is clients that send to both nodes what they have no answer to. They wait when a lot
// of what follows has not gone out, so that there is always some, and an end.
type load struct {
	nodes    *twoNodes
	hearers  *hearers
	mu       sync.Mutex
	all      []*sent
	answered atomic.Int64
	over     chan struct{}
	clients  sync.WaitGroup
}

const mostBehind = 300

func (l *load) start(clients int) {
	l.over = make(chan struct{})
	for i := range clients {
		l.clients.Go(func() { l.client(i) })
	}
}

func (l *load) client(i int) {
	for !l.ended() {
		one := &sent{body: reachable, submitKey: uuid.NewString(), acceptKey: uuid.NewString()}
		l.mu.Lock()
		l.all = append(l.all, one)
		l.mu.Unlock()
		for one.carryOn(l.nodes.node(i%2).url) != nil {
			if l.ended() {
				return
			}
			i++
		}
		n := l.answered.Add(1)
		for !l.ended() && int(n)*2-l.hearers.fewest() > mostBehind {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (l *load) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// end has all answered.
func (l *load) end(t *testing.T) []*sent {
	t.Helper()
	close(l.over)
	l.clients.Wait()
	for _, one := range l.all {
		if err := one.carryOn(l.nodes.node(0).url); err != nil {
			t.Fatal(err)
		}
	}
	return l.all
}

// reachable is a submission of somebody who can be told by mail and by SMS.
var reachable = strings.Replace(formSubmission, `"phone"`, `"email":"cut@example.test","phone"`, 1)

// Either of two nodes is killed at any moment, again and again, while clients send to
// both what they have no answer to. The other runs all views soon after. In the end every
// view is what the log says, and what was acknowledged is there once; each public change was
// told by each channel, and each event to the other system, again under the same id if at
// all; and it is recorded once.
func TestKillOfEitherNodeUnderLoad(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the killed program is built without it; go test ./... runs this")
	}
	others := newHearers(t)
	x := newTwoNodes(t, "--outward", others.file)
	clients := &load{nodes: x, hearers: others}
	clients.start(16)
	chance := seeded(t)
	var slowest time.Duration
	for round := range rounds(t, 3) {
		victim, goal := chance.IntN(2), clients.answered.Load()+1+chance.Int64N(300)
		for since := time.Now(); clients.answered.Load() < goal; { // the moment of the kill
			x.oneRunsEach()
			if time.Since(since) > time.Minute {
				t.Fatalf("%d were answered, not %d", clients.answered.Load(), goal)
			}
		}
		if round == 0 && x.sends(victim) == 0 { // few rounds kill one that is at work, too
			victim = 1 - victim
		}
		views, sends := len(x.here(victim)), x.sends(victim)
		x.node(victim).kill(t)
		took := x.holds(1-victim, time.Now(), takeOver)
		slowest = max(slowest, took)
		t.Logf("round %d: node %d, which ran %d views and %d consumers, was killed; the other ran all views after %s; %d answers so far",
			round+1, victim, views, sends, took.Round(10*time.Millisecond), clients.answered.Load())
		x.start(victim)
		x.oneRunsEach()
	}
	t.Logf("all views were taken over after %s at most", slowest.Round(10*time.Millisecond))
	all := clients.end(t)
	x.toldOnce(others)
	must(t, t.TempDir(), "", "projection", "verify", "--db", x.s.db) // while both serve
	x.node(0).stop(t)
	x.node(1).stop(t)
	must(t, t.TempDir(), "", "projection", "verify", "--db", x.s.db)
	x.whatWasAcknowledgedIsThereOnce(all)
}

var activeConsumer = regexp.MustCompile(`(?m)^alur_consumer_active\{.*\} 1$`)

// sends is how many consumers a node does the work of.
func (x *twoNodes) sends(i int) int {
	x.t.Helper()
	return len(activeConsumer.FindAllString(get(x.t, x.node(i).url+"/metrics"), -1))
}

// toldOnce waits until all that is to be told has arrived, and is recorded once.
func (x *twoNodes) toldOnce(others *hearers) {
	t := x.t
	t.Helper()
	want := map[string]map[string]bool{"mail": {}, "sms": {}, "webhook": {}, "log": {}}
	for _, e := range recordedIn(t, x.s.db) {
		switch e.Body.(type) {
		case domain.RequestSubmitted, domain.ActionTaken: // each changes what the public sees
			for who, c := range map[string]domain.Channel{"mail": domain.ChannelEmail, "sms": domain.ChannelSMS} {
				id := domain.MessageID(e.ID, c, false).String()
				want[who][id], want["log"][id] = true, true
			}
		}
		if c, ok, err := bus.Outward(e, ""); err != nil {
			t.Fatal(err)
		} else if ok && strings.HasPrefix(c.Type, "alur.request.") {
			want["webhook"][c.ID] = true
		}
	}
	var got map[string]map[string]int
	for late := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		got = others.heard()
		got["log"] = x.recorded()
		if time.Now().After(late) || !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(who string) bool { return len(got[who]) < len(want[who]) }) {
			break
		}
	}
	for who := range want {
		wrong, again := []string{}, 0
		for id, times := range got[who] {
			again += times - 1
			if !want[who][id] {
				wrong = append(wrong, id+" is not one of these")
			}
		}
		for id := range want[who] {
			if n := got[who][id]; n == 0 || n > 1 && who == "log" {
				wrong = append(wrong, fmt.Sprint(id, " came ", n, " times"))
			}
		}
		t.Logf("%s: %d messages, %d came again", who, len(got[who]), again)
		if len(wrong) > 0 {
			t.Errorf("%s: of %d messages %d are wrong, such as %q", who, len(want[who]), len(wrong), wrong[:min(len(wrong), 5)])
		}
	}
}

// recorded is how often each message to an applicant is recorded.
func (x *twoNodes) recorded() map[string]int {
	x.t.Helper()
	times := map[string]int{}
	for _, e := range recordedIn(x.t, x.s.db) {
		switch b := e.Body.(type) {
		case domain.ApplicantNotified:
			times[b.ID.String()]++
		case domain.ApplicantNotNotified:
			x.t.Fatalf("message %s was given up: %s", b.ID, b.Fault)
		}
	}
	return times
}

// whatWasAcknowledgedIsThereOnce looks into the log.
func (x *twoNodes) whatWasAcknowledgedIsThereOnce(all []*sent) {
	t, s := x.t, x.s
	t.Helper()
	s.readOnly = true
	log, _, err := s.openLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	storetest.Verify(t, storetest.Features{Gapless: true}, log)
	events := map[domain.Reference]int{}
	reference := map[string]domain.Reference{}
	for e, err := range domain.Events(log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := e.Body.(domain.RequestSubmitted); ok {
			reference[e.Stream] = b.Reference
		}
		if domain.StreamKind(e.Stream) == "request" {
			events[reference[e.Stream]]++
		}
	}
	for _, one := range all {
		if n := events[domain.Reference(one.submitted.Reference)]; n != one.accepted.Version {
			t.Errorf("the request %s has %d events, and was told to have %d", one.submitted.Reference, n, one.accepted.Version)
		}
	}
	if len(events) != len(all) {
		t.Errorf("%d requests were sent, %d are there", len(all), len(events))
	}
}
