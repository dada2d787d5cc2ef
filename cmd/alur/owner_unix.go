//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a file to whom another belongs: a key that root rotates is still
// to be read by the account that serves.
func keepOwner(f *os.File, other fs.FileInfo) error {
	was, ok := other.Sys().(*syscall.Stat_t)
	if !ok || int(was.Uid) == os.Geteuid() && int(was.Gid) == os.Getegid() {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("leave %s with its owner: %w", other.Name(), err)
	}
	return nil
}
