package jetstream_test

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/bus/jetstream"
)

// A test that needs another process runs this test binary again with what it is to do
// in the environment.
const childTask = "ALUR_TEST_CHILD"

// runChild is one server of a cluster: its name, folder, port, port for the others, and
// where the others are.
func runChild() int {
	args := strings.Split(os.Getenv(childTask), "\n")
	port, err := strconv.Atoi(args[2])
	if err != nil {
		return 1
	}
	routes := []*url.URL{}
	for _, r := range strings.Split(args[4], ",") {
		routes = append(routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + r})
	}
	own, err := strconv.Atoi(args[3])
	if err != nil {
		return 1
	}
	s, err := server.NewServer(&server.Options{
		ServerName: args[0], StoreDir: args[1], Host: "127.0.0.1", Port: port, JetStream: true, SyncAlways: true, NoLog: true, NoSigs: true,
		Cluster: server.ClusterOpts{Name: "alur", Host: "127.0.0.1", Port: own}, Routes: routes,
	})
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return 1
	}
	fmt.Println("ready")
	s.WaitForShutdown()
	return 0
}

// cluster is three servers, each in a process of its own.
type cluster struct {
	t     testing.TB
	dirs  []string
	ports []int // for clients
	links []int // for each other
	nodes []*exec.Cmd
}

func startCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{t: t, nodes: make([]*exec.Cmd, 3)}
	for range 3 {
		c.dirs, c.ports, c.links = append(c.dirs, t.TempDir()), append(c.ports, freePort(t)), append(c.links, freePort(t))
	}
	for i := range 3 {
		c.start(i)
	}
	return c
}

func (c *cluster) start(i int) {
	c.t.Helper()
	routes := make([]string, 3)
	for j, l := range c.links {
		routes[j] = strconv.Itoa(l)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childTask+"="+strings.Join([]string{
		fmt.Sprint("n", i), c.dirs[i], strconv.Itoa(c.ports[i]), strconv.Itoa(c.links[i]), strings.Join(routes, ","),
	}, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.nodes[i] = cmd
	c.t.Cleanup(func() { c.kill(i) })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		c.t.Fatalf("server %d says %q, %v", i, line, err)
	}
}

// kill ends a server as a power switch would.
func (c *cluster) kill(i int) {
	if n := c.nodes[i]; n != nil {
		c.nodes[i] = nil
		if err := n.Process.Signal(syscall.SIGKILL); err != nil {
			c.t.Error(err)
		}
		_ = n.Wait() // it was killed
	}
}

func (c *cluster) url() string {
	urls := make([]string, 3)
	for i, p := range c.ports {
		urls[i] = "nats://127.0.0.1:" + strconv.Itoa(p)
	}
	return strings.Join(urls, ",")
}

// leader is which server leads the stream.
func (c *cluster) leader() int {
	c.t.Helper()
	conn, err := nats.Connect(c.url())
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		c.t.Fatal(err)
	}
	led := -1
	until(c.t, "the stream has a leader and three replicas", func() bool {
		info, err := js.StreamInfo(jetstream.Stream)
		if err != nil || info.Cluster == nil || info.Config.Replicas != 3 {
			return false
		}
		_, err = fmt.Sscanf(info.Cluster.Leader, "n%d", &led)
		return err == nil
	})
	return led
}

// Of three servers the one that leads is killed while events are forwarded and taken:
// none is lost, they stay in order, and one that comes again has the id that it had.
func TestOneOfThreeServersIsKilled(t *testing.T) {
	c := startCluster(t)
	n := newNode(t)
	want := n.record(t, 200)
	n.forward(t, c.url(), bus.Structured)
	messages, leave := subscribe(t, c.url(), "elsewhere", jetstream.Subjects)
	defer leave()
	var got []string
	again := map[string]bool{}
	seen := map[string]bool{}
	hear := func(count int) {
		t.Helper()
		for len(got) < count {
			m := next(t, messages)
			if seen[m.UUID] {
				again[m.UUID] = true
			} else {
				got = append(got, m.UUID)
			}
			seen[m.UUID] = true
			m.Ack()
		}
	}
	hear(100)
	victim := c.leader()
	c.kill(victim)
	want = append(want, n.record(t, 200)...)
	hear(300)
	c.start(victim)
	want = append(want, n.record(t, 100)...)
	hear(500)
	same(t, want, got)
	t.Logf("%d came again", len(again))
}
