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
// with is 0 if it returns nil.
var tasks = map[string]func(args []string, out io.Writer) error{
	"hold": hold,
}

func runChild() int {
	name, rest, _ := strings.Cut(os.Getenv(childTask), "\n")
	if err := tasks[name](strings.Split(rest, "\n"), os.Stdout); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// child is a process that does a task.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
}

// start runs a task, by way of a wrapper such as strace if one is given. The
// child is killed at the end of the test if it is still there.
func start(t *testing.T, wrapper []string, task ...string) child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	args := append(append([]string{}, wrapper...), os.Args[0])
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childTask+"="+strings.Join(task, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil { // a child that waits, waits for its end
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	return child{cmd, bufio.NewScanner(out)}
}

// line is the next line that the child says, or "" at its end.
func (c child) line() string {
	c.lines.Scan()
	return c.lines.Text()
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
