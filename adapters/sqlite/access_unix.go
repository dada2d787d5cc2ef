//go:build unix

package sqlite

import "golang.org/x/sys/unix"

// writable asks the operating system, without opening the file: see [lock].
func writable(path string) bool { return unix.Access(path, unix.W_OK) == nil }
