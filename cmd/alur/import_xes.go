package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

func newImport() *cobra.Command {
	return group("import", "Import histories from other systems", newImportXES())
}

type importFlags struct {
	workflow, db, tenant string
	code                 domain.TenantCode
	asJSON               bool
}

func newImportXES() *cobra.Command {
	var o importFlags
	c := &cobra.Command{
		Use:   "xes LOG",
		Short: "Import an XES event log, gzip or not: each case becomes a request",
		Long: `Import publishes the workflow for the tenant if it is not the newest version
already, and then tells the log case by case: every event goes through the engine
as a command, with its original time and resource. A case that the workflow
refuses is reported and nothing of it is kept; the exit code is then 3.

Importing a log again records only the cases that are not there yet.

The log's resources are stored as they are, in the clear: they must be
pseudonyms. Attributes of a case are kept only where the workflow declares them
as facts.`,
		Args: func(c *cobra.Command, args []string) (err error) {
			if o.code, err = domain.ParseTenantCode(o.tenant); err != nil {
				return err
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return importXES(c, args[0], o) },
	}
	dbFlag(c, &o.db)
	jsonFlag(c, &o.asJSON)
	c.Flags().StringVar(&o.workflow, "workflow", "", "`FILE` of the workflow definition")
	c.Flags().StringVar(&o.tenant, "tenant", "", "tenant `CODE`, such as 11.71")
	for _, name := range []string{"workflow", "tenant"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // a flag that was just defined
		}
	}
	return c
}

func importXES(c *cobra.Command, path string, o importFlags) error {
	d, source, err := readDefinition(o.workflow)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var summary workflows.ImportSummary
	err = withHouse(c, o.db, func(ctx context.Context, h *house) error {
		w, err := h.library.Publish(ctx, workflows.Publication{
			Tenant: o.code, Source: source, Definition: d, Occurred: time.Now(),
			Actor: domain.Actor{ID: "import", Role: "import", Capacity: domain.CapacitySystem}, Why: "import of an event log",
		})
		if err != nil {
			return err
		}
		input, finish := progress(c.ErrOrStderr(), f)
		defer finish()
		importer := workflows.Importer{Log: h.log, Engine: h.engine}
		summary, err = importer.Import(ctx, o.code, w, xes.Read(path, input))
		return err
	})
	if err != nil {
		if summary.KeptCases > 0 {
			err = &hintError{err, fmt.Sprintf("%d cases before it are recorded whole; mend the log and import it again, nothing will be doubled", summary.KeptCases)}
		}
		return err
	}
	if o.asJSON {
		err = printJSON(c.OutOrStdout(), summary)
	} else {
		err = printImported(c.OutOrStdout(), summary)
	}
	if err == nil && len(summary.Refused) > 0 {
		err = &faultError{fmt.Sprintf("%d cases were refused", len(summary.Refused))}
	}
	return err
}

func printImported(w io.Writer, s workflows.ImportSummary) error {
	rows := [][]string{
		{"cases read", fmt.Sprint(s.Cases)},
		{"events read", fmt.Sprint(s.Events)},
		{"cases kept", fmt.Sprint(s.KeptCases)},
		{"events kept", fmt.Sprint(s.KeptEvents)},
		{"of these cases, there before", fmt.Sprint(s.WereThere)},
		{"cases refused", fmt.Sprint(len(s.Refused))},
		{"seconds", fmt.Sprintf("%.2f", s.Seconds)},
	}
	for _, p := range sortedKeys(s.Punctuality) {
		rows = append(rows, []string{"cases " + p, fmt.Sprint(s.Punctuality[p])})
	}
	if err := table(w, []string{"WHAT", "HOW MANY"}, rows); err != nil {
		return err
	}
	for _, r := range s.Refused {
		if _, err := fmt.Fprintf(w, "refused %s, event %d %s: %s: %s\n", printable(r.Case), r.Event, printable(r.Activity), r.Rule, printable(r.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// progress shows how much of the file was read, when somebody watches.
func progress(w io.Writer, f *os.File) (io.Reader, func()) {
	t, ok := w.(*os.File)
	info, err := f.Stat()
	if !ok || !term.IsTerminal(int(t.Fd())) || err != nil {
		return f, func() {}
	}
	bar := progressbar.NewOptions64(info.Size(), progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("importing"), progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())
	reader := progressbar.NewReader(f, bar)
	return &reader, func() { _ = errors.Join(bar.Finish(), bar.Clear()) } // a bar that cannot be drawn harms nothing
}
