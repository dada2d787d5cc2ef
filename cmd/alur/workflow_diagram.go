package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/graphviz"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/picture"
)

// diagramFormats are what a definition can be drawn as.
var diagramFormats = []string{"mermaid", "dot", "svg"}

func newWorkflowDiagram() *cobra.Command {
	var lang, format, state string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diagram FILE",
		Short: "Draw a workflow definition as SVG, DOT or a Mermaid state diagram",
		Long: `Diagram draws the states of a definition with who has to act in each, by when and
what is waited for, and the ways between them with who may go them and on what
condition. Svg is a picture for a page or a printer; dot (Graphviz) and mermaid are
text from which other tools draw one. The same definition gives the same bytes.`,
		Example: `  alur workflow diagram sip-dokter.yaml --format svg > sip-dokter.svg
  alur workflow diagram sip-dokter.yaml --format svg --lang en --state health-check > here.svg`,
		Args: func(c *cobra.Command, args []string) error {
			if lang != "id" && lang != "en" {
				return fmt.Errorf("--lang %q: want id or en", lang)
			}
			if !slices.Contains(diagramFormats, format) {
				return fmt.Errorf("--format %q: want one of %s", format, strings.Join(diagramFormats, ", "))
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			d, _, err := readDefinition(args[0])
			if err != nil {
				return err
			}
			shown, err := picture.Depict(d, lang, domain.StateID(state))
			if err != nil {
				return err
			}
			text, err := draw(c.Context(), shown, format)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]string{"file": args[0], "lang": lang, format: text})
			}
			_, err = fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&format, "format", "mermaid", "`FORMAT`: svg, dot or mermaid")
	c.Flags().StringVar(&lang, "lang", "id", "`LANGUAGE` of the titles: id or en")
	c.Flags().StringVar(&state, "state", "", "`STATE` that is marked as where a request stands")
	return c
}

func draw(ctx context.Context, p *picture.Picture, format string) (string, error) {
	switch format {
	case "dot":
		return p.DOT(), nil
	case "svg":
		svg, err := graphviz.New().SVG(ctx, p)
		var large *graphviz.TooLargeError
		if errors.As(err, &large) {
			err = &hintError{err, "use --format dot or --format mermaid"}
		}
		return string(svg), err
	}
	return p.Mermaid(), nil
}
