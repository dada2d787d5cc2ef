//go:build !unix

package sqlite

import (
	"io/fs"
	"os"
)

// writable looks at the permissions, without opening the file: see [lock].
func writable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o200 != 0
}

func names(fs.FileInfo) uint64 { return 1 }
