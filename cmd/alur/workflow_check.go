package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
)

// checked is what a check found in one file: problems for which it cannot be read,
// or findings that stand against publishing it.
type checked struct {
	File     string              `json:"file"`
	Problems workflows.Problems  `json:"problems"`
	Findings []workflows.Finding `json:"findings"`
	Unread   string              `json:"unread,omitempty"` // why the file was not looked at
}

func newWorkflowCheck() *cobra.Command {
	var lang string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check workflow definitions; everything that stands against them is named with its place",
		Long: `Check reads definitions and names every problem at its place. Of those that can be
read it then says what stands against publishing them: rules of good
administration that they do not keep, and what can be proved to go wrong, with the
shortest way there, step by step, in the language of --lang. The exit code is 3 when
there is anything, and 1 when a file could not be looked at. A file that is named - is
standard input.`,
		Args: func(c *cobra.Command, args []string) error {
			if lang != "id" && lang != "en" {
				return fmt.Errorf("--lang %q: want id or en", lang)
			}
			return cobra.MinimumNArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, files []string) error {
			found := []checked{}
			faults := 0
			var unread error
			for _, file := range files {
				one, err := checkFile(lang, file)
				if err != nil {
					unread = errors.Join(unread, err)
					one.Unread = err.Error()
				}
				faults += len(one.Problems) + len(one.Findings)
				found = append(found, one)
			}
			if err := printChecked(c.OutOrStdout(), found, asJSON); err != nil {
				return err
			}
			if unread == nil && faults > 0 {
				return &faultError{count(faults, "problem") + " found"}
			}
			return unread
		},
	}
	c.Flags().StringVar(&lang, "lang", "en", "`LANGUAGE` of the ways there: id or en")
	jsonFlag(c, &asJSON)
	return c
}

func checkFile(lang, file string) (checked, error) {
	one := checked{File: shownAs(file), Problems: workflows.Problems{}, Findings: []workflows.Finding{}}
	source, err := readFile(file, workflows.MaxDefinition)
	if err != nil {
		return one, err
	}
	_, findings, err := workflows.CheckIn(lang, one.File, source)
	if err != nil && !errors.As(err, &one.Problems) {
		return one, err
	}
	one.Findings = append(one.Findings, findings...)
	return one, nil
}

func printChecked(w io.Writer, found []checked, asJSON bool) error {
	if asJSON {
		return printJSON(w, found)
	}
	var b strings.Builder
	for _, f := range found {
		if f.Unread != "" {
			continue // told with the other errors
		}
		if len(f.Problems)+len(f.Findings) == 0 {
			fmt.Fprintf(&b, "%s: OK\n", f.File)
			continue
		}
		if len(f.Problems) > 0 {
			fmt.Fprintln(&b, f.Problems.Error())
		}
		for _, x := range f.Findings {
			fmt.Fprintln(&b, x)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
