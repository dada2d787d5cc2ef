package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
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
	stores           stores
	workflow, tenant string
	code             domain.TenantCode
	asJSON           bool
}

func newImportXES() *cobra.Command {
	var o importFlags
	c := &cobra.Command{
		Use:   "xes LOG",
		Short: "Import an XES event log, gzip or not: each case becomes a request",
		Long: `Import records the workflow as a version of the tenant's for imported requests, if
it is not the newest version already, and then tells the log case by case: every
event goes through the engine as a command, with its original time and resource. A
case that the workflow refuses is reported and nothing of it is kept; the exit code
is then 3. No new request is ever judged by that version: alur workflow publish
makes it law.

Importing a log again records only the cases that are not there yet.

The log's resources are stored as they are, in the clear: they must be
pseudonyms. Attributes of a case are kept only where the workflow declares them
as facts.

A SQLite log has one writing process: stop alur serve first.`,
		Args: func(c *cobra.Command, args []string) (err error) {
			if o.code, err = domain.ParseTenantCode(o.tenant); err != nil {
				return err
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return importXES(c, args[0], o) },
	}
	o.stores.flags(c)
	jsonFlag(c, &o.asJSON)
	c.Flags().StringVar(&o.workflow, "workflow", "", "`FILE` of the workflow definition")
	c.Flags().StringVar(&o.tenant, "tenant", "", "tenant `CODE`, such as 11.71")
	required(c, "workflow", "tenant")
	return c
}

func importXES(c *cobra.Command, path string, o importFlags) error {
	d, source, err := readDefinition(o.workflow)
	if err != nil {
		return err
	}
	f, err := openXES(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := xes.CheckCompression(path, f); err != nil {
		return err
	}
	input, finish := progress(c.ErrOrStderr(), f)
	defer finish()
	next, stop := iter.Pull2(xes.Read(path, input))
	defer stop()
	first, fault, some := next()
	if fault != nil {
		return fault // before anything is published
	}
	traces := func(yield func(workflows.Trace, error) bool) {
		for t, err, ok := first, fault, some; ok && yield(t, err); {
			t, err, ok = next()
		}
	}
	var summary workflows.ImportSummary
	publish := func(ctx context.Context, l *workflows.Library) (*workflows.Workflow, error) {
		if err := new(workflows.Importer).Accepts(d); err != nil {
			return nil, err
		}
		return l.Publish(ctx, workflows.Publication{
			Tenant: o.code, Source: source, Definition: d, Occurred: time.Now(), At: time.Now(),
			Actor: domain.Actor{ID: "import", Role: "import", Capacity: domain.CapacitySystem}, Why: "import of an event log", History: true,
		})
	}
	if err := o.stores.rehearsed(c, func(log domain.EventLog) error {
		_, err := publish(c.Context(), workflows.NewLibrary(log))
		return err
	}); err != nil {
		return err
	}
	err = withHouse(c, o.stores, func(ctx context.Context, h *house) error {
		importer := workflows.Importer{Log: h.log, Engine: h.engine}
		w, err := publish(ctx, h.library)
		if err != nil {
			return err
		}
		summary, err = importer.Import(ctx, o.code, w, traces)
		return err
	})
	finish()
	if err != nil && summary.Cases == 0 {
		return err
	}
	// What was done is told in any case, before what stopped it.
	if err != nil {
		summary.Fault = err.Error()
	}
	if printErr := printImported(c.OutOrStdout(), summary, o.asJSON); printErr != nil {
		return errors.Join(err, printErr)
	}
	switch {
	case err != nil:
		hint := "import it again"
		var fault *xes.Error
		if errors.As(err, &fault) {
			hint = "mend the log and import it again"
		}
		return &hintError{err, fmt.Sprintf("%d cases are recorded whole; %s, nothing will be doubled", summary.KeptCases, hint)}
	case len(summary.Refused) > 0:
		return &faultError{fmt.Sprintf("%d cases were refused", len(summary.Refused))}
	}
	return nil
}

func printImported(w io.Writer, s workflows.ImportSummary, asJSON bool) error {
	if asJSON {
		return printJSON(w, s)
	}
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
	return &reader, sync.OnceFunc(func() { _ = errors.Join(bar.Finish(), bar.Clear()) }) // a bar that cannot be drawn harms nothing
}
