package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programDir is where tests build the program; it is removed when they end.
var programDir string

type cleanly struct{ *testing.M }

// Run runs the tests and removes what they built.
func (m cleanly) Run() int {
	var err error
	if programDir, err = os.MkdirTemp("", "alur-test-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(programDir)
	return m.M.Run()
}

func TestMain(m *testing.M) {
	// A token in the developer's own environment is none of the tests' business.
	if err := os.Unsetenv(tokenVariable); err != nil {
		panic(err)
	}
	testscript.Main(cleanly{m}, map[string]func(){"alur": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			dir, err := os.Getwd()
			e.Setenv("MODULE", dir+"/../..")
			return err
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "shared":
				_, err := os.Stat("../../../shared/data/logs")
				return err == nil || os.Getenv("CI") != "", nil
			case "race":
				return underRace, nil
			}
			return false, fmt.Errorf("no condition %q", cond)
		},
	})
}
