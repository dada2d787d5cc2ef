package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
)

// checked is what a check found in one file.
type checked struct {
	File     string             `json:"file"`
	Problems workflows.Problems `json:"problems"`
}

func newWorkflowCheck() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check workflow definitions; every problem is named with its place",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			found := []checked{}
			faults := 0
			var unread error
			for _, file := range files {
				_, _, err := readDefinition(file)
				var problems workflows.Problems
				if err != nil && !errors.As(err, &problems) {
					unread = errors.Join(unread, err)
					continue
				}
				faults += len(problems)
				found = append(found, checked{File: file, Problems: append(workflows.Problems{}, problems...)})
			}
			if err := printChecked(c.OutOrStdout(), found, asJSON); err != nil {
				return err
			}
			if unread == nil && faults > 0 {
				return &faultError{fmt.Sprintf("%d problems found", faults)}
			}
			return unread
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func printChecked(w io.Writer, found []checked, asJSON bool) error {
	if asJSON {
		return printJSON(w, found)
	}
	var b strings.Builder
	for _, f := range found {
		if len(f.Problems) == 0 {
			fmt.Fprintf(&b, "%s: OK\n", f.File)
			continue
		}
		fmt.Fprintln(&b, f.Problems.Error())
	}
	_, err := io.WriteString(w, b.String())
	return err
}
