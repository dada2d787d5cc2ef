package catalogue_test

import (
	"testing"

	"github.com/alur-id/alur/workflows/catalogue"
)

func TestEveryEntryLoads(t *testing.T) {
	entries, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Fatal("the catalogue is empty")
	}
}
