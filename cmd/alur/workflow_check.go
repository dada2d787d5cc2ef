package main

import (
	"errors"
	"fmt"

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
			for _, file := range files {
				_, _, err := readDefinition(file)
				var problems workflows.Problems
				if err != nil && !errors.As(err, &problems) {
					return err
				}
				faults += len(problems)
				found = append(found, checked{File: file, Problems: append(workflows.Problems{}, problems...)})
			}
			if asJSON {
				if err := printJSON(c.OutOrStdout(), found); err != nil {
					return err
				}
			} else {
				for _, f := range found {
					if len(f.Problems) == 0 {
						c.Printf("%s: OK\n", f.File)
						continue
					}
					c.Println(f.Problems.Error())
				}
			}
			if faults > 0 {
				return &faultError{fmt.Sprintf("%d problems found", faults)}
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
