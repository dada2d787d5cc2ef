//go:build !linux

package sqlite_test

import "errors"

func restrict(string, string) error { return errors.ErrUnsupported }
