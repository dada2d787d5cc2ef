package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

// jsonFlag is the flag of every verb that reads.
func jsonFlag(c *cobra.Command, on *bool) {
	c.Flags().BoolVar(on, "json", false, "print JSON")
}

// required marks flags that a command cannot do without.
func required(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // a flag that was just defined
		}
		c.Flags().Lookup(name).Usage += " (required)"
	}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writable refuses a file that could not be written when the work is done; none is fine.
// Nothing is left behind, and nothing is changed.
func writable(path string) error {
	if path == "" {
		return nil
	}
	reason := func(err error) error {
		var at *fs.PathError
		if errors.As(err, &at) {
			return at.Err
		}
		return err
	}
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		return errors.New("there is something that is no file")
	case err == nil:
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return reason(err)
		}
		return f.Close()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".alur-")
	if err != nil {
		return reason(err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// table prints rows under a header, in columns.
func table(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range append([][]string{header}, rows...) {
		for i, cell := range r {
			r[i] = printable(cell)
		}
		if _, err := fmt.Fprintln(t, strings.Join(r, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// printable keeps a value that came from outside from moving the cursor or
// breaking the table.
func printable(s string) string {
	if s == "" {
		return "-"
	}
	return domain.Printable(s)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// clock is a time as the tenant's people read it, with its zone.
func clock(t time.Time, tenant domain.TenantCode) string {
	if t.IsZero() {
		return ""
	}
	return t.In(tenant.Zone()).Format("2006-01-02 15:04:05 MST")
}
