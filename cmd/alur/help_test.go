package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// verbs are those of the program by name, without those that only hold others.
func verbs() map[string]*cobra.Command {
	list := map[string]*cobra.Command{}
	var walk func(*cobra.Command, string)
	walk = func(c *cobra.Command, path string) {
		for _, sub := range c.Commands() {
			walk(sub, strings.TrimSpace(path+" "+sub.Name()))
		}
		if !c.HasSubCommands() {
			list[path] = c
		}
	}
	walk(newRoot(), "")
	return list
}

// Help says of each flag whether the verb can do without it, and in one way what a
// moment looks like.
func TestHelpSaysWhatAFlagWants(t *testing.T) {
	moments := []string{"effective", "since", "until", "due-before", "at", "from"}
	n := 0
	for name, c := range verbs() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			_, required := f.Annotations[cobra.BashCompOneRequiredFlag]
			if required != strings.HasSuffix(f.Usage, "(required)") {
				t.Errorf("alur %s --%s: %s", name, f.Name, f.Usage)
			}
			if f.Value.Type() == "string" && slices.Contains(moments, f.Name) && name != "log copy" {
				n++
				if !strings.Contains(f.Usage, "`DATE` such as 2026-11-23 or a time with its zone, such as 2026-11-23T08:00:00+07:00") {
					t.Errorf("alur %s --%s: %s", name, f.Name, f.Usage)
				}
			}
		})
	}
	if n < 6 {
		t.Errorf("%d flags take a moment", n)
	}
}

// Whoever writes to a log in a file has to be alone with it, and help says so.
func TestHelpSaysWhoWrites(t *testing.T) {
	const sentence = "A SQLite log has one writing process: stop alur serve first"
	writers := []string{"import xes", "workflow publish", "workflow retire", "workflow migrate", "calendar add", "term sweep", "subject erase", "subject release", "mandate grant", "mandate end"}
	for name, c := range verbs() {
		if writes := slices.Contains(writers, name); writes != strings.Contains(c.Long, sentence) {
			t.Errorf("alur %s: writes %t, and help says\n%s", name, writes, c.Long)
		}
	}
	for _, name := range []string{"keys list", "subject export", "subject erase"} {
		if c := verbs()[name]; !strings.Contains(c.Long, "alur keys new --kek FILE") {
			t.Errorf("alur %s does not say where keys come from:\n%s", name, c.Long)
		}
	}
}
