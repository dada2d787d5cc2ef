package sqlite_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// needStrace skips a test of failing system calls where there is no strace to
// make them fail, loudly; in CI that is a failure.
func needStrace(t testing.TB) string {
	t.Helper()
	name, err := exec.LookPath("strace")
	if err == nil {
		return name
	}
	if os.Getenv("CI") != "" {
		t.Fatal("strace is not installed: what happens on a failing disk is NOT TESTED")
	}
	t.Skip("SKIPPED: strace is not installed, so what happens on a failing disk is NOT TESTED")
	return ""
}

// faultyDisk makes system calls of a running child fail.
type faultyDisk struct {
	strace *exec.Cmd
	log    string
	ended  chan struct{} // everything that strace says was read
}

// breakDisk makes the system calls of a child on some files fail from now on, or
// on any file if none is named. Each fault is as strace's inject has it, such as
// "pwrite64:error=EIO". The child must be idle.
func breakDisk(t testing.TB, c child, files []string, faults ...string) *faultyDisk {
	t.Helper()
	d := &faultyDisk{log: filepath.Join(t.TempDir(), "strace.log"), ended: make(chan struct{})}
	args := []string{"-f", "-y", "-o", d.log, "-p", fmt.Sprint(c.Process.Pid)}
	var calls []string
	for _, f := range faults {
		call, _, _ := strings.Cut(f, ":")
		calls = append(calls, call)
		args = append(args, "-e", "inject="+f)
	}
	args = append(args, "-e", "trace="+strings.Join(calls, ","))
	for _, f := range files {
		args = append(args, "-P", f)
	}
	d.strace = exec.Command(needStrace(t), args...)
	said, err := d.strace.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.strace.Start(); err != nil {
		t.Fatal(err)
	}
	attached := make(chan bool, 1)
	go func() {
		defer close(d.ended)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "Requested path") {
				continue // it does not exist yet, or is a link
			}
			select { // only the first line is waited for
			case attached <- strings.Contains(lines.Text(), "attached"):
			default:
			}
		}
		close(attached)
	}()
	t.Cleanup(func() { d.mend(t) })
	if !<-attached {
		t.Fatal("strace cannot be attached to the child")
	}
	return d
}

// mend lets all calls succeed again.
func (d *faultyDisk) mend(t testing.TB) {
	t.Helper()
	if d.strace.ProcessState != nil {
		return
	}
	if err := d.strace.Process.Signal(syscall.SIGINT); err != nil {
		t.Logf("strace: %v", err) // it ended with the child
	}
	<-d.ended
	_ = d.strace.Wait() // "signal: interrupt"
}

// calls are the system calls that could fail, in order, one text each.
func (d *faultyDisk) calls(t testing.TB) []string {
	t.Helper()
	log, err := os.ReadFile(d.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(log), "\n")
}

// wantHit fails the test unless calls did fail: of a disk that was not asked,
// nothing is learned.
func (d *faultyDisk) wantHit(t testing.TB) {
	t.Helper()
	calls := d.calls(t)
	hit := func(call string) bool { return strings.Contains(call, "(INJECTED)") }
	if !slices.ContainsFunc(calls, hit) {
		t.Errorf("no call failed; strace saw:\n%s", strings.Join(calls, "\n"))
	}
}
