package workflows_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows"
)

// A file of one kind that is given where another is wanted is told as what it is, once,
// and not by what it lacks of the other.
func TestAFileOfAnotherKind(t *testing.T) {
	definition, err := workflows.Read("w", permit("a"))
	if err != nil {
		t.Fatal(err)
	}
	from, to := workflows.Compile(definition, 1), workflows.Compile(definition, 2)
	readers := map[string]func(string) error{
		"definition": func(s string) error { _, err := workflows.Read("f.yaml", []byte(s)); return err },
		"decree":     func(s string) error { _, err := workflows.ReadDecree("f.yaml", []byte(s)); return err },
		"map":        func(s string) error { _, err := workflows.ReadMigrationMap("f.yaml", []byte(s), from, to); return err },
		"file of parameters": func(s string) error {
			return workflows.ReadSheet("f.yaml", "file of parameters", []byte(s), func(*workflows.Sheet, workflows.SheetNode) {})
		},
	}
	for _, c := range []struct{ text, is, goes string }{
		{"# first\nalur: 1\nid: a\n", "definition", "this seems to be a definition, and no %s: alur workflow check looks at it"},
		{"title: {id: a, en: b}\ndecree: 1\n", "decree", "this seems to be a decree, and no %s: alur calendar add records it"},
		{"migration: 1\nstates: {a: b}\n", "map", "this seems to be a migration map, and no %s: alur workflow migrate takes it with --map"},
		{"simulation: 1\n", "file of parameters", "this seems to be a file of parameters, and no %s: alur workflow simulate takes it with --with"},
	} {
		for wanted, read := range readers {
			err := read(c.text)
			told := err != nil && strings.Contains(err.Error(), strings.ReplaceAll(c.goes, "%s", wanted))
			if told != (wanted != c.is) {
				t.Errorf("%s read as a %s: %v", c.is, wanted, err)
			}
			var problems workflows.Problems
			if told && (!errors.As(err, &problems) || len(problems) != 1) {
				t.Errorf("%s read as a %s is told by %d problems", c.is, wanted, len(problems))
			}
		}
	}
	for wanted, read := range readers {
		if err := read("# nothing\n"); err == nil || !strings.Contains(err.Error(), "the file holds no "+wanted+": it is empty") {
			t.Errorf("an empty file as a %s: %v", wanted, err)
		}
		if err := read("a: 1\n---\na: 1\n"); err == nil || !strings.Contains(err.Error(), "a "+wanted+" is one") {
			t.Errorf("two documents as a %s: %v", wanted, err)
		}
	}
}
