package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
)

// tested is what became of the tests of one file.
type tested struct {
	File     string             `json:"file"`
	Passed   int                `json:"passed"`
	Failed   int                `json:"failed"`
	Problems workflows.Problems `json:"problems"`
}

func newWorkflowTest() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run the tests that stand in workflow definitions",
		Long: `Test plays each test of a definition by the rules that real requests are judged by,
and names the line where one goes another way. The exit code is 3 when one does,
or when there are no tests.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			all := []tested{}
			failed := 0
			for _, file := range files {
				one, err := testFile(file)
				if err != nil {
					return err
				}
				failed += one.Failed
				if one.Passed+one.Failed == 0 {
					failed++
				}
				all = append(all, one)
			}
			var err error
			if asJSON {
				err = printJSON(c.OutOrStdout(), all)
			} else {
				for _, one := range all {
					if len(one.Problems) > 0 {
						_, err = fmt.Fprintln(c.OutOrStdout(), one.Problems.Error())
					}
					_, printErr := fmt.Fprintf(c.OutOrStdout(), "%s: %d passed, %d failed\n", one.File, one.Passed, one.Failed)
					err = errors.Join(err, printErr)
				}
			}
			if err == nil && failed > 0 {
				err = &faultError{"not every file has tests that pass"}
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func testFile(file string) (tested, error) {
	d, source, err := readDefinition(file)
	if err != nil {
		return tested{}, err
	}
	run := workflows.RunTests(file, source, d)
	return tested{File: file, Passed: run.Passed, Failed: run.Failed, Problems: append(workflows.Problems{}, run.Problems...)}, nil
}
