package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"alur": main})
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
