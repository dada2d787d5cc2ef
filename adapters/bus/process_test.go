package bus_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

// A test that needs another process runs this test binary again with the name of a
// task, and what the task is given, in the environment. It talks to the test by lines.
const childTask = "ALUR_TEST_CHILD"

var tasks = map[string]func(args []string) error{"consume": consume}

func runChild() int {
	name, rest, _ := strings.Cut(os.Getenv(childTask), "\n")
	if err := tasks[name](strings.Split(rest, "\n")); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// child is a process that does a task, and what it says.
type child struct {
	*exec.Cmd
	lines chan string
}

// start runs a task in a process that is killed at the end of the test.
func start(t testing.TB, task ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0]), lines: make(chan string, 100_000)}
	c.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childTask+"="+strings.Join(task, "\n"))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(c.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { c.kill(t); <-read; _ = c.Wait() }) // it was killed
	return c
}

// kill ends the process as a power switch would. It may have ended.
func (c *child) kill(t testing.TB) {
	t.Helper()
	if err := c.Process.Signal(syscall.SIGKILL); err != nil && !strings.Contains(err.Error(), "finished") {
		t.Error(err)
	}
}

// consume is a process of the group "g": for each message it tells its event, and for
// as long holds a lock that shows whether it is alone.
func consume(args []string) error {
	ctx := context.Background()
	log, err := postgres.OpenLog(ctx, args[0])
	if err != nil {
		return err
	}
	o, err := postgres.OpenOutbox(ctx, args[0])
	if err != nil {
		return err
	}
	store, err := bus.OpenStore(ctx, o.Writer, o.Reader, time.Now)
	if err != nil {
		return err
	}
	witness, err := pgx.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	s := bus.NewSubscriber(bus.Config{Log: log, Store: store, Group: "g", Logger: quiet()})
	messages, err := s.Subscribe(ctx, bus.All)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for m := range messages {
		var alone, free bool
		if err := witness.QueryRow(ctx, `SELECT pg_try_advisory_lock(7)`).Scan(&alone); err != nil {
			return err
		}
		if !alone {
			fmt.Println("overlap")
		}
		fmt.Println(m.UUID)
		if err := witness.QueryRow(ctx, `SELECT pg_advisory_unlock(7)`).Scan(&free); err != nil {
			return err
		}
		m.Ack()
	}
	return nil
}

func killRounds(t *testing.T, usual int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("ALUR_SOAK_ROUNDS")); err == nil {
		return n
	}
	return usual
}

// Of two processes on one database one is at work. When it is killed the other takes
// over within 10 seconds; no event is left out, and only the one under way may come
// again.
func TestKilledConsumerIsReplaced(t *testing.T) {
	dsn := pgserver.Start(t).NewDatabase(t)
	at := openPostgres(t, dsn)
	nodes := []*child{start(t, "consume", dsn), start(t, "consume", dsn)}
	for _, n := range nodes {
		if line := <-n.lines; line != "ready" {
			t.Fatalf("a node says %q", line)
		}
	}
	var want, got []string
	again := 0
	// hear takes what the nodes say until all is told, and says who said it last.
	hear := func() int {
		last := -1
		for late := time.After(30 * time.Second); len(got) < len(want); {
			var line string
			select {
			case line = <-nodes[0].lines:
				last = 0
			case line = <-nodes[1].lines:
				last = 1
			case <-late:
				t.Fatalf("of %d events %d were given out", len(want), len(got))
			}
			switch {
			case line == "overlap":
				t.Error("two are at work at once")
			case len(got) > 0 && line == got[len(got)-1]:
				again++
			default:
				got = append(got, line)
			}
		}
		return last
	}
	rounds := killRounds(t, 2)
	for round := range rounds {
		want = append(want, at.events(t, 100)...)
		active := hear()
		want = append(want, at.events(t, 2000)...) // in the midst of which it is killed
		for range 50 + 100*round%1000 {
			got = append(got, <-nodes[active].lines)
		}
		nodes[active].kill(t)
		killed := time.Now()
		for line := range nodes[active].lines { // what it said before it died
			if line != got[len(got)-1] {
				got = append(got, line)
			} else {
				again++
			}
		}
		nodes[active].lines = nil // it says nothing more
		line := <-nodes[1-active].lines
		if took := time.Since(killed); took > 10*time.Second {
			t.Errorf("the other took over after %s", took)
		} else {
			t.Logf("round %d: the other took over after %s", round+1, took)
		}
		if line == got[len(got)-1] {
			again++
		} else {
			got = append(got, line)
		}
		hear()
		nodes[active] = start(t, "consume", dsn)
		if line := <-nodes[active].lines; line != "ready" {
			t.Fatalf("a node says %q", line)
		}
	}
	same(t, want, got)
	if again > rounds {
		t.Errorf("%d messages came again in %d rounds", again, rounds)
	}
}
