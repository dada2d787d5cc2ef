package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
)

// tested is what became of the tests of one file.
type tested struct {
	File     string             `json:"file"`
	Passed   int                `json:"passed"`
	Failed   int                `json:"failed"`
	Problems workflows.Problems `json:"problems"`
	Untaken  []string           `json:"untaken"`          // transitions and ends of terms that no test takes, each by the state they lead out of
	Unread   string             `json:"unread,omitempty"` // why the file was not looked at
	Broken   bool               `json:"broken,omitempty"` // the problems are of the definition: it cannot be read, and no test was run
}

func newWorkflowTest() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run the tests that stand in workflow definitions",
		Long: `Test plays each test of a definition by the rules that real requests are judged by,
and names the line where one goes another way, and the ways that none takes: transitions
out of each of their states, and terms that run out there and move the request. The exit
code is 3 when one goes another way, when there are no tests, or when the definition cannot
be read; it is 1 when a file could not be looked at. A file that is named - is standard input.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			all := []tested{}
			failed := 0
			var unread error
			for _, file := range files {
				one, err := testFile(file)
				if err != nil {
					unread = errors.Join(unread, err)
					one.Unread = err.Error()
				}
				if one.Failed > 0 || one.Passed == 0 {
					failed++
				}
				all = append(all, one)
			}
			if err := printTested(c.OutOrStdout(), all, asJSON); err != nil {
				return err
			}
			if unread == nil && failed > 0 {
				return &faultError{"not every file has tests that pass"}
			}
			return unread
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func testFile(file string) (tested, error) {
	one := tested{File: shownAs(file), Problems: workflows.Problems{}, Untaken: []string{}}
	d, source, err := readDefinition(file)
	if errors.As(err, &one.Problems) {
		one.Broken = true
		return one, nil
	}
	if err != nil {
		return one, err
	}
	run := workflows.RunTests(one.File, source, d)
	one.Passed, one.Failed, one.Problems = run.Passed, run.Failed, append(one.Problems, run.Problems...)
	one.Untaken = append(one.Untaken, run.Untaken...)
	return one, nil
}

func printTested(w io.Writer, all []tested, asJSON bool) error {
	if asJSON {
		return printJSON(w, all)
	}
	var b strings.Builder
	for _, one := range all {
		if len(one.Problems) > 0 {
			fmt.Fprintln(&b, one.Problems.Error())
		}
		switch {
		case one.Unread != "": // told with the other errors
		case one.Broken:
			fmt.Fprintf(&b, "%s: the definition cannot be read; no test was run\n", one.File)
		case one.Passed+one.Failed == 0:
			fmt.Fprintf(&b, "%s: there are no tests; write some under the key tests\n", one.File)
		default:
			fmt.Fprintf(&b, "%s: %d passed, %d failed\n", one.File, one.Passed, one.Failed)
			for _, t := range one.Untaken {
				fmt.Fprintf(&b, "%s: no test takes %s\n", one.File, t)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
