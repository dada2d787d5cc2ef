package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
)

func newWorkflowDiagram() *cobra.Command {
	var lang string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diagram FILE",
		Short: "Draw a workflow definition as a Mermaid state diagram",
		Args: func(c *cobra.Command, args []string) error {
			if lang != "id" && lang != "en" {
				return fmt.Errorf("--lang %q: want id or en", lang)
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			d, _, err := readDefinition(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]string{"file": args[0], "lang": lang, "mermaid": workflows.Mermaid(d, lang)})
			}
			_, err = io.WriteString(c.OutOrStdout(), workflows.Mermaid(d, lang))
			return err
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&lang, "lang", "id", "`LANGUAGE` of the titles: id or en")
	return c
}
