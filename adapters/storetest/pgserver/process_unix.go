//go:build unix

package pgserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// user is who the server runs as; nil is who the tests run as. PostgreSQL refuses
// to run as root.
type user *syscall.Credential

func unprivileged() (user, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("the tests run as root, which PostgreSQL refuses, and there is neither a user postgres nor nobody")
}

func (x tools) give(dir string) error {
	if x.user == nil {
		return nil
	}
	return os.Chown(dir, int(x.user.Uid), int(x.user.Gid))
}

func (x tools) as(cmd *exec.Cmd) {
	detach(cmd)
	cmd.SysProcAttr.Credential = x.user
}

func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill stops the postmaster first, so that it starts no more children, then kills
// it and all of them, and waits until they are gone.
func (s *Server) kill() error {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	postmaster, err := strconv.Atoi(string(line))
	if err != nil {
		return fmt.Errorf("postmaster.pid: %w", err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		return err
	}
	victims, err := children(postmaster)
	if err != nil {
		return err
	}
	victims = append(victims, postmaster)
	for _, pid := range victims {
		// One that ended by itself meanwhile is as good.
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	// Where nobody collects the dead quickly, a postmaster that is a zombie would
	// make the next one believe in its lock files.
	return errors.Join(gone(victims), os.Remove(filepath.Join(s.data(), "postmaster.pid")), os.Remove(s.Socket()+".lock"))
}

func children(parent int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, fmt.Errorf("list the server's processes: %w", err)
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		var pid, ppid int
		if _, err := fmt.Sscan(line, &pid, &ppid); err == nil && ppid == parent {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// gone waits until no process is left: a new server would refuse to share the
// memory of what is left of the old one.
func gone(pids []int) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(time.Minute)
	for _, pid := range pids {
		for alive(pid) {
			select {
			case <-ticker.C:
			case <-late:
				return fmt.Errorf("process %d does not end", pid)
			}
		}
	}
	return nil
}

// alive is false for a zombie, which holds nothing any more.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) || !procMounted()
	}
	_, after, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(after, []byte("Z"))
}

func procMounted() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}
