package main

import (
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/workflows"
)

func newWorkflowSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the definition language, for editors",
		Long: `Schema prints a JSON Schema (2020-12). An editor that is told of it completes keys
and marks what is wrong as one types; many take it from a first line such as

  # yaml-language-server: $schema=alur.schema.json`,
		Example: `  alur workflow schema > alur.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(workflows.Schema)
			return err
		},
	}
}
