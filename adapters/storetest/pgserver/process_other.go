//go:build !unix

package pgserver

import (
	"errors"
	"os/exec"
)

type user struct{}

func unprivileged() (user, error) { return user{}, errNotInstalled }

func (tools) give(string) error { return nil }

func (tools) as(*exec.Cmd) {}

func detach(*exec.Cmd) {}

func (*Server) kill() error { return errors.New("only Unix can kill the server") }
