package sqlite_test

import "golang.org/x/sys/unix"

// letTrace allows any process of this user to trace this one. Some systems allow
// it to parents only, and strace is a sibling here. Where there is no such rule
// the call fails, and is not needed.
func letTrace() { _ = unix.Prctl(unix.PR_SET_PTRACER, unix.PR_SET_PTRACER_ANY, 0, 0, 0) }
