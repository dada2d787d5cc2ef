package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/digit"
)

func newWorkflowImportDigit() *cobra.Command {
	var service string
	var asJSON bool
	c := &cobra.Command{
		Use:   "digit FILE",
		Short: "Make a definition of a DIGIT BusinessService",
		Long: `Digit reads a workflow in the BusinessService format of DIGIT (egov-workflow-v2) and
writes a definition to standard output. Nothing is repaired in silence: what was
dropped, guessed or is wrong is told on standard error with its place, and so is
what alur workflow check finds in the definition. The exit code is 3 when there is
anything of that. Of a file with several services one is taken: say which.`,
		Example: `  alur workflow import digit NewTL.json > newtl.yaml
  alur workflow import digit all.json --service NewTL --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			source, err := readFile(args[0], workflows.MaxDefinition)
			if err != nil {
				return err
			}
			made, err := digit.Import(shownAs(args[0]), source, service)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), made)
			} else {
				err = printDigit(c.OutOrStdout(), c.ErrOrStderr(), made)
			}
			if told := len(made.Faults) + len(made.Findings); err == nil && told > 0 {
				err = &faultError{count(len(made.Faults), "fault") + " and " + count(len(made.Findings), "finding")}
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&service, "service", "", "`NAME` of the businessService, where the file has several")
	return c
}

func printDigit(stdout, stderr io.Writer, made *digit.Imported) error {
	var b strings.Builder
	for _, f := range made.Faults {
		fmt.Fprintln(&b, f)
	}
	for _, f := range made.Findings {
		fmt.Fprintln(&b, f)
	}
	if _, err := io.WriteString(stderr, b.String()); err != nil {
		return err
	}
	_, err := io.WriteString(stdout, made.Definition)
	return err
}
