package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/sqlite"
)

// A test that needs another process runs this test binary again with the name of
// a task in the environment. The task talks to the test by lines of text.
const childTask = "ALUR_TEST_CHILD"

// tasks are what a child can do: each gets its arguments and the status to exit
// with is 0 if it returns nil. Each lives beside the tests that need it.
var tasks = map[string]func(args []string, out io.Writer) error{
	"hold":    hold,
	"append":  appendOnCommand,
	"backup":  backupOnCommand,
	"destroy": destroyOnCommand,
	"look":    look,
	"read":    readOnCommand,
}

func runChild() int {
	letTrace()
	name, rest, _ := strings.Cut(os.Getenv(childTask), "\n")
	if err := tasks[name](strings.Split(rest, "\n"), os.Stdout); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// raceFound is how a process ends in which the race detector found something.
const raceFound = 66

// child is a process that does a task.
type child struct {
	*exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// start runs a task. The child is killed at the end of the test if it is still
// there.
func start(t testing.TB, task ...string) child {
	t.Helper()
	return startAs(t, func(*exec.Cmd) {}, task...)
}

// startAs is start with a say in how the process is made.
func startAs(t testing.TB, as func(*exec.Cmd), task ...string) child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, os.Args[0])
	// With the race detector a process would wait a second before it ends.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childTask+"="+strings.Join(task, "\n"))
	cmd.Stderr = os.Stderr
	as(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe() // a child that waits, waits for a command or for its end
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // most are killed
		if cmd.ProcessState.ExitCode() == raceFound {
			t.Error("there is a data race in the child; see what it wrote")
		}
	})
	return child{cmd, in, bufio.NewScanner(out)}
}

// line is the next line that the child says, or "" at its end.
func (c child) line() string {
	c.lines.Scan()
	return c.lines.Text()
}

// expect fails the test unless this is what the child says next.
func (c child) expect(t testing.TB, want string) {
	t.Helper()
	if got := c.line(); got != want {
		t.Fatalf("the child says %q, want %q", got, want)
	}
}

// tell gives the child a command.
func (c child) tell(t testing.TB, command string) {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, command); err != nil {
		t.Fatal(err)
	}
}

// kill ends the child as a failing machine would, and waits until it is gone.
func (c child) kill(t testing.TB) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // "signal: killed"
}

// hold opens a log for writing and keeps it until it is killed.
func hold(args []string, out io.Writer) error {
	log, err := sqlite.Open(context.Background(), args[0])
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintln(out, "held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// look waits for a line, opens a log for writing, and says where its head is.
func look(args []string, out io.Writer) error {
	fmt.Fprintln(out, "ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	log, err := sqlite.Open(context.Background(), args[0])
	if err != nil {
		return err
	}
	defer log.Close()
	head, err := log.Head(context.Background())
	fmt.Fprintln(out, "head", head)
	return err
}
