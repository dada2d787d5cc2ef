//go:build unix

package sqlite

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// writable asks the operating system, without opening the file: see [lock].
func writable(path string) bool { return unix.Access(path, unix.W_OK) == nil }

// names is how many names a file has.
func names(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink) //nolint:unconvert // it has another width elsewhere
	}
	return 1
}
