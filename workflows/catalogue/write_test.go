package catalogue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alur-id/alur/workflows"
)

// What ships is written as it is read, tests in the file and all.
func TestEveryEntryIsWrittenAsItIsRead(t *testing.T) {
	for _, e := range entries(t) {
		source, err := workflows.Write(e.Definition, "")
		if err != nil {
			t.Fatal(err)
		}
		d, err := workflows.Read(e.Path, source)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.Definition, d, cmpopts.IgnoreUnexported(
			workflows.Condition{}, workflows.Form{}, workflows.Document{}, workflows.Scenario{}, workflows.ScenarioFile{}, workflows.Step{}, workflows.Expected{})); diff != "" {
			t.Errorf("%s (-read +written and read)\n%s", e.Path, diff)
		}
	}
}
