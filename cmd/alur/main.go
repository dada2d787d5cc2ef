// Command alur runs and inspects an Alur engine: it serves the API and the
// citizens' pages, checks and drafts workflows, imports event logs, and shows
// any request as it stood at any time.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/workflows"
)

// The exit codes.
const (
	exitFailed = 1 // it could not be done
	exitUsage  = 2 // the command line is wrong
	exitFault  = 3 // it was checked, and a fault was found
)

func main() { os.Exit(run()) }

func run() int {
	// What lives long is small, what a command allocates dies at once: collecting a
	// third as often costs some tens of megabytes and gives a third more commands.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	began := false // a verb was found and its arguments are right
	root := newRoot()
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if err := errors.Join(c.ValidateRequiredFlags(), c.ValidateFlagGroups()); err != nil {
			return err
		}
		if err := emptyFlags(c); err != nil {
			return err
		}
		began = true
		return nil
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	verb, err := root.ExecuteContextC(ctx)
	var fault *faultError
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &fault):
		fmt.Fprintf(stderr, "alur: %v\n", err)
		hint(stderr, err)
		return exitFault
	case !began, errors.As(err, &usage):
		fmt.Fprintf(stderr, "alur: %v\n", misused(verb, err))
		if !errors.As(err, new(*hintError)) {
			err = &hintError{err, "see " + verb.CommandPath() + " --help"}
		}
		hint(stderr, err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "alur: %v\n", err)
	hint(stderr, err)
	return exitFailed
}

// hint says the way out, where we know it.
func hint(stderr io.Writer, err error) {
	var hinted *hintError
	switch {
	case errors.As(err, &hinted):
		fmt.Fprintf(stderr, "alur: hint: %s\n", hinted.hint)
	case errors.Is(err, keys.ErrNoKEK):
		fmt.Fprintln(stderr, "alur: hint: name the file that has it with --kek; keys that were rotated out are in FILE.retired, and can be put at the end of FILE")
	}
}

// faultError says that a check was made and found a fault: exit code 3.
type faultError struct{ text string }

func (e *faultError) Error() string { return e.text }

// hintError is an error to which we know the way out.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "alur",
		Short: "Run and inspect an engine for the requests people make of government",
		Long: `Alur moves requests for permits, licences and civil records through workflows
that their agencies wrote, and keeps every step in a log that nobody can change.

Data goes to standard output, everything else to standard error.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checked and found a fault.`,
		Example: `  alur demo
  alur workflow check sip-dokter.yaml
  alur import xes receipt.xes.gz --workflow receipt.yaml --db alur.db --tenant 11.71
  alur audit 7K3M-Q9XT-2WPN --db alur.db`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noVerb,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(newServe(), newDemo(), newBench(), newImport(), newReplay(), newAudit(), newStatistics(),
		group("workflow", "Check, test, backtest, simulate, draft, draw, compare, publish, migrate and retire workflow definitions",
			newWorkflowCheck(), newWorkflowTest(), newWorkflowSchema(), newWorkflowDiscover(), newWorkflowDiagram(), newWorkflowSimulate(),
			newWorkflowPublish(), newWorkflowVersions(), newWorkflowDiff(), newWorkflowBacktest(), newWorkflowRetire(), newWorkflowMigrate(),
			group("import", "Make definitions of workflows in other formats", newWorkflowImportDigit())),
		group("calendar", "Add, list and show the decrees of the working calendar", newCalendarAdd(), newCalendarList(), newCalendarShow()),
		group("log", "Verify, count, back up, restore and copy the event log", newLogVerify(), newLogStat(), newLogBackup(), newLogRestore(), newLogCopy(), newLogUpgrade()),
		group("projection", "List, rebuild, verify and pause the views", newProjectionList(), newProjectionRebuild(), newProjectionVerify(), newProjectionPause(), newProjectionResume()),
		group("keys", "List and rotate the keys of personal data", newKeysList(), newKeysRotate(), newKeysNew()),
		group("subject", "Export and erase one person's data", newSubjectExport(), newSubjectErase(), newSubjectRelease()),
		group("mandate", "Record, end and list who may act for others", newMandateGrant(), newMandateEnd(), newMandateList()),
		group("request", "List and show requests", newRequestList(), newRequestShow()),
		group("reactor", "List what goes outward and what failed of it, and try it again", newReactorList(), newReactorRetry(), newReactorSkip(), newReactorReplay()),
		group("permits", "List the permits that were issued", newPermitsList()),
		group("term", "List, explain and sweep the terms of requests", newTermList(), newTermShow(), newTermSweep()),
		group("inbox", "List and count the work that waits for officers", newInboxList(), newInboxCount()),
		group("queue", "List the queues of work that is given out", newQueueList()))
	return root
}

// group is a verb that only holds others; alone it is a usage error.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s needs a command", c.CommandPath())
			}
			return noVerb(c, args)
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(verbs...)
	return c
}

// noVerb refuses what was meant to be a verb, and says which one it is near.
func noVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := ""
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		near = fmt.Sprintf("; did you mean %q?", s[0])
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], c.CommandPath(), near)
}

// readDefinition reads a definition from a file.
func readDefinition(path string) (*workflows.Definition, []byte, error) {
	source, err := readFile(path, workflows.MaxDefinition)
	if err != nil {
		return nil, nil, err
	}
	d, err := workflows.Read(shownAs(path), source)
	return d, source, err
}

// standardInput is what names it where a file is read.
const standardInput = "-"

// shownAs is a file's name as it is told.
func shownAs(path string) string {
	if path == standardInput {
		return "stdin"
	}
	return path
}

// readFile reads a file, or standard input, that should not be larger than most
// bytes; one byte more is read so that the reader of the content can say that it is.
func readFile(path string, most int64) ([]byte, error) {
	if path == standardInput {
		return io.ReadAll(io.LimitReader(os.Stdin, most+1))
	}
	f, err := openFile(path, "*.yaml", asInput)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

// asInput is how what is no file can be given to a verb that reads standard input.
const asInput = "give it as standard input, and the file as -"

// openFile opens a regular file, and nothing else. For a folder it hints at the files of
// a pattern in it, for what is no file at all at what would help.
func openFile(path, pattern, instead string) (*os.File, error) {
	// Looked at before it is opened: a pipe that nobody writes to would be waited for.
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, &hintError{fmt.Errorf("%s is a directory", path), "name the files in it, such as " + filepath.Join(path, pattern)}
	case err == nil && !info.Mode().IsRegular():
		return nil, &hintError{fmt.Errorf("%s is no regular file", path), instead}
	}
	return os.Open(path)
}

// openXES opens an event log that is gone through more than once.
func openXES(path string) (*os.File, error) {
	return openFile(path, "*.xes.gz", "write it to a file first: a log is read twice")
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
