package pgserver

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

var errNotInstalled = errors.New("PostgreSQL is not installed: neither is pg_ctl on the PATH nor anything in /usr/lib/postgresql")

// tools is where PostgreSQL's programs are, and who may run them.
type tools struct {
	bin  string
	user user
}

// findTools looks on the PATH, and then where Debian keeps the programs of several
// versions beside each other, newest first.
func findTools() (tools, error) {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return tools{}, err
	}
	slices.SortFunc(bins, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("pg_ctl"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			bins = slices.Insert(bins, 0, filepath.Dir(path))
		}
	}
	for _, bin := range bins {
		_, noInit := exec.LookPath(filepath.Join(bin, "initdb"))
		_, noCtl := exec.LookPath(filepath.Join(bin, "pg_ctl"))
		if noInit == nil && noCtl == nil {
			u, err := unprivileged()
			return tools{bin: bin, user: u}, err
		}
	}
	return tools{}, errNotInstalled
}

func version(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}
